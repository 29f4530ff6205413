//! A small world in a database of its own and a cache before it: where the tests of a domain play.

use std::sync::Arc;
use std::time::Duration;

use larder::Larder;
use larder::clock::SystemClock;
use larder_sql::outbox::Outbox;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use crate::auth::Passwords;
use crate::configuration::{self, Environment};
use crate::demo::{Unwatched, World};
use crate::journal::Journals;
use crate::reads::Reads;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::storage::Store;
use crate::telemetry::Telemetry;
use crate::writes::Writes;

/// The least that Argon2 takes.
const PASSWORD_MEMORY_KIB: u32 = 8;

/// A database with a world in it, and a cache; both end with the scene.
pub(crate) struct Scene {
    pub(crate) store: Store,
    pub(crate) reads: Reads,
    pub(crate) writes: Writes,
    running: TaskTracker,
    settings: Settings,
    _directory: TempDir,
}

impl Scene {
    pub(crate) async fn of(world: World) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let settings = configuration::load(Environment::of(directory.path(), [])).expect("settings");
        let store = Store::open(&settings.database, directory.path()).await.expect("open");
        store.migrate().await.expect("migrate");
        let passwords = Passwords::new(PASSWORD_MEMORY_KIB).expect("passwords");
        world.fill(&store, &passwords, &mut Unwatched).await.expect("fill");
        let larder = Larder::new("test").expect("larder");
        let telemetry = Arc::new(Telemetry::new(Arc::new(SystemClock)).expect("telemetry"));
        let running = TaskTracker::new();
        let writes = Writes::new(store.clone(), Outbox::new(larder.clone()), running.clone());
        let reads = Reads::new(larder, settings.cache.clone(), telemetry);
        Scene { store, reads, writes, running, settings, _directory: directory }
    }

    /// The sessions of its users.
    pub(crate) async fn sessions(&self) -> Sessions {
        let journals = Journals::of(&self.settings);
        let every = Duration::from_secs(30);
        let sessions = Sessions::open(&self.reads, &self.store, &self.writes, &journals, every);
        sessions.await.expect("sessions")
    }

    /// Waits for the changes whose callers have hung up.
    pub(crate) async fn settled(&self) {
        self.running.close();
        self.running.wait().await;
    }
}
