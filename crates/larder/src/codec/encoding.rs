//! How a value becomes bytes.

use crate::Entry;

/// How values become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Codec {
    /// Text that everybody can read; map keys must be text or numbers (RFC 8259).
    #[default]
    Json,
    /// Positions instead of names: about half the size of JSON, and faster. A value whose form
    /// depends on its contents (`skip_serializing_if`, `untagged`, `flatten`) may have none that can be read
    /// back; it is not shared then, and counted.
    ///
    /// It knows no limit of depth or count: where somebody else may write to the store, it is not for
    /// types that contain themselves, nor for lists of what has no bytes. Caches of another codec do not
    /// read it.
    Postcard,
    /// JSON's data model in bytes, with names. Needs the feature `msgpack`.
    #[cfg(feature = "msgpack")]
    MessagePack,
}

impl Codec {
    /// The number in stored bytes. Never 0, and never given to another codec.
    pub(super) fn number(self) -> u8 {
        match self {
            Codec::Json => 1,
            Codec::Postcard => 2,
            #[cfg(feature = "msgpack")]
            Codec::MessagePack => 3,
        }
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Codec::Json),
            2 => Some(Codec::Postcard),
            #[cfg(feature = "msgpack")]
            3 => Some(Codec::MessagePack),
            _ => None,
        }
    }

    /// Whether a cache with the codec `own` reads it.
    pub(super) fn is_read_by(self, own: Codec) -> bool {
        self != Codec::Postcard || own == Codec::Postcard
    }

    /// `None`: the value has no such form.
    pub(super) fn encode<V: Entry>(self, value: &V) -> Option<Vec<u8>> {
        match self {
            Codec::Json => serde_json::to_vec(value).ok(),
            Codec::Postcard => {
                let bytes = postcard::to_allocvec(value).ok()?;
                // Without names in the bytes, a field that was left out would be read from its
                // neighbour: what is stored must come back as it was.
                let read: V = Codec::Postcard.decode(&bytes)?;
                (postcard::to_allocvec(&read).ok()? == bytes).then_some(bytes)
            }
            #[cfg(feature = "msgpack")]
            Codec::MessagePack => rmp_serde::to_vec_named(value).ok(),
        }
    }

    /// `None`: these bytes are no such value, or more than one.
    pub(super) fn decode<V: Entry>(self, bytes: &[u8]) -> Option<V> {
        match self {
            Codec::Json => serde_json::from_slice(bytes).ok(),
            Codec::Postcard => {
                let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
                rest.is_empty().then_some(value)
            }
            #[cfg(feature = "msgpack")]
            Codec::MessagePack => {
                let mut rest = bytes;
                let value = rmp_serde::from_read(&mut rest).ok()?;
                rest.is_empty().then_some(value)
            }
        }
    }
}
