//! A write of the simulated source as a write-through makes it: it takes its time before and after
//! it commits, and it may fail on either side of that.

use std::sync::{Arc, OnceLock};

use larder::record::Mode;

use super::World;
use super::names::Named;
use super::source::{Commit, LoadHabits, Loaded};
use crate::trace::Event;

/// Why a write has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFailed {
    /// The source has changed nothing, and says so.
    RolledBack,
    /// The source has changed, and its answer was lost.
    Unknown,
}

/// What a node calls to write one row.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) world: Arc<World>,
    pub(crate) habits: Arc<LoadHabits>,
    pub(crate) node: usize,
    pub(crate) key: usize,
    /// What is changed beside the row.
    pub(crate) beside: Vec<Named>,
    pub(crate) new_owner: Option<usize>,
    /// Which row was written is known only from the result.
    pub(crate) creates: bool,
    /// The change, once the source has it.
    pub(crate) commit: Arc<OnceLock<Commit>>,
}

impl Writer {
    /// All that the write changes.
    pub(crate) fn names(&self) -> Vec<Named> {
        std::iter::once(Named::Key(self.key)).chain(self.beside.iter().copied()).collect()
    }

    /// Writes the row, and gives it as it then is.
    pub(crate) async fn write(self) -> Result<Loaded, WriteFailed> {
        let (world, habits) = (&self.world, &self.habits);
        habits.pause(world).await;
        if habits.dice.chance(habits.failing) {
            world.count("writes rolled back");
            return Err(WriteFailed::RolledBack);
        }
        let commit = world.commit(&self.names(), Mode::Hard, self.new_owner);
        let row = world.row(self.key);
        world.note(Event::new("written through", commit.id).on_node(self.node).of_key(self.key));
        self.commit.set(commit).expect("a write commits once");
        // Most of a slow write lies after its commit: there others overtake it.
        habits.pause(world).await;
        habits.pause(world).await;
        if habits.dice.chance(habits.failing) {
            world.count("writes of unknown outcome");
            return Err(WriteFailed::Unknown);
        }
        Ok(row.map_or(Loaded::Absent, Loaded::Row))
    }
}
