//! The 14 cases of the helper that the first version tested on mocks (requirement 0-26), and the six
//! of the fourth (4-31): each on the embedded shard, on a real Redis, and on one that is killed in the
//! middle. Then answers are still right, and what a case loads is counted exactly on each: one process
//! loads once, whatever becomes of its server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use larder::key::shapes::{ApiKey, GenericKey, Params, UserKey, VenueKey};
use larder::{Cache, CacheBuilder, Invalidation, Key, Larder, Loaded, Pattern};
use larder_faults::pause;
use larder_redis::{Redis, RedisOptions, Topology};
use larder_rig::{RedisServer, Stopwatch};

use crate::support::{millis, until};

/// Longer than a case takes, on a machine that does much else too. How long memory is trusted without its
/// server, and how long a call may take, is for the failure model to say.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a case runs on.
struct Ground {
    larder: Larder,
    tier: Option<(Redis, RedisServer)>,
    dies: bool,
    loads: Arc<AtomicU64>,
}

impl Ground {
    fn embedded() -> Self {
        let larder = Larder::new("helper").expect("every default");
        Ground { larder, tier: None, dies: false, loads: Arc::default() }
    }

    async fn on_redis(dies: bool) -> Self {
        let server = RedisServer::start();
        let mut options = RedisOptions::new(Topology::single("127.0.0.1", server.port()));
        options.command_timeout = PATIENCE;
        let redis = Redis::open("helper", options).expect("options in range");
        redis.connected().await;
        let larder = Larder::builder("helper").shards(redis.shards());
        let larder = larder.call_timeout(PATIENCE).append_timeout(PATIENCE);
        let larder = larder.staleness_max(PATIENCE).poll_interval(PATIENCE / 10);
        let larder = larder.build().expect("in range");
        // What is set before the log was asked once is not kept in memory.
        let first = larder.cache::<u64, u64>("first").build().expect("a cache");
        let waiting = Stopwatch::started();
        while first.peek(&0).is_none() {
            assert!(waiting.elapsed() < PATIENCE, "what is set is not kept");
            first.set(&0, 0).await.invalidated.outcome();
        }
        Ground { larder, tier: Some((redis, server)), dies, loads: Arc::default() }
    }

    /// The middle of the case: here the server dies, if it is to.
    async fn middle(&mut self) {
        if let Some((redis, server)) = self.tier.as_mut().filter(|_| self.dies) {
            server.kill();
            redis.lost().await;
        }
    }

    /// The server that died is back.
    async fn comes_back(&mut self) {
        if let Some((redis, server)) = self.tier.as_mut().filter(|_| self.dies) {
            server.run();
            redis.connected().await;
        }
    }

    fn assert_loads(&self, expected: u64) {
        assert_eq!(self.loads.load(Ordering::SeqCst), expected, "loads");
    }

    fn texts(&self) -> CacheBuilder<u64, String> {
        self.larder.cache("texts").jitter(0.0)
    }

    /// Reads through the cache; the source has this.
    async fn read<K: Key>(&self, cache: &Cache<K, String>, key: &K, source: &str) -> String {
        let (loads, source) = (Arc::clone(&self.loads), source.to_owned());
        let load = move |_| async move {
            loads.fetch_add(1, Ordering::SeqCst);
            pause(millis(2)).await;
            Ok::<_, std::io::Error>(source)
        };
        (*cache.get_or_load(key, load).await.expect("the source is healthy")).clone()
    }
}

/// A write of the source.
async fn written() -> Result<String, std::io::Error> {
    pause(millis(2)).await;
    Ok("written".to_owned())
}

async fn write_through_runs_the_write_and_caches_its_result(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    let written = texts.write_through(&7, written).run().await.expect("the source is healthy");
    assert!(written.stored);
    ground.middle().await;
    assert_eq!(ground.read(&texts, &7, "written").await, "written");
    ground.assert_loads(0);
}

async fn write_through_drops_the_patterns_that_it_names(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    let lists = ground.larder.cache::<u64, String>("lists").build().expect("a cache");
    ground.read(&lists, &1, "old list").await;
    ground.middle().await;
    let lists_all = Invalidation::new().pattern(Pattern::glob("lists:*").expect("a glob"));
    let written = texts.write_through(&7, written).also(lists_all).run().await;
    assert_eq!(*written.expect("the source is healthy").answer, "written");
    assert_eq!(ground.read(&lists, &1, "new list").await, "new list");
    assert_eq!(ground.read(&texts, &7, "written").await, "written");
    // Without a server there is no lease, and what was written is only invalidated.
    ground.assert_loads(if ground.dies { 3 } else { 2 });
}

async fn read_with_cache_answers_what_is_cached(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    ground.read(&texts, &7, "text").await;
    ground.middle().await;
    assert_eq!(ground.read(&texts, &7, "text").await, "text");
    ground.assert_loads(1);
}

async fn read_with_cache_fetches_and_caches_what_is_not(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    ground.middle().await;
    assert_eq!(ground.read(&texts, &7, "text").await, "text");
    assert_eq!(ground.read(&texts, &7, "text").await, "text");
    ground.assert_loads(1);
}

