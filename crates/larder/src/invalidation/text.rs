//! Decides the text of an invalidation: what waits in a database for whoever sends it. It says names
//! as they were given, not hashes, so that a process with other shards reads the same.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Invalidation;
use crate::asked::{Asked, Cause};
use crate::key::pattern::{Pattern, PatternError, PatternKind};
use crate::key::{Part, put_together, taken_apart};
use crate::node::marks::Target;
use crate::record::{Mode, Name, NameKind, Tag};

/// The only version so far. Another one is a form that this program cannot read.
const VERSION: u64 = 1;

/// A text that this program cannot read as an invalidation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidationTextError {
    /// It is longer than any that was written.
    #[error(
        "the text of an invalidation has at most {} bytes; this has {bytes}",
        Invalidation::TEXT_BYTES_MAX
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A newer program wrote it.
    #[error("the text is of version {found}; this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u64,
    },
    /// It is no text of an invalidation.
    #[error("the text is no invalidation")]
    Form(#[from] serde_json::Error),
    /// A pattern in it does not compile.
    #[error("the text names a pattern that does not compile")]
    Pattern(#[from] PatternError),
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hard: Vec<Named>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    soft: Vec<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    because: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Named {
    Everything,
    Cache(String),
    Tag(String),
    Key { cache: String, parts: Vec<Part> },
    Prefix { cache: String, parts: Vec<Part> },
    Glob(String),
    Regex(String),
}

impl Named {
    fn of(target: &Target) -> Self {
        match target {
            Target::Pattern(pattern) => match pattern.kind() {
                PatternKind::Glob => Named::Glob(pattern.source().to_owned()),
                PatternKind::Regex => Named::Regex(pattern.source().to_owned()),
            },
            Target::Name(name) => Named::of_name(name),
        }
    }

    fn of_name(name: &Name) -> Self {
        let text = || String::from_utf8_lossy(name.bytes()).into_owned();
        match (name.kind(), taken_apart(name.bytes())) {
            (NameKind::Cache, _) => Named::Cache(text()),
            (NameKind::Tag, _) => Named::Tag(text()),
            (NameKind::Key, Some((cache, parts))) => Named::Key { cache, parts },
            (NameKind::Prefix, Some((cache, parts))) => Named::Prefix { cache, parts },
            // A key or prefix that is none could be any.
            (NameKind::Root | NameKind::Key | NameKind::Prefix, _) => Named::Everything,
        }
    }

    fn into_target(self) -> Result<Target, PatternError> {
        let encoded = |kind, cache: &str, parts: &[Part]| {
            Target::Name(Name::from_parts(kind, put_together(cache, parts)))
        };
        Ok(match self {
            Named::Everything => Target::Name(Name::root()),
            Named::Cache(cache) => Target::Name(Name::cache(&cache)),
            Named::Tag(tag) => Target::Name(Name::tag(&Tag::new(tag))),
            Named::Key { cache, parts } => encoded(NameKind::Key, &cache, &parts),
            Named::Prefix { cache, parts } => encoded(NameKind::Prefix, &cache, &parts),
            Named::Glob(source) => Target::Pattern(Pattern::glob(&source)?),
            Named::Regex(source) => Target::Pattern(Pattern::regex(&source)?),
        })
    }
}

impl Invalidation {
    /// The longest text, in bytes: some thousand names.
    pub const TEXT_BYTES_MAX: usize = 256 * 1024;

    /// The text from which any process makes the same invalidation again, with [`str::parse`]: JSON
    /// with a version.
    ///
    /// ```
    /// use larder::Invalidation;
    /// let text = Invalidation::new().key("rooms", &12u64).tag("rooms-of-7").to_text();
    /// assert_eq!(
    ///     text,
    ///     r#"{"version":1,"hard":[{"key":{"cache":"rooms","parts":[{"unsigned":12}]}},{"tag":"rooms-of-7"}]}"#
    /// );
    /// let again: Invalidation = text.parse()?;
    /// assert_eq!(again.to_text(), text);
    /// # Ok::<(), larder::InvalidationTextError>(())
    /// ```
    ///
    /// Where the text would be longer than [`TEXT_BYTES_MAX`](Self::TEXT_BYTES_MAX), it names everything instead.
    pub fn to_text(&self) -> String {
        let of = |mode| {
            let named = self.records().filter(move |(_, of)| *of == mode);
            named.map(|(target, _)| Named::of(target)).collect::<Vec<_>>()
        };
        let Cause { by, because } = self.cause.clone();
        let (hard, soft) = (of(Mode::Hard), of(Mode::Soft));
        let form = Form { version: VERSION, hard, soft, by, because };
        let written = serde_json::to_string(&form);
        written.ok().filter(|text| text.len() <= Self::TEXT_BYTES_MAX).unwrap_or_else(|| {
            let mode = if form.hard.is_empty() { "soft" } else { "hard" };
            format!(r#"{{"version":{VERSION},"{mode}":["everything"]}}"#)
        })
    }
}

/// Reads what [`Invalidation::to_text`] wrote.
impl FromStr for Invalidation {
    type Err = InvalidationTextError;

    fn from_str(text: &str) -> Result<Self, InvalidationTextError> {
        if text.len() > Self::TEXT_BYTES_MAX {
            return Err(InvalidationTextError::TooLong { bytes: text.len() });
        }
        // First alone: a newer form may have fields that this one does not know.
        let Versioned { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(InvalidationTextError::Version { found: version });
        }
        let Form { hard, soft, by, because, .. } = serde_json::from_str(text)?;
        let with = |named: Vec<Named>, mode| {
            named.into_iter().map(move |named| Ok((named.into_target()?, mode)))
        };
        let records: Result<_, PatternError> =
            with(hard, Mode::Hard).chain(with(soft, Mode::Soft)).collect();
        Ok(Invalidation::of_asked(Asked { records: records?, cause: Cause { by, because } }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, bytes and mode of each name, and each pattern.
    fn shown(invalidation: &Invalidation) -> Vec<String> {
        let shown = |(target, mode): (&Target, Mode)| match target {
            Target::Name(name) => format!("{mode:?} {:?} {:?}", name.kind(), name.bytes()),
            Target::Pattern(pattern) => format!("{mode:?} {pattern}"),
        };
        let mut all: Vec<String> = invalidation.records().map(shown).collect();
        all.sort();
        all
    }

    fn comes_back(invalidation: &Invalidation) {
        let text = invalidation.to_text();
        let again: Invalidation = text.parse().expect("what was written can be read");
        assert_eq!(shown(&again), shown(invalidation), "{text}");
    }

    #[test]
    fn every_kind_of_name_comes_back_byte_for_byte() {
        let key = (
            ("a:b\0\u{1F980}".to_owned(), u64::MAX, i64::MIN, u128::MAX - 1),
            (vec![0_u8, 255, 7], Some(true), None::<u64>, '%'),
            Some(()),
        );
        comes_back(
            &Invalidation::new()
                .key("rooms", &key)
                .key("rooms", &1_u64)
                .key("rooms", &1_i64)
                .key("no\0name", &())
                .prefix("rooms", &(7_u64, "x".to_owned()))
                .prefix("rooms", &())
                .tag("any \"text\"\0")
                .cache("rooms")
                .everything(),
        );
        let globs = Pattern::glob("chat:12:*").expect("a pattern");
        let regex = Pattern::regex(r"rooms:\d+").expect("a pattern");
        comes_back(&Invalidation::new().pattern(globs).pattern(regex));
    }

    #[test]
    fn a_key_of_which_only_the_digest_is_left_comes_back_and_a_long_prefix_too() {
        let long = "x".repeat(2_000);
        comes_back(&Invalidation::new().key("rooms", long.as_str()));
        comes_back(&Invalidation::new().prefix("rooms", &(long,)));
    }

    #[test]
    fn what_is_joined_stays_soft_or_hard_as_it_was() {
        let soft = Invalidation::new().tag("a").soft();
        let both = Invalidation::new().cache("b").and(soft);
        assert_eq!(both.to_text(), r#"{"version":1,"hard":[{"cache":"b"}],"soft":[{"tag":"a"}]}"#);
        comes_back(&both);
        assert!(Invalidation::new().is_empty() && !both.is_empty());
    }

    #[test]
    fn too_many_names_become_everything_instead_of_a_text_that_nobody_reads() {
        let many = (0..20_000).fold(Invalidation::new(), |many, n: u64| many.key("rooms", &n));
        assert_eq!(many.to_text(), r#"{"version":1,"hard":["everything"]}"#);
        assert_eq!(many.soft().to_text(), r#"{"version":1,"soft":["everything"]}"#);
    }

    #[test]
    fn a_text_that_is_wrong_or_newer_is_refused_with_the_reason() {
        let long = " ".repeat(Invalidation::TEXT_BYTES_MAX + 1);
        let nested = format!(r#"{{"version":1,"hard":{}"#, "[".repeat(10_000));
        for (text, says) in [
            ("", "no invalidation"),
            ("null", "no invalidation"),
            (r#"{"hard":["everything"]}"#, "no invalidation"),
            (r#"{"version":2,"harder":[]}"#, "version 2"),
            (r#"{"version":1,"harder":[]}"#, "no invalidation"),
            (r#"{"version":1,"hard":["nothing"]}"#, "no invalidation"),
            (r#"{"version":1,"hard":[{"key":{"cache":"a","parts":[{"wide":"0g"}]}}]}"#, "no inv"),
            (r#"{"version":1,"hard":[{"key":{"cache":"a","parts":[{"digest":"00"}]}}]}"#, "no inv"),
            (r#"{"version":1,"hard":[{"regex":"("}]}"#, "pattern"),
            (nested.as_str(), "no invalidation"),
            (long.as_str(), "at most"),
        ] {
            let error = text.parse::<Invalidation>().expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
