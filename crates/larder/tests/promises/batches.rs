//! Many keys in one call.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use futures_util::poll;
use larder::clock::BoxFuture;
use larder::{Cache, Error, Lookup, Origin};

use crate::support::{Gate, Source, kept, node, numbers, settle};

/// What the batch loader was asked for, call by call.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Vec<u64>>>>);

type Rows = io::Result<HashMap<u64, u32>>;

impl Asked {
    fn calls(&self) -> Vec<Vec<u64>> {
        self.0.lock().expect("unpoisoned").clone()
    }

    /// Finds ten times the key for every key below 100.
    fn load(&self) -> impl Fn(Vec<u64>) -> BoxFuture<'static, Rows> + Send + Sync + use<> {
        self.load_after(None)
    }

    fn load_after(
        &self,
        gate: Option<Gate>,
    ) -> impl Fn(Vec<u64>) -> BoxFuture<'static, Rows> + Send + Sync + use<> {
        let asked = self.clone();
        move |keys: Vec<u64>| {
            asked.0.lock().expect("unpoisoned").push(keys.clone());
            let gate = gate.clone();
            Box::pin(async move {
                if let Some(gate) = gate {
                    gate.pass().await;
                }
                Ok(keys
                    .into_iter()
                    .filter(|key| *key < 100)
                    .map(|key| (key, key as u32 * 10))
                    .collect())
            })
        }
    }
}

fn values(lookups: Vec<Lookup<u32>>) -> Vec<Option<u32>> {
    lookups.into_iter().map(|lookup| lookup.value().copied()).collect()
}

async fn batch(cache: &Cache<u64, u32>, keys: &[u64], asked: &Asked) -> Vec<Option<u32>> {
    values(cache.get_or_load_many(keys, asked.load()).await.expect("loaded"))
}

#[tokio::test]
async fn a_batch_keeps_the_order_and_says_where_nothing_is_known() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    batch(&cache, &[1, 3, 100], &asked).await;
    let found = cache.get_many(&[3, 2, 1, 100, 3]).await;
    let found: Vec<_> = found.into_iter().map(|known| known.map(|it| it.value().copied())).collect();
    assert_eq!(found, [Some(Some(30)), None, Some(Some(10)), Some(None), Some(Some(30))]);
}

#[tokio::test]
async fn a_batch_loads_all_that_is_missing_in_one_call_and_each_key_once() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    batch(&cache, &[2], &asked).await;
    let found = batch(&cache, &[1, 2, 3, 1, 100, 3], &asked).await;
    assert_eq!(found, [Some(10), Some(20), Some(30), Some(10), None, Some(30)]);
    assert_eq!(asked.calls(), [vec![2], vec![1, 3, 100]]);
    batch(&cache, &[1, 2, 3, 100], &asked).await;
    assert_eq!(asked.calls().len(), 2, "everything is known, also what the source does not have");
}

#[tokio::test]
async fn a_batch_of_nothing_asks_nobody() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    assert_eq!(batch(&cache, &[], &asked).await, []);
    assert!(cache.get_many(&[]).await.is_empty());
    assert!(asked.calls().is_empty());
}

#[tokio::test]
async fn a_thousand_keys_are_one_call() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    let keys: Vec<u64> = (0..1_000).collect();
    let found = batch(&cache, &keys, &asked).await;
    assert_eq!(found.iter().flatten().count(), 100);
    assert_eq!(asked.calls(), [keys]);
}

#[tokio::test]
async fn every_answer_of_a_batch_says_where_it_came_from() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    batch(&cache, &[1], &asked).await;
    let found = cache.get_or_load_many(&[1, 2], asked.load()).await.expect("loaded");
    let origins: Vec<_> = found.iter().map(Lookup::origin).collect();
    assert_eq!(origins, [Origin::Memory, Origin::Loaded]);
}

#[tokio::test]
async fn overlapping_batches_load_no_key_twice() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let (asked, gate) = (Asked::default(), Gate::new());
    let first = cache.get_or_load_many(&[1, 2, 3], asked.load_after(Some(gate.clone())));
    let second = async {
        gate.begun().await;
        let reading = batch(&cache, &[3, 4, 1], &asked);
        let opening = async {
            settle().await;
            gate.open();
        };
        tokio::join!(reading, opening).0
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(values(first.expect("loaded")), [Some(10), Some(20), Some(30)]);
    assert_eq!(second, [Some(30), Some(40), Some(10)]);
    assert_eq!(asked.calls(), [vec![1, 2, 3], vec![4]]);
}

