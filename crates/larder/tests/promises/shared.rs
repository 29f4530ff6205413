//! Nodes that share one tier, while everything works.

use std::collections::HashMap;
use std::io;

use larder::{Cache, Consistency, Invalidation, Larder, Loaded, Origin, Pattern, Position};

use crate::support::{Fleet, Source, kept, millis, numbers, pass, seconds, settle, value, within};

/// Two nodes, each with its cache of the same numbers.
struct Pair {
    fleet: Fleet,
    nodes: [Larder; 2],
    a: Cache<u64, u32>,
    b: Cache<u64, u32>,
    source: Source,
}

async fn pair() -> Pair {
    let fleet = Fleet::new();
    let nodes = [fleet.node().0, fleet.node().0];
    let [a, b] = [0, 1].map(|index| numbers(&nodes[index]).build().expect("a cache"));
    settle().await;
    Pair { fleet, nodes, a, b, source: Source::default() }
}

impl Pair {
    /// A read that has no time for any poll.
    async fn read(&self, cache: &Cache<u64, u32>, key: u64) -> (u32, Origin) {
        let reading = cache.get_or_load(&key, self.source.tagged("red"));
        let found = within(&self.fleet.clock, millis(50), reading).await;
        let hit = found.expect("an answer").found().expect("a value");
        settle().await;
        (*hit, hit.origin())
    }
}

#[tokio::test]
async fn what_one_node_loaded_the_others_share() {
    let pair = pair().await;
    assert_eq!(pair.read(&pair.a, 7).await, (1, Origin::Loaded));
    assert_eq!(pair.read(&pair.b, 7).await, (1, Origin::Shared));
    assert_eq!(pair.read(&pair.b, 7).await, (1, Origin::Memory));
    assert_eq!(pair.source.loads(), 1);
}

#[tokio::test]
async fn a_cache_without_memory_keeps_its_promises_and_nothing_in_memory() {
    let fleet = Fleet::new();
    let (larder, _cable) = fleet.node();
    let cache = numbers(&larder).memory_bytes_max(0).build().expect("a cache");
    settle().await;
    let source = Source::default();
    let read = async || {
        let reading = cache.get_or_load(&7, source.load());
        let hit = within(&fleet.clock, millis(50), reading).await.expect("an answer");
        settle().await;
        (*hit, hit.origin())
    };
    assert_eq!(read().await, (1, Origin::Loaded));
    for _ in 0..3 {
        assert_eq!(read().await, (1, Origin::Shared));
    }
    assert!(cache.invalidate(&7).await.position().is_some());
    assert_eq!(read().await, (2, Origin::Loaded));
    assert!(cache.set(&7, 9).await.stored);
    assert_eq!(read().await, (9, Origin::Shared));
    assert!(cache.peek(&7).is_none() && cache.get(&7).await.is_some());
    assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
    let many = [cache.get_or_load(&8, source.load()), cache.get_or_load(&8, source.load())];
    let loads = source.loads();
    for hit in futures_util::future::join_all(many).await {
        assert_eq!(*hit.expect("loaded"), 3);
    }
    assert_eq!(source.loads(), loads + 1, "those who ask at once share one load");
}

#[tokio::test]
async fn what_one_node_found_absent_the_others_share() {
    let pair = pair().await;
    let absent = || pair.source.shaped(|_| None::<u32>);
    for (cache, origin) in [(&pair.a, Origin::Loaded), (&pair.b, Origin::Shared)] {
        let lookup = cache.get_or_load(&7, absent()).await.expect("an answer");
        assert_eq!((lookup.value(), lookup.origin()), (None, origin));
        settle().await;
    }
}

#[tokio::test]
async fn the_fleet_loads_a_key_once_and_wakes_those_who_wait() {
    let pair = pair().await;
    let gate = pair.source.waits();
    let waiting = async {
        gate.begun().await;
        let opening = async {
            settle().await;
            gate.open();
        };
        tokio::join!(pair.read(&pair.b, 7), opening).0
    };
    let (led, waited) = tokio::join!(pair.read(&pair.a, 7), waiting);
    assert_eq!((led, waited), ((1, Origin::Loaded), (1, Origin::Shared)));
    assert_eq!(pair.source.loads(), 1);
}

