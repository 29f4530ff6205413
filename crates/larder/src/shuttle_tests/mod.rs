//! The thread orders of `docs/protocol.md` §3 and §4, on the real code under the model checker:
//! `cargo test -p larder --features shuttle --profile sim --lib shuttle_tests`.
//!
//! Each test states a promise as a history that no schedule may break. `sim/mutants/shuttle.toml`
//! has the wrong orders, and which of these tests fails with each. Shuttle runs one thread at a
//! time, so it shows orders, not what weaker memory orderings than sequential consistency allow.

/// Notes a promise that was broken. The schedule goes on to its end: a panic in the middle would
/// drop the other threads wherever they stand.
macro_rules! promise {
    ($kept:expr, $($found:tt)+) => {
        if !$kept {
            $crate::shuttle_tests::note_broken(format!($($found)+));
        }
    };
}

mod candidates;
mod flights;
mod histories;
mod judging;
mod landing;
mod primary;
mod puts;
mod stage;
mod through;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Schedules of each scheduler that one test tries; `LARDER_SCHEDULES` sets it for the long form.
const SCHEDULES: usize = 2_000;

/// Where schedules begin; `LARDER_SEED` repeats another run.
const SEED: u64 = 20_261_121;

/// The numbers of forced switches that PCT is asked for (Burckhardt et al. 2010): a wrong order
/// that needs d switches is found with a probability that falls with the power of d alone.
const SWITCHES: [usize; 3] = [2, 3, 5];

/// A regular expression is matched on the stack of a modelled thread.
const STACK_BYTES: usize = 256 * 1024;

thread_local! {
    /// The first promise that the running schedule broke. All threads of a schedule share one
    /// thread of the operating system.
    static BROKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn note_broken(found: String) {
    BROKEN.with_borrow_mut(|broken| broken.get_or_insert(found).len());
}

/// Runs a history under many schedules of each scheduler, and tells how soon which one broke it.
fn explore(history: fn()) {
    let seed = setting("LARDER_SEED").unwrap_or(SEED);
    let schedules = setting("LARDER_SCHEDULES").map_or(SCHEDULES, |count| count as usize);
    let random = RandomScheduler::new_from_seed(seed, schedules);
    let mut kept = vec![schedule("random", seed, random, history)];
    for switches in SWITCHES {
        let share = schedules.div_ceil(SWITCHES.len());
        let scheduler = PctScheduler::new_from_seed(seed, switches + 1, share);
        kept.push(schedule(&format!("PCT, {switches} switches"), seed, scheduler, history));
    }
    if let Some(broken) = kept.into_iter().find_map(Result::err) {
        resume_unwind(broken);
    }
}

fn schedule(
    name: &str,
    seed: u64,
    scheduler: impl Scheduler + 'static,
    history: fn(),
) -> std::thread::Result<usize> {
    let tried = Arc::new(AtomicU64::new(0));
    let counted = {
        let tried = Arc::clone(&tried);
        move || {
            tried.fetch_add(1, Ordering::Relaxed);
            history();
            if let Some(broken) = BROKEN.take() {
                panic!("{broken}");
            }
        }
    };
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.silence_warnings = true;
    let run = || Runner::new(scheduler, config).run(counted);
    catch_unwind(AssertUnwindSafe(run)).inspect_err(|_| {
        let tried = tried.load(Ordering::Relaxed);
        println!("broken: schedule {tried} of {name}; seed {seed}");
    })
}

/// What the caller of the test asks for; the tests of a library have no other way in.
#[expect(clippy::disallowed_methods, reason = "the length and the seed of a test run")]
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, but must be a number")))
}
