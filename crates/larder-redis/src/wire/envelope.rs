//! An entry as bytes. The head lies where scripts reach it; the checksum is bound to the key.
//! Whatever is damaged, cut off or of another key is no entry: a counted miss.
//!
//! | bytes | what |
//! |---|---|
//! | 0–1 | magic `LR` |
//! | 2 | version |
//! | 3 | flags; bit 0: soft. Scripts set it, so the checksum leaves it out |
//! | 4–19 | id |
//! | 20–35 | epoch |
//! | 36–43 | `as_of`; a write-through's is set by its script, so the checksum leaves it out |
//! | 44–51 | `as_of` once more, the other way round, in place of a checksum |
//! | 52–59 | XXH3 of all but what is left out, seeded by the key |
//! | 60–99 | fingerprint, fresh until, expires at, loaded at (ms), load cost (µs) |
//! | 100 | the form of the payload; 0: there is none |
//! | 101 | how many tags; the highest bit: it has an end |
//! | from 102 | the tags' hashes, the end (ms) if it has one, then the payload |
//!
//! Numbers are little-endian where not said otherwise.

use std::time::Duration;

use bytes::{Buf, Bytes};
use larder::key::EncodedKey;
use larder::record::NameHash;
use larder::shard::{Epoch, Payload, ServerTime, StoredEntry, TAGS_MAX};
use twox_hash::XxHash3_64;

use super::reader::Reader;

const MAGIC: &[u8; 2] = b"LR";
const VERSION: u8 = 1;
const SOFT: u8 = 1;
/// Where the part begins that comes after the checksum.
const BODY: usize = 60;

const NONE: u8 = 0;

/// Beside the number of tags, which is smaller: an end follows them. Who does not know of ends finds
/// too many tags, and so no entry, which is a miss. The flags have no place for it: no checksum
/// covers them.
const ENDS: u8 = 0x80;

