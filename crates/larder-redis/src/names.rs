//! Decides under which keys a shard lies in Redis. All of them share one hash slot.

use larder::key::EncodedKey;

/// The keys of one shard.
#[derive(Debug)]
pub(crate) struct Names {
    /// What decides the hash slot of all of them.
    pub(crate) hash_tag: Vec<u8>,
    pub(crate) meta: Vec<u8>,
    pub(crate) table: Vec<u8>,
    pub(crate) log: Vec<u8>,
    /// A key that never exists: deleting it is a write that a full server lets through.
    pub(crate) none: Vec<u8>,
    /// The channel of wake-ups and pushed records.
    pub(crate) channel: Vec<u8>,
    value_prefix: Vec<u8>,
    lease_prefix: Vec<u8>,
}

impl Names {
    /// The keys of shard `index` of `shards` in this namespace, which has no braces.
    pub(crate) fn new(namespace: &str, shards: u32, index: u32) -> Self {
        let hash_tag = format!("{namespace}.{shards}.{index}");
        let named = |what: &str| format!("{{{hash_tag}}}:{what}").into_bytes();
        Names {
            hash_tag: hash_tag.clone().into_bytes(),
            meta: named("m"),
            table: named("g"),
            log: named("log"),
            none: named("none"),
            channel: named("w"),
            value_prefix: named("v:"),
            lease_prefix: named("l:"),
        }
    }

    pub(crate) fn value(&self, key: &EncodedKey) -> Vec<u8> {
        [&self.value_prefix, key.as_bytes()].concat()
    }

    /// As [`value`](Self::value), in place of what `name` held.
    pub(crate) fn write_value(&self, key: &EncodedKey, name: &mut Vec<u8>) {
        name.clear();
        name.extend_from_slice(&self.value_prefix);
        name.extend_from_slice(key.as_bytes());
    }

    pub(crate) fn lease(&self, key: &EncodedKey) -> Vec<u8> {
        [&self.lease_prefix, key.as_bytes()].concat()
    }

    /// The key whose value lies under this name, if it is one of this shard.
    pub(crate) fn key_of_value(&self, name: &[u8]) -> Option<EncodedKey> {
        name.strip_prefix(self.value_prefix.as_slice()).map(EncodedKey::from_encoded)
    }

    /// A glob of Redis for the values of this shard whose encoded key begins with `start`.
    pub(crate) fn values_glob(&self, start: &[u8]) -> Vec<u8> {
        let mut glob = Vec::new();
        for &byte in self.value_prefix.iter().chain(start) {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'^' | b'-' | b'\\') {
                glob.push(b'\\');
            }
            glob.push(byte);
        }
        glob.push(b'*');
        glob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_shard_share_their_hash_tag() {
        let names = Names::new("shop", 16, 3);
        let key = EncodedKey::from_encoded(*b"rooms}{");
        for name in [&names.meta, &names.table, &names.log, &names.value(&key), &names.lease(&key)] {
            assert!(name.starts_with(b"{shop.16.3}:"), "{name:?}");
        }
    }

    #[test]
    fn a_value_name_gives_its_key_back() {
        let names = Names::new("shop", 1, 0);
        let key = EncodedKey::from_encoded(*b"rooms\0\xff");
        assert_eq!(names.key_of_value(&names.value(&key)), Some(key.clone()));
        assert_eq!(names.key_of_value(&names.lease(&key)), None);
    }

    #[test]
    fn a_glob_takes_what_is_special_as_it_is() {
        let names = Names::new("a*b", 1, 0);
        assert_eq!(names.values_glob(b"x?"), b"{a\\*b.1.0}:v:x\\?*");
    }
}