async fn several_patterns_are_dropped_in_one_call(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    let others = ground.larder.cache::<u64, String>("others").build().expect("a cache");
    for key in [1, 2, 30] {
        ground.read(&texts, &key, "old").await;
    }
    ground.read(&others, &1, "other").await;
    ground.middle().await;
    let globs = ["texts:?", "nothing:*"].map(|glob| Pattern::glob(glob).expect("a glob"));
    let named = globs.into_iter().fold(Invalidation::new(), Invalidation::pattern);
    ground.larder.invalidate(named).await.outcome();
    assert_eq!(ground.read(&texts, &1, "new").await, "new");
    assert_eq!(ground.read(&texts, &2, "new").await, "new");
    assert_eq!(ground.read(&texts, &30, "old").await, "old");
    assert_eq!(ground.read(&others, &1, "other").await, "other");
    ground.assert_loads(6);
}

async fn batch_get_answers_in_order_and_leaves_out_what_is_missing(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    for key in [1, 3] {
        assert!(texts.set(&key, format!("text {key}")).await.stored);
    }
    ground.middle().await;
    let found = texts.get_many(&[3, 2, 1]).await;
    let found: Vec<Option<&str>> =
        found.iter().map(|found| found.as_ref()?.value().map(String::as_str)).collect();
    assert_eq!(found, [Some("text 3"), None, Some("text 1")]);
}

async fn batch_set_stores_each_for_its_own_time(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    let entries = (0..50_u64).map(|key| {
        let lives = if key == 0 { millis(500) } else { Duration::from_secs(60) };
        (key, Loaded::value(format!("text {key}")).fresh_for(lives))
    });
    let outcomes = texts.set_many(entries).await;
    assert!(outcomes.iter().all(|outcome| outcome.stored), "{outcomes:?}");
    pause(millis(510)).await;
    ground.middle().await;
    assert!(texts.get(&0).await.is_none());
    for key in 1..50 {
        assert_eq!(ground.read(&texts, &key, &format!("text {key}")).await, format!("text {key}"));
    }
    ground.assert_loads(0);
}

/// What is under one prefix goes, and what is not stays.
async fn prefix_goes<K: Key, P: Key>(mut ground: Ground, mine: [K; 2], prefix: P, other: K) {
    let cache = ground.larder.cache::<K, String>("shaped").build().expect("a cache");
    for key in mine.iter().chain([&other]) {
        ground.read(&cache, key, "old").await;
    }
    ground.middle().await;
    cache.invalidate_prefix(&prefix).await.outcome();
    for key in &mine {
        assert_eq!(ground.read(&cache, key, "new").await, "new");
    }
    assert_eq!(ground.read(&cache, &other, "old").await, "old");
    ground.assert_loads(5);
}

async fn generic_keys_are_told_apart(ground: Ground) {
    let key = |part: &'static str| GenericKey::new("board").arguments((part, 47_u8));
    let other = GenericKey::new("boards").arguments(("weekly", 47_u8));
    prefix_goes(ground, [key("weekly"), key("a:b")], GenericKey::new("board"), other).await;
}

async fn api_keys_do_not_depend_on_the_order_of_their_parameters(ground: Ground) {
    let params = |page: u32| Params::new().with("page", page).with("limit", 20);
    let swapped = Params::new().with("limit", 20).with("page", 2);
    assert_eq!(params(2), swapped);
    let key = |page| ApiKey::new("tournaments", "list").params(params(page));
    let other = ApiKey::new("venues", "list").params(params(1));
    prefix_goes(ground, [key(1), key(2)], ApiKey::all_of("tournaments"), other).await;
}

async fn user_keys_drop_all_of_one_user_and_nobody_else(ground: Ground) {
    let key = |user: u64, page: u32| UserKey::new(user, "inbox").params(page);
    prefix_goes(ground, [key(7, 1), key(7, 2)], UserKey::all_of(7_u64), key(70, 1)).await;
}

async fn venue_keys_drop_all_of_one_venue_and_no_other(ground: Ground) {
    let key = |venue: u64, page: u32| VenueKey::new(venue, "tables").params(page);
    prefix_goes(ground, [key(7, 1), key(7, 2)], VenueKey::all_of(7_u64), key(70, 1)).await;
}

async fn the_check_says_that_a_well_tier_is_well(mut ground: Ground) {
    let well = async |ground: &Ground| {
        let answered = ground.larder.ping().await.expect("it answers");
        assert!(answered < Duration::from_secs(5), "{answered:?}");
    };
    well(&ground).await;
    ground.middle().await;
    ground.comes_back().await;
    well(&ground).await;
}

async fn the_check_says_that_a_dead_tier_is_not(mut ground: Ground) {
    ground.larder.ping().await.expect("it answers");
    ground.middle().await;
    assert_eq!(ground.larder.ping().await.is_err(), ground.dies);
}

