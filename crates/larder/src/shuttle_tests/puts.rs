//! What goes into memory: nothing that is dead by the time it can be found, and nothing older
//! over something newer.

use shuttle::thread;

use super::explore;
use super::primary::{Primary, Server};
use super::stage::{By, Stage};

/// A load that began before the write is never found after it, whenever it is put.
fn check(stage: &Stage, by: By) {
    let entry = stage.loaded_now(1);
    let putting = thread::spawn({
        let stage = stage.clone();
        move || stage.put(&entry)
    });
    stage.write(by);
    stage.peek();
    putting.join().expect("the load was put or left out");
    stage.peek();
    stage.end();
}

#[test]
fn no_load_from_before_a_hard_key_is_found_after_it() {
    explore(|| check(&Stage::embedded(), By::Key));
}

#[test]
fn no_load_from_before_a_tag_is_found_after_it() {
    explore(|| check(&Stage::embedded(), By::Tag));
}

#[test]
fn no_load_from_before_a_pattern_is_found_after_it() {
    explore(|| check(&Stage::embedded(), By::Pattern));
}

#[test]
fn no_load_from_before_a_pending_tag_is_found_after_it() {
    explore(|| {
        let primary = Primary::new();
        let stage = Stage::following(&primary);
        primary.serve_appends(Server::Unreachable);
        check(&stage, By::Tag);
    });
}

#[test]
fn an_older_load_never_replaces_a_newer_one() {
    explore(|| {
        let stage = Stage::embedded();
        let older = stage.loaded_now(1);
        // Moves the log, and names neither of them.
        drop(shuttle::future::block_on(stage.larder.invalidate_tag("another")));
        let newer = stage.loaded_now(2);
        let putting = thread::spawn({
            let stage = stage.clone();
            move || stage.put(&older)
        });
        stage.put(&newer);
        putting.join().expect("the older load was put or left out");
        let found = stage.peek().and_then(|found| found.value().copied());
        promise!(found == Some(2), "the older load stayed: {found:?}");
        stage.end();
    });
}
