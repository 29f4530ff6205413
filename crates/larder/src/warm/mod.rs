//! Warming: reads what will be asked for before somebody asks. Declared sets of keys, after a start and
//! on demand; and the hot keys of the process before, from a file.
//!
//! ```
//! use std::collections::HashMap;
//! use larder::Larder;
//! use larder::warm::{Supply, WarmState, Warmer};
//!
//! # async fn ids_by_visits(limit: u64) -> Result<Vec<u64>, std::io::Error> { Ok((0..limit).collect()) }
//! # async fn rows(ids: Vec<u64>) -> Result<HashMap<u64, String>, std::io::Error> {
//! #     Ok(ids.into_iter().map(|id| (id, format!("room {id}"))).collect())
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir();
//! # let file = directory.join("larder-doc-hot-keys");
//! let larder = Larder::new("game")?;
//! let rooms = larder.cache::<u64, String>("rooms").build()?;
//! // The cache, and how it is filled.
//! let supply = Supply::batches(&rooms, rows);
//! let warmer = Warmer::builder(&larder)
//!     .set("popular-rooms", &supply, || ids_by_visits(100))
//!     .restored(&supply)
//!     .hot_keys_in(&file)
//!     .build()?;
//!
//! warmer.start(); // In the background; nobody has to wait for it.
//! warmer.finished().await;
//! assert!(warmer.progress().iter().all(|set| set.state == WarmState::Done));
//! assert!(rooms.peek(&42).is_some());
//!
//! warmer.close().await?; // Saves which keys are hot now.
//! # std::fs::remove_file(file)?;
//! # Ok(()) }
//! ```
//!
//! # What is read, and how
//!
//! Keys are read through the cache as any reader would, so a warm value is as right as any other: it
//! comes from the shared tier or from the source, and an invalidation meanwhile kills it. Keys that
//! memory holds fresh are not read. All runs share one pace, in keys a second, and read in batches.
//!
//! A failed batch is counted and the next one is read; after three in a row the source is left alone
//! and the set has failed. The other sets go on.
//!
//! # Hot keys
//!
//! The file holds which keys of some caches memory held, never their values: what was changed while the process was
//! down is loaded as it is now. It is written by [`Warmer::close`] and every few minutes, so that a
//! crash loses little, and replaced as a whole. A file that is damaged, foreign, of another version or
//! another namespace, and keys whose type has changed, are told as
//! [`Event::HotKeysLost`](crate::Event::HotKeysLost); the start is then a cold one, never a failed one.
//!
//! Whoever asks for it, the file is replaced once all that it names was read, or cannot be: it is
//! damaged, say, or there is none. While the source is away its keys are kept for one
//! [`save_interval`](WarmerBuilder::save_interval) after the first run that failed on them: from then
//! on, what users made hot since is worth more. A warmer that restored nothing replaces nothing.
//!
//! Keys longer than [`KEY_BYTES_MAX`](crate::key::KEY_BYTES_MAX) are stored as a digest, which nobody
//! can read back: they are left out.

mod builder;
mod error;
mod file;
mod hot;
mod limits;
mod pace;
mod progress;
mod set;
mod snapshot;
mod supply;
mod warming;

use std::fmt;
use std::sync::Arc;

pub use builder::WarmerBuilder;
pub use error::{SaveError, UnknownSet};
pub use hot::Saved;
pub use progress::{WarmProgress, WarmState};
pub use supply::Supply;

use warming::Warming;

/// The name under which the hot keys of the process before are a warm set.
pub const HOT_KEYS: &str = "hot-keys";

/// Warms caches. Cheap to clone; when the last clone is dropped, runs stop. Made by
/// [`Warmer::builder`].
#[derive(Clone)]
pub struct Warmer {
    owner: Arc<Owner>,
}

struct Owner {
    warming: Arc<Warming>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.warming.stop.cancel();
    }
}

impl fmt::Debug for Warmer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warmer").field("sets", &self.progress().len()).finish_non_exhaustive()
    }
}

impl Warmer {
    fn of(warming: Warming) -> Self {
        Warmer { owner: Arc::new(Owner { warming: Arc::new(warming) }) }
    }

    fn warming(&self) -> &Arc<Warming> {
        &self.owner.warming
    }

    /// Begins what a start needs, in the background: the hot keys first, then every set in the order in
    /// which they were declared. From here on the file of hot keys is kept up to date.
    pub fn start(&self) {
        self.begin_all();
        self.warming().keep_saving();
    }

    /// Begins only what the hot keys need: they are read, and from here on their file is kept up to
    /// date. Without a file nothing begins.
    pub fn restore(&self) {
        let warming = self.warming();
        if warming.hot.is_some() {
            warming.begin(vec![warming::HOT]);
        }
        warming.keep_saving();
    }

    /// Begins every set that is not under way, in the background.
    pub fn begin_all(&self) {
        let warming = self.warming();
        warming.begin((0..warming.sets.len()).collect());
    }

    /// Begins the sets of these names, in the background. One that is under way goes on as it is.
    ///
    /// # Errors
    /// There is no set of one of these names; then none begins.
    pub fn begin<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<(), UnknownSet> {
        let warming = self.warming();
        let number = |name: &'n str| {
            let number = warming.sets.iter().position(|set| set.name == name);
            number.ok_or_else(|| UnknownSet { name: name.to_owned() })
        };
        let sets = names.into_iter().map(number).collect::<Result<_, _>>()?;
        warming.begin(sets);
        Ok(())
    }

    /// Waits until no set is under way.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing.
    pub async fn finished(&self) {
        self.warming().finished().await;
    }

    /// How far each set is, in the order in which they begin.
    ///
    /// # Cost
    /// One short lock and a copy: fit to be asked for every second.
    pub fn progress(&self) -> Vec<WarmProgress> {
        self.warming().progress()
    }

    /// Saves which keys are hot now. `None`: no file was named, or what it names was not read yet, see
    /// [hot keys](self#hot-keys).
    ///
    /// # Errors
    /// The file cannot be written; the one before is still there.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the old file or the new one.
    pub async fn save(&self) -> Result<Option<Saved>, SaveError> {
        self.warming().save().await
    }

    /// Stops what is under way, and saves which keys are hot. To be called before the node is closed.
    ///
    /// # Errors
    /// As [`save`](Warmer::save).
    ///
    /// # Cancel safety
    /// As [`save`](Warmer::save).
    pub async fn close(&self) -> Result<Option<Saved>, SaveError> {
        let warming = self.warming();
        warming.stop.cancel();
        warming.save().await
    }
}
