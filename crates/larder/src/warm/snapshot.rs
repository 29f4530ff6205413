//! The bytes of a list of hot keys. Whatever a file holds, the answer is such a list or why there is
//! none; sizes are checked before anything is taken.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use twox_hash::XxHash3_64;

/// Begins every list.
const MAGIC: [u8; 8] = *b"LARDERHK";

/// Another number: written by a larder that this one does not know.
const FORMAT: u8 = 1;

const CHECKSUM_BYTES: usize = 8;

/// What a number or a length takes, at most.
const NUMBER_BYTES_MAX: usize = 10;

/// More caches than this, and it was no larder that wrote the list: a cache takes three bytes of a file,
/// and twenty times as much of memory.
const CACHES_MAX: usize = 1_024;

/// The hot keys of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HotKeyList {
    /// Whose keys these are.
    pub(super) namespace: String,
    #[serde(deserialize_with = "caches")]
    pub(super) caches: Vec<KeysOfCache>,
}

/// The hot keys of one cache, as they are stored, the hottest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeysOfCache {
    pub(super) cache: String,
    /// Of the type of its keys.
    pub(super) fingerprint: u64,
    #[serde(deserialize_with = "keys")]
    pub(super) keys: Vec<Box<[u8]>>,
}

/// Why bytes are no list of hot keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is no list of hot keys")]
    Foreign,
    #[error("it has a format that this version does not read")]
    OtherFormat,
    #[error("it is damaged")]
    Damaged,
}

impl HotKeyList {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(FORMAT);
        // Neither maps nor floats are in it, and a vector takes all of it.
        let mut bytes = postcard::to_extend(self, bytes).expect("a list has a stored form");
        bytes.extend_from_slice(&XxHash3_64::oneshot(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<HotKeyList, Unreadable> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(Unreadable::Foreign)?;
        if rest.first() != Some(&FORMAT) {
            return Err(Unreadable::OtherFormat);
        }
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Unreadable::Damaged)?;
        if u64::from_le_bytes(*sum) != XxHash3_64::oneshot(body) {
            return Err(Unreadable::Damaged);
        }
        let body = body.get(MAGIC.len() + 1..).ok_or(Unreadable::Damaged)?;
        match postcard::take_from_bytes(body) {
            Ok((list, [])) => Ok(list),
            _ => Err(Unreadable::Damaged),
        }
    }

    /// Leaves so many keys out, the coldest of each cache, that the bytes are at most `bytes_max`.
    /// Each cache has the same share. Gives how many were left out.
    pub(super) fn shorten(&mut self, bytes_max: usize) -> usize {
        let names = self.caches.iter().map(|cache| cache.cache.len() + 3 * NUMBER_BYTES_MAX);
        let around = MAGIC.len() + 1 + CHECKSUM_BYTES + 2 * NUMBER_BYTES_MAX;
        let taken = around + self.namespace.len() + names.sum::<usize>();
        let share = bytes_max.saturating_sub(taken) / self.caches.len().max(1);
        let mut left_out = 0;
        for cache in &mut self.caches {
            let mut room = share;
            let fits = |length: usize| {
                room = room.checked_sub(length + length_bytes(length))?;
                Some(())
            };
            let kept = cache.keys.iter().map(|key| key.len()).map_while(fits).count();
            left_out += cache.keys.len() - kept;
            cache.keys.truncate(kept);
        }
        left_out
    }
}

fn caches<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<KeysOfCache>, D::Error> {
    let within = |caches: &[KeysOfCache]| caches.len() <= CACHES_MAX;
    from.deserialize_seq(Within { within, of: PhantomData })
}

/// The key without parts is one key: a second one is none that a cache ever had.
fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Box<[u8]>>, D::Error> {
    let mut empty = 0;
    let within = |keys: &[Box<[u8]>]| {
        empty += usize::from(keys.last().is_some_and(|key| key.is_empty()));
        empty <= 1
    };
    from.deserialize_seq(Within { within, of: PhantomData })
}

/// Reads a list for as long as what was read of it is within its bounds.
struct Within<F, T> {
    within: F,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(&[T]) -> bool> Visitor<'de> for Within<F, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list within its bounds")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(next) = from.next_element()? {
            list.push(next);
            if !(self.within)(&list) {
                return Err(A::Error::custom("it goes beyond its bounds"));
            }
        }
        Ok(list)
    }
}

/// What the length before a key takes: seven bits a byte.
fn length_bytes(length: usize) -> usize {
    if length < 128 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> HotKeyList {
        let keys = (0..100_u8).map(|number| Box::from([0x10, 0, number].as_slice())).collect();
        let of = |cache: &str, keys| KeysOfCache { cache: cache.into(), fingerprint: 7, keys };
        let caches = vec![of("rooms", keys), of("assets", vec![Box::from([1; 200].as_slice())])];
        HotKeyList { namespace: "test".to_owned(), caches }
    }

    #[test]
    fn a_list_comes_back_as_it_was() {
        assert_eq!(HotKeyList::decode(&list().encode()), Ok(list()));
    }

    #[test]
    fn no_damaged_byte_and_no_missing_end_goes_unnoticed() {
        let bytes = list().encode();
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x20;
            assert!(HotKeyList::decode(&damaged).is_err(), "byte {place}");
            assert!(HotKeyList::decode(&bytes[..place]).is_err(), "cut at {place}");
        }
        assert_eq!(HotKeyList::decode(b"#!/bin/sh"), Err(Unreadable::Foreign));
        let mut other = bytes;
        other[MAGIC.len()] = FORMAT + 1;
        assert_eq!(HotKeyList::decode(&other), Err(Unreadable::OtherFormat));
    }

    #[test]
    fn lengths_that_lie_take_no_memory() {
        // A list of 2^60 caches, with the right checksum.
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[FORMAT, 0]);
        bytes.extend_from_slice(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
        bytes.extend_from_slice(&XxHash3_64::oneshot(&bytes).to_le_bytes());
        assert_eq!(HotKeyList::decode(&bytes), Err(Unreadable::Damaged));
    }

    #[test]
    fn more_caches_than_anybody_has_and_keys_of_no_bytes_are_refused() {
        let of = |caches, keys: &[&[u8]]| {
            let keys = keys.iter().map(|key| Box::from(*key)).collect();
            let cache = KeysOfCache { cache: String::new(), fingerprint: 0, keys };
            let list = HotKeyList { namespace: String::new(), caches: vec![cache; caches] };
            HotKeyList::decode(&list.encode())
        };
        assert!(of(CACHES_MAX, &[]).is_ok());
        assert_eq!(of(CACHES_MAX + 1, &[]), Err(Unreadable::Damaged));
        // Three bytes each, as many as fit into a file.
        assert_eq!(of(1_400_000, &[]), Err(Unreadable::Damaged));
        assert!(of(1, &[b""]).is_ok(), "the key of a cache with one value");
        assert_eq!(of(1, &[b"", b"a", b""]), Err(Unreadable::Damaged));
    }

    #[test]
    fn a_list_is_never_longer_than_it_may_be() {
        let mut before = usize::MAX;
        for bytes_max in (150..900).rev() {
            let mut short = list();
            let left_out = short.shorten(bytes_max);
            let bytes = short.encode().len();
            assert!(bytes <= bytes_max.max(110), "{bytes} bytes of {bytes_max}");
            let kept: usize = short.caches.iter().map(|cache| cache.keys.len()).sum();
            assert_eq!(kept + left_out, 101);
            assert!(kept <= before);
            before = kept;
        }
        assert_eq!(list().shorten(10_000), 0);
    }
}
