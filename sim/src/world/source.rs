//! The database of the simulation, and the loader that reads it: slow, failing, and sometimes
//! saying that nothing changed.

use std::sync::Arc;

use larder::record::Mode;

use super::World;
use super::names::{KEYS, Named, OWNERS, Row, Versions};
use crate::dice::Dice;
use crate::exec::Nanos;
use crate::trace::Event;

/// One of so many hard versions of a row says that the row does not exist.
const ABSENT_EVERY: u32 = 7;

/// A change of the source: what it named, at which versions.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) id: u64,
    pub(crate) names: Vec<(Named, u32)>,
    pub(crate) mode: Mode,
}

impl Commit {
    /// Whether the row that it names first was there after it.
    pub(crate) fn left_a_row(&self) -> bool {
        self.names.first().is_some_and(|(_, version)| !absent(*version))
    }
}

/// The rows of the source.
#[derive(Default)]
pub(crate) struct Source {
    versions: Versions,
    owners: [usize; KEYS],
    commits: u64,
}

fn absent(version: u32) -> bool {
    version % ABSENT_EVERY == ABSENT_EVERY - 1
}

impl Source {
    /// Raises the version of each name, and gives the named rows to `new_owner`.
    pub(crate) fn commit(&mut self, names: &[Named], mode: Mode, new_owner: Option<usize>) -> Commit {
        self.commits += 1;
        let raised = names.iter().map(|named| (*named, self.versions.bump(*named, mode))).collect();
        for key in names.iter().filter_map(|named| named.as_key()) {
            self.owners[key] = new_owner.map_or(self.owners[key], |owner| owner % OWNERS);
        }
        Commit { id: self.commits, names: raised, mode }
    }

    /// The row as it is now, if it exists.
    pub(crate) fn row(&self, key: usize) -> Option<Row> {
        let exists = !absent(self.versions.of_key(key));
        exists.then(|| Row { key, owner: self.owners[key], seen: self.versions })
    }

    /// Whether the row existed at every version of its key from `since` on.
    pub(crate) fn existed_since(&self, key: usize, since: u32) -> bool {
        !(since..=self.versions.of_key(key)).any(absent)
    }

    /// The version of every name.
    pub(crate) fn versions(&self) -> &Versions {
        &self.versions
    }
}

/// What a load found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loaded {
    Row(Row),
    Absent,
    /// The source is as in the row that the loader was shown.
    NotModified,
}

/// The source failed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceFailed;

impl std::fmt::Display for SourceFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the simulated source failed")
    }
}

impl std::error::Error for SourceFailed {}

/// How loads and writes behave in one seed.
pub(crate) struct LoadHabits {
    pub(crate) dice: Dice,
    /// The longest that one takes before or after it asks the source.
    pub(crate) slow: Nanos,
    /// Those that fail, of a thousand.
    pub(crate) failing: u64,
}

impl LoadHabits {
    /// What the source takes for one thing.
    pub(crate) async fn pause(&self, world: &World) {
        let executor = &world.executor;
        executor.timer(executor.now() + self.dice.below(self.slow)).await;
    }
}

/// What a node calls to load one row.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) world: Arc<World>,
    pub(crate) habits: Arc<LoadHabits>,
    pub(crate) node: usize,
    pub(crate) key: usize,
}

impl Loader {
    /// Loads the row; `shown` is the copy that the cache still has.
    pub(crate) async fn load(self, shown: Option<Row>) -> Result<Loaded, SourceFailed> {
        let _running = self.world.begin_load(self.node, self.key);
        self.habits.pause(&self.world).await;
        let row = self.world.row(self.key);
        // Most of a slow load lies after the source was read: there it can become old.
        self.habits.pause(&self.world).await;
        self.habits.pause(&self.world).await;
        let event = |what| Event::new(what, 0).on_node(self.node).of_key(self.key);
        if self.habits.dice.chance(self.habits.failing) {
            self.world.note(event("load failed"));
            return Err(SourceFailed);
        }
        self.world.note(event("load ended"));
        match row {
            Some(row) if shown == Some(row) && self.habits.dice.chance(500) => {
                self.world.count("loads not modified");
                Ok(Loaded::NotModified)
            }
            Some(row) => Ok(Loaded::Row(row)),
            None => Ok(Loaded::Absent),
        }
    }
}
