//! A file that one process holds for as long as it lives. The kernel lets go of it, whatever the
//! process dies of.

use std::fs::{File, TryLockError};
use std::path::Path;

use larder::behind::JournalError;

/// The lock of a journal. Dropping it lets go.
#[derive(Debug)]
pub(super) struct Lock {
    _held: File,
}

impl Lock {
    /// Takes the lock that lies beside `journal`.
    pub(super) fn take(journal: &Path) -> Result<Self, JournalError> {
        let mut path = journal.as_os_str().to_owned();
        path.push(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(JournalError::failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _held: file }),
            Err(TryLockError::WouldBlock) => {
                let holder = format!("another process has {}", journal.display());
                Err(JournalError::InUse { holder })
            }
            Err(TryLockError::Error(error)) => Err(JournalError::failed(error)),
        }
    }
}
