//! A fact that moves is never missed by a judge: from pending to unsure and back, to the tables,
//! to sweeps, and from there to epoch and mark.

use shuttle::thread;

use super::explore;
use super::primary::{Primary, Server};
use super::stage::{By, Stage};
use crate::node::judge::Verdict;

/// The invalidation has returned before `moving` begins, so whoever judges meanwhile, however
/// often, finds the entry no better than `expected`.
fn check(invalidated_at: Server, by: By, expected: Verdict, moving: impl FnOnce(&Stage, &Primary)) {
    let primary = Primary::new();
    let stage = Stage::following(&primary);
    let entry = stage.loaded_now(1);
    let l0 = stage.cache.core.node.sequence();
    primary.serve_appends(invalidated_at);
    let names = if expected == Verdict::Dead { by.names() } else { by.names().soft() };
    drop(shuttle::future::block_on(stage.larder.invalidate(names)));
    let judge = thread::spawn({
        let stage = stage.clone();
        move || {
            for _ in 0..2 {
                let verdict = stage.judge(&entry, l0);
                promise!(verdict <= expected, "{verdict:?} after the invalidation returned");
            }
        }
    });
    moving(&stage, &primary);
    judge.join().expect("the judge ended");
    stage.end();
}

fn acknowledged(stage: &Stage, primary: &Primary) {
    primary.serve_appends(Server::First);
    stage.resend();
}

#[test]
fn a_judge_never_misses_a_tag_that_is_acknowledged() {
    explore(|| check(Server::Unreachable, By::Tag, Verdict::Dead, acknowledged));
}

#[test]
fn a_judge_never_misses_a_key_that_is_acknowledged() {
    explore(|| check(Server::Unreachable, By::Key, Verdict::Dead, acknowledged));
}

#[test]
fn a_judge_never_misses_a_soft_tag_that_is_acknowledged() {
    explore(|| check(Server::Unreachable, By::Tag, Verdict::Stale, acknowledged));
}

#[test]
fn a_judge_never_misses_a_pattern_that_finishes() {
    explore(|| check(Server::Unreachable, By::Pattern, Verdict::Dead, acknowledged));
}

#[test]
fn a_judge_never_misses_what_another_epoch_acknowledged() {
    explore(|| {
        check(Server::Unreachable, By::Tag, Verdict::Dead, |stage, primary| {
            primary.serve(Server::Second);
            stage.resend();
            stage.caught_up();
        });
    });
}

#[test]
fn a_judge_never_misses_what_becomes_pending_again() {
    explore(|| {
        check(Server::Second, By::Tag, Verdict::Dead, |stage, primary| {
            stage.caught_up();
            acknowledged(stage, primary);
        });
    });
}

#[test]
fn a_judge_never_misses_a_new_epoch() {
    explore(|| {
        check(Server::First, By::Tag, Verdict::Dead, |stage, primary| {
            primary.serve(Server::Second);
            stage.caught_up();
        });
    });
}
