//! Order, merging, parking and forgetting, without anything around them.

use std::sync::Arc;
use std::time::Duration;

use super::super::pended::Wish;
use super::*;

const DELAY: Duration = Duration::from_secs(1);
const NOW: Moment = Moment::from_nanos(60_000_000_000);

fn write(key: u64, sequence: u64) -> Arc<Pended<u32>> {
    write_at(key, sequence, NOW)
}

fn write_at(key: u64, sequence: u64, asked: Moment) -> Arc<Pended<u32>> {
    let wish = Wish {
        id: u128::from(sequence),
        key: EncodedKey::new("numbers", &key),
        key_json: Box::default(),
        fingerprint: 0,
        payload: None,
    };
    Arc::new(Pended::new(sequence, wish, asked))
}

fn enter(state: &mut State<u32>, write: &Arc<Pended<u32>>) {
    state.used.take(write.bytes());
    state.enter(Arc::clone(write));
    state.shown(write);
}

/// A state in which these writes, given as key and sequence, were acknowledged.
fn holding(writes: &[(u64, u64)]) -> State<u32> {
    let mut state = State::default();
    writes.iter().for_each(|&(key, sequence)| enter(&mut state, &write(key, sequence)));
    state
}

fn take(state: &mut State<u32>, max: usize) -> Vec<Arc<Pended<u32>>> {
    state.take(DELAY, NOW.plus(DELAY), max)
}

fn sequences(batch: &[Arc<Pended<u32>>]) -> Vec<u64> {
    batch.iter().map(|write| write.sequence).collect()
}

/// A batch that the source took and everybody knows of.
fn finish(state: &mut State<u32>, batch: &[Arc<Pended<u32>>]) {
    state.applied(batch);
    state.may_forget(&sequences(batch));
}

#[test]
fn of_a_key_only_the_last_write_is_flushed_in_the_turn_of_the_first() {
    let mut state = holding(&[(1, 10), (2, 11), (1, 12), (1, 13)]);
    let batch = take(&mut state, 9);
    assert_eq!(sequences(&batch), [13, 11]);
    assert_eq!((state.counts.coalesced, state.used.writes), (2, 2));
    finish(&mut state, &batch);
    assert_eq!(state.forgettable(9), [10, 12, 13, 11]);
    assert!(!state.is_settled(), "the journal has not answered");
    state.forgotten(4);
    assert!(state.is_settled());
}

#[test]
fn a_key_that_is_written_all_the_time_has_its_turn_all_the_same() {
    let mut state = State::default();
    for step in 0..10 {
        enter(&mut state, &write_at(1, 10 + step, NOW.plus(DELAY / 10 * step as u32)));
    }
    assert_eq!(state.due(DELAY, NOW.plus(DELAY / 2)), Due::At(NOW.plus(DELAY)));
    assert_eq!(sequences(&take(&mut state, 9)), [19]);
}

#[test]
fn a_write_during_the_flush_of_its_key_is_flushed_after_it() {
    let mut state = holding(&[(1, 10)]);
    let first = take(&mut state, 9);
    enter(&mut state, &write(1, 11));
    finish(&mut state, &first);
    assert_eq!(state.of(first[0].key()).map(|last| last.sequence), Some(11));
    let second = take(&mut state, 9);
    assert_eq!(sequences(&second), [11]);
    finish(&mut state, &second);
    assert!(state.of(first[0].key()).is_none());
    assert_eq!((state.used, state.len()), (Used::default(), 0));
}

#[test]
fn a_batch_that_failed_comes_first_again_with_what_was_written_meanwhile() {
    let mut state = holding(&[(1, 10), (2, 11), (3, 12)]);
    let batch = take(&mut state, 2);
    enter(&mut state, &write(1, 13));
    assert!(state.put_back(&batch, 9).is_empty());
    assert_eq!(sequences(&take(&mut state, 9)), [11, 12, 13]);
}

