//! The bytes of a list of hot keys. Whatever a file holds, the answer is such a list or why there is
//! none; sizes are checked before anything is taken.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// Begins every list.
const MAGIC: [u8; 8] = *b"LARDERHK";

/// Another number: written by a larder that this one does not know.
const FORMAT: u8 = 1;

const CHECKSUM_BYTES: usize = 8;

/// What a number or a length takes, at most.
const NUMBER_BYTES_MAX: usize = 10;

/// The hot keys of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HotKeyList {
    /// Whose keys these are.
    pub(super) namespace: String,
    pub(super) caches: Vec<KeysOfCache>,
}

/// The hot keys of one cache, as they are stored, the hottest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeysOfCache {
    pub(super) cache: String,
    /// Of the type of its keys.
    pub(super) fingerprint: u64,
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