pub(crate) fn encode(key: &EncodedKey, entry: &StoredEntry) -> Vec<u8> {
    let (form, payload): (u8, &[u8]) = match &entry.payload {
        Some(payload) => (payload.form, &payload.bytes),
        None => (NONE, &[]),
    };
    let mut bytes = Vec::with_capacity(BODY + 50 + 8 * entry.tags.len() + payload.len());
    bytes.extend(MAGIC);
    bytes.extend([VERSION, if entry.soft { SOFT } else { 0 }]);
    bytes.extend(entry.id.to_le_bytes());
    bytes.extend(entry.epoch.0.to_le_bytes());
    bytes.extend(entry.as_of.to_le_bytes());
    bytes.extend(entry.as_of.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend(entry.fingerprint.to_le_bytes());
    for time in [entry.fresh_until, entry.expires_at, entry.loaded_at] {
        bytes.extend(time.0.to_le_bytes());
    }
    let cost_us = u64::try_from(entry.load_cost.as_micros()).unwrap_or(u64::MAX);
    bytes.extend(cost_us.to_le_bytes());
    bytes.push(form);
    // An entry with more tags is refused before it is stored.
    let count = u8::try_from(entry.tags.len()).unwrap_or(ENDS - 1).min(ENDS - 1);
    bytes.push(if entry.ends_at.is_some() { count | ENDS } else { count });
    for tag in entry.tags.iter() {
        bytes.extend(tag.to_bits().to_le_bytes());
    }
    bytes.extend(entry.ends_at.into_iter().flat_map(|end| end.0.to_le_bytes()));
    bytes.extend(payload);
    let sum = checksum(key, &bytes);
    bytes[52..BODY].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// `None`: damaged, of another key, or of a version that this one does not know.
pub(crate) fn decode(key: &EncodedKey, mut bytes: Bytes) -> Option<StoredEntry> {
    let mut head = Reader::of(&bytes);
    if head.array::<2>()? != *MAGIC || head.byte()? != VERSION {
        return None;
    }
    let flags = head.byte()?;
    // A flag of a later version may mean that the rest is not what it seems.
    if flags & !SOFT != 0 {
        return None;
    }
    let soft = flags == SOFT;
    let (id, epoch) = (head.wide()?, Epoch(head.wide()?));
    let (as_of, again) = (head.number()?, u64::from_be_bytes(head.array()?));
    let sum = head.number()?;
    if as_of != again || sum != checksum(key, &bytes) {
        return None;
    }
    let fingerprint = head.number()?;
    let mut time = || head.number().map(ServerTime);
    let (fresh_until, expires_at, loaded_at) = (time()?, time()?, time()?);
    let load_cost = Duration::from_micros(head.number()?);
    let form = head.byte()?;
    let counted = head.byte()?;
    let count = usize::from(counted & !ENDS);
    if count > TAGS_MAX {
        return None;
    }
    let (tags, _) = head.take(8 * count)?.as_chunks::<8>();
    let tags = tags.iter().map(|tag| NameHash::from_bits(u64::from_le_bytes(*tag))).collect();
    let ends_at = match counted & ENDS {
        0 => None,
        _ => Some(ServerTime(head.number()?)),
    };
    bytes.advance(bytes.len() - head.rest().len());
    let payload = (form != NONE).then_some(Payload { form, bytes });
    Some(StoredEntry {
        id,
        epoch,
        as_of,
        soft,
        tags,
        fresh_until,
        expires_at,
        ends_at,
        load_cost,
        loaded_at,
        fingerprint,
        payload,
    })
}

/// The id that bytes claim to have, whatever else is wrong with them.
pub(crate) fn id_of(bytes: &[u8]) -> u128 {
    let id = bytes.get(4..20).and_then(|id| id.try_into().ok());
    id.map_or(0, u128::from_le_bytes)
}

/// Of magic, version, id and epoch, and of all that follows the checksum. A value that lies under
/// another key has another sum.
fn checksum(key: &EncodedKey, bytes: &[u8]) -> u64 {
    let key_sum = XxHash3_64::oneshot(key.as_bytes());
    let mut head = [0; 35];
    for (byte, head) in bytes.iter().take(3).chain(bytes.iter().take(36).skip(4)).zip(&mut head) {
        *head = *byte;
    }
    let head_sum = XxHash3_64::oneshot_with_seed(key_sum, &head);
    XxHash3_64::oneshot_with_seed(head_sum, bytes.get(BODY..).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn key() -> EncodedKey {
        EncodedKey::new("numbers", &7_u64)
    }

    fn entry(payload: Option<&[u8]>) -> StoredEntry {
        StoredEntry {
            id: 3 << 100,
            epoch: Epoch(5 << 90),
            as_of: 12,
            soft: false,
            tags: Arc::from([NameHash::from_bits(1 << 40), NameHash::from_bits(77)]),
            fresh_until: ServerTime(1_000),
            expires_at: ServerTime(2_000),
            ends_at: Some(ServerTime(3_000)),
            load_cost: Duration::from_micros(1_500),
            loaded_at: ServerTime(900),
            fingerprint: 0xFEED,
            payload: payload
                .map(|bytes| Payload { form: 0x21, bytes: Bytes::copy_from_slice(bytes) }),
        }
    }

    fn shown(entry: Option<StoredEntry>) -> String {
        format!("{entry:?}")
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        for payload in [None, Some(&b""[..]), Some(b"{\"a\":1}")] {
            let soft = StoredEntry { soft: true, ..entry(payload) };
            let endless = StoredEntry { ends_at: None, ..entry(payload) };
            for entry in [entry(payload), soft, endless] {
                let bytes = Bytes::from(encode(&key(), &entry));
                assert_eq!(shown(decode(&key(), bytes)), shown(Some(entry)));
            }
        }
    }

    #[test]
    fn a_changed_bit_makes_it_no_entry() {
        let bytes = Bytes::from(encode(&key(), &entry(Some(b"payload"))));
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            // The soft flag is set by scripts: a stale answer, no wrong one.
            let is_soft = bit == 8 * 3;
            assert_eq!(decode(&key(), changed.into()).is_some(), is_soft, "bit {bit}");
        }
    }

    #[test]
    fn bytes_that_are_cut_off_or_go_on_are_no_entry() {
        let bytes = Bytes::from(encode(&key(), &entry(Some(b"payload"))));
        for length in 0..bytes.len() {
            assert!(decode(&key(), bytes.slice(..length)).is_none(), "{length} bytes are an entry");
        }
        assert!(decode(&key(), [&bytes[..], b"x"].concat().into()).is_none());
    }

    #[test]
    fn a_value_that_lies_under_another_key_is_no_entry() {
        let bytes = Bytes::from(encode(&key(), &entry(Some(b"payload"))));
        assert!(decode(&EncodedKey::new("numbers", &8_u64), bytes).is_none());
    }
}
