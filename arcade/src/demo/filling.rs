//! Decides how a world is written: part after part, a batch of rows at a time, inside the one
//! transaction that it was given. Knows no table.

use sqlx::AnyConnection;

use super::World;
use crate::storage::StorageError;

/// Rows that one statement writes. SQLite finds each parameter by a search through all of them, so
/// long statements cost more than many short ones.
pub(super) const ROWS_PER_STATEMENT: usize = 50;

/// Is told how far a world is.
pub trait Progress: Send {
    /// A part begins and will have this many rows.
    fn begins(&mut self, part: &'static str, rows: u32);
    /// So many more rows of that part are written.
    fn wrote(&mut self, rows: u32);
}

/// Progress that nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begins(&mut self, _: &'static str, _: u32) {}
    fn wrote(&mut self, _: u32) {}
}

/// A world while it is being written.
pub(super) struct Filling<'a> {
    pub(super) world: World,
    pub(super) connection: &'a mut AnyConnection,
    pub(super) progress: &'a mut dyn Progress,
}

impl Filling<'_> {
    /// Writes a part of `rows` rows, numbered from 1: `write` gets the numbers of one batch.
    ///
    /// # Errors
    /// What `write` says.
    pub(super) async fn part(
        &mut self,
        name: &'static str,
        rows: u32,
        mut write: impl AsyncFnMut(&mut AnyConnection, &[i64]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        if rows == 0 {
            return Ok(());
        }
        self.progress.begins(name, rows);
        let ids: Vec<i64> = (1..=i64::from(rows)).collect();
        for batch in ids.chunks(ROWS_PER_STATEMENT) {
            write(self.connection, batch).await?;
            self.progress.wrote(batch.len() as u32);
        }
        Ok(())
    }
}
