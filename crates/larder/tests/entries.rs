//! Entries as users of the crate see them: when a fingerprint changes, and what is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use larder::Entry;
use serde::{Deserialize, Serialize};

macro_rules! shape {
    ($(#[$attribute:meta])* $name:ident { $($fields:tt)* }) => {{
        #[derive(Serialize, Deserialize, Entry)]
        #[allow(dead_code, reason = "only its fingerprint is looked at")]
        $(#[$attribute])*
        struct $name { $($fields)* }
        $name::FINGERPRINT
    }};
}

macro_rules! choice {
    ($($variants:tt)*) => {{
        #[derive(Serialize, Deserialize, Entry)]
        #[allow(dead_code, reason = "only its fingerprint is looked at")]
        enum Choice { $($variants)* }
        Choice::FINGERPRINT
    }};
}

#[test]
fn a_changed_type_has_another_fingerprint() {
    let fingerprints = [
        shape!(Page { title: String, likes: u32 }),
        shape!(Page { title: String, likes: u64 }),
        shape!(Page { title: String, likes: Option<u32> }),
        shape!(Page { title: String, stars: u32 }),
        shape!(Page { title: String }),
        shape!(Page { likes: u32, title: String }),
        shape!(Page { title: String, likes: u32, pinned: bool }),
        shape!(Page {
            title: String,
            #[serde(rename = "l")]
            likes: u32
        }),
        shape!(Page {
            title: String,
            #[serde(default)]
            likes: u32
        }),
        shape!(
            #[serde(rename_all = "camelCase")]
            Page { title: String, likes: u32 }
        ),
        shape!(
            #[entry(fingerprint = "page, 1")]
            Page { title: String, likes: u32 }
        ),
        shape!(
            #[entry(fingerprint = "page, 2")]
            Page { title: String, likes: u32 }
        ),
        shape!(Page { title: (), likes: Vec<u8> }),
        shape!(Page { title: (), likes: [u8; 2] }),
        shape!(Page { title: (), likes: [u8; 3] }),
        shape!(Page { title: (), likes: (u8, u16) }),
        shape!(Page { title: (), likes: (u16, u8) }),
        shape!(Page { title: (), likes: HashMap<u8, u16> }),
        shape!(Page {}),
        choice!(A, B),
        choice!(B, A),
        choice!(A(u8), B),
        choice!(A, B(u8)),
        choice!(A { b: u8 }),
        choice!(A(()), B),
    ];
    let distinct: HashSet<_> = fingerprints.into_iter().collect();
    assert_eq!(distinct.len(), fingerprints.len());
}

#[test]
fn what_is_not_stored_does_not_change_the_fingerprint() {
    let page = shape!(Page { title: String, lines: Vec<u32> });
    assert_eq!(shape!(Renamed { title: String, lines: Vec<u32> }), page);
    assert_eq!(shape!(Page { title: Box<str>, lines: Arc<[u32]> }), page);
    assert_eq!(shape!(Page { title: Arc<String>, lines: Arc<[Box<u32>]> }), page);
}

#[test]
fn fingerprints_are_the_same_in_every_build() {
    // A changed constant drops what every deployed node has cached: let the change be meant.
    let fingerprints = [
        u64::FINGERPRINT,
        shape!(Page { title: String, lines: Vec<u32> }),
        shape!(Page {
            #[serde(rename = "l", default)]
            lines: (u8, bool)
        }),
    ];
    assert_eq!(fingerprints, [8597481465681997585, 1011432089832496242, 13405615022886347592]);
}

#[derive(Serialize, Deserialize, Entry)]
enum Content<T> {
    Empty,
    Text(String),
    Both { first: T, second: T },
}

#[derive(Serialize, Deserialize, Entry)]
#[entry(fingerprint = "tree, 1")]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, Entry)]
struct Foreign {
    #[entry(flat)]
    place: NonZeroU8,
    #[entry(heap_bytes = PathBuf::capacity)]
    path: PathBuf,
}

#[derive(Serialize, Deserialize, Entry)]
enum ForeignChoice {
    Flat(#[entry(flat)] NonZeroU8, String),
}

#[test]
fn heap_bytes_count_what_is_owned_outside() {
    assert_eq!(7_u64.heap_bytes(), 0);
    assert_eq!(String::with_capacity(100).heap_bytes(), 100);
    assert_eq!(Box::<str>::from("abc").heap_bytes(), 3);
    assert_eq!(Box::new(7_u64).heap_bytes(), 8);
    assert_eq!(Arc::new(7_u64).heap_bytes(), 24);
    assert_eq!(Vec::<u32>::with_capacity(10).heap_bytes(), 40);
    assert_eq!(Some(String::with_capacity(5)).heap_bytes(), 5);
    assert_eq!((String::with_capacity(5), [Box::new(1_u8)], Duration::ZERO).heap_bytes(), 6);
    let nested = vec![String::with_capacity(5), String::with_capacity(6)];
    assert_eq!(nested.heap_bytes(), 2 * size_of::<String>() + 11);
}

#[test]
fn heap_bytes_of_derived_entries_are_those_of_their_fields() {
    let text = || String::with_capacity(5);
    assert_eq!(Content::<u8>::Empty.heap_bytes(), 0);
    assert_eq!(Content::<u8>::Text(text()).heap_bytes(), 5);
    assert_eq!(Content::Both { first: text(), second: text() }.heap_bytes(), 10);
    let leaf = || Tree { name: text(), children: Vec::new() };
    let tree = Tree { name: text(), children: vec![leaf(), leaf()] };
    assert_eq!(tree.heap_bytes(), 15 + 2 * size_of::<Tree>());
    let foreign = Foreign { place: NonZeroU8::MIN, path: PathBuf::with_capacity(9) };
    assert_eq!(foreign.heap_bytes(), 9);
    assert_eq!(ForeignChoice::Flat(NonZeroU8::MIN, text()).heap_bytes(), 5);
}

#[test]
fn maps_and_sets_count_more_than_their_elements() {
    let numbers = || 0..100_u64;
    let estimates = [
        numbers().map(|number| (number, number)).collect::<HashMap<_, _>>().heap_bytes(),
        numbers().map(|number| (number, number)).collect::<BTreeMap<_, _>>().heap_bytes(),
        numbers().collect::<HashSet<_>>().heap_bytes() * 2,
        numbers().collect::<BTreeSet<_>>().heap_bytes() * 2,
    ];
    for bytes in estimates {
        assert!((1_600..6_400).contains(&bytes), "{bytes} for 1,600 bytes of numbers");
    }
    assert_eq!(HashMap::<u64, u64>::new().heap_bytes(), 0);
    assert_eq!(BTreeMap::<u64, u64>::new().heap_bytes(), 0);
    let json = serde_json::json!({ "name": "a".repeat(100), "list": [1, 2, 3] });
    assert!(json.heap_bytes() >= 104 + 3 * size_of::<serde_json::Value>());
}
