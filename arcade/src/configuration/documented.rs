//! Decides how settings are told to people: what they take, what stands where nobody gave a value,
//! and the table of all of them.

use std::fmt;

use super::setting::{Fallback, Kind, Setting};
use super::table::SETTINGS;
use crate::settings::Profile;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Kind::Address => f.write_str("an IP address, such as 127.0.0.1"),
            Kind::DatabaseUrl => {
                f.write_str("the URL of a file, sqlite:…, or of a server, postgres://…")
            }
            Kind::RedisUrl => f.write_str(
                "the URL of a Redis, redis://… or redis+unix://…, of its sentinels, \
                     redis-sentinel://…?master=…, or of a cluster, redis-cluster://…; with TLS \
                     rediss…",
            ),
            Kind::Host => f.write_str("a host name or an IP address"),
            Kind::File => f.write_str("the path of a file"),
            Kind::Namespace { bytes_max } => {
                write!(f, "1 to {bytes_max} bytes without braces and control characters")
            }
            Kind::Secret { bytes_min: 1 } => f.write_str("any text"),
            Kind::Secret { bytes_min } => write!(f, "at least {bytes_min} bytes"),
            Kind::LogFilter => f.write_str("a log filter, such as info or arcade=debug,info"),
        }
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fallback::Value(text) => write!(f, "`{text}`"),
            Fallback::Made(how) => f.write_str(how),
            Fallback::Required => f.write_str("**required**"),
        }
    }
}

/// Every setting as a table in Markdown, which the documentation includes as it is.
pub fn documented() -> String {
    let profiles = Profile::ALL.map(Profile::name).join(" | ");
    let head = format!(
        "| setting | variable | takes | {profiles} | decides | requirement |\n{}|\n",
        "|---".repeat(Profile::ALL.len() + 5)
    );
    let line = |setting: &Setting| {
        let Setting { name, variable, kind, about, requirement, .. } = setting;
        let fallbacks =
            Profile::ALL.map(|profile| (setting.fallback)(profile).to_string()).join(" | ");
        format!("| `{name}` | `{variable}` | {kind} | {fallbacks} | {about} | {requirement} |\n")
    };
    SETTINGS.iter().map(line).fold(head, |table, line| table + &line)
}
