//! Reads, writes and invalidations at once, as callers make them.

use shuttle::future::block_on;
use shuttle::thread;

use super::explore;
use super::stage::{By, Stage};

/// Two callers read while a third writes and invalidates; each read asserts that it is not older
/// than what had been told before it.
fn check(by: By) {
    let stage = Stage::embedded();
    stage.read();
    let readers = [(); 2].map(|()| {
        let stage = stage.clone();
        thread::spawn(move || {
            stage.read();
            stage.peek();
        })
    });
    stage.write(by);
    stage.read();
    for reader in readers {
        reader.join().expect("the reader was answered");
    }
    stage.read();
    stage.end();
}

#[test]
fn no_read_after_a_hard_key_is_older_than_its_write() {
    explore(|| check(By::Key));
}

#[test]
fn no_read_after_a_tag_is_older_than_its_write() {
    explore(|| check(By::Tag));
}

#[test]
fn no_read_after_a_pattern_is_older_than_its_write() {
    explore(|| check(By::Pattern));
}

/// A hit whose verdict no longer stands is judged while its entry is invalidated.
#[test]
fn no_hit_that_was_judged_meanwhile_survives_a_tag() {
    explore(|| {
        let stage = with_verdict_to_renew();
        let reader = thread::spawn({
            let stage = stage.clone();
            move || drop(stage.peek())
        });
        stage.write(By::Tag);
        reader.join().expect("the reader looked");
        stage.peek();
        stage.end();
    });
}

/// Two hits that are judged at once: neither sees half of what the other found.
#[test]
fn hits_judged_at_once_are_all_stale_after_a_soft_tag() {
    explore(|| {
        let stage = with_verdict_to_renew();
        drop(block_on(stage.larder.invalidate(By::Tag.names().soft())));
        let other = thread::spawn({
            let stage = stage.clone();
            move || promise_stale(&stage)
        });
        promise_stale(&stage);
        other.join().expect("the other looked");
        stage.end();
    });
}

/// A value in memory, and a change since that names something else.
fn with_verdict_to_renew() -> Stage {
    let stage = Stage::embedded();
    stage.put(&stage.loaded_now(1));
    drop(block_on(stage.larder.invalidate_tag("another")));
    stage
}

fn promise_stale(stage: &Stage) {
    let fresh = stage.peek().is_some_and(|found| !found.is_stale());
    promise!(!fresh, "fresh after its soft invalidation returned");
}

/// What was flagged or marked soft is never told as fresh again, whoever judges it meanwhile.
fn check_soft(by: By) {
    let stage = Stage::embedded();
    stage.read();
    let reader = thread::spawn({
        let stage = stage.clone();
        move || drop((stage.peek(), stage.peek()))
    });
    drop(block_on(stage.larder.invalidate(by.names().soft())));
    promise_stale(&stage);
    reader.join().expect("the reader looked");
    promise_stale(&stage);
    stage.end();
}

#[test]
fn no_hit_after_a_soft_tag_is_told_as_fresh() {
    explore(|| check_soft(By::Tag));
}

#[test]
fn no_hit_after_a_soft_pattern_is_told_as_fresh() {
    explore(|| check_soft(By::Pattern));
}

#[test]
fn of_two_sets_the_one_that_the_log_puts_last_stays() {
    explore(|| {
        let stage = Stage::embedded();
        let set = |value| {
            let stage = stage.clone();
            move || {
                let outcome = block_on(stage.cache.set(&super::stage::KEY, value));
                outcome.invalidated.position().expect("embedded").clone()
            }
        };
        let first = thread::spawn(set(1));
        let second = set(2)();
        let first = first.join().expect("set");
        let last = if second.merge(&first) == first { 1 } else { 2 };
        let found = stage.peek().and_then(|found| found.value().copied());
        promise!(found == Some(last), "{found:?} stayed; the log put {last} last");
        stage.end();
    });
}
