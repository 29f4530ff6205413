//! A source that write-behind writes to: rows, and what it does with a batch.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use larder::Load;
use larder::behind::{Change, SinkError};
use larder::clock::BoxFuture;

type Batch = Arc<[Change<u64, u32>]>;

/// Rows by key. Clones are the same rows.
#[derive(Clone, Default)]
pub(crate) struct Rows(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    rows: BTreeMap<u64, u32>,
    /// The batches that were taken, as keys and sequences.
    batches: Vec<Vec<(u64, u64)>>,
    rejected: BTreeSet<u64>,
    away: Away,
}

/// Whether the source can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Away {
    #[default]
    No,
    /// It answers errors.
    Fails,
    /// It never answers.
    Hangs,
    /// It panics.
    Panics,
}

impl Rows {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().expect("no test panics in here")
    }

    pub(crate) fn set(&self, key: u64, number: u32) {
        self.table().rows.insert(key, number);
    }

    pub(crate) fn of(&self, key: u64) -> Option<u32> {
        self.table().rows.get(&key).copied()
    }

    pub(crate) fn batches(&self) -> Vec<Vec<(u64, u64)>> {
        self.table().batches.clone()
    }

    pub(crate) fn is(&self, away: Away) {
        self.table().away = away;
    }

    /// Never takes this key.
    pub(crate) fn rejects(&self, key: u64) {
        self.table().rejected.insert(key);
    }

    /// Takes every key again.
    pub(crate) fn relents(&self) {
        self.table().rejected.clear();
    }

    /// What write-behind is opened with.
    pub(crate) fn sink(
        &self,
    ) -> impl Fn(Batch) -> BoxFuture<'static, Result<(), SinkError>> + Send + Sync + 'static {
        let rows = self.clone();
        move |batch| {
            let rows = rows.clone();
            Box::pin(async move {
                let away = rows.table().away;
                match away {
                    Away::No => rows.take(&batch),
                    Away::Fails => Err(io::Error::other("the source is down"))?,
                    Away::Hangs => pending().await,
                    Away::Panics => panic!("the source panics"),
                }
            })
        }
    }

    fn take(&self, batch: &Batch) -> Result<(), SinkError> {
        let mut table = self.table();
        if let Some(change) = batch.iter().find(|change| table.rejected.contains(&change.key)) {
            return Err(SinkError::rejected(format!("never {}", change.key)));
        }
        for change in batch.iter() {
            match change.value {
                Some(number) => table.rows.insert(change.key, number),
                None => table.rows.remove(&change.key),
            };
        }
        table.batches.push(batch.iter().map(|change| (change.key, change.sequence)).collect());
        Ok(())
    }

    /// A loader of one row.
    pub(crate) fn load(
        &self,
        key: u64,
    ) -> impl FnOnce(Load<u32>) -> BoxFuture<'static, io::Result<Option<u32>>> + Send + use<> {
        let rows = self.clone();
        move |_| Box::pin(async move { Ok(rows.of(key)) })
    }
}
