//! Decides which rights the ACL user of a journal needs, asked for as those of a shard are.

use super::durability::Durability;
use super::keys::Keys;
use crate::rights::{Asked, Harmless, KEY, OF_BOTH, command, commands, of_cluster};

/// What a journal sends or its scripts call, and a shard does not.
const OF_JOURNAL: Harmless = &[
    ("+exists", &["EXISTS", KEY]),
    ("+hdel", &["HDEL", KEY, "field"]),
    ("+hget", &["HGET", KEY, "field"]),
    ("+xdel", &["XDEL", KEY, "0-1"]),
    ("+xinfo|stream", &["XINFO", "STREAM", KEY]),
];

/// What shows whether a server has each write on its disk. Who asks for less takes its word.
const OF_ALWAYS: Harmless = &[("+config|get", &["CONFIG", "GET", "appendfsync"])];

pub(super) fn asked(keys: &Keys, durability: Durability, is_cluster: bool) -> Vec<Asked> {
    let mut asked: Vec<Asked> = commands(OF_BOTH, &keys.none, &[]).collect();
    asked.extend(commands(OF_JOURNAL, &keys.none, &[]));
    if durability == Durability::Always {
        asked.extend(commands(OF_ALWAYS, &keys.none, &[]));
    }
    // To read and to write each kind of key. A field and a record that no journal has are removed.
    for key in [&keys.held, &keys.parked] {
        asked.push(("+hget", command(&["HGET", KEY, "rights"], key, &[])));
        asked.push(("+hdel", command(&["HDEL", KEY, "rights"], key, &[])));
    }
    asked.push(("+xrange", command(&["XRANGE", KEY, "-", "+", "COUNT", "1"], &keys.records, &[])));
    asked.push(("+xdel", command(&["XDEL", KEY, "0-1"], &keys.records, &[])));
    asked.extend(of_cluster(is_cluster));
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::scripts;
    use crate::rights::check;

    #[test]
    fn the_right_to_every_command_of_a_script_is_asked_for_with_that_command() {
        let scripts = [
            &scripts::OPEN,
            &scripts::APPEND,
            &scripts::READ,
            &scripts::FORGET,
            &scripts::PARK,
            &scripts::RENEW,
            &scripts::RELEASE,
        ];
        check(&[OF_BOTH, OF_JOURNAL, OF_ALWAYS], &scripts.map(|script| &**script), 11);
    }
}
