//! What is said of a setting: its names, what it takes, what stands where nobody gave it.

use crate::settings::Profile;

/// One setting, as it is read, checked and documented.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The dotted name in the settings file.
    pub name: &'static str,
    /// The environment variable, which wins over the file.
    pub variable: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value where nobody gave one.
    pub fallback: fn(Profile) -> Fallback,
    /// What it decides, as one sentence.
    pub about: &'static str,
    /// The requirement behind it.
    pub requirement: &'static str,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number within bounds, both included.
    Number {
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An IP address.
    Address,
    /// The URL of a database.
    DatabaseUrl,
    /// The URL of a Redis server.
    RedisUrl,
    /// A host name or an IP address.
    Host,
    /// A file that is there.
    File,
    /// The start of every key: without braces, at most this many bytes.
    Namespace {
        /// The longest length in bytes.
        bytes_max: usize,
    },
    /// Text that is never shown, of at least this many bytes.
    Secret {
        /// The shortest length in bytes.
        bytes_min: usize,
    },
    /// A filter of log lines, such as `info` or `arcade=debug,info`.
    LogFilter,
}

/// What stands where nobody gave a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// This value.
    Value(&'static str),
    /// A value that the start makes up, as this text says.
    Made(&'static str),
    /// Nothing: the start fails.
    Required,
}
