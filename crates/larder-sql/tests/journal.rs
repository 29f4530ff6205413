//! The journal of write-behind in an SQLite file: what it keeps and refuses. `e2e/journal` has who dies.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use larder::behind::{Journal, JournalError, WriteBehind, WriteError};
use larder::conformance::journals::{JournalStage, journal};
use larder::{Cache, Larder};
use larder_sql::journal::SqliteJournal;
use tempfile::TempDir;

/// Journals in files of their own.
struct Files {
    directory: TempDir,
    made: usize,
}

impl Files {
    fn new() -> Self {
        Files { directory: tempfile::tempdir().expect("a temporary directory"), made: 0 }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(format!("{}.journal", self.made))
    }

    async fn open(&self) -> SqliteJournal {
        SqliteJournal::open(self.path()).await.expect("nobody has it")
    }
}

impl JournalStage for Files {
    async fn fresh(&mut self) -> Arc<dyn Journal> {
        self.made += 1;
        Arc::new(self.open().await)
    }

    async fn next_process(&mut self) -> Arc<dyn Journal> {
        Arc::new(self.open().await)
    }
}

fn numbers(larder: &Larder) -> Cache<u64, String> {
    larder.cache("numbers").build().expect("a cache")
}

/// A long text that no compression makes shorter.
fn noise(seed: u64) -> String {
    let mut state = seed;
    let mut throw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 33) as u8 % 90)
    };
    (0..10_000).map(|_| throw()).collect()
}

#[tokio::test]
async fn the_suite_of_journals_passes() {
    journal(&mut Files::new()).await;
}

#[tokio::test]
async fn a_journal_belongs_to_one_process() {
    let files = Files::new();
    let first = files.open().await;
    let refused = SqliteJournal::open(files.path()).await.expect_err("it is taken");
    assert!(matches!(&refused, JournalError::InUse { holder } if holder.contains("0.journal")));
    drop(first);
    files.open().await;
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused_and_left_as_it_is() {
    let files = Files::new();
    let nonsense = vec![0x5A; 20_000];
    std::fs::write(files.path(), &nonsense).expect("a file");
    let refused = SqliteJournal::open(files.path()).await.expect_err("it is no database");
    assert!(refused.to_string().contains("not a database"), "{refused}");
    assert_eq!(std::fs::read(files.path()).expect("it is there"), nonsense);
}

#[tokio::test]
async fn a_full_journal_acknowledges_nothing_and_goes_on_once_there_is_room() {
    let files = Files::new();
    let journal = SqliteJournal::open_bounded(files.path(), 256 << 10).await.expect("nobody has it");
    let larder = Larder::new("test").expect("valid settings");
    let cache = numbers(&larder);
    let builder = WriteBehind::builder(&cache, Arc::new(journal));
    let builder = builder.flush_after(Duration::from_secs(3_600));
    let writes = builder.open(|_| async { Ok(()) }).await.expect("a journal");
    let mut key = 0;
    let refused = loop {
        match writes.put(&key, noise(key)).await {
            Ok(_) => key += 1,
            Err(refused) => break refused,
        }
        assert!(key < 30, "the bound does not hold");
    };
    assert!(matches!(refused, WriteError::Journal(JournalError::NoRoom { .. })), "{refused}");
    assert!(cache.peek(&key).is_none() && cache.peek(&(key - 1)).is_some());
    let drained = writes.close(Duration::from_secs(10)).await;
    assert_eq!((drained.left, drained.untold), (0, 0), "what was acknowledged is flushed");
    drop(writes);
}
