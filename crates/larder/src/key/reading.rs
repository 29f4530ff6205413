//! Reads typed keys back from their stored parts. Whatever the bytes are, the answer is a key that
//! encodes to just these bytes, or none.

use std::borrow::Cow;
use std::sync::Arc;

pub use larder_macros::ReadableKey;

use super::encoding::{Decoder, Part};
use super::{EncodedKey, Key};
use crate::entry::Fingerprint;

/// A [`Key`] that can be read back from its stored parts. Derive it beside `Key`.
///
/// Only a list of hot keys needs it ([`WarmerBuilder::restored`](crate::warm::WarmerBuilder::restored)):
/// to load what a stored key names, a loader must be given the key.
///
/// ```
/// use larder::{Key, ReadableKey};
///
/// #[derive(Debug, PartialEq, Key, ReadableKey)]
/// enum Board {
///     #[key(text = "all-time")]
///     AllTime,
///     Week { year: u16, number: u8 },
/// }
/// ```
///
/// A key must own what it holds:
///
/// ```compile_fail,E0277
/// #[derive(larder::Key, larder::ReadableKey)]
/// struct Named { name: &'static str }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read back from its stored parts",
    note = "derive `larder::ReadableKey` beside `larder::Key`; every part must own what it holds: `String` in place of `&'static str`"
)]
pub trait ReadableKey: Key + Sized {
    /// Identifies what the stored parts mean: texts, names, order and types. Stored keys of another
    /// fingerprint are not read. All widths of a number are one type.
    const FINGERPRINT: u64;

    /// Reads one key. `None`: the parts are not those of such a key.
    fn read(parts: &mut StoredParts<'_>) -> Option<Self>;

    /// Reads a list of keys, as [`Key`] shows it.
    #[doc(hidden)]
    fn read_list(parts: &mut StoredParts<'_>) -> Option<Vec<Self>> {
        let count = usize::try_from(parts.unsigned()?).ok()?;
        // A key takes at least a byte: no count makes more work than there are bytes.
        if count > parts.bytes_left() {
            return None;
        }
        (0..count).map(|_| Self::read(parts)).collect()
    }
}

/// The stored parts of a key, read one after the other. Each answer is `None` if the next part is of
/// another kind or damaged; then the key cannot be read.
#[derive(Debug)]
pub struct StoredParts<'a>(Decoder<'a>);

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $part:ident($type:ty);)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self) -> Option<$type> {
            match self.0.next() {
                Some(Part::$part(part)) => Some(part),
                _ => None,
            }
        }
    )*};
}

impl<'a> StoredParts<'a> {
    /// These bytes, which [`EncodedKey`] has after the name of the cache.
    pub fn of(stored: &'a [u8]) -> Self {
        StoredParts(Decoder(stored))
    }
}

impl StoredParts<'_> {
    parts! {
        /// Text, such as a name.
        text: Text(String);
        /// Raw bytes.
        bytes: Bytes(Vec<u8>);
        /// An unsigned number of any width.
        unsigned: Unsigned(u64);
        /// A signed number of any width.
        signed: Signed(i64);
        /// A 128-bit number.
        wide: Wide(u128);
        /// A truth value.
        flag: Flag(bool);
        /// Whether an optional part follows.
        optional: Optional(bool);
    }

    /// Just this text.
    pub fn exactly(&mut self, text: &str) -> Option<()> {
        (self.text()? == text).then_some(())
    }

    fn bytes_left(&self) -> usize {
        self.0.0.len()
    }
}

/// The key of `cache` that was stored as `parts`; `None` if none is.
pub(crate) fn read_back<K: ReadableKey>(cache: &str, parts: &[u8]) -> Option<K> {
    let key = K::read(&mut StoredParts::of(parts))?;
    (EncodedKey::new(cache, &key).parts() == parts).then_some(key)
}

const fn named(name: &str) -> Fingerprint {
    Fingerprint::new().text(name)
}

const fn list_of(of: u64) -> u64 {
    named("list").number(of).finish()
}

macro_rules! numbers {
    ($read:ident: $($number:ty)*) => {$(
        impl ReadableKey for $number {
            const FINGERPRINT: u64 = named(stringify!($read)).finish();

            fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
                parts.$read()?.try_into().ok()
            }
        }
    )*};
}

numbers!(unsigned: u16 u32 u64 usize);
numbers!(signed: i8 i16 i32 i64 isize);
numbers!(wide: u128);

impl ReadableKey for u8 {
    const FINGERPRINT: u64 = u16::FINGERPRINT;

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        parts.unsigned()?.try_into().ok()
    }

    fn read_list(parts: &mut StoredParts<'_>) -> Option<Vec<u8>> {
        parts.bytes()
    }
}

impl ReadableKey for bool {
    const FINGERPRINT: u64 = named("flag").finish();

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        parts.flag()
    }
}

impl ReadableKey for char {
    const FINGERPRINT: u64 = named("char").finish();

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        parts.text()?.chars().next()
    }
}

macro_rules! texts {
    ($($text:ty)*) => {$(
        impl ReadableKey for $text {
            const FINGERPRINT: u64 = named("text").finish();

            fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
                parts.text().map(Into::into)
            }
        }
    )*};
}

texts!(String Box<str> Arc<str>);

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<K: ReadableKey> ReadableKey for $pointer<K> {
            const FINGERPRINT: u64 = K::FINGERPRINT;

            fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
                K::read(parts).map($pointer::new)
            }
        }
    )*};
}

pointers!(Box Arc);

/// Read back, it owns what it holds.
impl<K> ReadableKey for Cow<'static, K>
where
    K: Key + ToOwned + ?Sized,
    K::Owned: ReadableKey,
{
    const FINGERPRINT: u64 = K::Owned::FINGERPRINT;

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        K::Owned::read(parts).map(Cow::Owned)
    }
}

impl<K: ReadableKey> ReadableKey for Option<K> {
    const FINGERPRINT: u64 = named("optional").number(K::FINGERPRINT).finish();

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        match parts.optional()? {
            true => K::read(parts).map(Some),
            false => Some(None),
        }
    }
}

impl<K: ReadableKey> ReadableKey for Vec<K> {
    const FINGERPRINT: u64 = list_of(K::FINGERPRINT);

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        K::read_list(parts)
    }
}

impl<K: ReadableKey, const N: usize> ReadableKey for [K; N] {
    const FINGERPRINT: u64 = list_of(K::FINGERPRINT);

    fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
        K::read_list(parts)?.try_into().ok()
    }
}

impl ReadableKey for () {
    const FINGERPRINT: u64 = named("nothing").finish();

    fn read(_: &mut StoredParts<'_>) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    ($($key:ident)+) => {
        impl<$($key: ReadableKey),+> ReadableKey for ($($key,)+) {
            const FINGERPRINT: u64 = named("tuple")$(.number($key::FINGERPRINT))+.finish();

            fn read(parts: &mut StoredParts<'_>) -> Option<Self> {
                Some(($($key::read(parts)?,)+))
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
