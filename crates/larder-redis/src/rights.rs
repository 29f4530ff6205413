//! Decides which rights the ACL user of a node needs, and finds out which are missing: by asking for each in a
//! way that changes nothing. `ACL DRYRUN` would tell, but that is a right that no node should have.

use std::collections::BTreeSet;
use std::fmt;

use futures_util::future::join_all;
use larder::key::EncodedKey;
use redis::Cmd;

use crate::fault::{Fault, FaultKind, Forbidden};
use crate::names::Names;
use crate::server::line::Line;

/// What a user of the server must have, and may lack.
pub(crate) const NEEDS_INFO: &str = "the ACL user needs the right to INFO: +info";

/// What a user of a cluster must have. Up to Redis 6.2 the whole command is a dangerous one.
pub(crate) const NEEDS_CLUSTER_SLOTS: &str =
    "the ACL user needs the right to CLUSTER SLOTS: +cluster|slots";

/// A right that the ACL user lacks on one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRight {
    /// The rule that gives it, for `ACL SETUSER`: `+scan`, `~{shop.*`, `&{shop.*`.
    pub rule: String,
    /// The server, as its address is written.
    pub server: String,
}

impl fmt::Display for MissingRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.rule, self.server)
    }
}

/// A command that changes nothing, and the rule that allows it.
type Asked = (&'static str, Cmd);

/// Stands in [`HARMLESS`] for a key that never exists.
const KEY: &str = "{key}";
/// Stands in [`HARMLESS`] for the shard's channel.
const CHANNEL: &str = "{channel}";

/// Each command that a node sends or its scripts call, in a form that changes nothing: because the key does
/// not exist, or because the last argument is wrong, which a server notices after it looked at the rights.
const HARMLESS: &[(&str, &[&str])] = &[
    ("+del", &["DEL", KEY]),
    ("+eval", &["EVAL", "return 1", "0"]),
    ("+evalsha", &["EVALSHA", "no digest of a script", "0"]),
    ("+get", &["GET", KEY]),
    ("+getrange", &["GETRANGE", KEY, "0", "0"]),
    ("+hincrby", &["HINCRBY", KEY, "field", "no number"]),
    ("+hmget", &["HMGET", KEY, "field"]),
    ("+hset", &["HSET", KEY, "field", "value", "no value"]),
    ("+info", &["INFO", "server"]),
    ("+mget", &["MGET", KEY]),
    ("+pexpire", &["PEXPIRE", KEY, "1"]),
    ("+publish", &["PUBLISH", CHANNEL, ""]),
    ("+scan", &["SCAN", "0", "COUNT", "1"]),
    ("+set", &["SET", KEY, "", "XX"]),
    ("+setrange", &["SETRANGE", KEY, "0", ""]),
    ("+time", &["TIME"]),
    ("+xadd", &["XADD", KEY, "NOMKSTREAM", "*", "field", "value"]),
    ("+xrange", &["XRANGE", KEY, "-", "+", "COUNT", "1"]),
];

/// The rules that the user of this line lacks to use the shard of these names.
pub(crate) async fn missing(
    line: &Line,
    names: &Names,
    namespace: &str,
    is_cluster: bool,
) -> Result<BTreeSet<String>, Fault> {
    let asked = asked(names, is_cluster);
    let answers = join_all(asked.iter().map(|(_, command)| line.command("rights", command))).await;
    let lacking = |rule: &str, fault: Fault| match fault.forbidden() {
        Some(Forbidden::Command) => Ok(Some(rule.to_owned())),
        // Whoever may touch some keys of a namespace only is no user of it.
        Some(Forbidden::Key) => Ok(Some(format!("~{{{namespace}.*"))),
        Some(Forbidden::Channel) => Ok(Some(format!("&{{{namespace}.*"))),
        None if matches!(fault.kind, FaultKind::Lost | FaultKind::TimedOut) => Err(fault),
        // It was allowed, and wrong.
        None => Ok(None),
    };
    let mut missing = BTreeSet::new();
    for ((rule, _), answer) in asked.iter().zip(answers) {
        if let Err(fault) = answer {
            missing.extend(lacking(rule, fault)?);
        }
    }
    if let Err(fault) = line.listen(&names.channel).await {
        missing.extend(lacking("+subscribe", fault)?);
    }
    Ok(missing)
}

fn asked(names: &Names, is_cluster: bool) -> Vec<Asked> {
    let command = |words: &[&str], key: &[u8]| {
        let mut command = Cmd::new();
        for word in words {
            command.arg(match *word {
                KEY => key,
                CHANNEL => names.channel.as_slice(),
                word => word.as_bytes(),
            });
        }
        command
    };
    let mut asked: Vec<Asked> =
        HARMLESS.iter().map(|(rule, words)| (*rule, command(words, &names.none))).collect();
    // To read and to write each kind of key. Writing nothing into one leaves it as it is.
    let some = EncodedKey::new("rights", &());
    let (value, lease) = (names.value(&some), names.lease(&some));
    for key in [&names.meta, &names.table, &names.log, &value, &lease] {
        asked.push(("+getrange", command(&["GETRANGE", KEY, "0", "0"], key)));
        asked.push(("+setrange", command(&["SETRANGE", KEY, "0", ""], key)));
    }
    if is_cluster {
        asked.push(("+cluster|slots", command(&["CLUSTER", "SLOTS"], &[])));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts;

    #[test]
    fn the_right_to_every_command_of_a_script_is_asked_for() {
        let scripts = [
            &scripts::CONNECT,
            &scripts::LEASE,
            &scripts::RENEW,
            &scripts::RELEASE,
            &scripts::FILL,
            &scripts::APPEND,
            &scripts::WRITE_THROUGH,
            &scripts::TAIL,
            &scripts::ANCHOR,
            &scripts::SWEEP,
            &scripts::FINISH,
        ];
        let mut called = BTreeSet::new();
        for script in scripts {
            let calls = script.text.split("call('").skip(1);
            called.extend(calls.filter_map(|rest| rest.split_once('\'')).map(|(name, _)| name));
        }
        assert!(called.len() > 10, "{called:?}");
        for name in called {
            let rule = format!("+{}", name.to_lowercase());
            assert!(HARMLESS.iter().any(|(asked, _)| *asked == rule), "nobody asks for {rule}");
        }
    }

    #[test]
    fn each_rule_is_asked_for_with_its_own_command() {
        for (rule, words) in HARMLESS {
            assert_eq!(rule.trim_start_matches('+'), words[0].to_lowercase());
        }
    }
}
