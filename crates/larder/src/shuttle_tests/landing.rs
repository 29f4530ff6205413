//! The end of a flight: what is dead by then reaches nobody who asked after it died.

use std::sync::atomic::Ordering;

use shuttle::thread;

use super::explore;
use super::stage::{By, Stage};

/// Whoever joins a flight after an invalidation returned does not get what the invalidation
/// killed, even if the leader had it loaded already.
fn check(by: By) {
    let stage = Stage::embedded();
    let leader = thread::spawn({
        let stage = stage.clone();
        move || drop(stage.read())
    });
    stage.write(by);
    stage.read();
    leader.join().expect("the leader was answered");
    stage.end();
}

#[test]
fn who_joins_after_a_tag_never_gets_what_it_killed() {
    explore(|| check(By::Tag));
}

#[test]
fn who_joins_after_a_pattern_never_gets_what_it_killed() {
    explore(|| check(By::Pattern));
}

#[test]
fn what_a_leader_finds_at_its_second_look_is_judged_as_of_its_lead() {
    explore(|| {
        let stage = Stage::embedded();
        let elsewhere = stage.loaded_now(1);
        let leader = thread::spawn({
            let stage = stage.clone();
            move || drop(stage.read())
        });
        stage.put(&elsewhere);
        stage.write(By::Pattern);
        stage.read();
        leader.join().expect("the leader was answered");
        stage.end();
    });
}

#[test]
fn callers_of_one_key_cause_one_load() {
    explore(|| {
        let stage = Stage::embedded();
        let other = thread::spawn({
            let stage = stage.clone();
            move || drop(stage.read())
        });
        stage.read();
        other.join().expect("the other caller was answered");
        let loads = stage.source.loads.load(Ordering::Relaxed);
        promise!(loads == 1, "nobody looked again: {loads} loads");
        stage.end();
    });
}
