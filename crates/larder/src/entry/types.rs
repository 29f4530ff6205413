//! The types of the standard library that are entries as they are.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Entry, Fingerprint, sizes};

const fn named(name: &str) -> Fingerprint {
    Fingerprint::new().text(name)
}

const TEXT: u64 = named("text").finish();

const fn sequence(of: u64) -> u64 {
    named("sequence").number(of).finish()
}

const fn map(of: u64, to: u64) -> u64 {
    named("map").number(of).number(to).finish()
}

fn heap_of<'a, T: Entry>(entries: impl IntoIterator<Item = &'a T>) -> usize {
    entries.into_iter().map(Entry::heap_bytes).sum()
}

fn heap_of_pairs<'a, K: Entry, V: Entry>(pairs: impl IntoIterator<Item = (&'a K, &'a V)>) -> usize {
    pairs.into_iter().map(|(key, value)| key.heap_bytes() + value.heap_bytes()).sum()
}

macro_rules! flat {
    ($($flat:ty)*) => {$(
        impl Entry for $flat {
            const FINGERPRINT: u64 = named(stringify!($flat)).finish();

            fn heap_bytes(&self) -> usize {
                0
            }
        }
    )*};
}

flat!(() bool char f32 f64);
flat!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
flat!(Duration SystemTime IpAddr Ipv4Addr Ipv6Addr SocketAddr);

impl Entry for String {
    const FINGERPRINT: u64 = TEXT;

    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl Entry for Box<str> {
    const FINGERPRINT: u64 = TEXT;

    fn heap_bytes(&self) -> usize {
        self.len()
    }
}

impl Entry for Cow<'static, str> {
    const FINGERPRINT: u64 = TEXT;

    fn heap_bytes(&self) -> usize {
        match self {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        }
    }
}

/// What an `Arc` allocates before its value: the two counts.
const COUNTS_BYTES: usize = 2 * size_of::<usize>();

impl Entry for Arc<str> {
    const FINGERPRINT: u64 = TEXT;

    fn heap_bytes(&self) -> usize {
        COUNTS_BYTES + self.len()
    }
}

impl<T: Entry> Entry for Box<T> {
    const FINGERPRINT: u64 = T::FINGERPRINT;

    fn heap_bytes(&self) -> usize {
        size_of::<T>() + T::heap_bytes(self)
    }
}

impl<T: Entry> Entry for Arc<T> {
    const FINGERPRINT: u64 = T::FINGERPRINT;

    fn heap_bytes(&self) -> usize {
        COUNTS_BYTES + size_of::<T>() + T::heap_bytes(self)
    }
}

impl<T: Entry> Entry for Option<T> {
    const FINGERPRINT: u64 = named("optional").number(T::FINGERPRINT).finish();

    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, Entry::heap_bytes)
    }
}

impl<T: Entry> Entry for Vec<T> {
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>() + heap_of(self)
    }
}

impl<T: Entry> Entry for VecDeque<T> {
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>() + heap_of(self)
    }
}

impl<T: Entry> Entry for Box<[T]> {
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        size_of_val::<[T]>(self) + heap_of(self)
    }
}

impl<T: Entry> Entry for Arc<[T]> {
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        COUNTS_BYTES + size_of_val::<[T]>(self) + heap_of(self.iter())
    }
}

impl<T, S> Entry for HashSet<T, S>
where
    T: Entry + Eq + Hash,
    S: BuildHasher + Default + Send + Sync + 'static,
{
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        sizes::hash_table(self.capacity(), size_of::<T>()) + heap_of(self)
    }
}

impl<T: Entry + Ord> Entry for BTreeSet<T> {
    const FINGERPRINT: u64 = sequence(T::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        sizes::tree(self.len(), size_of::<T>()) + heap_of(self)
    }
}

impl<K, V, S> Entry for HashMap<K, V, S>
where
    K: Entry + Eq + Hash,
    V: Entry,
    S: BuildHasher + Default + Send + Sync + 'static,
{
    const FINGERPRINT: u64 = map(K::FINGERPRINT, V::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        sizes::hash_table(self.capacity(), size_of::<(K, V)>()) + heap_of_pairs(self)
    }
}

impl<K: Entry + Ord, V: Entry> Entry for BTreeMap<K, V> {
    const FINGERPRINT: u64 = map(K::FINGERPRINT, V::FINGERPRINT);

    fn heap_bytes(&self) -> usize {
        sizes::tree(self.len(), size_of::<(K, V)>()) + heap_of_pairs(self)
    }
}

/// JSON of any shape has one fingerprint.
impl Entry for Value {
    const FINGERPRINT: u64 = named("json").finish();

    fn heap_bytes(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.capacity(),
            Value::Array(values) => values.heap_bytes(),
            Value::Object(values) => {
                sizes::tree(values.len(), size_of::<(String, Value)>()) + heap_of_pairs(values)
            }
        }
    }
}

// serde stores arrays of these lengths only.
macro_rules! arrays {
    ($($length:literal)*) => {$(
        impl<T: Entry> Entry for [T; $length] {
            const FINGERPRINT: u64 = named("array").number($length).number(T::FINGERPRINT).finish();

            fn heap_bytes(&self) -> usize {
                heap_of(self)
            }
        }
    )*};
}

arrays!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
arrays!(17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

macro_rules! tuples {
    ($($entry:ident $place:tt)+) => {
        impl<$($entry: Entry),+> Entry for ($($entry,)+) {
            const FINGERPRINT: u64 = named("tuple")$(.number($entry::FINGERPRINT))+.finish();

            fn heap_bytes(&self) -> usize {
                0 $(+ self.$place.heap_bytes())+
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
