//! The promises that every [`Shard`] keeps, as cases to run against an implementation. Knows no
//! implementation and no runtime: it awaits, and spawns nothing.
//!
//! A [`Harness`] sets up shards and says what it can do to them. [`run_all`] runs every case on a
//! shard of its own, skips what the harness cannot do, and panics with the promises that were
//! broken. A case holds for every implementation, so none looks at what only one of them has.

macro_rules! cases {
    ($group:literal: $($name:ident $([$($need:ident),+])?),+ $(,)?) => {
        pub(super) fn cases() -> Vec<$crate::conformance::Case> {
            vec![$($crate::conformance::Case {
                group: $group,
                name: stringify!($name),
                needs: &[$($($crate::conformance::Ability::$need),+)?],
                run: |scene| Box::pin($name(scene)),
            }),+]
        }
    };
}

macro_rules! promise {
    ($kept:expr, $($found:tt)+) => {
        if !$kept {
            return Err($crate::conformance::Broken::new(format!($($found)+)));
        }
    };
}

mod appends;
mod ear;
mod epochs;
mod eviction;
mod expiry;
mod fills;
pub mod journals;
mod leases;
pub mod manual;
mod patterns;
mod scene;
pub mod server;
mod tags;
mod tails;
mod wakes;
mod write_through;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use scene::Scene;

use crate::clock::{BoxFuture, Moment};
use crate::shard::parameters::Parameters;
use crate::shard::state::{ConnectReply, Part};
use crate::shard::{Shard, Unreachable};

/// What a harness can do to its shards, beyond asking them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ability {
    /// The shard keeps values, so that they can be read back.
    Values,
    /// [`Fault::RestartEmpty`] and [`Fault::RestartOld`].
    Restart,
    /// [`Fault::Evict`].
    Evict,
    /// [`Fault::FillMemory`].
    FillMemory,
    /// [`Stage::pass`].
    Time,
    /// [`Stage::join`].
    Parameters,
}

/// What may happen to a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Another server process takes over, with nothing.
    RestartEmpty,
    /// Another server process takes over, with what [`Stage::remember`] kept: a replica that
    /// lagged, or a file that was written then.
    RestartOld,
    /// The store drops one part on its own.
    Evict(Part),
    /// The store takes no more data, until the end of the case.
    FillMemory,
}

/// Sets up shards of one implementation.
pub trait Harness: Send + Sync {
    /// Whether its stages can do this.
    fn can(&self, ability: Ability) -> bool;

    /// A shard that nobody has used.
    fn stage(&self) -> BoxFuture<'_, Box<dyn Stage>>;
}

/// One shard, and what may be done to it from outside.
pub trait Stage: Send + Sync {
    /// One more connection to the same shard.
    fn connect(&self) -> BoxFuture<'_, Arc<dyn Shard>>;

    /// How many records the log keeps: at most 1,000, or the cases that fill it take long.
    fn log_records_max(&self) -> usize;

    /// How long a lease lasts that is not renewed.
    fn lease_ttl(&self) -> Duration;

    /// The parameters that [`connect`](Self::connect) connects with.
    fn parameters(&self) -> Parameters;

    /// The local clock that the connections count on.
    fn now(&self) -> Moment;

    /// Completes when something that was to be heard must have arrived: at once for a shard in
    /// process.
    fn patience(&self) -> BoxFuture<'_, ()>;

    /// Connects with other parameters. Needs [`Ability::Parameters`].
    fn join(&self, parameters: Parameters) -> BoxFuture<'_, ConnectReply> {
        unable(format!("join with {parameters:?}"))
    }

    /// Keeps the shard as it is now for [`Fault::RestartOld`]. Needs [`Ability::Restart`].
    fn remember(&self) -> BoxFuture<'_, ()> {
        unable("remember".into())
    }

    /// Does this to the shard. Completes when its connections answer again, the same ones or new
    /// ones behind them. Needs the ability of the fault.
    fn strike(&self, fault: Fault) -> BoxFuture<'_, ()> {
        unable(format!("strike {fault:?}"))
    }

    /// Lets this much time pass, on the server and locally. Needs [`Ability::Time`].
    fn pass(&self, span: Duration) -> BoxFuture<'_, ()> {
        unable(format!("pass {span:?}"))
    }
}

fn unable<'a, T: 'a>(what: String) -> BoxFuture<'a, T> {
    Box::pin(async move { panic!("the harness claims an ability, but its stage cannot {what}") })
}

/// How a promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(String);

impl Broken {
    pub(crate) fn new(found: String) -> Self {
        Broken(found)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Unreachable> for Broken {
    fn from(error: Unreachable) -> Self {
        Broken(error.to_string())
    }
}

/// Whether a case found its promise kept.
pub type Outcome = Result<(), Broken>;

/// One promise, and how to check it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The part of the protocol that it belongs to.
    pub group: &'static str,
    /// The promise.
    pub name: &'static str,
    /// What a harness must be able to do.
    pub needs: &'static [Ability],
    run: for<'a> fn(&'a Scene) -> BoxFuture<'a, Outcome>,
}

impl Case {
    /// Checks the promise on a new shard of `harness`.
    ///
    /// # Errors
    /// What was found instead of the promise.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the case and its shard.
    pub async fn check(&self, harness: &dyn Harness) -> Outcome {
        let scene = Scene::set(harness.stage().await).await;
        (self.run)(&scene).await
    }
}

/// Every promise, in the order in which they are easiest to repair.
pub fn cases() -> Vec<Case> {
    let groups = [
        leases::cases(),
        fills::cases(),
        appends::cases(),
        tags::cases(),
        write_through::cases(),
        tails::cases(),
        epochs::cases(),
        eviction::cases(),
        patterns::cases(),
        wakes::cases(),
        expiry::cases(),
    ];
    groups.into_iter().flatten().collect()
}

/// What a run of the suite found.
#[derive(Debug, Default)]
pub struct Report {
    /// Promises that were kept.
    pub kept: Vec<&'static str>,
    /// Promises that were not checked, and the ability that the harness lacks.
    pub skipped: Vec<(&'static str, Ability)>,
    /// Promises that were broken, and how.
    pub broken: Vec<(&'static str, Broken)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { kept, skipped, broken } = self;
        let counts = (kept.len(), skipped.len(), broken.len());
        writeln!(f, "{} promises kept, {} skipped, {} broken", counts.0, counts.1, counts.2)?;
        for (name, ability) in skipped {
            writeln!(f, "  skipped {name}: needs {ability:?}")?;
        }
        for (name, found) in broken {
            writeln!(f, "  BROKEN {name}: {found}")?;
        }
        Ok(())
    }
}

/// Checks every promise and says what was found.
///
/// # Cancel safety
/// Dropping the future abandons the rest of the suite.
pub async fn run(harness: &dyn Harness) -> Report {
    let mut report = Report::default();
    for case in cases() {
        if let Some(&ability) = case.needs.iter().find(|&&ability| !harness.can(ability)) {
            report.skipped.push((case.name, ability));
            continue;
        }
        match case.check(harness).await {
            Ok(()) => report.kept.push(case.name),
            Err(found) => report.broken.push((case.name, found)),
        }
    }
    report
}

/// Checks every promise and prints which were skipped. Panics with the list of broken ones.
///
/// # Cancel safety
/// Dropping the future abandons the rest of the suite.
pub async fn run_all(harness: &dyn Harness) -> Report {
    let report = run(harness).await;
    println!("{report}");
    assert!(report.broken.is_empty(), "the shard broke promises:\n{report}");
    report
}
