//! The catalogue: what each cache holds, under which keys and for how long, as it was set up.

use std::any::type_name;
use std::time::Duration;

use crate::codec::{Codec, Compression};
use crate::policy::Policy;
use crate::{Entry, Key};

/// One cache of a node, see [`Larder::catalogue`](crate::Larder::catalogue).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listing {
    /// Its name.
    pub name: String,
    /// How its keys look, such as `rooms:{id}`.
    pub key: String,
    /// The type of its values, without paths.
    pub value: String,
    /// How long a value is fresh, before [`jitter`](Listing::jitter) shortens it.
    pub fresh_for: Duration,
    /// How much longer it is served, marked stale, while one caller loads it again.
    pub stale_for: Duration,
    /// How much longer it is served if the source fails.
    pub fail_safe_for: Duration,
    /// How long it is known that there is no value.
    pub negative_for: Duration,
    /// Whether a read makes a value fresh for longer.
    pub sliding: bool,
    /// The largest part of the fresh time that is taken off by chance.
    pub jitter: f64,
    /// The most bytes of a value.
    pub value_bytes_max: usize,
    /// How values are encoded for other nodes.
    pub codec: Codec,
    /// How encoded values are compressed.
    pub compression: Compression,
    /// From how many bytes on they are compressed.
    pub compress_from: usize,
}

impl Listing {
    pub(crate) fn of<K: Key, V: Entry>(name: &str, policy: &Policy) -> Self {
        let shape = K::shape("key");
        let key = if shape.is_empty() { name.to_owned() } else { format!("{name}:{shape}") };
        Listing {
            name: name.to_owned(),
            key,
            value: without_paths(type_name::<V>()),
            fresh_for: policy.fresh_for,
            stale_for: policy.stale_for,
            fail_safe_for: policy.fail_safe_for,
            negative_for: policy.negative_for,
            sliding: policy.sliding,
            jitter: policy.jitter,
            value_bytes_max: policy.value_bytes_max,
            codec: policy.form.codec,
            compression: policy.form.compression,
            compress_from: policy.form.compress_from,
        }
    }
}

/// `alloc::vec::Vec<shop::Item>` as `Vec<Item>`.
fn without_paths(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    for part in name
        .split_inclusive(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':')
    {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_shown_without_its_paths() {
        for (long, short) in [
            ("u64", "u64"),
            ("alloc::string::String", "String"),
            ("alloc::vec::Vec<(shop::Item, core::option::Option<u8>)>", "Vec<(Item, Option<u8>)>"),
            ("&'static [shop::a_b::Item_2; 3]", "&'static [Item_2; 3]"),
        ] {
            assert_eq!(without_paths(long), short);
        }
    }
}
