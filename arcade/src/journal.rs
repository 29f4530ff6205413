//! Decides where this process keeps the writes that it has acknowledged and the database does not have
//! yet: in a file of its data directory, or on a stream in Redis. Knows neither who writes nor what.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use larder::behind::{Journal, JournalError};
use larder_redis::journal::{JournalOptions, RedisJournal};
use larder_redis::{MissingRight, RedisOptions};
use larder_sql::journal::SqliteJournal;
use tokio::time::timeout;
use tracing::warn;

use crate::auth;
use crate::settings::{Journal as Place, RedisMode, Settings};

/// The most processes that may share one data directory, or one namespace in Redis.
const PROCESSES_MAX: u32 = 64;

/// The most bytes of a file that may wait for the database. Beyond them nothing is acknowledged.
const BYTES_MAX: u64 = 64 << 20;

/// How long a shutdown waits for a Redis that does not answer. The lease ends by itself.
const LET_GO_MAX: Duration = Duration::from_millis(500);

/// The journals of all processes. Each has one of them for itself.
#[derive(Debug, Clone)]
pub struct Journals {
    place: Place,
    data: PathBuf,
}

impl Journals {
    /// Those that the settings name.
    pub fn of(settings: &Settings) -> Self {
        Journals { place: settings.journal.clone(), data: settings.data.clone() }
    }

    /// Whether a process does not start without one.
    pub(crate) fn are_required(&self) -> bool {
        match &self.place {
            Place::Disk => true,
            Place::Redis { mode, .. } => *mode == RedisMode::Required,
        }
    }

    /// One that no other process has. On disk, numbers begin at 1 in every process: what the last of several
    /// has left is found once as many run again. In Redis, it is taken when it is read.
    ///
    /// # Errors
    /// It is damaged or cannot be opened, or other processes have all that there may be.
    pub(crate) async fn opened(&self) -> Result<OpenJournal, JournalError> {
        match &self.place {
            Place::Disk => Ok(OpenJournal::Disk(Arc::new(first_free(&self.data).await?))),
            Place::Redis { server, namespace, .. } => {
                Ok(OpenJournal::Redis(Arc::new(on_stream(server, namespace)?)))
            }
        }
    }

    /// Which rights the ACL user of their Redis lacks.
    ///
    /// # Errors
    /// Redis cannot be reached.
    pub async fn missing_rights(&self) -> Result<Vec<MissingRight>, JournalError> {
        match &self.place {
            Place::Disk => Ok(Vec::new()),
            Place::Redis { server, namespace, .. } => {
                let missing = on_stream(server, namespace)?.missing_rights().await;
                missing.map_err(JournalError::failed)
            }
        }
    }

    /// Whether they would be kept there, as an operator would ask. Takes none.
    ///
    /// # Errors
    /// Redis cannot be reached, or could lose what it confirms: with what to set.
    pub async fn check(&self) -> Result<(), JournalError> {
        match &self.place {
            Place::Disk => Ok(()),
            Place::Redis { server, namespace, .. } => {
                on_stream(server, namespace)?.check_server().await
            }
        }
    }
}

impl fmt::Display for Journals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Disk => write!(f, "a file in {}", self.data.display()),
            Place::Redis { .. } => f.write_str("a stream in Redis (ARCADE_JOURNAL)"),
        }
    }
}

/// The journal of this process. Clones share it.
#[derive(Debug, Clone)]
pub(crate) enum OpenJournal {
    Disk(Arc<SqliteJournal>),
    Redis(Arc<RedisJournal>),
}

impl OpenJournal {
    /// As write-behind asks it.
    pub(crate) fn store(&self) -> Arc<dyn Journal> {
        match self {
            OpenJournal::Disk(journal) => Arc::clone(journal) as Arc<dyn Journal>,
            OpenJournal::Redis(journal) => Arc::clone(journal) as Arc<dyn Journal>,
        }
    }

    /// Lets the next process have it without waiting for a lease to end.
    pub(crate) async fn let_go(&self) {
        // The kernel lets go of files.
        let OpenJournal::Redis(journal) = self else { return };
        match timeout(LET_GO_MAX, journal.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => warn!(%fault, "the next process waits for the lease of the journal"),
            Err(_) => warn!("the next process waits for the lease of the journal"),
        }
    }
}

async fn first_free(data: &Path) -> Result<SqliteJournal, JournalError> {
    auth::private_directory(data).map_err(JournalError::failed)?;
    let mut taken = None;
    for number in 1..=PROCESSES_MAX {
        let path = data.join(format!("writes-{number}.journal"));
        match SqliteJournal::open_bounded(path, BYTES_MAX).await {
            Err(in_use @ JournalError::InUse { .. }) => taken = Some(in_use),
            opened => return opened,
        }
    }
    Err(taken.unwrap_or_else(|| JournalError::failed("there is no journal to be had")))
}

fn on_stream(server: &RedisOptions, namespace: &str) -> Result<RedisJournal, JournalError> {
    let options =
        JournalOptions { processes_max: PROCESSES_MAX, ..JournalOptions::new(server.clone()) };
    RedisJournal::open(namespace, options).map_err(JournalError::failed)
}
