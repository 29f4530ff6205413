//! Knows which versions of Redis the cache can use, and which of them have a flaw that was mended since.

use std::fmt;

use larder_redis::ServerReport;

use super::{Finding, Grade, finding};

/// The oldest version that has every command that the scripts use.
const VERSION_MIN: Version = Version(6, 2, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    fn parsed(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some(Version(parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A flaw of Redis that a caller with the rights of a node could use, and the first version of
/// each line without it. Distributions mend older versions without changing the number.
struct Flaw {
    name: &'static str,
    what: &'static str,
    mended: &'static [Version],
}

const FLAWS: &[Flaw] = &[
    Flaw {
        name: "CVE-2024-31228",
        what: "a long glob ends the server",
        mended: &[Version(6, 2, 16), Version(7, 2, 6), Version(7, 4, 1)],
    },
    Flaw {
        name: "CVE-2024-46981",
        what: "a script can run code",
        mended: &[Version(6, 2, 17), Version(7, 2, 7), Version(7, 4, 2)],
    },
    Flaw {
        name: "CVE-2025-21605",
        what: "an unknown client fills the memory",
        mended: &[Version(6, 2, 18), Version(7, 2, 8), Version(7, 4, 3)],
    },
    Flaw {
        name: "CVE-2025-49844",
        what: "a script can run code",
        mended: &[
            Version(6, 2, 20),
            Version(7, 2, 11),
            Version(7, 4, 6),
            Version(8, 0, 4),
            Version(8, 2, 2),
        ],
    },
];

impl Flaw {
    fn is_in(&self, version: Version) -> bool {
        let line = |mended: &&Version| (mended.0, mended.1) == (version.0, version.1);
        match self.mended.iter().find(line) {
            Some(mended) => version < *mended,
            // A line that was never mended: older than the newest that was.
            None => self.mended.last().is_some_and(|newest| version < *newest),
        }
    }
}

fn version_of(report: &ServerReport) -> Option<Version> {
    Version::parsed(report.version.as_deref()?)
}

pub(super) fn version(report: &ServerReport) -> Finding {
    let name = if report.is_valkey { "Valkey, compatible with Redis" } else { "Redis" };
    match version_of(report) {
        Some(version) if version >= VERSION_MIN => {
            finding(Grade::Good, "version", format!("{name} {version}"))
        }
        Some(version) => {
            let text = format!("{name} {version}; at least {VERSION_MIN} is needed");
            finding(Grade::Bad, "version", text)
        }
        None => finding(Grade::Warning, "version", "is not told"),
    }
}

pub(super) fn flaws(report: &ServerReport) -> Vec<Finding> {
    // Valkey tells the version that it is compatible with, not its own.
    let Some(version) = version_of(report).filter(|_| !report.is_valkey) else { return Vec::new() };
    let warning = |flaw: &Flaw| {
        let Flaw { name, what, .. } = flaw;
        let text = format!("{name}: {what}; {version} has it unless your distribution mended it");
        finding(Grade::Warning, "flaw", text)
    };
    FLAWS.iter().filter(|flaw| flaw.is_in(version)).map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_known_by_the_line_of_the_version() {
        let flaws = |version: &str| {
            let report = ServerReport { version: Some(version.into()), ..ServerReport::default() };
            super::flaws(&report).len()
        };
        assert_eq!(flaws("6.2.15"), 4);
        assert_eq!(flaws("6.2.20"), 0);
        assert_eq!(flaws("7.0.15"), 4);
        assert_eq!(flaws("7.2.8"), 1);
        assert_eq!(flaws("8.0.3"), 1);
        assert_eq!(flaws("8.2.2"), 0);
        assert_eq!(flaws("8.4.0"), 0);
    }
}
