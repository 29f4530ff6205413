//! Patterns over the text of keys: anchored globs and explicit regular expressions. Knows keys only
//! by their text.
//!
//! Globs are translated to regular expressions, which the `regex` crate matches in time linear in
//! the text. A pattern that kills too much costs loads, one that kills too little serves stale
//! entries: where the two cannot be told apart, a pattern matches.

mod glob;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::EncodedKey;

/// The longest pattern, in bytes of its source.
pub const PATTERN_BYTES_MAX: usize = 1024;

/// The most memory that a compiled pattern may take, in bytes. Every glob fits.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 4 << 20;

/// The language a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternKind {
    /// See [`Pattern::glob`].
    Glob,
    /// See [`Pattern::regex`].
    Regex,
}

impl fmt::Display for PatternKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PatternKind::Glob => "glob",
            PatternKind::Regex => "regex",
        })
    }
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Say what to match; a glob `*` is every key.
    #[error("pattern: is empty, which matches no key; a glob `*` matches every key")]
    Empty,
    /// Shorten it.
    #[error("pattern: has {bytes} bytes, the limit is {PATTERN_BYTES_MAX} bytes")]
    TooLong {
        /// The length given, in bytes.
        bytes: usize,
    },
    /// Write less repetition.
    #[error(
        "pattern: takes more memory than the limit of {PATTERN_COMPILED_BYTES_MAX} bytes when compiled"
    )]
    TooLarge,
    /// Correct the glob.
    #[error("pattern: at byte {at}: {reason}")]
    Glob {
        /// Where the mistake begins, in bytes from the start.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Correct the regular expression.
    #[error("pattern: is no regular expression: {0}")]
    Regex(#[source] regex::Error),
    /// End the comment with a newline.
    #[error("pattern: its last comment (of `(?x)`) does not end with a newline")]
    OpenComment,
}

/// A pattern over the text of keys, see [`text`](super::text). It must match the whole text.
///
/// Cloning is cheap. Two patterns are equal when their kinds and sources are.
///
/// ```
/// use larder::key::pattern::Pattern;
/// let pattern = Pattern::glob("notifications:7:*")?;
/// assert!(pattern.matches("notifications:7:1"));
/// assert!(!pattern.matches("notifications:70:1"));
/// # Ok::<(), larder::key::pattern::PatternError>(())
/// ```
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    kind: PatternKind,
    source: Box<str>,
    literal_prefix: String,
    regex: Regex,
}

impl Pattern {
    /// A glob: `*` is any run of characters, also of none and across `:`; `?` is one character;
    /// `[abc]`, `[a-z]` is one of these, `[!abc]` or `[^abc]` one of the others; `\` takes what is
    /// special from the next character. All else stands for itself.
    ///
    /// # Errors
    /// An empty or too long text, an open or empty class, a reversed range, a `\` at the end.
    pub fn glob(source: &str) -> Result<Self, PatternError> {
        Self::new(PatternKind::Glob, source)
    }

    /// A regular expression in the syntax of the `regex` crate. It must match the whole text, as if
    /// it stood between `^` and `$`.
    ///
    /// # Errors
    /// An empty or too long text, one that is no regular expression, one that is too large when
    /// compiled.
    pub fn regex(source: &str) -> Result<Self, PatternError> {
        Self::new(PatternKind::Regex, source)
    }

    /// A pattern as a log stored it.
    ///
    /// # Errors
    /// As [`Pattern::glob`] and [`Pattern::regex`].
    pub fn new(kind: PatternKind, source: &str) -> Result<Self, PatternError> {
        match source.len() {
            0 => return Err(PatternError::Empty),
            bytes if bytes > PATTERN_BYTES_MAX => return Err(PatternError::TooLong { bytes }),
            _ => {}
        }
        let (regex, literal_prefix) = match kind {
            PatternKind::Glob => {
                (compiled(&glob::translated(source)?)?, glob::literal_prefix(source))
            }
            PatternKind::Regex => (anchored(source)?, literal_prefix(source).to_owned()),
        };
        Ok(Pattern(Arc::new(Compiled { kind, source: source.into(), literal_prefix, regex })))
    }

    /// The language it is written in.
    pub fn kind(&self) -> PatternKind {
        self.0.kind
    }

    /// The text it was made of.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it matches the whole of a key's text.
    pub fn matches(&self, key_text: &str) -> bool {
        self.0.regex.is_match(key_text)
    }

    /// Whether it matches the text of `key`.
    ///
    /// Of a key that was too long only a digest is left. It is taken to match every pattern that
    /// may match a key of its cache: matching too much costs a load.
    pub fn matches_key(&self, key: &EncodedKey) -> bool {
        if !key.is_hashed() {
            return self.matches(&key.to_string());
        }
        let every_text = super::text(key.cache(), "");
        let prefix = self.literal_prefix();
        every_text.starts_with(prefix) || prefix.starts_with(&every_text)
    }

    /// What every text that it matches begins with; empty when nothing is known. To narrow a
    /// server's scan.
    pub fn literal_prefix(&self) -> &str {
        &self.0.literal_prefix
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.source() == other.source()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        self.source().hash(state);
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.source())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind(), self.source())
    }
}

fn anchored(source: &str) -> Result<Regex, PatternError> {
    // First alone: `a)|(b` is no expression, though it would be one inside the group.
    compiled(source)?;
    // What is valid alone and not inside the group ends in a comment that swallows the bracket.
    compiled(&format!(r"\A(?:{source})\z")).map_err(|error| match error {
        PatternError::Regex(_) => PatternError::OpenComment,
        error => error,
    })
}

fn compiled(expression: &str) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(expression);
    builder.size_limit(PATTERN_COMPILED_BYTES_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        error => PatternError::Regex(error),
    })
}

/// The text before the first special character of a regular expression.
fn literal_prefix(source: &str) -> &str {
    // An alternative may begin otherwise, and finding where it begins would need a parser.
    if source.contains('|') {
        return "";
    }
    let end = source.find(|letter: char| r"\.+*?()[]{}^$#&-~".contains(letter));
    let (literal, rest) = source.split_at(end.unwrap_or(source.len()));
    // A repetition may repeat the last character no time.
    match (rest.chars().next(), literal.char_indices().next_back()) {
        (Some('*' | '?' | '{'), Some((last, _))) => &literal[..last],
        _ => literal,
    }
}
