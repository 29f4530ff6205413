//! The types of the standard library that are keys as they are.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;

use super::{Key, Parts};

macro_rules! numbers {
    ($visit:ident as $wide:ty: $($number:ty)*) => {$(
        impl Key for $number {
            #[inline]
            fn visit<P: Parts>(&self, parts: &mut P) {
                parts.$visit(*self as $wide);
            }
        }
    )*};
}

// No number is wider than what it is shown as, `usize` neither: Rust has no target above 64 bits.
numbers!(unsigned as u64: u16 u32 u64 usize);
numbers!(signed as i64: i8 i16 i32 i64 isize);

impl Key for u8 {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.unsigned(u64::from(*self));
    }

    #[inline]
    fn visit_list<P: Parts>(list: &[u8], parts: &mut P) {
        parts.bytes(list);
    }
}

/// A UUID is such a number: `uuid.as_u128()`. Its text is 32 hexadecimal digits.
impl Key for u128 {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.wide(*self);
    }
}

impl Key for bool {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.flag(*self);
    }
}

/// One part of text.
impl Key for char {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.text(self.encode_utf8(&mut [0; 4]));
    }
}

impl Key for str {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.text(self);
    }
}

impl Key for String {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.text(self);
    }
}

/// Says whether there is a key, and then shows it. `None` sorts first.
impl<K: Key> Key for Option<K> {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.optional(self.is_some());
        if let Some(key) = self {
            key.visit(parts);
        }
    }

    fn shape(name: &str) -> String {
        format!("(none|some:{})", K::shape(name))
    }
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        /// The key that it points to.
        impl<K: Key + ?Sized> Key for $pointer {
            #[inline]
            fn visit<P: Parts>(&self, parts: &mut P) {
                (**self).visit(parts);
            }

            fn shape(name: &str) -> String {
                K::shape(name)
            }
        }
    )*};
}

pointers!(&'static K Box<K> Arc<K>);

/// The key that it holds.
impl<K> Key for Cow<'static, K>
where
    K: Key + ToOwned + ?Sized,
    K::Owned: Send + Sync,
{
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        let key: &K = self.borrow();
        key.visit(parts);
    }

    fn shape(name: &str) -> String {
        K::shape(name)
    }
}

/// How many there are, then each; so a longer list sorts after a shorter one. Bytes are one part of
/// raw bytes instead.
///
/// Each element is a part, and an entry has room for at most 64 prefixes and tags: an entry with a
/// longer list in its key is not stored in the shared tier.
impl<K: Key> Key for [K] {
    #[inline]
    fn visit<P: Parts>(&self, parts: &mut P) {
        K::visit_list(self, parts);
    }
}

macro_rules! lists {
    ($([$($of:tt)*] $list:ty;)*) => {$(
        /// As a slice of it.
        impl<K: Key, $($of)*> Key for $list {
            #[inline]
            fn visit<P: Parts>(&self, parts: &mut P) {
                K::visit_list(self, parts);
            }
        }
    )*};
}

lists!([] Vec<K>; [const N: usize] [K; N];);

/// No parts: the key of a cache's only entry. As a prefix it names the whole cache.
impl Key for () {
    #[inline]
    fn visit<P: Parts>(&self, _parts: &mut P) {}

    fn shape(_: &str) -> String {
        String::new()
    }
}

macro_rules! tuples {
    ($($key:ident $place:tt)+) => {
        /// Each key in order; a tuple without the last ones is a prefix of it.
        impl<$($key: Key),+> Key for ($($key,)+) {
            #[inline]
            fn visit<P: Parts>(&self, parts: &mut P) {
                $(self.$place.visit(parts);)+
            }

            fn shape(_: &str) -> String {
                [$($key::shape(stringify!($place))),+].join(":")
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
