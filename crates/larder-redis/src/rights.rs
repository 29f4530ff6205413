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
pub(crate) type Asked = (&'static str, Cmd);

/// Rules, and the words of a command for each. [`KEY`] and [`CHANNEL`] stand for what differs.
pub(crate) type Harmless = &'static [(&'static str, &'static [&'static str])];

/// Stands for a key that never exists.
pub(crate) const KEY: &str = "{key}";
/// Stands for the shard's channel.
const CHANNEL: &str = "{channel}";

/// Each command that a shard and a journal send or their scripts call, in a form that changes nothing: because
/// the key does not exist, or because the last argument is wrong, which a server notices after it looked at the
/// rights.
pub(crate) const OF_BOTH: Harmless = &[
    ("+del", &["DEL", KEY]),
    ("+eval", &["EVAL", "return 1", "0"]),
    ("+evalsha", &["EVALSHA", "no digest of a script", "0"]),
    ("+hmget", &["HMGET", KEY, "field"]),
    ("+hset", &["HSET", KEY, "field", "value", "no value"]),
    ("+info", &["INFO", "server"]),
    ("+time", &["TIME"]),
    ("+xadd", &["XADD", KEY, "NOMKSTREAM", "*", "field", "value"]),
    ("+xrange", &["XRANGE", KEY, "-", "+", "COUNT", "1"]),
];

/// Those of a shard alone.
const OF_SHARD: Harmless = &[
    ("+get", &["GET", KEY]),
    ("+getrange", &["GETRANGE", KEY, "0", "0"]),
    ("+hincrby", &["HINCRBY", KEY, "field", "no number"]),
    ("+mget", &["MGET", KEY]),
    ("+pexpire", &["PEXPIRE", KEY, "1"]),
    ("+publish", &["PUBLISH", CHANNEL, ""]),
    ("+scan", &["SCAN", "0", "COUNT", "1"]),
    ("+set", &["SET", KEY, "", "XX"]),
    ("+setrange", &["SETRANGE", KEY, "0", ""]),
];

/// The rules that the user of this line lacks to use the shard of these names.
pub(crate) async fn missing(
    line: &Line,
    names: &Names,
    namespace: &str,
    is_cluster: bool,
) -> Result<BTreeSet<String>, Fault> {
    let mut missing = lacking(line, &asked(names, is_cluster), namespace).await?;
    if let Err(fault) = line.listen(&names.channel).await {
        missing.extend(rule_of("+subscribe", namespace, fault)?);
    }
    Ok(missing)
}

/// The rules that the user of this line lacks for these commands.
pub(crate) async fn lacking(
    line: &Line,
    asked: &[Asked],
    namespace: &str,
) -> Result<BTreeSet<String>, Fault> {
    let answers = join_all(asked.iter().map(|(_, command)| line.command("rights", command))).await;
    let mut lacking = BTreeSet::new();
    for ((rule, _), answer) in asked.iter().zip(answers) {
        if let Err(fault) = answer {
            lacking.extend(rule_of(rule, namespace, fault)?);
        }
    }
    Ok(lacking)
}

/// The rule that is missing where a command, which this one allows, ended so.
fn rule_of(rule: &str, namespace: &str, fault: Fault) -> Result<Option<String>, Fault> {
    match fault.forbidden() {
        Some(Forbidden::Command) => Ok(Some(rule.to_owned())),
        // Whoever may touch some keys of a namespace only is no user of it.
        Some(Forbidden::Key) => Ok(Some(format!("~{{{namespace}.*"))),
        Some(Forbidden::Channel) => Ok(Some(format!("&{{{namespace}.*"))),
        None if matches!(fault.kind, FaultKind::Lost | FaultKind::TimedOut) => Err(fault),
        // It was allowed, and wrong.
        None => Ok(None),
    }
}

/// These words as a command, on this key and this channel.
pub(crate) fn command(words: &[&str], key: &[u8], channel: &[u8]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(match *word {
            KEY => key,
            CHANNEL => channel,
            word => word.as_bytes(),
        });
    }
    command
}

/// Each of these commands, on this key and this channel.
pub(crate) fn commands<'a>(
    harmless: Harmless,
    key: &'a [u8],
    channel: &'a [u8],
) -> impl Iterator<Item = Asked> + 'a {
    harmless.iter().map(move |(rule, words)| (*rule, command(words, key, channel)))
}

/// What finds the servers of a cluster.
pub(crate) fn of_cluster(is_cluster: bool) -> Option<Asked> {
    is_cluster.then(|| ("+cluster|slots", command(&["CLUSTER", "SLOTS"], &[], &[])))
}

fn asked(names: &Names, is_cluster: bool) -> Vec<Asked> {
    let Names { none, channel, .. } = names;
    let mut asked: Vec<Asked> = commands(OF_BOTH, none, channel).collect();
    asked.extend(commands(OF_SHARD, none, channel));
    // To read and to write each kind of key. Writing nothing into one leaves it as it is.
    let some = EncodedKey::new("rights", &());
    let (value, lease) = (names.value(&some), names.lease(&some));
    for key in [&names.meta, &names.table, &names.log, &value, &lease] {
        asked.push(("+getrange", command(&["GETRANGE", KEY, "0", "0"], key, channel)));
        asked.push(("+setrange", command(&["SETRANGE", KEY, "0", ""], key, channel)));
    }
    asked.extend(of_cluster(is_cluster));
    asked
}

/// Fails unless every command that these scripts call is asked for in one of these lists, each rule with its
/// own command.
#[cfg(test)]
pub(crate) fn check(harmless: &[Harmless], scripts: &[&crate::scripts::Script], calls_min: usize) {
    let asked: Vec<_> = harmless.iter().copied().flatten().collect();
    let mut called = BTreeSet::new();
    for script in scripts {
        let calls = script.text.split("call('").skip(1);
        called.extend(calls.filter_map(|rest| rest.split_once('\'')).map(|(name, _)| name));
    }
    assert!(called.len() >= calls_min, "{called:?}");
    for name in called {
        let asks = |rule: &str| {
            let (command, _) = rule.split_once('|').unwrap_or((rule, ""));
            command == format!("+{}", name.to_lowercase())
        };
        assert!(asked.iter().any(|(rule, _)| asks(rule)), "nobody asks for {name}");
    }
    for (rule, words) in asked {
        let named = rule.trim_start_matches('+').replace('|', " ");
        assert!(words.join(" ").to_lowercase().starts_with(&named), "{rule}: {words:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts;

    #[test]
    fn the_right_to_every_command_of_a_script_is_asked_for_with_that_command() {
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
        check(&[OF_BOTH, OF_SHARD], &scripts.map(|script| &**script), 11);
    }
}
