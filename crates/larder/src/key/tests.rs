//! Properties of the encoding, over lists of parts that are hostile to it.
//!
//! `LARDER_KEYS` is the number of keys (1,000,000 by default; the long form is 10,000,000 in a
//! release build), `LARDER_SEED` the seed of a run to repeat.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::encoding::{CACHE_NAME_BYTES_MAX, PARTS_BYTES_SHORT, PartsHasher};
use super::*;
use crate::record::Name;

const CACHE: &str = "pages";

/// Parts in the order in which their encodings sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Piece {
    Bytes(Vec<u8>),
    Text(String),
    Optional(bool),
    Unsigned(u64),
    Signed(i64),
    Wide(u128),
    Flag(bool),
}

/// A key of any parts: two of them are the same key exactly when the lists are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pieces(Vec<Piece>);

impl Key for Pieces {
    fn visit<P: Parts>(&self, parts: &mut P) {
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => parts.bytes(bytes),
                Piece::Text(text) => parts.text(text),
                Piece::Optional(present) => parts.optional(*present),
                Piece::Unsigned(number) => parts.unsigned(*number),
                Piece::Signed(number) => parts.signed(*number),
                Piece::Wide(number) => parts.wide(*number),
                Piece::Flag(flag) => parts.flag(*flag),
            }
        }
    }
}

const SYLLABLES: [&str; 17] = [
    "a", "b", "ab", ":", "a:b", "*", "?", "[", "]", "\0", "\r\n", "%", "%3A", "\u{1}", "é", "1",
    "user",
];

fn text_of(random: &mut SmallRng) -> String {
    let syllables = if random.random_ratio(1, 128) { 300 } else { 4 };
    (0..random.random_range(0..syllables)).map(|_| pick(&SYLLABLES, random)).collect()
}

fn pick<T: Copy>(from: &[T], random: &mut SmallRng) -> T {
    *from.choose(random).expect("there is something to pick")
}

fn number_of(random: &mut SmallRng) -> u64 {
    if random.random() {
        random.random_range(0..12)
    } else {
        random.random::<u64>() >> random.random_range(0..64)
    }
}

fn piece_of(random: &mut SmallRng) -> Piece {
    match random.random_range(0..10) {
        0 => {
            let alphabet = [0, 1, 2, 0x10, 0x61, 0xFE, 0xFF];
            Piece::Bytes((0..random.random_range(0..5)).map(|_| pick(&alphabet, random)).collect())
        }
        1 => Piece::Optional(random.random()),
        2 => Piece::Unsigned(number_of(random)),
        3 => Piece::Signed((number_of(random) as i64).wrapping_neg()),
        4 => Piece::Signed(number_of(random) as i64),
        5 => Piece::Wide(u128::from(number_of(random)) << random.random_range(0..65)),
        6 => Piece::Flag(random.random()),
        _ => Piece::Text(text_of(random)),
    }
}

fn pieces_of(random: &mut SmallRng) -> Pieces {
    Pieces((0..random.random_range(0..5)).map(|_| piece_of(random)).collect())
}

/// A list that a careless encoding takes for `pieces`, or the same list.
fn neighbour(pieces: &Pieces, random: &mut SmallRng) -> Pieces {
    let mut list = pieces.0.clone();
    let place = random.random_range(0..=list.len());
    match random.random_range(0..8) {
        0 => {}
        1 => list.truncate(place),
        2 => list.insert(place, piece_of(random)),
        3 => list.push(piece_of(random)),
        4 | 5 => joined(&mut list, place, random),
        _ => retyped(&mut list, place, random),
    }
    Pieces(list)
}

/// `a`, `b` become `a:b`, or the end of one moves to the next.
fn joined(list: &mut [Piece], place: usize, random: &mut SmallRng) {
    let Some([Piece::Text(first), Piece::Text(second)]) = list.get_mut(place..place + 2) else {
        return;
    };
    if random.random() {
        first.push_str(pick(&[":", "", "\0", "\0\u{2}"], random));
        first.push_str(second);
        second.clear();
    } else if let Some(letter) = first.pop() {
        second.insert(0, letter);
    }
}

/// One part looks alike but is of another kind, or ends a little later.
fn retyped(list: &mut [Piece], place: usize, random: &mut SmallRng) {
    let Some(piece) = list.get_mut(place) else { return };
    *piece = match piece.clone() {
        Piece::Text(text) if random.random() => Piece::Bytes(text.into_bytes()),
        Piece::Text(text) => Piece::Text(text + pick(&SYLLABLES, random)),
        Piece::Bytes(mut bytes) => {
            bytes.push(pick(&[0, 0xFF], random));
            Piece::Bytes(bytes)
        }
        Piece::Optional(present) => Piece::Flag(present),
        Piece::Flag(flag) => Piece::Optional(flag),
        Piece::Unsigned(number) => Piece::Signed(number as i64),
        Piece::Signed(number) => Piece::Unsigned(number as u64),
        Piece::Wide(number) => Piece::Unsigned(number as u64),
    };
}

/// What the caller of the test asks for; the tests of a library have no other way in.
#[expect(clippy::disallowed_methods, reason = "the length and the seed of a test run")]
fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is an unsigned 64-bit number")))
}

