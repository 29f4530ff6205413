//! The form of values in the shared tier: how they are encoded, and how they are compressed. The
//! bytes say which form they have, so that a fleet can change it while it runs.

mod compression;
mod encoding;

pub use compression::Compression;
pub use encoding::Codec;

use crate::Entry;
use crate::event::NotKept;
use crate::shard::{Payload, StoredEntry};

/// How the values of one cache are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) codec: Codec,
    pub(crate) compression: Compression,
    /// Shorter encodings stay as they are.
    pub(crate) compress_from: usize,
}

impl Default for Form {
    fn default() -> Self {
        let (codec, compression) = (Codec::default(), Compression::default());
        Form { codec, compression, compress_from: 1024 }
    }
}

impl Form {
    /// The stored form of a value of at most `bytes_max` encoded bytes.
    pub(crate) fn pack<V: Entry>(&self, value: &V, bytes_max: usize) -> Result<Payload, NotKept> {
        let encoded = self.codec.encode(value).ok_or(NotKept::NoStoredForm)?;
        if encoded.len() > bytes_max {
            return Err(NotKept::TooLargeToShare);
        }
        let (compression, bytes) = if encoded.len() < self.compress_from {
            (0, encoded)
        } else {
            // What does not get shorter stays as it is.
            match self.compression.compress(&encoded).filter(|bytes| bytes.len() < encoded.len()) {
                Some(bytes) => (self.compression.number(), bytes),
                None => (0, encoded),
            }
        };
        Ok(Payload { form: self.codec.number() | compression << 4, bytes: bytes.into() })
    }

    /// The value of a payload that is known to be of this type. `None` as for [`unpack`].
    pub(crate) fn read<V: Entry>(&self, payload: &Payload, bytes_max: usize) -> Option<V> {
        if payload.bytes.len() > bytes_max {
            return None;
        }
        let codec = Codec::of(payload.form & 0xF).filter(|codec| codec.is_read_by(self.codec))?;
        match payload.form >> 4 {
            0 => codec.decode(&payload.bytes),
            compression => {
                codec.decode(&compression::decompress(compression, &payload.bytes, bytes_max)?)
            }
        }
    }
}

/// The value of an entry that has one, for a cache whose values have `own` form. `None`: it is of
/// another type, damaged, has more than `bytes_max` encoded bytes, or a form that is not read here.
pub(crate) fn unpack<V: Entry>(
    own: &Form,
    entry: &StoredEntry,
    payload: &Payload,
    bytes_max: usize,
) -> Option<V> {
    if entry.fingerprint != V::FINGERPRINT { None } else { own.read(payload, bytes_max) }
}

#[cfg(test)]
mod tests;