async fn statistics_count_what_was_done(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    ground.read(&texts, &7, "text").await;
    ground.middle().await;
    texts.peek(&7).expect("it is in memory");
    ground.read(&texts, &7, "text").await;
    texts.remove(&7).await.outcome();
    let stats = texts.stats();
    let reads = (stats.hits, stats.misses, stats.bypasses);
    assert_eq!((reads, stats.loads, stats.invalidations), ((1, 1, 0), 1, 1), "{stats:?}");
    assert_eq!(stats.entries, 0);
    ground.assert_loads(1);
}

async fn what_is_set_is_got_until_it_is_removed(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    assert!(texts.set(&7, "text".to_owned()).await.stored);
    ground.middle().await;
    assert!(texts.exists(&7).await);
    assert_eq!(ground.read(&texts, &7, "another").await, "text");
    ground.assert_loads(0);
    texts.remove(&7).await.outcome();
    assert!(!texts.exists(&7).await);
}

async fn caches_of_one_node_do_not_see_each_other(mut ground: Ground) {
    let caches = ["one", "two"].map(|name| ground.larder.cache::<u64, String>(name).build());
    let [one, two] = caches.map(|cache| cache.expect("a cache"));
    ground.read(&one, &7, "of one").await;
    ground.middle().await;
    assert_eq!(ground.read(&two, &7, "of two").await, "of two");
    two.clear().await.outcome();
    assert_eq!(ground.read(&one, &7, "of one").await, "of one");
    ground.assert_loads(2);
}

async fn a_stale_value_is_served_while_one_caller_loads_it(mut ground: Ground) {
    let texts = ground.texts().fresh_for(millis(50)).stale_for(Duration::from_secs(60));
    let texts = texts.build().expect("a cache");
    ground.read(&texts, &7, "old").await;
    pause(millis(60)).await;
    ground.middle().await;
    assert_eq!(ground.read(&texts, &7, "new").await, "old");
    until("the new value", || {
        texts.peek(&7).is_some_and(|found| found.value().is_some_and(|text| text == "new"))
    })
    .await;
    ground.assert_loads(2);
}

async fn a_stampede_loads_once(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    ground.middle().await;
    let reads = (0..1_000).map(|_| ground.read(&texts, &7, "text"));
    assert!(join_all(reads).await.iter().all(|text| text == "text"));
    ground.assert_loads(1);
}

async fn metrics_say_how_many_reads_were_hits(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    for _ in 0..10 {
        ground.read(&texts, &7, "text").await;
    }
    let hit_ratio = || texts.stats().hit_ratio().expect("there were reads");
    assert!((hit_ratio() - 9.0 / 10.0).abs() < 1e-9, "{:?}", texts.stats());
    ground.middle().await;
    ground.read(&texts, &7, "text").await;
    assert!((hit_ratio() - 10.0 / 11.0).abs() < 1e-9, "{:?}", texts.stats());
}

async fn a_pattern_drops_what_it_matches(mut ground: Ground) {
    let texts = ground.texts().build().expect("a cache");
    for key in [1, 12, 13] {
        ground.read(&texts, &key, "old").await;
    }
    ground.middle().await;
    let pattern = Pattern::regex("texts:1[0-9]").expect("an expression");
    ground.larder.invalidate(Invalidation::new().pattern(pattern)).await.outcome();
    assert_eq!(ground.read(&texts, &12, "new").await, "new");
    assert_eq!(ground.read(&texts, &13, "new").await, "new");
    assert_eq!(ground.read(&texts, &1, "old").await, "old");
    ground.assert_loads(5);
}

macro_rules! on_every_ground {
    ($($case:ident),+ $(,)?) => {
        mod embedded {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(Ground::embedded()).await;
            })+
        }

        mod on_redis {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(Ground::on_redis(false).await).await;
            })+
        }

        mod killed_in_the_middle {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(Ground::on_redis(true).await).await;
            })+
        }
    };
}

on_every_ground! {
    // The 14 of requirement 0-26.
    write_through_runs_the_write_and_caches_its_result,
    write_through_drops_the_patterns_that_it_names,
    read_with_cache_answers_what_is_cached,
    read_with_cache_fetches_and_caches_what_is_not,
    several_patterns_are_dropped_in_one_call,
    batch_get_answers_in_order_and_leaves_out_what_is_missing,
    batch_set_stores_each_for_its_own_time,
    generic_keys_are_told_apart,
    api_keys_do_not_depend_on_the_order_of_their_parameters,
    user_keys_drop_all_of_one_user_and_nobody_else,
    venue_keys_drop_all_of_one_venue_and_no_other,
    the_check_says_that_a_well_tier_is_well,
    the_check_says_that_a_dead_tier_is_not,
    statistics_count_what_was_done,
    // The six of requirement 4-31.
    what_is_set_is_got_until_it_is_removed,
    caches_of_one_node_do_not_see_each_other,
    a_stale_value_is_served_while_one_caller_loads_it,
    a_stampede_loads_once,
    metrics_say_how_many_reads_were_hits,
    a_pattern_drops_what_it_matches,
}
