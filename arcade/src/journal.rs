//! Decides in which file this process keeps the writes that it has acknowledged and the database
//! does not have yet. Knows neither who writes nor what.

use std::path::Path;
use std::sync::Arc;

use larder::behind::{Journal, JournalError};
use larder_sql::journal::SqliteJournal;

use crate::auth;

/// The most processes that may share one data directory.
const PROCESSES_MAX: u32 = 64;

/// The most bytes that may wait for the database. Beyond them nothing is acknowledged.
const BYTES_MAX: u64 = 64 << 20;

/// The first journal in the data directory that no other process has. Numbers begin at 1 in every
/// process: what the last of several has left is found once as many run again.
///
/// # Errors
/// It is damaged or cannot be opened, or other processes have all that there may be.
pub(crate) async fn opened(data: &Path) -> Result<Arc<dyn Journal>, JournalError> {
    auth::private_directory(data).map_err(JournalError::failed)?;
    let mut taken = None;
    for number in 1..=PROCESSES_MAX {
        let path = data.join(format!("writes-{number}.journal"));
        match SqliteJournal::open_bounded(path, BYTES_MAX).await {
            Ok(journal) => return Ok(Arc::new(journal)),
            Err(in_use @ JournalError::InUse { .. }) => taken = Some(in_use),
            Err(fault) => return Err(fault),
        }
    }
    Err(taken.unwrap_or_else(|| JournalError::failed("there is no journal to be had")))
}
