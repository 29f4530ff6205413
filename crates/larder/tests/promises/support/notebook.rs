//! A journal in this process's memory, that fails, hangs and forgets when the test says so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use larder::behind::{Journal, JournalError, JournalRecord, StoredRecord};
use larder::clock::BoxFuture;

/// What outlives the process: give it to the next node.
#[derive(Clone, Default)]
pub(crate) struct Notebook(Arc<Inner>);

#[derive(Default)]
struct Inner {
    records: Mutex<BTreeMap<u64, StoredRecord>>,
    last: Mutex<u64>,
    appends: AtomicUsize,
    fails: AtomicBool,
    keeps_all_the_same: AtomicBool,
    is_taken: AtomicBool,
}

impl Notebook {
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.clone())
    }

    /// From now on it answers errors, or not any more.
    pub(crate) fn fails(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// What fails to be appended is kept all the same, as when an answer is lost.
    pub(crate) fn keeps_what_fails(&self) {
        self.0.keeps_all_the_same.store(true, Ordering::SeqCst);
    }

    /// Another process takes it from whoever has it now.
    pub(crate) fn is_taken(&self) {
        self.0.is_taken.store(true, Ordering::SeqCst);
    }

    pub(crate) fn appends(&self) -> usize {
        self.0.appends.load(Ordering::SeqCst)
    }

    pub(crate) fn sequences(&self) -> Vec<u64> {
        self.records().keys().copied().collect()
    }

    /// Turns one bit of a record.
    pub(crate) fn damage(&self, sequence: u64) {
        let mut records = self.records();
        let record = records.get_mut(&sequence).expect("a record");
        record.bytes[3] ^= 1;
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<u64, StoredRecord>> {
        self.0.records.lock().expect("no test panics in here")
    }

    fn answer(&self) -> Result<(), JournalError> {
        if self.0.is_taken.load(Ordering::SeqCst) {
            return Err(JournalError::Lost { to: "another process".into() });
        }
        match self.0.fails.load(Ordering::SeqCst) {
            true => Err(JournalError::no_room("the notebook is full")),
            false => Ok(()),
        }
    }

    fn keep(&self, records: &[JournalRecord]) {
        for JournalRecord { sequence, bytes } in records {
            *self.0.last.lock().expect("no test panics in here") = *sequence;
            let kept = StoredRecord { sequence: *sequence, bytes: bytes.clone(), parked: None };
            self.records().insert(*sequence, kept);
        }
    }
}

impl Journal for Notebook {
    fn open<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<u64, JournalError>> {
        Box::pin(async { Ok(*self.0.last.lock().expect("no test panics in here")) })
    }

    fn append<'a>(
        &'a self,
        _: &'a str,
        records: &'a [JournalRecord],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            let answer = self.answer();
            if answer.is_ok() || self.0.keeps_all_the_same.load(Ordering::SeqCst) {
                self.keep(records);
            }
            self.0.appends.fetch_add(1, Ordering::SeqCst);
            answer
        })
    }

    fn read<'a>(
        &'a self,
        _: &'a str,
        after: u64,
        records_max: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRecord>, JournalError>> {
        let records = self.records();
        let page = records.range(after + 1..).take(records_max);
        let page: Vec<StoredRecord> = page.map(|(_, record)| record.clone()).collect();
        Box::pin(async { self.answer().map(|()| page) })
    }

    fn forget<'a>(
        &'a self,
        _: &'a str,
        sequences: &'a [u64],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            self.answer()?;
            self.records().retain(|sequence, _| !sequences.contains(sequence));
            Ok(())
        })
    }

    fn park<'a>(
        &'a self,
        _: &'a str,
        sequence: u64,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.answer()?;
            if let Some(record) = self.records().get_mut(&sequence) {
                record.parked = reason.map(str::to_owned);
            }
            Ok(())
        })
    }

    fn hold<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async { self.answer() })
    }
}
