//! Decides whether a Redis is fit for the cache, as an operator would look at it. Pure: what it
//! judges was asked before.

use std::fmt;
use std::time::Duration;

use larder_redis::ServerReport;

/// An answer that takes longer makes each read of the shared tier slow.
const LATENCY_MAX: Duration = Duration::from_millis(5);

/// Clocks that differ by more make logs of both hard to read; the cache itself compares none.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(5);

/// The oldest version that has every command that the scripts use.
const VERSION_MIN: Version = Version(6, 2, 0);

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was looked at.
    pub subject: &'static str,
    /// What was found, and what to do about it.
    pub text: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works; an operator should know.
    Warning,
    /// The cache cannot share through it, or should not.
    Bad,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Good => "good",
            Grade::Warning => "warning",
            Grade::Bad => "bad",
        };
        write!(f, "{grade:8} {:12} {}", self.subject, self.text)
    }
}

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

/// Everything that can be said of a server from what it says about itself. `now_ms` is the local
/// wall clock when it was asked, in milliseconds since 1970.
pub fn findings(report: &ServerReport, now_ms: u64) -> Vec<Finding> {
    let mut findings = vec![version(report), role(report), memory(report), eviction(report)];
    findings.extend(flaws(report));
    findings.extend([persistence(report), connections(report), latency(report)]);
    findings.push(clock(report, now_ms));
    findings
}

/// A finding that all is well with this subject.
pub fn good(subject: &'static str, text: &str) -> Finding {
    finding(Grade::Good, subject, text)
}

fn finding(grade: Grade, subject: &'static str, text: impl Into<String>) -> Finding {
    Finding { grade, subject, text: text.into() }
}

fn version_of(report: &ServerReport) -> Option<Version> {
    Version::parsed(report.version.as_deref()?)
}

fn version(report: &ServerReport) -> Finding {
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

fn flaws(report: &ServerReport) -> Vec<Finding> {
    // Valkey tells the version that it is compatible with, not its own.
    let Some(version) = version_of(report).filter(|_| !report.is_valkey) else { return Vec::new() };
    let warning = |flaw: &Flaw| {
        let Flaw { name, what, .. } = flaw;
        let text = format!("{name}: {what}; {version} has it unless your distribution mended it");
        finding(Grade::Warning, "flaw", text)
    };
    FLAWS.iter().filter(|flaw| flaw.is_in(version)).map(warning).collect()
}

fn role(report: &ServerReport) -> Finding {
    match report.role.as_deref() {
        Some("master") => finding(Grade::Good, "role", "a primary"),
        Some(role) => {
            finding(Grade::Bad, "role", format!("{role}; only a primary takes invalidations"))
        }
        None => finding(Grade::Warning, "role", "is not told"),
    }
}

fn memory(report: &ServerReport) -> Finding {
    let used = report.used_memory_bytes.unwrap_or(0) >> 20;
    match report.memory_bytes_max {
        Some(0) => finding(
            Grade::Warning,
            "memory",
            format!("{used} MiB used and no limit; set maxmemory, or the machine ends the server"),
        ),
        Some(most) => {
            finding(Grade::Good, "memory", format!("{used} MiB used of {} MiB", most >> 20))
        }
        None => finding(Grade::Warning, "memory", "is not told"),
    }
}

fn eviction(report: &ServerReport) -> Finding {
    match report.eviction_policy.as_deref() {
        Some("noeviction") => finding(
            Grade::Warning,
            "eviction",
            "noeviction: once full, nothing more is shared; allkeys-lru lets the cache forget. A \
             queue on the same server needs noeviction",
        ),
        Some(policy) => finding(
            Grade::Good,
            "eviction",
            format!("{policy}: whatever is dropped costs a load, never a stale answer"),
        ),
        None => finding(Grade::Warning, "eviction", "is not told"),
    }
}

fn persistence(report: &ServerReport) -> Finding {
    let text = match report.appends_to_file {
        Some(true) => {
            "appends to a file; the cache does not need it, and starts anew after a restart"
        }
        Some(false) => "no append-only file; the cache needs none",
        None => "is not told",
    };
    finding(Grade::Good, "persistence", text)
}

fn connections(report: &ServerReport) -> Finding {
    let (Some(now), Some(most)) = (report.connections, report.connections_max) else {
        return finding(Grade::Warning, "connections", "are not told");
    };
    // Each process of Arcade has two.
    let grade = if now * 10 > most * 8 { Grade::Warning } else { Grade::Good };
    finding(grade, "connections", format!("{now} of {most}"))
}

fn latency(report: &ServerReport) -> Finding {
    let latency = report.latency;
    let grade = if latency > LATENCY_MAX { Grade::Warning } else { Grade::Good };
    finding(grade, "latency", format!("{latency:?} for one answer; at most {LATENCY_MAX:?} is well"))
}

fn clock(report: &ServerReport, now_ms: u64) -> Finding {
    let apart = Duration::from_millis(report.time_ms.abs_diff(now_ms));
    let grade = if apart > CLOCKS_APART_MAX { Grade::Warning } else { Grade::Good };
    finding(grade, "clock", format!("{apart:?} from this machine's; the cache compares no clocks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> ServerReport {
        ServerReport {
            version: Some("7.4.6".into()),
            role: Some("master".into()),
            used_memory_bytes: Some(5 << 20),
            memory_bytes_max: Some(100 << 20),
            eviction_policy: Some("allkeys-lru".into()),
            connections: Some(3),
            connections_max: Some(10_000),
            appends_to_file: Some(false),
            time_ms: 1_000_000,
            ..ServerReport::default()
        }
    }

    fn worst(report: &ServerReport) -> Vec<(&'static str, Grade)> {
        let found = findings(report, 1_000_000);
        let bad = found.into_iter().filter(|found| found.grade > Grade::Good);
        bad.map(|found| (found.subject, found.grade)).collect()
    }

    #[test]
    fn a_server_that_is_well_gets_no_warning() {
        assert_eq!(worst(&well()), []);
    }

    #[test]
    fn each_thing_that_is_wrong_is_found() {
        let check = |report: ServerReport, expected| assert_eq!(worst(&report), [expected]);
        check(
            ServerReport { version: Some("6.0.9".into()), is_valkey: true, ..well() },
            ("version", Grade::Bad),
        );
        check(ServerReport { role: Some("slave".into()), ..well() }, ("role", Grade::Bad));
        check(ServerReport { memory_bytes_max: Some(0), ..well() }, ("memory", Grade::Warning));
        let policy = Some("noeviction".into());
        check(ServerReport { eviction_policy: policy, ..well() }, ("eviction", Grade::Warning));
        check(ServerReport { connections: Some(9_000), ..well() }, ("connections", Grade::Warning));
        let latency = Duration::from_millis(6);
        check(ServerReport { latency, ..well() }, ("latency", Grade::Warning));
        check(ServerReport { time_ms: 10_000_000, ..well() }, ("clock", Grade::Warning));
    }

    #[test]
    fn flaws_are_known_by_the_line_of_the_version() {
        let flaws = |version: &str| {
            let found =
                findings(&ServerReport { version: Some(version.into()), ..well() }, 1_000_000);
            found.iter().filter(|found| found.subject == "flaw").count()
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
