//! Values that are written through to a source, on one node.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::poll;
use larder::{Cache, Invalidation, Larder, Loaded, Origin, Pattern};

use crate::support::{Gate, Source, kept, millis, node, numbers, seconds, settle, value};

const CONFLICT: ErrorKind = ErrorKind::InvalidInput;

/// The source: one number, and writes of it that wait where the test says.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

impl Row {
    fn now(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    /// Counts the number up, and gives it.
    fn commit(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn write(&self) -> Result<u32, Error> {
        tokio::task::yield_now().await;
        Ok(self.commit())
    }

    /// Commits after `before`, and answers after `after`.
    async fn write_between(&self, before: Gate, after: Gate) -> Result<u32, Error> {
        before.pass().await;
        let number = self.commit();
        after.pass().await;
        Ok(number)
    }
}

fn on_one_node() -> (Larder, Cache<u64, u32>, Row) {
    let (_, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    (larder, cache, Row::default())
}

#[tokio::test]
async fn what_was_written_is_answered_and_read_without_a_load() {
    let (_, cache, row) = on_one_node();
    for number in 1..=3 {
        let written = cache.write_through(&7, || row.write()).run().await.expect("written");
        assert_eq!((*written.answer, written.answer.origin()), (number, Origin::Loaded));
        assert!(written.stored && written.invalidated.position().is_some());
        let read = cache.get(&7).await.expect("stored");
        assert_eq!((read.value(), read.origin()), (Some(&number), Origin::Memory));
    }
    assert_eq!(cache.stats().sets, 3);
}

#[tokio::test]
async fn a_created_row_is_read_by_the_key_of_its_result_without_a_load() {
    let (larder, cache, row) = on_one_node();
    let cache = &cache;
    for key in 1..=3_u64 {
        let absent = Source::default().shaped(|_| None);
        cache.get_or_load(&key, absent).await.expect("absence is remembered");
        let written = cache.create_through(|| row.write(), |number| u64::from(*number));
        assert!(written.run().await.expect("written").stored);
        assert_eq!(kept(cache, key), Some(key as u32));
        assert!(larder.invalidate_tag("another").await.position().is_some());
    }
}

#[tokio::test]
async fn whoever_creates_a_row_that_another_call_names_meanwhile_only_invalidates() {
    let everything = [
        Invalidation::new().key("numbers", &7_u64),
        Invalidation::new().tag("red"),
        Invalidation::new().tag("red").soft(),
        Invalidation::new().cache("numbers"),
        Invalidation::new().everything(),
        Invalidation::new().pattern(Pattern::glob("numbers:*").expect("a glob")),
    ];
    for named in everything {
        let (larder, cache, row) = on_one_node();
        let create = || async {
            let number = row.commit();
            // Another writer changes the row before we know that ours is done.
            row.commit();
            assert!(larder.invalidate(named.clone()).await.position().is_some());
            Ok::<_, Error>(Loaded::value(number).tag("red"))
        };
        let written = cache.create_through(create, |_| 7).run().await.expect("written");
        assert!(!written.stored, "{named:?}");
        assert_eq!(value(Some(written.answer)), Some(1));
        assert_eq!(kept(&cache, 7), None, "{named:?}");
    }
}

#[tokio::test]
async fn whoever_creates_a_row_beside_others_stores_it() {
    let (larder, cache, row) = on_one_node();
    let create = || async {
        let others = Invalidation::new().key("numbers", &8_u64).tag("blue").prefix("rooms", &7_u64);
        assert!(larder.invalidate(others).await.position().is_some());
        Ok::<_, Error>(Loaded::value(row.commit()).tag("red"))
    };
    assert!(cache.create_through(create, |_| 7).run().await.expect("written").stored);
    assert_eq!(kept(&cache, 7), Some(1));
}

/// Two writers of one row commit in one order and answer in another: `first` commits first.
async fn race(first_answers_first: bool) -> (Option<u32>, Row) {
    let (_, cache, row) = on_one_node();
    let gates: [Gate; 4] = std::array::from_fn(|_| Gate::new());
    let [first_commits, first_answers, second_commits, second_answers] = &gates;
    let write = |before: &Gate, after: &Gate| row.write_between(before.clone(), after.clone());
    let first = cache.write_through(&7, || write(first_commits, first_answers)).run();
    let second = cache.write_through(&7, || write(second_commits, second_answers)).run();
    let mut order = [first_answers, second_answers];
    if !first_answers_first {
        order.reverse();
    }
    let script = async {
        first_commits.begun().await;
        second_commits.begun().await;
        for gate in [first_commits, second_commits].into_iter().chain(order) {
            gate.open();
            settle().await;
        }
    };
    let (first, second, ()) = tokio::join!(first, second, script);
    assert_eq!(*first.expect("written").answer, 1);
    assert_eq!(*second.expect("written").answer, 2);
    (kept(&cache, 7), row)
}

#[tokio::test]
async fn of_two_writers_at_once_the_older_value_never_stays() {
    for first_answers_first in [true, false] {
        let (kept, row) = race(first_answers_first).await;
        assert!(kept.is_none_or(|number| number == row.now()), "{kept:?} stayed");
    }
}

#[tokio::test]
async fn a_write_that_fails_takes_the_old_value_unless_it_has_rolled_back() {
    let fails = |kind| move || async move { Err::<u32, _>(Error::from(kind)) };
    let rolled_back = |error: &Error| error.kind() == CONFLICT;
    for (kind, left) in [(CONFLICT, Some(1)), (ErrorKind::ConnectionReset, None)] {
        let (_, cache, row) = on_one_node();
        cache.write_through(&7, || row.write()).run().await.expect("written");
        let failed = cache.write_through(&7, fails(kind)).rolled_back(rolled_back).run().await;
        assert_eq!(failed.expect_err("it fails").kind(), kind);
        assert_eq!(kept(&cache, 7), left, "{kind:?}");
    }
    let (_, cache, row) = on_one_node();
    cache.write_through(&7, || row.write()).run().await.expect("written");
    cache.write_through(&7, fails(CONFLICT)).run().await.expect_err("it fails");
    assert_eq!(kept(&cache, 7), None, "nobody said that it has rolled back");
}

#[tokio::test]
async fn the_lease_of_a_write_that_failed_is_free_again() {
    let (_, cache, row) = on_one_node();
    for proves in [true, false] {
        let fails = || async { Err::<u32, _>(Error::from(CONFLICT)) };
        let failed = cache.write_through(&7, fails).rolled_back(move |_| proves).run().await;
        failed.expect_err("it fails");
        settle().await;
        assert!(cache.write_through(&7, || row.write()).run().await.expect("written").stored);
    }
}

#[tokio::test]
async fn a_write_that_is_cancelled_takes_what_it_may_have_changed() {
    let (larder, cache, row) = on_one_node();
    cache.write_through(&7, || row.write()).run().await.expect("written");
    let lists = larder.cache::<u64, u32>("lists").build().expect("a cache");
    assert!(lists.set(&1, 1).await.stored);
    let writing = cache.write_through(&7, || row.write());
    let writing = writing.also(Invalidation::new().key(&lists, &1)).run();
    let mut writing = Box::pin(writing);
    assert!(poll!(&mut writing).is_pending(), "it waits once");
    assert_eq!((kept(&cache, 7), kept(&lists, 1)), (Some(1), Some(1)));
    drop(writing);
    assert_eq!((kept(&cache, 7), kept(&lists, 1)), (None, None));
    settle().await;
    assert!(cache.write_through(&7, || row.write()).run().await.expect("written").stored);
}

#[tokio::test]
async fn a_write_takes_what_else_it_names_and_keeps_its_own_value() {
    let (larder, cache, row) = on_one_node();
    let lists = larder.cache::<u64, u32>("lists").build().expect("a cache");
    for list in [1, 2, 13] {
        assert!(lists.set(&list, 1).await.stored);
    }
    let written = cache
        .write_through(&7, || row.write())
        .also(Invalidation::new().key(&lists, &1))
        .also(Invalidation::new().pattern(Pattern::glob("lists:13").expect("a glob")))
        .also_of(|number| Invalidation::new().key("lists", &(u64::from(*number) + 1)))
        .run()
        .await
        .expect("written");
    assert_eq!((written.stored, written.invalidated.matched()), (true, Some(1)));
    assert_eq!([1, 2, 13].map(|list| kept(&lists, list)), [None; 3]);
    assert_eq!(kept(&cache, 7), Some(1));
}

#[tokio::test]
async fn what_is_not_kept_is_only_invalidated() {
    let (_, larder) = node();
    let cache = numbers(&larder).negative_for(millis(0)).build().expect("a cache");
    let unkept: [fn() -> Loaded<u32>; 3] = [
        || Loaded::value(2).fresh_for(seconds(0)),
        Loaded::absent,
        || (0..65).fold(Loaded::value(2), |value, tag| value.tag(format!("tag {tag}"))),
    ];
    for gives in unkept {
        assert!(cache.set(&7, 1).await.stored);
        let write = || async move { Ok::<_, Error>(gives()) };
        let written = cache.write_through(&7, write).run().await.expect("written");
        assert_eq!((written.stored, kept(&cache, 7)), (false, None));
        let written = cache.create_through(write, |_| 7).run().await.expect("written");
        assert_eq!((written.stored, kept(&cache, 7)), (false, None));
    }
}

#[tokio::test]
async fn a_row_that_is_written_to_be_absent_is_remembered_so() {
    let (_, larder) = node();
    let cache = numbers(&larder).negative_for(seconds(60)).build().expect("a cache");
    let delete = || async { Ok::<_, Error>(None::<u32>) };
    let written = cache.write_through(&7, delete).run().await.expect("written");
    assert!(written.stored && written.answer.found().is_none());
    let read = cache.get(&7).await.expect("remembered");
    assert_eq!((read.value(), read.origin()), (None, Origin::Memory));
}

#[tokio::test]
async fn a_load_from_before_a_write_never_replaces_what_was_written() {
    let (_, cache, row) = on_one_node();
    let source = Source::default();
    let gate = source.waits();
    let write = async {
        gate.begun().await;
        let number = || async { Ok::<_, Error>(row.commit() + 100) };
        let written = cache.write_through(&7, number).run().await.expect("written");
        gate.open();
        written.stored
    };
    let (_, stored) = tokio::join!(cache.get_or_load(&7, source.load()), write);
    settle().await;
    assert!(stored);
    assert_eq!(kept(&cache, 7), Some(101));
}
