//! Decides under which keys a journal lies in Redis. All journals of a namespace share one hash
//! slot, and so one server: it is one whose durability was looked at.

use crate::names::JOURNAL;

/// What decides the hash slot of all journals of this namespace, which has no braces.
pub(super) fn hash_tag(namespace: &str) -> String {
    format!("{namespace}.{JOURNAL}")
}

/// The keys of the journal of one cache.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) held: Vec<u8>,
    pub(super) records: Vec<u8>,
    pub(super) parked: Vec<u8>,
    /// Never exists: deleting it is a write that a full server lets through.
    pub(super) none: Vec<u8>,
}

impl Keys {
    pub(super) fn new(namespace: &str, cache: &str) -> Self {
        let tag = hash_tag(namespace);
        let named = |what: &str| format!("{{{tag}}}:{what}:{cache}").into_bytes();
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
            for key in Keys::new("shop", cache).all() {
                assert!(key.starts_with(b"{shop.journal}:"), "{key:?}");
                assert!(key.ends_with(cache.as_bytes()), "{key:?}");
            }
        }
    }
}
