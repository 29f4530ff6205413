//! What an invalidation names, how, and what it costs.

use std::collections::BTreeSet;

use larder::conformance::manual::ManualClock;
use larder::{Cache, Invalidation, Larder, Pattern};

use crate::support::{Source, Told, kept, node, numbers, on, pass, seconds, settle};

type Users = Cache<(u64, String), u32>;

/// Entries of users 1, 10, 11 and 2, each with a page `a` and a page `b`.
async fn users(larder: &Larder) -> Users {
    let cache = larder.cache("user").jitter(0.0).build().expect("a cache");
    for user in [1, 10, 11, 2] {
        for page in ["a", "b"] {
            let load = Source::default().tagged(if user == 1 { "one" } else { "other" });
            cache.get_or_load(&(user, page.to_owned()), load).await.expect("loaded");
        }
    }
    cache
}

/// The texts of what is left.
fn left(cache: &Users) -> BTreeSet<String> {
    let keys =
        [1, 10, 11, 2].into_iter().flat_map(|user| ["a", "b"].map(|page| (user, page.to_owned())));
    let alive = keys.filter(|key| cache.peek(key).is_some_and(|found| !found.is_stale()));
    alive.map(|(user, page)| format!("{user}:{page}")).collect()
}

fn glob(text: &str) -> Invalidation {
    Invalidation::new().pattern(Pattern::glob(text).expect("a glob"))
}

fn regex(text: &str) -> Invalidation {
    Invalidation::new().pattern(Pattern::regex(text).expect("a regular expression"))
}

/// What goes when this is invalidated, and the count that is told.
async fn gone(how: Invalidation) -> (BTreeSet<String>, Option<u64>) {
    let (_clock, larder) = node();
    let cache = users(&larder).await;
    let before = left(&cache);
    let invalidated = larder.invalidate(how).await;
    assert!(invalidated.position().is_some());
    (before.difference(&left(&cache)).cloned().collect(), invalidated.matched())
}

fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const ONE: &[&str] = &["1:a", "1:b"];
const ALL: &[&str] = &["1:a", "1:b", "10:a", "10:b", "11:a", "11:b", "2:a", "2:b"];

#[tokio::test]
async fn user_1_leaves_user_10_alone_whatever_names_it() {
    let new = Invalidation::new;
    let ways = [
        ("prefix", new().prefix("user", &(1u64,)), None),
        ("tag", new().tag("one"), None),
        ("glob", glob("user:1:*"), Some(2)),
        ("regex", regex("user:1:.*"), Some(2)),
        ("keys", new().key("user", &(1u64, "a")).key("user", &(1u64, "b")), None),
    ];
    for (name, how, count) in ways {
        assert_eq!(gone(how).await, (texts(ONE), count), "by {name}");
    }
}

#[tokio::test]
async fn a_glob_matches_the_whole_key_and_nothing_else() {
    let cases: [(&str, &[&str]); 9] = [
        ("user:1", &[]),
        ("user:1:", &[]),
        ("1:*", &[]),
        ("user:1:a", &["1:a"]),
        ("user:?:a", &["1:a", "2:a"]),
        ("user:1?:*", &["10:a", "10:b", "11:a", "11:b"]),
        ("user:1[!0]:*", &["11:a", "11:b"]),
        ("*:b", &["1:b", "10:b", "11:b", "2:b"]),
        ("*", ALL),
    ];
    for (text, expected) in cases {
        let count = Some(expected.len() as u64);
        assert_eq!(gone(glob(text)).await, (texts(expected), count), "by {text}");
    }
}

#[tokio::test]
async fn what_is_special_to_an_expression_is_plain_in_a_glob() {
    let (_clock, larder) = node();
    let cache = larder.cache::<String, u32>("f").build().expect("a cache");
    for key in ["a.b", "axb", "a+b", "aab", "(a)", "a|b"] {
        cache.get_or_load(&key.to_owned(), Source::default().load()).await.expect("loaded");
    }
    for text in ["f:a.b", "f:a+b", "f:(a)", "f:a|b"] {
        assert_eq!(larder.invalidate(glob(text)).await.matched(), Some(1), "{text}");
    }
    assert!(cache.peek(&"axb".to_owned()).is_some() && cache.peek(&"aab".to_owned()).is_some());
}

#[tokio::test]
async fn a_regular_expression_matches_the_whole_key_too() {
    let cases: [(&str, &[&str]); 4] = [
        ("user:1", &[]),
        ("user:(1|2):a", &["1:a", "2:a"]),
        ("user:1|user:2:a", &["2:a"]),
        ("user:1[01]:b", &["10:b", "11:b"]),
    ];
    for (text, expected) in cases {
        let count = Some(expected.len() as u64);
        assert_eq!(gone(regex(text)).await, (texts(expected), count), "by {text}");
    }
}

#[tokio::test]
async fn one_call_may_name_many_things_of_every_kind() {
    let how = glob("user:2:a").prefix("user", &(10u64,)).key("user", &(11u64, "b")).tag("none");
    assert_eq!(gone(how).await.0, texts(&["10:a", "10:b", "11:b", "2:a"]));
    assert_eq!(gone(Invalidation::new().cache("user")).await.0, texts(ALL));
    assert_eq!(gone(Invalidation::new().everything()).await.0, texts(ALL));
    assert_eq!(gone(Invalidation::new()).await.0, texts(&[]));
}

#[tokio::test]
async fn several_patterns_tell_the_sum_of_their_counts() {
    let how = glob("user:1:*").pattern(Pattern::glob("user:10:*").expect("a glob"));
    assert_eq!(gone(how).await.1, Some(4));
}

