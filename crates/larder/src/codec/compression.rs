//! How encoded values are made shorter. The length of what comes out is checked before any room is
//! made for it: bytes of a shared tier may be hostile.

/// The bytes before what lz4 made: how long it was, little-endian.
const LENGTH_BYTES: usize = 4;

const LZ4: u8 = 1;
#[cfg(feature = "zstd")]
const ZSTD: u8 = 2;

/// How encoded values are made shorter before they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    Off,
    /// The block format of LZ4: text to about a third, in about a microsecond per KiB.
    #[default]
    Lz4,
    /// Zstandard (RFC 8878): shorter than LZ4, at ten times its cost. Needs the feature `zstd`.
    #[cfg(feature = "zstd")]
    Zstd {
        /// 1, fast, to 22, short; others count as the nearest of these.
        level: i32,
    },
}

impl Compression {
    /// The number in stored bytes, never given to another one.
    pub(super) fn number(self) -> u8 {
        match self {
            Compression::Off => 0,
            Compression::Lz4 => LZ4,
            #[cfg(feature = "zstd")]
            Compression::Zstd { .. } => ZSTD,
        }
    }

    /// `None`: it is off, or the bytes are more than it can take.
    pub(super) fn compress(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Compression::Off => None,
            Compression::Lz4 => {
                let length = u32::try_from(bytes.len()).ok()?;
                Some([&length.to_le_bytes(), lz4_flex::block::compress(bytes).as_slice()].concat())
            }
            #[cfg(feature = "zstd")]
            Compression::Zstd { level } => zstd::bulk::compress(bytes, level.clamp(1, 22)).ok(),
        }
    }
}

/// `None`: damaged, of an unknown compression, or more than `bytes_max` long.
pub(super) fn decompress(compression: u8, bytes: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    match compression {
        LZ4 => {
            let (length, block) = bytes.split_at_checked(LENGTH_BYTES)?;
            let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
            if length > bytes_max {
                return None;
            }
            let bytes = lz4_flex::block::decompress(block, length).ok()?;
            (bytes.len() == length).then_some(bytes)
        }
        #[cfg(feature = "zstd")]
        ZSTD => zstd::bulk::decompress(bytes, bytes_max).ok(),
        _ => None,
    }
}