#[tokio::test]
async fn a_dropped_load_of_one_node_is_taken_over_by_another() {
    let pair = pair().await;
    let _never_opened = pair.source.waits();
    let mut leading = Box::pin(pair.a.get_or_load(&7, pair.source.load()));
    assert!(futures_util::poll!(&mut leading).is_pending());
    settle().await;
    assert!(futures_util::poll!(&mut leading).is_pending());
    assert_eq!(pair.source.loads(), 1);
    let mut waiting = Box::pin(pair.read(&pair.b, 7));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(leading);
    assert_eq!(waiting.await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_slow_load_keeps_its_lease_for_as_long_as_it_takes() {
    let fleet = Fleet::new();
    let long = |builder: larder::LarderBuilder| builder.lease_wait_max(seconds(60));
    let nodes = [fleet.node_with(long).0, fleet.node_with(long).0];
    let [a, b] = [0, 1]
        .map(|index| numbers(&nodes[index]).hard_timeout(seconds(60)).build().expect("a cache"));
    let source = Source::default();
    let gate = source.waits();
    let turn = async {
        gate.begun().await;
        pass(&fleet.clock, seconds(25)).await;
        gate.open();
    };
    let (first, second, ()) =
        tokio::join!(a.get_or_load(&7, source.load()), b.get_or_load(&7, source.load()), turn);
    assert_eq!((*first.expect("loaded"), *second.expect("shared")), (1, 1));
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_copy_in_memory_never_outlives_the_shared_entry() {
    let pair = pair().await;
    let ten = pair.source.shaped(|number| Loaded::value(number).fresh_for(seconds(10)));
    pair.a.get_or_load(&7, ten).await.expect("loaded");
    settle().await;
    pass(&pair.fleet.clock, seconds(8)).await;
    assert_eq!(pair.read(&pair.b, 7).await, (1, Origin::Shared));
    pair.fleet.clock.pass(millis(1_990));
    assert_eq!(kept(&pair.b, 7), Some(1));
    pair.fleet.clock.pass(millis(10));
    assert_eq!(kept(&pair.b, 7), None, "the copy lives for longer than what it is a copy of");
}

#[tokio::test]
async fn a_shared_answer_is_as_old_as_its_load() {
    let pair = pair().await;
    pair.read(&pair.a, 7).await;
    pass(&pair.fleet.clock, seconds(8)).await;
    let lookup = pair.b.get(&7).await.expect("shared");
    assert_eq!((lookup.age(), lookup.origin()), (seconds(8), Origin::Shared));
}

#[tokio::test]
async fn what_one_node_invalidates_no_node_serves() {
    let new = Invalidation::new;
    let ways = [
        ("key", new().key("numbers", &7u64)),
        ("prefix", new().prefix("numbers", &())),
        ("tag", new().tag("red")),
        ("cache", new().cache("numbers")),
        ("everything", new().everything()),
        ("glob", new().pattern(Pattern::glob("numbers:*").expect("a glob"))),
    ];
    for (name, how) in ways {
        let pair = pair().await;
        pair.read(&pair.a, 7).await;
        pair.read(&pair.b, 7).await;
        let outcome = within(&pair.fleet.clock, seconds(0), pair.nodes[0].invalidate(how)).await;
        assert!(outcome.position().is_some(), "by {name}");
        settle().await;
        assert_eq!((kept(&pair.a, 7), kept(&pair.b, 7)), (None, None), "by {name}");
        let (number, origin) = pair.read(&pair.b, 7).await;
        assert_eq!((number, origin), (2, Origin::Loaded), "the shared tier served it, by {name}");
    }
}

#[tokio::test]
async fn a_load_that_another_node_invalidates_is_stored_nowhere() {
    let pair = pair().await;
    let gate = pair.source.waits();
    let meanwhile = async {
        gate.begun().await;
        assert!(pair.b.invalidate(&7).await.position().is_some());
        gate.open();
    };
    let (old, ()) = tokio::join!(pair.read(&pair.a, 7), meanwhile);
    assert_eq!(old, (1, Origin::Loaded));
    settle().await;
    assert_eq!((kept(&pair.a, 7), value(pair.b.get(&7).await)), (None, None));
}

#[tokio::test]
async fn a_lost_message_costs_one_poll_and_no_more() {
    let fleet = Fleet::new();
    let ((a, _), (b, ear)) = (fleet.node(), fleet.node());
    let [on_a, on_b] = [&a, &b].map(|node| numbers(node).build().expect("a cache"));
    let source = Source::default();
    on_a.get_or_load(&7, source.load()).await.expect("loaded");
    settle().await;
    on_b.get_or_load(&7, source.load()).await.expect("shared");
    ear.deafen();
    assert!(on_a.invalidate(&7).await.position().is_some());
    settle().await;
    assert_eq!(kept(&on_b, 7), Some(1), "the message was not lost");
    pass(&fleet.clock, millis(250)).await;
    assert_eq!(kept(&on_b, 7), None);
}

#[tokio::test]
async fn who_has_seen_a_position_is_never_answered_from_before_it() {
    for name in ["at least", "latest"] {
        let fleet = Fleet::new();
        let ((a, _), (b, ear)) = (fleet.node(), fleet.node());
        let [on_a, on_b] = [&a, &b].map(|node| numbers(node).build().expect("a cache"));
        let source = Source::default();
        on_a.get_or_load(&7, source.load()).await.expect("loaded");
        settle().await;
        on_b.get_or_load(&7, source.load()).await.expect("shared");
        ear.deafen();
        let invalidated = on_a.invalidate(&7).await;
        let token = invalidated.position().expect("shared").to_string();
        let seen: Position = token.parse().expect("its own text form");
        let consistency = match name {
            "at least" => Consistency::AtLeast(seen),
            _ => Consistency::Latest,
        };
        assert_eq!(kept(&on_b, 7), Some(1), "the message was not lost");
        let read = on_b.read(&7).consistency(consistency).get_or_load(source.load());
        let hit = within(&fleet.clock, seconds(0), read).await.expect("loaded");
        assert_eq!((*hit, hit.origin()), (2, Origin::Loaded), "by {name}");
    }
}

#[tokio::test]
async fn what_is_softly_named_on_one_node_is_stale_on_all() {
    let fleet = Fleet::new();
    let nodes = [fleet.node().0, fleet.node().0];
    let [a, b] =
        [0, 1].map(|index| numbers(&nodes[index]).stale_for(seconds(60)).build().expect("a cache"));
    let source = Source::default();
    a.get_or_load(&7, source.load()).await.expect("loaded");
    settle().await;
    b.get_or_load(&7, source.load()).await.expect("shared");
    let soft = Invalidation::new().key(&a, &7u64).soft();
    assert!(nodes[0].invalidate(soft).await.position().is_some());
    settle().await;
    let gate = source.waits();
    for cache in [&a, &b] {
        let reading = cache.get_or_load(&7, source.load());
        let hit = within(&fleet.clock, seconds(0), reading).await.expect("stale");
        assert_eq!((*hit, hit.is_stale()), (1, true));
    }
    settle().await;
    gate.open();
    settle().await;
    assert_eq!((kept(&a, 7), source.loads()), (Some(2), 2), "one reload in the fleet");
    assert_eq!(*b.get_or_load(&7, source.load()).await.expect("fresh"), 2);
}

#[tokio::test]
async fn fifty_keys_are_one_read_of_the_shard() {
    let fleet = Fleet::new();
    let ((a, _), (b, cable)) = (fleet.node(), fleet.node());
    let [on_a, on_b] = [&a, &b].map(|node| numbers(node).build().expect("a cache"));
    let keys: Vec<u64> = (0..50).collect();
    let load = |keys: Vec<u64>| async move {
        Ok::<_, io::Error>(keys.into_iter().map(|key| (key, key as u32)).collect::<HashMap<_, _>>())
    };
    on_a.get_or_load_many(&keys, load).await.expect("loaded");
    settle().await;
    let before = cable.calls("read");
    let found = on_b.get_many(&keys).await;
    assert!(found.iter().flatten().all(|lookup| lookup.origin() == Origin::Shared));
    assert_eq!((found.iter().flatten().count(), cable.calls("read") - before), (50, 1));
    let missing: Vec<u64> = (50..100).collect();
    let before = cable.calls("read");
    on_b.get_or_load_many(&missing, load).await.expect("loaded");
    assert_eq!(cable.calls("read") - before, 1, "for a batch with a loader");
}

/// Keys share slots of a node's table: so many records leave next to none of them untouched.
#[tokio::test]
async fn invalidations_of_other_keys_cost_a_shared_value_nothing() {
    const OTHERS: u64 = 150_000;
    let pair = pair().await;
    for key in 0..20 {
        assert_eq!(pair.read(&pair.a, key).await.1, Origin::Loaded);
    }
    let others = (0..OTHERS).map(|key| key + 1_000);
    let all = others.fold(Invalidation::new(), |all, key| all.key("numbers", &key));
    assert!(pair.nodes[0].invalidate(all).await.position().is_some());
    pass(&pair.fleet.clock, seconds(2)).await;
    for key in 0..20 {
        assert_eq!(pair.read(&pair.b, key).await.1, Origin::Shared, "{key}");
    }
}

#[tokio::test]
async fn batches_of_two_nodes_load_no_key_twice() {
    let pair = pair().await;
    let gate = pair.source.waits();
    let counted = || {
        let source = pair.source.clone();
        move |keys: Vec<u64>| {
            let loading = source.next();
            async move {
                loading.await?;
                Ok::<_, io::Error>(keys.into_iter().map(|key| (key, 1)).collect::<HashMap<_, u32>>())
            }
        }
    };
    let first = pair.a.get_or_load_many(&[1, 2, 3], counted());
    let second = async {
        gate.begun().await;
        let opening = async {
            settle().await;
            gate.open();
        };
        tokio::join!(pair.b.get_or_load_many(&[3, 2, 1], counted()), opening).0
    };
    let both = async { tokio::join!(first, second) };
    let (first, second) = within(&pair.fleet.clock, seconds(1), both).await;
    assert_eq!((first.expect("loaded").len(), second.expect("shared").len()), (3, 3));
    assert_eq!(pair.source.loads(), 1);
}

#[tokio::test]
async fn what_one_node_sets_the_others_read() {
    let pair = pair().await;
    pair.read(&pair.b, 7).await;
    assert!(pair.a.set(&7, 70).await.stored);
    settle().await;
    assert_eq!(pair.read(&pair.b, 7).await, (70, Origin::Shared));
    let entries = [1, 2].map(|key| (key, key as u32));
    assert!(pair.a.set_many(entries).await.iter().all(|outcome| outcome.stored));
    assert_eq!(pair.read(&pair.b, 2).await, (2, Origin::Shared));
}

#[tokio::test]
async fn a_set_while_another_node_loads_only_invalidates_and_says_so() {
    let pair = pair().await;
    let gate = pair.source.waits();
    let meanwhile = async {
        gate.begun().await;
        let outcome = pair.b.set(&7, 70).await;
        assert!(outcome.invalidated.position().is_some());
        gate.open();
        outcome.stored
    };
    let (_, stored) = tokio::join!(pair.read(&pair.a, 7), meanwhile);
    settle().await;
    assert!(!stored);
    assert_eq!((kept(&pair.a, 7), value(pair.b.get(&7).await)), (None, None));
}

#[tokio::test]
async fn a_read_that_skips_the_shared_tier_neither_reads_nor_fills_it() {
    let fleet = Fleet::new();
    let ((a, _), (b, cable)) = (fleet.node(), fleet.node());
    let [on_a, on_b] = [&a, &b].map(|node| numbers(node).build().expect("a cache"));
    let source = Source::default();
    on_a.get_or_load(&7, source.load()).await.expect("loaded");
    settle().await;
    let hit = on_b.read(&7).skip_shared().get_or_load(source.load()).await.expect("loaded");
    settle().await;
    assert_eq!((*hit, hit.origin()), (2, Origin::Loaded));
    assert_eq!(["read", "lease", "fill"].map(|verb| cable.calls(verb)), [0, 0, 0]);
}

#[tokio::test]
async fn a_caller_who_asks_for_it_waits_until_the_fill_is_stored() {
    let pair = pair().await;
    let read = pair.a.read(&7).await_fill().get_or_load(pair.source.load());
    read.await.expect("loaded");
    assert_eq!(value(pair.b.get(&7).await), Some(1));
}

#[tokio::test]
async fn a_value_of_another_type_is_a_counted_miss() {
    let fleet = Fleet::new();
    let ((old, _), (new, _)) = (fleet.node(), fleet.node());
    let texts = old.cache::<u64, String>("numbers").build().expect("a cache");
    let numbers = numbers(&new).build().expect("a cache");
    texts.get_or_load(&7, |_| async { Ok::<_, io::Error>("seven".to_owned()) }).await.expect("text");
    settle().await;
    assert_eq!(*numbers.get_or_load(&7, Source::default().load()).await.expect("loaded"), 1);
    assert_eq!(numbers.stats().undecodable, 1);
}

#[tokio::test]
async fn a_value_of_another_type_that_looks_alike_is_a_counted_miss_too() {
    let fleet = Fleet::new();
    let ((old, _), (new, _)) = (fleet.node(), fleet.node());
    let wide = old.cache::<u64, i64>("numbers").build().expect("a cache");
    let numbers = numbers(&new).build().expect("a cache");
    wide.get_or_load(&7, |_| async { Ok::<_, io::Error>(700i64) }).await.expect("a number");
    settle().await;
    assert_eq!(*numbers.get_or_load(&7, Source::default().load()).await.expect("loaded"), 1);
    assert_eq!(numbers.stats().undecodable, 1);
}
