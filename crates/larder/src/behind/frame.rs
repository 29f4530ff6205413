//! The bytes of a record: one write and its checksum. Whatever the store gives back is either a
//! write as it was, or refused; sizes are checked before anything is taken.

use twox_hash::XxHash3_64;

use super::pended::Wish;
use crate::key::EncodedKey;
use crate::shard::Payload;

/// Begins every record. Another number: written by a larder that this one does not know.
const FORMAT: u8 = 1;

const CHECKSUM_BYTES: usize = 8;

/// Why bytes are no write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The checksum differs, or the bytes end too early.
    #[error("the record is damaged")]
    Damaged,
    /// Another version of larder wrote it.
    #[error("the record has a format that this version does not read")]
    OtherFormat,
}

/// A write as a record of the journal of `cache`, numbered `sequence`.
pub(crate) fn encode(cache: &str, sequence: u64, wish: &Wish) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wish.bytes());
    bytes.push(FORMAT);
    // A payload's form is never 0.
    bytes.push(wish.payload.as_ref().map_or(0, |payload| payload.form));
    bytes.extend_from_slice(&wish.id.to_le_bytes());
    bytes.extend_from_slice(&wish.fingerprint.to_le_bytes());
    for part in [wish.key.as_bytes(), &wish.key_json] {
        // Keys are far below 4 GiB: `open` refuses larger ones.
        bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    if let Some(payload) = &wish.payload {
        bytes.extend_from_slice(&payload.bytes);
    }
    bytes.extend_from_slice(&checksum(cache, sequence, &bytes).to_le_bytes());
    bytes
}

/// The write of a record.
///
/// # Errors
/// These bytes were not written as the record `sequence` of `cache`.
pub(crate) fn decode(cache: &str, sequence: u64, bytes: &[u8]) -> Result<Wish, Unreadable> {
    let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Unreadable::Damaged)?;
    if u64::from_le_bytes(*sum) != checksum(cache, sequence, body) {
        return Err(Unreadable::Damaged);
    }
    let mut rest = body;
    if take::<1>(&mut rest)? != [FORMAT] {
        return Err(Unreadable::OtherFormat);
    }
    let [form] = take::<1>(&mut rest)?;
    let id = u128::from_le_bytes(take(&mut rest)?);
    let fingerprint = u64::from_le_bytes(take(&mut rest)?);
    let key = EncodedKey::from_encoded(part(&mut rest)?);
    let key_json = Box::from(part(&mut rest)?);
    let payload = match form {
        0 if rest.is_empty() => None,
        0 => return Err(Unreadable::Damaged),
        form => Some(Payload { form, bytes: rest.to_vec().into() }),
    };
    Ok(Wish { id, key, key_json, fingerprint, payload })
}

/// Over where the record belongs as well: one that was moved is damaged.
fn checksum(cache: &str, sequence: u64, body: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot_with_seed(sequence, cache.as_bytes()), body)
}

fn take<const COUNT: usize>(rest: &mut &[u8]) -> Result<[u8; COUNT], Unreadable> {
    let (taken, left) = rest.split_first_chunk::<COUNT>().ok_or(Unreadable::Damaged)?;
    *rest = left;
    Ok(*taken)
}

fn part<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], Unreadable> {
    let length = u32::from_le_bytes(take(rest)?);
    let length = usize::try_from(length).map_err(|_| Unreadable::Damaged)?;
    let (part, left) = rest.split_at_checked(length).ok_or(Unreadable::Damaged)?;
    *rest = left;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(payload: Option<&[u8]>) -> Wish {
        Wish {
            id: 7,
            key: EncodedKey::new("rooms", &12u64),
            key_json: Box::from(*b"12"),
            fingerprint: 99,
            payload: payload.map(|bytes| Payload { form: 1, bytes: bytes.to_vec().into() }),
        }
    }

    #[test]
    fn a_record_gives_its_write_back() {
        for wish in [wish(Some(b"\"attic\"")), wish(Some(b"")), wish(None)] {
            assert_eq!(decode("rooms", 5, &encode("rooms", 5, &wish)), Ok(wish));
        }
    }

    #[test]
    fn a_record_with_any_bit_turned_or_any_part_missing_is_refused() {
        let whole = encode("rooms", 5, &wish(Some(b"\"attic\"")));
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode("rooms", 5, &damaged).is_err(), "bit {bit}");
        }
        for length in 0..whole.len() {
            assert!(decode("rooms", 5, &whole[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_record_of_another_place_is_refused() {
        let bytes = encode("rooms", 5, &wish(None));
        assert_eq!(decode("rooms", 6, &bytes), Err(Unreadable::Damaged));
        assert_eq!(decode("users", 5, &bytes), Err(Unreadable::Damaged));
    }

    #[test]
    fn bytes_with_a_right_checksum_and_wrong_lengths_are_refused() {
        for body in [&[][..], &[FORMAT], &[2, 1, 1], &[FORMAT; 30], &[0xFF; 64]] {
            let mut bytes = body.to_vec();
            bytes.extend_from_slice(&checksum("rooms", 5, body).to_le_bytes());
            assert!(decode("rooms", 5, &bytes).is_err(), "{body:?}");
        }
    }
}
