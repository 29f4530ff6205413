//! A fact that moves is never missed by a judge: from pending to unsure and back, to the tables,
//! to sweeps, and from there to epoch and mark.

use shuttle::thread;

use super::explore;
use super::primary::{Primary, Server};
use super::stage::{By, Stage};
use crate::memory::verdict::Verdict;

/// What was invalidated, and what judges may say of an entry from before that.
struct Case {
    /// Which server was asked to append.
    at: Server,
    by: By,
    expected: Verdict,
    /// How far the first server had counted when the entry was loaded.
    as_of: u64,
}

impl Case {
    fn hard(at: Server, by: By) -> Self {
        Case { at, by, expected: Verdict::Dead, as_of: 0 }
    }
}

/// The invalidation has returned before `moving` begins, so whoever judges meanwhile, however
/// often, finds the entry no better than expected.
fn check(case: &Case, moving: impl FnOnce(&Stage, &Primary)) {
    let primary = Primary::new();
    let stage = Stage::following(&primary);
    let l0 = stage.cache.core.node.sequence();
    let entry = stage.loaded(1, l0, case.as_of);
    primary.serve_appends(case.at);
    let expected = case.expected;
    let names = case.by.names();
    let names = if expected == Verdict::Dead { names } else { names.soft() };
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
    explore(|| check(&Case::hard(Server::Unreachable, By::Tag), acknowledged));
}

#[test]
fn a_judge_never_misses_a_key_that_is_acknowledged() {
    explore(|| check(&Case::hard(Server::Unreachable, By::Key), acknowledged));
}

#[test]
fn a_judge_never_misses_a_soft_tag_that_is_acknowledged() {
    explore(|| {
        let soft = Case { expected: Verdict::Stale, ..Case::hard(Server::Unreachable, By::Tag) };
        check(&soft, acknowledged);
    });
}

#[test]
fn a_judge_never_misses_a_pattern_that_finishes() {
    explore(|| check(&Case::hard(Server::Unreachable, By::Pattern), acknowledged));
}

#[test]
fn a_judge_never_misses_what_another_epoch_acknowledged() {
    explore(|| {
        // Positions of two epochs are never compared: the second server has counted less.
        let counted = Case { as_of: 100, ..Case::hard(Server::Unreachable, By::Tag) };
        check(&counted, |stage, primary| {
            primary.serve(Server::Second);
            stage.resend();
            stage.caught_up();
        });
    });
}

#[test]
fn a_judge_never_misses_what_becomes_pending_again() {
    explore(|| {
        check(&Case::hard(Server::Second, By::Tag), |stage, primary| {
            stage.caught_up();
            acknowledged(stage, primary);
        });
    });
}

#[test]
fn a_judge_never_misses_a_new_epoch() {
    explore(|| {
        check(&Case::hard(Server::First, By::Tag), |stage, primary| {
            primary.serve(Server::Second);
            stage.caught_up();
        });
    });
}