#[tokio::test]
async fn what_is_softly_named_is_served_stale_while_it_is_loaded_again_once() {
    let new = Invalidation::new;
    let ways = [
        ("key", new().key("numbers", &7u64)),
        ("tag", new().tag("red")),
        ("cache", new().cache("numbers")),
        ("everything", new().everything()),
        ("glob", glob("numbers:*")),
    ];
    for (name, how) in ways {
        let (_clock, larder) = node();
        let cache = numbers(&larder).stale_for(seconds(60)).build().expect("a cache");
        let source = Source::default();
        cache.get_or_load(&7, source.tagged("red")).await.expect("loaded");
        assert!(larder.invalidate(how.soft()).await.position().is_some());
        let gate = source.waits();
        for _ in 0..5 {
            let hit = cache.get_or_load(&7, source.load()).await.expect("stale");
            assert_eq!((*hit, hit.is_stale()), (1, true), "by {name}");
            settle().await;
        }
        gate.open();
        settle().await;
        let hit = cache.get_or_load(&7, source.load()).await.expect("fresh");
        assert_eq!((*hit, hit.is_stale(), source.loads()), (2, false, 2), "by {name}");
    }
}

#[tokio::test]
async fn what_is_softly_named_is_loaded_again_where_nothing_stale_is_served() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let source = Source::default();
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    let soft = Invalidation::new().key(&cache, &7u64).soft();
    assert!(larder.invalidate(soft).await.position().is_some());
    assert_eq!(*cache.get_or_load(&7, source.load()).await.expect("loaded"), 2);
}

#[tokio::test]
async fn a_hard_invalidation_after_a_soft_one_leaves_nothing() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).stale_for(seconds(60)).build().expect("a cache");
    cache.get_or_load(&7, Source::default().tagged("red")).await.expect("loaded");
    let soft = Invalidation::new().tag("red").soft();
    assert!(larder.invalidate(soft).await.position().is_some());
    assert!(cache.peek(&7).expect("stale").is_stale());
    assert!(larder.invalidate_tag("red").await.position().is_some());
    assert!(cache.peek(&7).is_none());
}

/// How far a position is: the number behind the last colon of its text.
fn sequence(larder: &Larder) -> u64 {
    let text = larder.position().to_string();
    text.rsplit(':').next().and_then(|number| number.parse().ok()).expect("one shard")
}

#[tokio::test]
async fn naming_ten_entries_or_ten_thousand_is_one_record() {
    for entries in [10, 5_000] {
        let (_clock, larder) = node();
        let cache = numbers(&larder).build().expect("a cache");
        let source = Source::default();
        for key in 0..entries {
            cache.get_or_load(&key, source.tagged("red")).await.expect("loaded");
        }
        let start = sequence(&larder);
        assert!(larder.invalidate_tag("red").await.position().is_some());
        assert!(cache.clear().await.position().is_some());
        assert_eq!(sequence(&larder) - start, 2, "with {entries} entries");
        assert_eq!((0..entries).filter(|key| kept(&cache, *key).is_some()).count(), 0);
    }
}

#[tokio::test]
async fn what_was_named_leaves_memory_though_nobody_reads_it() {
    let new = Invalidation::new;
    let ways = [
        ("tag", new().tag("one").tag("other")),
        ("prefix", [1u64, 2, 10, 11].iter().fold(new(), |how, user| how.prefix("user", &(*user,)))),
        ("cache", new().cache("user")),
        ("everything", new().everything()),
        ("glob", glob("*")),
    ];
    for (name, how) in ways {
        let (clock, larder) = node();
        let cache = users(&larder).await;
        assert_eq!(cache.stats().entries, 8);
        assert!(larder.invalidate(how).await.position().is_some());
        pass(&clock, seconds(60)).await;
        let (stats, node) = (cache.stats(), larder.stats());
        assert_eq!((stats.entries, stats.bytes), (0, 0), "named by {name}");
        assert_eq!((node.entries, node.weight), (0, 0), "named by {name}");
    }
}

#[tokio::test]
async fn an_invalidation_is_told_with_its_position() {
    let (clock, told) = (ManualClock::default(), Told::new());
    let larder = on(&clock).observer(told.clone()).build().expect("a node");
    assert!(larder.invalidate_tag("red").await.position().is_some());
    assert_eq!(told.count("Invalidated { names: 1, position: Some("), 1);
}

#[tokio::test]
async fn an_invalidation_is_done_once_its_future_was_polled() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
    {
        let mut dropped = Box::pin(larder.invalidate(glob("numbers:*")));
        drop(futures_util::poll!(&mut dropped));
    }
    settle().await;
    assert_eq!(kept(&cache, 7), None);
}

#[tokio::test]
async fn an_invalidation_is_repeated_when_the_replica_has_caught_up() {
    let (clock, larder) = node();
    let cache = numbers(&larder).replica_lag(seconds(2)).build().expect("a cache");
    let source = Source::default();
    assert!(cache.invalidate(&7).await.position().is_some());
    cache.get_or_load(&7, source.load()).await.expect("loaded from a lagging replica");
    pass(&clock, seconds(2)).await;
    assert_eq!(kept(&cache, 7), None, "the replica's old value stayed");
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    pass(&clock, seconds(10)).await;
    assert_eq!(kept(&cache, 7), Some(2), "it is repeated once");
}

#[tokio::test]
async fn a_dropped_write_hides_at_once_what_each_of_its_patterns_matches() {
    let (_clock, larder) = node();
    let cache = users(&larder).await;
    drop(larder.writing(glob("user:1:*").and(glob("user:2:*"))));
    // Nobody has had a turn since.
    assert_eq!(left(&cache), texts(&["10:a", "10:b", "11:a", "11:b"]));
}
