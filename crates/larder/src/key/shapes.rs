//! Ready-made keys for the common shapes: a named list of parts, a call, and what belongs to a user
//! or a venue. Each is an ordinary derived [`Key`]; deriving your own is as good.

use std::borrow::Cow;
use std::fmt::Display;

use super::{Key, Parts, ReadableKey, StoredParts};

/// A name and arguments: `{name}[:arguments]`.
///
/// The arguments are any key: a tuple shows each of them, so fewer arguments make a prefix.
///
/// ```
/// use larder::key::{shapes::GenericKey, text};
/// let key = GenericKey::new("leaderboard").arguments(("weekly", 2026_u16, 47_u8));
/// assert_eq!(text("games", &key), "games:leaderboard:weekly:2026:47");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
pub struct GenericKey<A = ()> {
    name: Cow<'static, str>,
    arguments: A,
}

impl GenericKey {
    /// A key without arguments.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        GenericKey { name: name.into(), arguments: () }
    }

    /// The same key with these arguments.
    #[must_use]
    pub fn arguments<A: Key>(self, arguments: A) -> GenericKey<A> {
        GenericKey { name: self.name, arguments }
    }
}

/// A call of an API: `{controller}:{method}[:params]`.
///
/// ```
/// use larder::key::{shapes::{ApiKey, Params}, text};
/// let params = Params::new().with("page", 2).with("limit", 20);
/// let key = ApiKey::new("tournaments", "list").params(params);
/// assert_eq!(text("api", &key), "api:tournaments:list:limit=20&page=2");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
pub struct ApiKey<P = ()> {
    controller: Cow<'static, str>,
    method: Cow<'static, str>,
    params: P,
}

impl ApiKey {
    /// A call without parameters; as a prefix, all calls of this method.
    pub fn new(
        controller: impl Into<Cow<'static, str>>,
        method: impl Into<Cow<'static, str>>,
    ) -> Self {
        ApiKey { controller: controller.into(), method: method.into(), params: () }
    }

    /// The same call with parameters: [`Params`], or a key of your own.
    #[must_use]
    pub fn params<P: Key>(self, params: P) -> ApiKey<P> {
        ApiKey { controller: self.controller, method: self.method, params }
    }

    /// The prefix of every call of a controller.
    pub fn all_of(controller: impl Into<Cow<'static, str>>) -> (Cow<'static, str>,) {
        (controller.into(),)
    }
}

macro_rules! owned_by {
    ($owner:literal, $key:ident, $all:ident) => {
        #[doc = concat!("A resource of one ", $owner, ": `", $owner, ":{id}:{resource}[:params]`.")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
        #[key(text = $owner)]
        pub struct $key<I, P = ()> {
            id: I,
            resource: Cow<'static, str>,
            params: P,
        }

        impl<I: Key> $key<I> {
            /// The resource without parameters; as a prefix, it with any parameters.
            pub fn new(id: I, resource: impl Into<Cow<'static, str>>) -> Self {
                $key { id, resource: resource.into(), params: () }
            }

            /// The same resource with parameters: [`Params`], or a key of your own.
            #[must_use]
            pub fn params<P: Key>(self, params: P) -> $key<I, P> {
                $key { id: self.id, resource: self.resource, params }
            }

            #[doc = concat!("The prefix of everything that belongs to this ", $owner, ", and to no other.")]
            pub fn all_of(id: I) -> $all<I> {
                $all { id }
            }
        }

        #[doc = concat!("The prefix of everything that belongs to one ", $owner, ": `", $owner, ":{id}`.")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Key, ReadableKey)]
        #[key(text = $owner)]
        pub struct $all<I> {
            id: I,
        }
    };
}

owned_by!("user", UserKey, UserPrefix);
owned_by!("venue", VenueKey, VenuePrefix);

/// Named parameters whose order does not matter, as one part: `limit=20&page=2`.
///
/// As in a URL, a value counts by its text: the number 20 and the text "20" are one value. A name
/// may be given several times, and then the order of its values does matter. `&`, `=` and `%`
/// show as `%26`, `%3D` and `%25`, so different parameters are different parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Params {
    /// The escaped pairs, joined by `&`, sorted by name; values of one name in the order given.
    joined: String,
}

impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Params::default()
    }

    /// These parameters and one more. Costs time in proportion to what is there already.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        let name = escaped(name);
        let pair = format!("{name}={}", escaped(&value.to_string()));
        match self.place_after(&name) {
            0 if self.joined.is_empty() => self.joined = pair,
            0 => self.joined.insert_str(0, &format!("{pair}&")),
            place => self.joined.insert_str(place, &format!("&{pair}")),
        }
        self
    }

    /// Where the last pair ends whose name is not above `name`; 0 if there is none.
    fn place_after(&self, name: &str) -> usize {
        let mut end = 0;
        for pair in self.joined.split_inclusive('&') {
            let other = pair.split('=').next().unwrap_or(pair);
            if other > name {
                break;
            }
            end += pair.len();
        }
        // Every pair but the last was counted with the `&` after it.
        if end > 0 && end < self.joined.len() { end - 1 } else { end }
    }
}

impl Key for Params {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.text(&self.joined);
    }
}

impl ReadableKey for Params {
    const FINGERPRINT: u64 = String::FINGERPRINT;

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        Some(Params { joined: parts.text()? })
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' => escaped.push_str("%25"),
            '&' => escaped.push_str("%26"),
            '=' => escaped.push_str("%3D"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
