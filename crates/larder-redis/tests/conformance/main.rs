//! The suite of promises on real Redis servers, which the tests start themselves.

mod single;

use larder::conformance::{Ability, Harness, run_all};
use single::SingleHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_keeps_every_promise() {
    let harness = SingleHarness;
    let report = run_all(&harness).await;
    // Real time does not stop a millisecond before a deadline; `lifetimes.rs` has these promises.
    let only_time = report.skipped.iter().all(|(_, ability)| *ability == Ability::Time);
    assert!(only_time && harness.can(Ability::Values), "{report}");
}