fn seeded() -> SmallRng {
    let seed = asked("LARDER_SEED").unwrap_or_else(rand::random);
    println!("LARDER_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

fn keys_max() -> usize {
    asked("LARDER_KEYS").unwrap_or(1_000_000) as usize
}

/// Checks all that two keys promise of each other. Says whether they are one key.
fn check(first: &Pieces, second: &Pieces, hasher: &FixedState) -> bool {
    let (one, other) = (EncodedKey::new(CACHE, first), EncodedKey::new(CACHE, second));
    let same = first == second;
    assert_eq!(one == other, same, "equality of {first:?} and {second:?}");
    if !one.is_hashed() && !other.is_hashed() {
        assert_eq!(one.cmp(&other), first.cmp(second), "order of {first:?} and {second:?}");
    }
    assert_eq!(Matcher::matches(first, other.parts()), same, "{first:?} matches {second:?}");
    let typed = hash_key(hasher, CACHE, second);
    assert_eq!(typed, hash_parts(hasher, other.parts()), "hash of {second:?}");
    same
}

#[test]
fn no_two_keys_collide_and_each_agrees_with_its_stored_form() {
    let mut random = seeded();
    let hasher = FixedState::with_seed(random.random());
    let keys = keys_max();
    let mut seen = Vec::with_capacity(keys);
    let mut previous = pieces_of(&mut random);
    let mut same = 0;
    for _ in 0..keys {
        let key =
            if random.random() { pieces_of(&mut random) } else { neighbour(&previous, &mut random) };
        same += usize::from(check(&previous, &key, &hasher));
        let stored = EncodedKey::new(CACHE, &key);
        seen.push((hasher.hash_one(stored.as_bytes()), hasher.hash_one(&key)));
        previous = key;
    }
    assert!(same > keys / 100, "only {same} pairs were one key: the generator lost its bite");
    seen.sort_unstable();
    let collision = seen.array_windows().find(|[one, other]| one.0 == other.0 && one.1 != other.1);
    assert_eq!(collision, None, "two lists of parts have one encoding");
}

#[test]
fn a_prefix_names_what_begins_with_it_and_nothing_else() {
    let mut random = seeded();
    for _ in 0..keys_max() / 10 {
        let key = pieces_of(&mut random);
        let prefix = neighbour(&key, &mut random);
        let implied = KeyNames::new(CACHE, &key).prefixes;
        let named = Name::prefix(CACHE, &prefix);
        let proper = key.0.starts_with(&prefix.0) && key.0.len() > prefix.0.len();
        let open = prefix.0.last() == Some(&Piece::Optional(true));
        if named == Name::cache(CACHE) {
            assert!(prefix.0.iter().all(|piece| *piece == Piece::Optional(true)), "{prefix:?}");
        } else if proper || !open {
            assert_eq!(implied.contains(&named.hash()), proper, "{prefix:?} of {key:?}");
        }
    }
}

#[test]
fn a_key_that_ends_in_something_without_parts_implies_its_prefixes() {
    let names = KeyNames::new(CACHE, &(7_u64, Some(())));
    assert_eq!(names.prefixes, [Name::prefix(CACHE, &(7_u64,)).hash()]);
    assert_eq!(Name::prefix(CACHE, &(7_u64, Some(()))), Name::prefix(CACHE, &(7_u64,)));
    assert_eq!(Name::prefix(CACHE, &()), Name::cache(CACHE));
}

#[test]
fn texts_of_different_keys_of_one_type_differ() {
    let mut random = seeded();
    let key = |random: &mut SmallRng| {
        let some = random.random::<bool>().then(|| text_of(random));
        let list = (0..random.random_range(0..3)).map(|_| text_of(random)).collect::<Vec<_>>();
        (text_of(random), some, list, number_of(random) as i8, random.random::<bool>())
    };
    let mut texts = std::collections::HashMap::new();
    for _ in 0..keys_max() / 10 {
        let key = key(&mut random);
        let text = text(CACHE, &key);
        let other = texts.entry(text).or_insert_with(|| key.clone());
        assert_eq!(*other, key);
    }
}

#[test]
fn a_short_key_of_the_longest_cache_name_is_stored_by_its_parts() {
    let cache = "c".repeat(CACHE_NAME_BYTES_MAX);
    let hasher = FixedState::default();
    for length in 0..300 {
        let key = "k".repeat(length);
        let mut parts = PartsHasher::new(hasher.build_hasher());
        key.visit(&mut parts);
        let stored = EncodedKey::new(&cache, &key);
        assert!(parts.finish().is_none() || !stored.is_hashed(), "{length}");
        assert_eq!(hash_key(&hasher, &cache, &key), hash_parts(&hasher, stored.parts()));
    }
    // Flags need one byte, and are counted as one: they fill the limit without slack.
    let flags = Pieces(vec![Piece::Flag(true); PARTS_BYTES_SHORT]);
    let mut parts = PartsHasher::new(hasher.build_hasher());
    flags.visit(&mut parts);
    assert!(parts.finish().is_some());
    assert!(!EncodedKey::new(&cache, &flags).is_hashed());
}

#[test]
fn a_long_key_is_its_cache_and_a_digest() {
    let (first, second) = ("k".repeat(600), "k".repeat(601));
    let (one, other) = (EncodedKey::new(CACHE, &first), EncodedKey::new(CACHE, &second));
    assert!(one.is_hashed() && other.is_hashed());
    assert_ne!(one, other);
    assert_eq!(one.cache(), CACHE);
    assert!(one.as_bytes().len() < KEY_BYTES_MAX);
    assert!(Matcher::matches(&first, one.parts()));
    assert!(!Matcher::matches(&first, other.parts()));

    // The kind byte, the end and the cache's name leave 503 bytes of text.
    let longest = "k".repeat(KEY_BYTES_MAX - (CACHE.len() + 2) - 2);
    assert!(!EncodedKey::new(CACHE, &longest).is_hashed());
    assert!(EncodedKey::new(CACHE, &(longest + "k")).is_hashed());
}
