//! Settings: every mistake is told, once, and nothing is taken from the surroundings unasked.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use larder::clock::BoxFuture;
use larder::tasks::Tasks;
use larder::{BuildError, Larder};

use crate::support::{Fleet, Source, kept, node, numbers, seconds};

fn fields(error: &BuildError) -> Vec<&'static str> {
    error.mistakes().iter().map(|mistake| mistake.field()).collect()
}

#[tokio::test]
async fn a_node_tells_all_its_mistakes_at_once_and_each_once() {
    let wrong = Larder::builder("{}")
        .bytes_max(1)
        .entries_max(0)
        .lease_ttl(Duration::ZERO)
        .staleness_max(Duration::ZERO)
        .pending_max(0)
        .loads_max(0)
        .tag_slots(1_000)
        .log_records_max(0);
    let error = wrong.build().expect_err("nine mistakes");
    let mut found = fields(&error);
    found.sort_unstable();
    let expected = [
        "bytes_max",
        "entries_max",
        "lease_ttl",
        "loads_max",
        "log_records_max",
        "namespace",
        "pending_max",
        "staleness_max",
        "tag_slots",
    ];
    assert_eq!(found, expected, "{error}");
}

#[tokio::test]
async fn a_mistake_names_its_field_and_the_limit() {
    let error = Larder::builder("test").bytes_max(1).build().expect_err("too small");
    assert_eq!(error.to_string(), "`bytes_max` is 1; it must be at least 65536");
    let (_clock, larder) = node();
    let error = numbers(&larder).jitter(0.5).build().expect_err("too large");
    assert_eq!(error.to_string(), "`jitter` is 0.5; it must be 0.0 to 0.1");
}

#[tokio::test]
async fn a_cache_tells_all_its_mistakes_at_once_and_each_once() {
    let (_clock, larder) = node();
    let wrong = larder
        .cache::<u64, u32>("")
        .fresh_for(seconds(90_000))
        .stale_for(seconds(90_000))
        .fail_safe_for(seconds(90_000))
        .negative_for(seconds(90_000))
        .errors_for(seconds(90_000))
        .jitter(f64::NAN)
        .early_refresh(-1.0)
        .soft_timeout(Duration::ZERO)
        .hard_timeout(Duration::ZERO)
        .value_bytes_max(0)
        .refreshes_max(0)
        .memory_bytes_max(1);
    let expected = [
        "name",
        "fresh_for",
        "stale_for",
        "fail_safe_for",
        "negative_for",
        "errors_for",
        "jitter",
        "early_refresh",
        "soft_timeout",
        "hard_timeout",
        "value_bytes_max",
        "refreshes_max",
        "memory_bytes_max",
    ];
    assert_eq!(fields(&wrong.build().expect_err("thirteen mistakes")), expected);
}

#[tokio::test]
async fn a_cache_without_memory_needs_a_shared_tier() {
    let (_clock, larder) = node();
    let error = numbers(&larder).memory_bytes_max(0).build().expect_err("nothing would be kept");
    assert_eq!(
        error.to_string(),
        "`memory_bytes_max` is zero, and there is no shared tier; nothing would be kept"
    );
}

#[tokio::test]
async fn what_is_about_memory_is_refused_where_memory_is_left_out() {
    let (larder, _cable) = Fleet::new().node();
    let without = numbers(&larder)
        .memory_bytes_max(0)
        .stale_for(seconds(1))
        .fail_safe_for(seconds(1))
        .early_refresh(1.0)
        .sliding()
        .soft_timeout(seconds(1));
    let error = without.build().expect_err("none would have its effect");
    let expected = ["stale_for", "fail_safe_for", "early_refresh", "sliding", "soft_timeout"];
    assert_eq!(fields(&error), expected);
}

#[tokio::test]
async fn a_name_is_one_cache() {
    let (_clock, larder) = node();
    let _first = numbers(&larder).build().expect("a cache");
    assert_eq!(fields(&numbers(&larder).build().expect_err("taken")), ["name"]);
}

#[tokio::test]
async fn no_number_of_a_setting_is_a_panic() {
    let most = Duration::MAX;
    let larder = Larder::builder("test")
        .bytes_max(u64::MAX)
        .entries_max(u64::MAX)
        .poll_interval(most)
        .staleness_max(most)
        .lease_ttl(most)
        .lease_wait_max(most)
        .append_timeout(most)
        .call_timeout(most)
        .pending_max(usize::MAX)
        .loads_max(usize::MAX)
        .load_time_max(most)
        .tag_slots(usize::MAX)
        .ttl_max(most)
        .log_records_max(usize::MAX)
        .build();
    larder.expect_err("some of these are too much");
}

#[tokio::test]
async fn the_longest_times_of_a_cache_are_no_panic() {
    let larder = Larder::builder("test").ttl_max(Duration::MAX).build();
    let Ok(larder) = larder else { return };
    let most = Duration::MAX;
    let builder = numbers(&larder).fresh_for(most).stale_for(most).fail_safe_for(most);
    let builder = builder.negative_for(most).soft_timeout(most).hard_timeout(most);
    if let Ok(cache) = builder.refreshes_max(usize::MAX).build() {
        cache.get_or_load(&7, Source::default().load()).await.expect("loaded");
        assert_eq!(kept(&cache, 7), Some(1));
    }
}

#[test]
fn no_runtime_is_started_behind_the_callers_back() {
    let error = Larder::new("test").expect_err("there is nobody to run background work");
    assert_eq!(fields(&error), ["tasks"]);
}

/// Keeps what it is given and runs nothing.
#[derive(Default)]
struct Kept(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Tasks for Kept {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().expect("unpoisoned").push(work);
    }
}

#[test]
fn background_work_goes_to_the_tasks_that_were_injected_and_nowhere_else() {
    let tasks = Arc::new(Kept::default());
    let (clock, random) = (larder::conformance::manual::ManualClock::default(), 1);
    let random = larder::conformance::manual::SeededRandom::new(random);
    let larder = Larder::builder("test")
        .clock(Arc::new(clock))
        .random(Arc::new(random))
        .tasks(tasks.clone())
        .build()
        .expect("no runtime is needed");
    assert!(!tasks.0.lock().expect("unpoisoned").is_empty());
    let cache = numbers(&larder).build().expect("a cache");
    let hit = futures_executor_free(cache.get_or_load(&7, Source::default().load()));
    assert_eq!(*hit.expect("loaded"), 1);
}

/// Runs what never has to wait, without any runtime.
fn futures_executor_free<T>(work: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(work).expect("nothing here waits")
}
