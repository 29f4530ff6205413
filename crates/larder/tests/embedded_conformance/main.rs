//! The suite of promises against the shards of this crate, and against shards that are wrong on
//! purpose: a suite that a wrong shard passes proves nothing.

#![cfg(feature = "conformance")]

mod stages;
mod wrong;
mod wrong_shard;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use larder::conformance::{Ability, Report, cases, run, run_all};
use stages::{EmbeddedHarness, ServerHarness};
use wrong::{WRONGS, Wrong};

#[tokio::test]
async fn the_embedded_shard_keeps_every_promise_that_it_can_be_asked_for() {
    let report = run_all(&EmbeddedHarness).await;
    // What is in process and keeps no values can lose no part of itself.
    assert!(report.skipped.iter().all(|(_, ability)| !EmbeddedHarness::ABILITIES.contains(ability)));
    assert!(report.kept.len() >= 100, "only {} promises were checked", report.kept.len());
}

#[tokio::test]
async fn the_reference_server_keeps_every_promise() {
    let report = run_all(&ServerHarness::right()).await;
    assert!(report.skipped.is_empty(), "a promise that nothing checks: {report}");
}

#[tokio::test]
async fn every_wrong_shard_is_caught_by_the_promise_it_breaks() {
    let mut survivors = Vec::new();
    for &(wrong, expected) in WRONGS {
        let report = run(&ServerHarness::wrong(wrong)).await;
        println!("{wrong:?} is caught by {}:", report.broken.len());
        for (name, found) in &report.broken {
            println!("    {name}: {found}");
        }
        if !catches(&report, expected) {
            survivors.push((wrong, expected));
        }
    }
    assert!(survivors.is_empty(), "not caught by the promise named for it: {survivors:?}");
}

fn catches(report: &Report, expected: &str) -> bool {
    report.broken.iter().any(|(name, _)| *name == expected)
}

#[test]
fn promises_have_names_of_their_own() {
    let mut names: Vec<&str> = cases().iter().map(|case| case.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_wrong_shard_is_listed_once() {
    let listed: Vec<Wrong> = WRONGS.iter().map(|(wrong, _)| *wrong).collect();
    for (index, wrong) in listed.iter().enumerate() {
        assert!(!listed[..index].contains(wrong), "{wrong:?} is listed twice");
    }
}

#[tokio::test]
async fn a_broken_promise_fails_the_run() {
    let harness = ServerHarness::wrong(Wrong::FillIgnoresLease);
    let run = AssertUnwindSafe(run_all(&harness)).catch_unwind();
    let panic = run.await.expect_err("the run ended well");
    let message = panic.downcast::<String>().expect("a panic with a message");
    assert!(message.contains("a_fill_without_a_lease_is_rejected"), "{message}");
}

#[tokio::test]
async fn what_a_harness_cannot_do_is_skipped_by_name() {
    let report = run(&EmbeddedHarness).await;
    let skipped = ("lost_meta_begins_an_epoch", Ability::Evict);
    assert!(report.skipped.contains(&skipped), "{report}");
    assert!(report.to_string().contains("skipped lost_meta_begins_an_epoch: needs Evict"));
}
