//! Stale values kept to fall back on: an invalidation that comes after the lookup kills them too.

use shuttle::thread;

use super::explore;
use super::primary::{Primary, Server};
use super::stage::{By, FRESH, Stage};

/// While the source is down, a stale value may be served. Who asks after it was invalidated gets
/// the source's error instead, also from a flight that had found the value before.
fn check(stage: &Stage, by: By) {
    let reader = thread::spawn({
        let stage = stage.clone();
        move || drop(stage.read_without_source())
    });
    stage.write(by);
    let answer = stage.read_without_source();
    promise!(answer.is_err(), "version {answer:?} after its invalidation returned");
    reader.join().expect("the reader was answered");
    stage.end();
}

fn with_expired_value(stage: Stage) -> Stage {
    stage.put(&stage.loaded_now(1));
    stage.clock.pass(FRESH);
    stage
}

#[test]
fn a_candidate_dies_with_a_pattern_that_finishes_after_its_lookup() {
    explore(|| check(&with_expired_value(Stage::embedded()), By::Pattern));
}

#[test]
fn a_candidate_dies_with_a_key_that_becomes_pending_after_its_lookup() {
    explore(|| {
        let primary = Primary::new();
        let stage = with_expired_value(Stage::following(&primary));
        stage.caught_up();
        primary.serve_appends(Server::Unreachable);
        check(&stage, By::Key);
    });
}
