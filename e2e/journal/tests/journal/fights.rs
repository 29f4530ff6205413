//! Two processes that want one journal.

use std::process::Command;

use larder_journal_crashes::ledger::check_rows;

use crate::scene::{Running, Scene};

/// Far above what a writer comes to before it is stopped.
const LATER: u64 = 500_000;

/// Lines that a stopped writer may have left in its pipe, and more.
const STILL_SAID_MAX: usize = 10_000;

fn signal(running: &Running, name: &str) {
    let process = running.child.id().to_string();
    let told = Command::new("kill").args(["-s", name, &process]).status();
    assert!(told.expect("there is `kill`").success(), "it cannot be told to {name}");
}

#[tokio::test]
async fn a_process_that_stood_still_while_another_took_over_writes_nothing_more() {
    for lines in [50, 200, 400] {
        let mut scene = Scene::of_stream();
        let mut first = scene.start();
        first.says(lines);
        signal(&first, "STOP");
        scene.next = LATER;
        let mut second = scene.start_briefly();
        // It has the journal, and has acknowledged something.
        second.says(30);
        signal(&first, "CONT");
        // By name, unless the second has ended meanwhile.
        assert!(first.says_within("lost: ", STILL_SAID_MAX), "it goes on writing");
        let first = first.end();
        assert!(first.contains("left 0"), "what is another's is not left behind: {first}");
        let second = second.end();
        assert!(second.contains("left 0") && !second.contains("lost: "), "{second}");
        // In this order: each key was written last by the second.
        scene.hear(&first);
        scene.hear(&second);
        scene.settle();
        assert_eq!(scene.told.acknowledged.len(), 24);
        check_rows(&scene.source(), &scene.told, &format!("stopped after {lines} lines")).await;
    }
}
