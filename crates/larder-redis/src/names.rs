//! Decides under which keys a shard lies in Redis, all of them in one hash slot; and knows a key of the
//! namespace when it sees one.

use larder::key::EncodedKey;

/// What stands for the number of a shard in the keys of journals.
pub(crate) const JOURNAL: &str = "journal";

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
        glob_of(&[&self.value_prefix, start])
    }
}

/// Every key of a namespace, whatever its parameters are.
#[derive(Debug)]
pub(crate) struct Keyspace {
    /// What they all begin with: `{`, the namespace, `.`.
    start: Vec<u8>,
    /// A glob of Redis for all of them, and for those of some other namespaces.
    pub(crate) glob: Vec<u8>,
}

impl Keyspace {
    pub(crate) fn of(namespace: &str) -> Self {
        let start = format!("{{{namespace}.").into_bytes();
        let glob = glob_of(&[&start]);
        Keyspace { start, glob }
    }

    /// Whether the key of this name is a value; `None`: it is not of this namespace. That of `shop.eu` begins
    /// as those of `shop` do.
    pub(crate) fn is_value(&self, name: &[u8]) -> Option<bool> {
        let rest = name.strip_prefix(self.start.as_slice())?;
        let end = rest.iter().position(|byte| *byte == b'}')?;
        let (tag, what) = rest.split_at(end);
        let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        let mut parts = tag.split(|byte| *byte == b'.');
        let is_shard = [parts.next(), parts.next()].iter().all(|part| part.is_some_and(is_number))
            && parts.next().is_none();
        let is_ours = is_shard || tag == JOURNAL.as_bytes();
        is_ours.then(|| is_shard && what.starts_with(b"}:v:"))
    }
}

/// A glob of Redis for what begins with these parts, taken as they are.
fn glob_of(start: &[&[u8]]) -> Vec<u8> {
    let mut glob = Vec::new();
    for &byte in start.iter().copied().flatten() {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'^' | b'-' | b'\\') {
            glob.push(b'\\');
        }
        glob.push(byte);
    }
    glob.push(b'*');
    glob
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

    #[test]
    fn keys_of_a_namespace_are_told_from_those_of_others_that_begin_alike() {
        let keyspace = Keyspace::of("shop");
        let value = Names::new("shop", 16, 3).value(&EncodedKey::from_encoded(*b"rooms}"));
        let is_value = |name: &[u8]| keyspace.is_value(name);
        assert_eq!((is_value(&value), is_value(b"{shop.1.0}:v:x")), (Some(true), Some(true)));
        for other in ["{shop.1.0}:m", "{shop.16.3}:l:x", "{shop.journal}:v:x"] {
            assert_eq!(is_value(other.as_bytes()), Some(false), "{other}");
        }
        for foreign in [
            "{shop.eu.1.0}:v:x",
            "{shop.1.1.0}:v:x",
            "{shop.1}:v:x",
            "{shop.a.0}:v:x",
            "{shop.eu.journal}:held:x",
            "shop.1.0:v:x",
            "{shop.1.0:v:x",
            "{shops.1.0}:v:x",
        ] {
            assert_eq!(is_value(foreign.as_bytes()), None, "{foreign}");
        }
        assert_eq!(Keyspace::of("a*b").glob, b"{a\\*b.*");
    }
}
