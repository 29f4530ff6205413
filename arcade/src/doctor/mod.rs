//! Decides whether a Redis is fit for the cache, as an operator would look at it. Pure: what it
//! judges was asked before.

mod versions;

use std::fmt;
use std::time::Duration;

use larder::shard::state::ConnectReply;
use larder_redis::{KeyCount, MissingRight, ServerReport};

/// An answer that takes longer makes each read of the shared tier slow.
const LATENCY_MAX: Duration = Duration::from_millis(5);

/// Clocks that differ by more make logs of both hard to read; the cache itself compares none.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(5);

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

/// Everything that can be said of a server from what it says about itself. `now_ms` is the local
/// wall clock when it was asked, in milliseconds since 1970.
pub fn findings(report: &ServerReport, now_ms: u64) -> Vec<Finding> {
    let mut findings = vec![versions::version(report), role(report), replicas(report)];
    findings.extend([memory(report), eviction(report)]);
    findings.extend(versions::flaws(report));
    findings.extend([persistence(report), connections(report), latency(report)]);
    findings.push(clock(report, now_ms));
    findings
}

/// What the rights mean that the ACL user lacks for `part`: the cache, or a journal.
pub fn rights(part: &str, missing: &[MissingRight]) -> Finding {
    if missing.is_empty() {
        return good("rights", &format!("the ACL user may do all that the {part} does"));
    }
    let missing: Vec<String> = missing.iter().map(MissingRight::to_string).collect();
    let missing = missing.join(", ");
    let text = format!("the ACL user lacks {missing} for the {part}; ACL SETUSER gives them");
    bad("rights", text)
}

/// What it means that the namespace has so many keys. More than `values_max` values are too many; 0 is no limit.
pub fn keys(count: KeyCount, values_max: u64) -> Finding {
    let KeyCount { keys, values, is_whole } = count;
    let least = if is_whole { "" } else { "at least " };
    let other = keys.saturating_sub(values);
    let found = format!("{least}{values} values and {other} other keys of the namespace");
    if values_max > 0 && values > values_max {
        let text = format!(
            "{found}; above redis.values_max, {values_max}: give values shorter lives, or the server a \
             maxmemory at which it drops some"
        );
        return finding(Grade::Warning, "keys", text);
    }
    good("keys", &found)
}

/// What it means that the shards were joined so.
pub fn parameters(joined: &[ConnectReply]) -> Finding {
    let outranked = joined.iter().find_map(|reply| match reply {
        ConnectReply::Outranked { parameters } => Some(parameters),
        ConnectReply::Joined { .. } => None,
    });
    match outranked {
        None => good("redis", "joined: the parameters agree"),
        Some(theirs) => {
            let text = format!("others use the namespace with {theirs:?}; this process is left out");
            bad("redis", text)
        }
    }
}

/// A finding that all is well with this subject.
pub fn good(subject: &'static str, text: &str) -> Finding {
    finding(Grade::Good, subject, text)
}

/// A finding that this subject is of no use as it is.
pub fn bad(subject: &'static str, text: impl Into<String>) -> Finding {
    finding(Grade::Bad, subject, text)
}

fn finding(grade: Grade, subject: &'static str, text: impl Into<String>) -> Finding {
    Finding { grade, subject, text: text.into() }
}

fn role(report: &ServerReport) -> Finding {
    match report.role.as_deref() {
        Some("master") => finding(Grade::Good, "role", "a primary"),
        Some(role) => bad("role", format!("{role}; only a primary takes invalidations")),
        None => finding(Grade::Warning, "role", "is not told"),
    }
}

/// A primary that lost its replicas goes on taking what the next primary will never have.
fn replicas(report: &ServerReport) -> Finding {
    match (report.replicas, report.replicas_in_time) {
        (None, _) => finding(Grade::Warning, "replicas", "are not told"),
        (Some(0), None) => good("replicas", "none: nothing takes this server's place"),
        (Some(count), None) => finding(
            Grade::Warning,
            "replicas",
            format!(
                "{count}, and writes are taken without any of them: a primary that is cut off takes \
                 invalidations that the next one never hears of; set min-replicas-to-write 1 and \
                 min-replicas-max-lag"
            ),
        ),
        (Some(count), Some(0)) => finding(
            Grade::Warning,
            "replicas",
            format!("{count}, none in time: below min-replicas-to-write each write is refused"),
        ),
        (Some(count), Some(close)) => finding(
            Grade::Good,
            "replicas",
            format!("{close} of {count} in time; min-replicas-to-write is set"),
        ),
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
            "noeviction: once full, nothing more is shared; allkeys-lru lets the cache forget, or \
             volatile-lru beside a journal (ARCADE_JOURNAL). A queue on the same server needs noeviction",
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
    if report.saving_failed == Some(true) {
        return finding(
            Grade::Warning,
            "persistence",
            "the last save failed: where stop-writes-on-bgsave-error is set, as it is by default, \
             each write is refused; look into the server's log, or turn saving off",
        );
    }
    match report.appends_to_file {
        Some(true) => good(
            "persistence",
            "appends to a file: the cache does not need it and starts anew after a restart; a \
             journal of acknowledged writes (larder_redis::journal) needs it",
        ),
        Some(false) => good(
            "persistence",
            "no append-only file: well for the cache, which starts anew after a restart; a journal \
             of acknowledged writes (larder_redis::journal) would lose them, and refuses this server",
        ),
        None => finding(Grade::Warning, "persistence", "is not told"),
    }
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
    use larder::shard::parameters::Parameters;

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
            replicas: Some(0),
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
    fn a_file_is_no_flaw_and_neither_are_replicas_without_which_nothing_is_taken() {
        let report = ServerReport { appends_to_file: Some(true), ..well() };
        assert_eq!(
            worst(&ServerReport { replicas: Some(2), replicas_in_time: Some(1), ..report }),
            []
        );
    }

    #[test]
    fn a_process_that_is_left_out_is_told_so() {
        let outranked = ConnectReply::Outranked { parameters: Parameters::default() };
        assert_eq!(parameters(&[outranked]).grade, Grade::Bad);
    }

    #[test]
    fn more_values_than_there_should_be_are_warned_of() {
        let count = KeyCount { keys: 12, values: 10, is_whole: false };
        let text = "at least 10 values and 2 other keys of the namespace";
        assert_eq!(keys(count, 10), good("keys", text));
        assert_eq!(keys(count, 0), good("keys", text));
        assert_eq!(keys(count, 9).grade, Grade::Warning);
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
        check(ServerReport { saving_failed: Some(true), ..well() }, ("persistence", Grade::Warning));
        check(ServerReport { appends_to_file: None, ..well() }, ("persistence", Grade::Warning));
        check(ServerReport { replicas: Some(1), ..well() }, ("replicas", Grade::Warning));
        let cut_off = ServerReport { replicas: Some(1), replicas_in_time: Some(0), ..well() };
        check(cut_off, ("replicas", Grade::Warning));
        let latency = Duration::from_millis(6);
        check(ServerReport { latency, ..well() }, ("latency", Grade::Warning));
        check(ServerReport { time_ms: 10_000_000, ..well() }, ("clock", Grade::Warning));
    }
}
