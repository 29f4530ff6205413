//! Decides under which keys a journal lies in Redis. All journals of a namespace share one hash
//! slot, and so one server: it is one whose durability was looked at.

use crate::names::JOURNAL;

/// What decides the hash slot of all journals of this namespace, which has no braces.
pub(super) fn hash_tag(namespace: &str) -> String {
    format!("{namespace}.{JOURNAL}")
}

/// The keys of one journal of a cache.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) held: Vec<u8>,
    pub(super) records: Vec<u8>,
    pub(super) parked: Vec<u8>,
    /// Never exists: deleting it is a write that a full server lets through.
    pub(super) none: Vec<u8>,
}

impl Keys {
    /// `number` tells the journals of a cache apart. The first has none in its keys.
    pub(super) fn new(namespace: &str, cache: &str, number: u32) -> Self {
        let tag = hash_tag(namespace);
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let named = |what: &str| format!("{{{tag}}}:{what}{number}:{cache}").into_bytes();
        Keys {
            held: named("held"),
            records: named("records"),
            parked: named("parked"),
            none: named("none"),
        }
    }

    /// In the order in which scripts take them.
    pub(super) fn all(&self) -> Vec<Vec<u8>> {
        [&self.held, &self.records, &self.parked, &self.none].map(Vec::clone).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_namespace_share_their_hash_tag_whatever_a_cache_is_called() {
        for cache in ["scores", "rooms}{", "{a}:b"] {
            for key in Keys::new("shop", cache, 1).all() {
                assert!(key.starts_with(b"{shop.journal}:"), "{key:?}");
                assert!(key.ends_with(cache.as_bytes()), "{key:?}");
            }
        }
    }

    #[test]
    fn no_two_journals_share_a_key_and_the_first_keeps_the_keys_that_it_always_had() {
        let first = Keys::new("shop", "scores", 1).all();
        assert_eq!(first[1], b"{shop.journal}:records:scores");
        let mut keys = first;
        for (cache, number) in [("scores", 2), ("scores", 12), ("scores-2", 1), ("-2:scores", 1)] {
            keys.extend(Keys::new("shop", cache, number).all());
        }
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