#[test]
fn what_was_tried_often_enough_stays_out_of_the_queue() {
    let mut state = holding(&[(1, 10)]);
    for _ in 0..2 {
        let batch = take(&mut state, 9);
        assert!(state.put_back(&batch, 3).is_empty());
    }
    let batch = take(&mut state, 9);
    assert_eq!(sequences(&state.put_back(&batch, 3)), [10]);
    assert!(take(&mut state, 9).is_empty());
    assert!(state.park(&batch[0], "given up"));
}

#[test]
fn a_write_is_not_flushed_before_the_cache_shows_it() {
    let mut state = State::default();
    let (first, second) = (write(1, 10), write(2, 11));
    state.enter(Arc::clone(&first));
    enter(&mut state, &second);
    assert_eq!(sequences(&take(&mut state, 9)), [11]);
    state.shown(&first);
    assert_eq!(sequences(&take(&mut state, 9)), [10]);
}

#[test]
fn a_parked_write_is_obsolete_once_a_later_one_is_applied() {
    let mut state = holding(&[(1, 10)]);
    let rejected = take(&mut state, 9);
    assert!(state.park(&rejected[0], "no"));
    assert!(state.of(rejected[0].key()).is_none(), "readers get what the source has");
    enter(&mut state, &write(1, 11));
    assert!(state.retryable().is_empty());
    assert_eq!((state.parked().len(), state.used.writes), (1, 2));
    let later = take(&mut state, 9);
    finish(&mut state, &later);
    assert!(state.parked().is_empty() && state.used == Used::default());
    assert_eq!(state.forgettable(9), [10, 11]);
}

#[test]
fn a_write_that_was_replaced_during_its_flush_is_not_parked() {
    let mut state = holding(&[(1, 10)]);
    let rejected = take(&mut state, 9);
    enter(&mut state, &write(1, 11));
    assert!(!state.park(&rejected[0], "no"));
    assert_eq!(sequences(&take(&mut state, 9)), [11]);
}

#[test]
fn a_parked_write_that_is_retried_goes_like_any_other() {
    let mut state = holding(&[(1, 10)]);
    let rejected = take(&mut state, 9);
    assert!(state.park(&rejected[0], "no"));
    assert_eq!(state.retryable(), [10]);
    assert!(state.unpark(10, NOW).is_some());
    let batch = take(&mut state, 9);
    assert_eq!(sequences(&batch), [10]);
    finish(&mut state, &batch);
    assert_eq!(state.forgettable(9), [10]);
    state.forgotten(1);
    assert!(state.is_settled());
}

#[test]
fn records_in_doubt_are_forgotten_only_once_a_later_append_has_succeeded() {
    let mut state: State<u32> = State::default();
    state.doubt(10..12);
    state.doubt(12..13);
    assert!(state.forgettable(9).is_empty());
    state.doubt_ends();
    assert_eq!(state.forgettable(9), [10, 11, 12]);
    state.doubt_ends();
    assert!(state.forgettable(9).is_empty());
}

#[test]
fn what_the_journal_would_not_forget_stays_in_its_order() {
    let mut state = holding(&[(1, 10), (1, 11), (1, 12)]);
    let first = state.forgettable(1);
    state.not_forgotten(first);
    assert_eq!(state.forgettable(9), [10, 11]);
}

#[test]
fn nothing_is_left_of_what_was_handed_over() {
    let mut state = holding(&[(1, 10), (2, 11)]);
    let flushed = take(&mut state, 1);
    finish(&mut state, &flushed);
    let asked = state.forgettable(9);
    state.hand_over();
    state.not_forgotten(asked);
    let late = write(3, 12);
    enter(&mut state, &late);
    assert!([1, 2, 3].iter().all(|key| state.of(write(*key, 0).key()).is_none()));
    assert!(state.is_settled() && state.forgettable(9).is_empty());
}
