//! What every journal must keep, see [`Journal`].

use std::sync::Arc;

use crate::behind::{Journal, JournalRecord};

const CACHE: &str = "numbers";
const ALL: usize = 1_000;

/// Makes a journal on a store of its own, and opens the journal of a store again as the next process
/// would. The store before is let go of.
pub trait JournalStage {
    /// A journal that nobody used before.
    fn fresh(&mut self) -> impl Future<Output = Arc<dyn Journal>>;
    /// The same store, after the process that had it is gone.
    fn next_process(&mut self) -> impl Future<Output = Arc<dyn Journal>>;
}

/// Runs the whole suite.
///
/// # Panics
/// The journal breaks a promise.
pub async fn journal<S: JournalStage>(stage: &mut S) {
    let journal = stage.fresh().await;
    let first = keeps_records_in_their_order(&*journal).await;
    has_each_cache_once_and_apart(&*journal).await;
    drop(journal);
    let journal = stage.next_process().await;
    remembers(&*journal, first).await;
    marks_and_forgets(&*journal, first).await;
    drop(journal);
    let journal = stage.next_process().await;
    counts_on_where_records_are_forgotten(&*journal, first).await;
    takes_bytes_and_numbers_as_they_are(&*journal, first).await;
    keeps_all_or_none(&*journal, first).await;
    journal.hold(CACHE).await.expect("nobody else can have it");
}

fn record(sequence: u64) -> JournalRecord {
    JournalRecord { sequence, bytes: sequence.to_be_bytes().to_vec() }
}

async fn sequences(journal: &dyn Journal, after: u64, max: usize) -> Vec<u64> {
    let read = journal.read(CACHE, after, max).await.expect("it can be read");
    read.iter().map(|record| record.sequence).collect()
}

async fn keeps_records_in_their_order(journal: &dyn Journal) -> u64 {
    let last = journal.open(CACHE).await.expect("it is nobody's");
    assert!(last > 1_000_000_000_000_000, "sequences of a new journal begin at the time: {last}");
    let first = last + 1;
    let appended = [record(first), record(first + 1), record(first + 2)];
    journal.append(CACHE, &appended[..2]).await.expect("there is room");
    journal.append(CACHE, &appended[2..]).await.expect("there is room");
    let read = journal.read(CACHE, 0, ALL).await.expect("it can be read");
    let whole = |record: &JournalRecord| (record.sequence, record.bytes.clone(), None);
    let read: Vec<_> = read.into_iter().map(|one| (one.sequence, one.bytes, one.parked)).collect();
    assert_eq!(read, appended.iter().map(whole).collect::<Vec<_>>());
    assert_eq!(sequences(journal, first, 1).await, [first + 1]);
    first
}

async fn has_each_cache_once_and_apart(journal: &dyn Journal) {
    journal.open(CACHE).await.expect_err("a cache of this process has it");
    journal.open("others").await.expect("another cache has its own");
    assert!(journal.read("others", 0, ALL).await.expect("it can be read").is_empty());
}

async fn remembers(journal: &dyn Journal, first: u64) {
    assert_eq!(journal.open(CACHE).await.expect("it was let go of"), first + 2);
    assert_eq!(sequences(journal, 0, ALL).await, [first, first + 1, first + 2]);
}

async fn marks_and_forgets(journal: &dyn Journal, first: u64) {
    journal.park(CACHE, first + 1, Some("no")).await.expect("it is there");
    let read = journal.read(CACHE, first, 1).await.expect("it can be read");
    assert_eq!(read[0].parked.as_deref(), Some("no"));
    journal.park(CACHE, first + 1, None).await.expect("it is there");
    let read = journal.read(CACHE, first, 1).await.expect("it can be read");
    assert_eq!((read[0].parked.as_deref(), read[0].sequence), (None, first + 1));
    journal.park(CACHE, 1, Some("no")).await.expect("what is not there is no error");
    journal.forget(CACHE, &[first, 1, first + 2]).await.expect("what is not there is no error");
    assert_eq!(sequences(journal, 0, ALL).await, [first + 1]);
    journal.forget(CACHE, &[first + 1]).await.expect("it is there");
    journal.forget(CACHE, &[]).await.expect("nothing is no error");
}

async fn counts_on_where_records_are_forgotten(journal: &dyn Journal, first: u64) {
    assert_eq!(journal.open(CACHE).await.expect("it was let go of"), first + 2);
    assert!(sequences(journal, 0, ALL).await.is_empty());
}

async fn takes_bytes_and_numbers_as_they_are(journal: &dyn Journal, first: u64) {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    let records: Vec<_> = (first + 3..first + 1_003)
        .map(|sequence| JournalRecord { sequence, bytes: vec![0; 3] })
        .chain([JournalRecord { sequence: first + 1_003, bytes: bytes.clone() }])
        .collect();
    journal.append(CACHE, &records).await.expect("there is room");
    assert_eq!(sequences(journal, first, ALL).await.len(), ALL);
    let last = journal.read(CACHE, first + 1_002, ALL).await.expect("it can be read");
    assert_eq!((last.len(), &last[0].bytes), (1, &bytes));
}

async fn keeps_all_or_none(journal: &dyn Journal, first: u64) {
    let next = first + 1_004;
    journal.append(CACHE, &[record(next + 1)]).await.expect("there is room");
    let other = JournalRecord { sequence: next + 1, bytes: vec![1] };
    for first in [next, next + 2] {
        let twice = [record(first), other.clone()];
        journal.append(CACHE, &twice).await.expect_err("another has the number of the second");
    }
    journal.append(CACHE, &[]).await.expect("nothing is no error");
    assert_eq!(sequences(journal, next - 1, ALL).await, [next + 1]);
}