#[tokio::test]
async fn batches_that_wait_for_each_other_both_end() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let asked = Asked::default();
    for start in 0..20 {
        let keys: Vec<u64> = (start..start + 4).collect();
        let turned: Vec<u64> = keys.iter().rev().copied().collect();
        let (gate, other) = (Gate::new(), Gate::new());
        let first = cache.get_or_load_many(&keys, asked.load_after(Some(gate.clone())));
        let second = cache.get_or_load_many(&turned, asked.load_after(Some(other.clone())));
        let opening = async {
            settle().await;
            other.open();
            settle().await;
            gate.open();
        };
        let (first, second, ()) = tokio::join!(first, second, opening);
        let mut second = values(second.expect("loaded"));
        second.reverse();
        assert_eq!(values(first.expect("loaded")), second);
    }
}

#[tokio::test]
async fn a_single_read_and_a_batch_share_one_load() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let (asked, source) = (Asked::default(), Source::default());
    let gate = source.waits();
    let many = async {
        gate.begun().await;
        let opening = async {
            settle().await;
            gate.open();
        };
        tokio::join!(batch(&cache, &[7, 8], &asked), opening).0
    };
    let (one, many) = tokio::join!(cache.get_or_load(&7, source.load()), many);
    assert_eq!((*one.expect("loaded"), many), (1, vec![Some(1), Some(80)]));
    assert_eq!(asked.calls(), [[8]]);
}

#[tokio::test]
async fn a_failed_batch_is_one_error_and_its_keys_are_asked_for_again() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let broken = |_| async { Err::<HashMap<u64, u32>, _>(io::Error::other("down")) };
    let error = cache.get_or_load_many(&[1, 2], broken).await.expect_err("the source is down");
    assert!(matches!(error, Error::Source(_)), "{error}");
    assert_eq!(batch(&cache, &[1, 2], &Asked::default()).await, [Some(10), Some(20)]);
    assert_eq!(larder.stats().flights, 0);
}

#[tokio::test]
async fn a_panicking_batch_loader_harms_nobody_else() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let broken = |keys: Vec<u64>| async move {
        assert!(keys.is_empty(), "on purpose");
        Ok::<HashMap<u64, u32>, io::Error>(HashMap::new())
    };
    let error = cache.get_or_load_many(&[1, 2], broken).await.expect_err("it panicked");
    assert!(matches!(error, Error::LoaderPanicked { .. }), "{error}");
    assert_eq!(batch(&cache, &[2, 1], &Asked::default()).await, [Some(20), Some(10)]);
}

#[tokio::test]
async fn a_dropped_batch_hands_its_keys_to_those_who_wait() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let (asked, gate) = (Asked::default(), Gate::new());
    let mut first = Box::pin(cache.get_or_load_many(&[1, 2], asked.load_after(Some(gate))));
    assert!(poll!(&mut first).is_pending());
    let mut second = Box::pin(batch(&cache, &[2, 3], &asked));
    assert!(poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(second.await, [Some(20), Some(30)]);
    settle().await;
    assert_eq!(larder.stats().flights, 0);
}

#[tokio::test]
async fn an_invalidation_during_a_batch_kills_only_what_it_names() {
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let (asked, gate) = (Asked::default(), Gate::new());
    let meanwhile = async {
        gate.begun().await;
        assert!(cache.invalidate(&2).await.position().is_some());
        gate.open();
    };
    let loading = cache.get_or_load_many(&[1, 2, 3], asked.load_after(Some(gate.clone())));
    let (found, ()) = tokio::join!(loading, meanwhile);
    assert_eq!(values(found.expect("loaded")), [Some(10), Some(20), Some(30)]);
    assert_eq!([1, 2, 3].map(|key| kept(&cache, key)), [Some(10), None, Some(30)]);
}

#[tokio::test]
async fn a_batch_may_go_on_in_another_thread() {
    fn sendable<F: Future + Send>(batch: F) -> F {
        batch
    }
    let (_clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    let found = sendable(cache.get_or_load_many(&[1, 2], Asked::default().load())).await;
    assert_eq!(found.expect("loaded").len(), 2);
}
