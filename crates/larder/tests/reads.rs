//! What a caller is promised of reads, on the embedded shard.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use larder::{Cache, Error, Invalidation, Larder, Loaded, Lookup, Origin, Pattern};

fn counted() -> (Arc<AtomicU32>, impl Fn() -> u32 + Clone + Send + 'static) {
    let loads = Arc::new(AtomicU32::new(0));
    let load = Arc::clone(&loads);
    (loads, move || load.fetch_add(1, Ordering::SeqCst) + 1)
}

fn cache(larder: &Larder) -> Cache<u64, u32> {
    larder.cache("numbers").build().expect("a valid cache")
}

#[tokio::test]
async fn the_second_read_is_a_memory_hit_and_loads_nothing() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    let (loads, next) = counted();
    for expected in [Origin::Loaded, Origin::Memory] {
        let next = next.clone();
        let hit = numbers.get_or_load(&7, |_| async move { Ok::<_, io::Error>(next()) }).await;
        let hit = hit.expect("loaded");
        assert_eq!((*hit, hit.origin()), (1, expected));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_invalidated_value_is_loaded_again_whatever_names_it() {
    let larder = Larder::new("test").expect("a node");
    let pages = larder.cache::<(u64, u64), u32>("pages").build().expect("a cache");
    let names: Vec<(&str, Invalidation)> = vec![
        ("key", Invalidation::new().key(&pages, &(7u64, 1u64))),
        ("prefix", Invalidation::new().prefix(&pages, &(7u64,))),
        ("tag", Invalidation::new().tag("red")),
        ("cache", Invalidation::new().cache(&pages)),
        ("everything", Invalidation::new().everything()),
        ("glob", Invalidation::new().pattern(Pattern::glob("pages:7:*").expect("a glob"))),
    ];
    let (_, next) = counted();
    let mut seen = 0;
    for (name, invalidation) in names {
        let next = next.clone();
        let load = |_| async move { Ok::<_, io::Error>(Loaded::value(next()).tag("red")) };
        let found = pages.get_or_load(&(7, 1), load).await.expect("loaded").found().expect("a value");
        assert!(*found > seen, "a value from before the {name} was served");
        seen = *found;
        assert!(pages.peek(&(7, 1)).is_some());
        let invalidated = larder.invalidate(invalidation).await;
        assert!(invalidated.position().is_some());
        assert!(pages.peek(&(7, 1)).is_none(), "alive after its {name} was invalidated");
    }
}

#[tokio::test]
async fn a_load_that_began_before_an_invalidation_is_answered_but_never_kept() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    let (began, begun) = tokio::sync::oneshot::channel();
    let (go_on, gone_on) = tokio::sync::oneshot::channel::<()>();
    let slow = {
        let numbers = numbers.clone();
        async move {
            let load = |_| async move {
                began.send(()).expect("the test listens");
                gone_on.await.expect("the test goes on");
                Ok::<_, io::Error>(1)
            };
            numbers.get_or_load(&7, load).await
        }
    };
    let invalidating = async {
        begun.await.expect("the load began");
        assert!(numbers.invalidate(&7).await.position().is_some());
        go_on.send(()).expect("the load waits");
    };
    let (answer, ()) = tokio::join!(slow, invalidating);
    assert_eq!(*answer.expect("its own load is good enough for it"), 1);
    assert!(numbers.peek(&7).is_none(), "the value from before the invalidation was kept");
}

#[tokio::test]
async fn a_hundred_callers_cause_one_load() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    let (loads, next) = counted();
    let reads = (0..100).map(|_| {
        let next = next.clone();
        numbers.get_or_load(&7, |_| async move {
            tokio::task::yield_now().await;
            Ok::<_, io::Error>(next())
        })
    });
    for hit in futures_util::future::join_all(reads).await {
        assert_eq!(*hit.expect("loaded"), 1);
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_the_source_does_not_have_is_remembered_for_a_while() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    let (loads, next) = counted();
    for origin in [Origin::Loaded, Origin::Memory] {
        let next = next.clone();
        let load = |_| async move {
            next();
            Ok::<Option<u32>, io::Error>(None)
        };
        let lookup = numbers.get_or_load(&7, load).await.expect("an answer");
        assert!(
            matches!(&lookup, Lookup::Absent(absence) if absence.origin() == origin),
            "{lookup:?}"
        );
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    let plain = numbers.get_or_load(&7, |_| async { Ok::<u32, io::Error>(1) }).await;
    assert!(matches!(plain, Err(Error::Absent)));
}

#[tokio::test]
async fn a_panicking_loader_harms_nobody_else() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    let load = |_| async { if true { panic!("on purpose") } else { Ok::<u32, io::Error>(0) } };
    let error = numbers.get_or_load(&7, load).await.expect_err("it panicked");
    assert!(
        matches!(&error, Error::LoaderPanicked { message } if &**message == "on purpose"),
        "{error}"
    );
    let hit = numbers.get_or_load(&7, |_| async { Ok::<_, io::Error>(2) }).await;
    assert_eq!(*hit.expect("the next caller loads"), 2);
}

#[tokio::test]
async fn a_batch_loads_each_key_once_and_keeps_the_order() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    numbers.get_or_load(&2, |_| async { Ok::<_, io::Error>(20) }).await.expect("loaded");
    let load = |keys: Vec<u64>| async move {
        assert_eq!(keys, [1, 3], "only what is missing, and each key once");
        Ok::<_, io::Error>([(1, 10)].into_iter().collect())
    };
    let found = numbers.get_or_load_many(&[1, 2, 3, 1], load).await.expect("loaded");
    let values: Vec<_> = found.iter().map(|lookup| lookup.value().copied()).collect();
    assert_eq!(values, [Some(10), Some(20), None, Some(10)]);
}

#[tokio::test]
async fn a_set_value_is_served_and_an_invalidation_after_it_kills_it() {
    let larder = Larder::new("test").expect("a node");
    let numbers = cache(&larder);
    assert!(numbers.set(&7, 1).await.stored);
    assert!(numbers.set(&7, 2).await.stored);
    assert_eq!(numbers.get(&7).await.and_then(Lookup::found).map(|hit| *hit), Some(2));
    assert!(numbers.exists(&7).await);
    assert!(numbers.remove(&7).await.position().is_some());
    assert!(!numbers.exists(&7).await);
}

#[tokio::test]
async fn a_builder_reports_all_mistakes_at_once() {
    let wrong = Larder::builder("").entries_max(0).loads_max(0).staleness_max(Duration::ZERO);
    let error = wrong.build().expect_err("four mistakes");
    let fields: Vec<_> = error.mistakes().iter().map(|mistake| mistake.field()).collect();
    assert_eq!(fields, ["namespace", "entries_max", "staleness_max", "loads_max"]);
    let larder = Larder::new("test").expect("a node");
    let wrong = larder.cache::<u64, u32>("").jitter(0.5).fresh_for(Duration::from_secs(90_000));
    let fields: Vec<_> =
        wrong.build().expect_err("three").mistakes().iter().map(|mistake| mistake.field()).collect();
    assert_eq!(fields, ["name", "fresh_for", "jitter"]);
}
