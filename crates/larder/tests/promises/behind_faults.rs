//! Write-behind while the source, the journal or the process fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::poll;
use larder::behind::{Change, JournalError, SinkError, WriteBehind, WriteBehindBuilder, WriteError};
use larder::conformance::manual::ManualClock;
use larder::{Cache, Larder};

use crate::support::{
    Away, Notebook, Rows, SEED, Told, kept, millis, node, numbers, on, pass, seconds, value, within,
};

/// A process over rows and a notebook that outlive it.
struct Process {
    clock: ManualClock,
    _larder: Larder,
    cache: Cache<u64, u32>,
    told: Arc<Told>,
    writes: WriteBehind<u64, u32>,
}

type Builder = WriteBehindBuilder<u64, u32>;

impl Process {
    async fn over(rows: &Rows, notebook: &Notebook) -> Self {
        Process::with(rows, notebook, |builder| builder).await
    }

    async fn with(rows: &Rows, notebook: &Notebook, set: impl FnOnce(Builder) -> Builder) -> Self {
        Process::of(rows.sink(), notebook, set).await
    }

    async fn of<F, Fut>(sink: F, notebook: &Notebook, set: impl FnOnce(Builder) -> Builder) -> Self
    where
        F: Fn(Arc<[Change<u64, u32>]>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), SinkError>> + Send + 'static,
    {
        let (clock, told) = (ManualClock::default(), Told::new());
        let larder = on(&clock).observer(told.clone()).build().expect("valid settings");
        let cache = numbers(&larder).build().expect("a cache");
        let builder = set(WriteBehind::builder(&cache, notebook.journal()));
        let writes = builder.open(sink).await.expect("a journal of its own");
        Process { clock, _larder: larder, cache, told, writes }
    }

    async fn put(&self, key: u64, number: u32) -> Result<u64, WriteError> {
        within(&self.clock, seconds(10), self.writes.put(&key, number)).await
    }

    async fn pass(&self, count: u64) {
        pass(&self.clock, seconds(count)).await;
    }
}

#[tokio::test]
async fn a_source_that_fails_is_tried_again_and_gets_the_values_of_then() {
    for away in [Away::Fails, Away::Panics, Away::Hangs] {
        let (rows, notebook) = (Rows::default(), Notebook::default());
        let process = Process::with(&rows, &notebook, |builder| builder.sink_timeout(seconds(1)));
        let process = process.await;
        rows.is(away);
        process.put(7, 1).await.expect("acknowledged");
        process.pass(3).await;
        assert!(process.writes.stats().retries > 0, "{away:?}");
        process.put(7, 2).await.expect("the journal has room");
        rows.is(Away::No);
        process.pass(15).await;
        assert_eq!((rows.of(7), rows.batches().len()), (Some(2), 1), "{away:?}");
        assert!(notebook.sequences().is_empty());
    }
}

#[tokio::test]
async fn writers_wait_for_room_and_then_are_told_that_there_is_none() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let few =
        |builder: Builder| builder.writes_max(3).room_timeout(seconds(2)).backoff_max(millis(100));
    let process = Process::with(&rows, &notebook, few).await;
    rows.is(Away::Fails);
    for key in 1..=3 {
        process.put(key, 1).await.expect("there is room");
    }
    let refused = process.put(4, 1).await.expect_err("the source stands still");
    assert!(matches!(refused, WriteError::Full { waited_ms: 2_000, pending: 3, parked: 0 }));
    let (waited, ()) = tokio::join!(process.put(5, 1), async { rows.is(Away::No) });
    waited.expect("room came in time");
    process.pass(15).await;
    assert_eq!((rows.of(3), rows.of(4), rows.of(5)), (Some(1), None, Some(1)));
}

#[tokio::test]
async fn a_write_that_is_larger_than_all_room_is_refused_at_once() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::with(&rows, &notebook, |builder| builder.bytes_max(100)).await;
    let refused = process.put(7, 1).await.expect_err("there is never room");
    assert!(matches!(refused, WriteError::TooLarge { limit: 100 }), "{refused}");
}

#[tokio::test]
async fn a_rejected_write_is_parked_with_an_alarm_and_the_rest_of_its_batch_goes_on() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    rows.rejects(5);
    for key in 1..=9 {
        process.put(key, key as u32).await.expect("acknowledged");
    }
    process.pass(2).await;
    assert_eq!((1..=9).filter(|key| rows.of(*key).is_none()).collect::<Vec<_>>(), [5]);
    assert_eq!(process.told.count("WriteParked"), 1);
    let parked = process.writes.parked();
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].key.as_deref(), parked[0].reason.as_str()), (Some("numbers:5"), "never 5"));
    assert_eq!(notebook.sequences(), [parked[0].sequence]);
    assert_eq!(kept(&process.cache, 5), None, "readers get what will not come to be");
    rows.relents();
    assert_eq!(process.writes.retry_parked().await.expect("the journal works"), 1);
    process.pass(2).await;
    assert_eq!((rows.of(5), process.writes.parked().len()), (Some(5), 0));
}

#[tokio::test]
async fn a_parked_write_never_comes_back_over_a_later_one() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    rows.rejects(7);
    process.put(7, 1).await.expect("acknowledged");
    process.pass(2).await;
    rows.relents();
    process.put(7, 2).await.expect("acknowledged");
    assert_eq!(process.writes.retry_parked().await.expect("the journal works"), 0);
    process.pass(2).await;
    assert_eq!((rows.of(7), process.writes.parked().len()), (Some(2), 0));
    assert_eq!(process.writes.retry_parked().await.expect("the journal works"), 0);
    assert!(notebook.sequences().is_empty());
}

#[tokio::test]
async fn a_parked_write_can_be_given_up_and_gives_its_room_back() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::with(&rows, &notebook, |builder| builder.writes_max(1)).await;
    rows.rejects(7);
    let sequence = process.put(7, 1).await.expect("acknowledged");
    process.pass(2).await;
    let full = process.put(8, 1).await.expect_err("the parked write takes the room");
    assert!(matches!(full, WriteError::Full { pending: 0, parked: 1, .. }), "{full}");
    assert!(process.writes.discard_parked(sequence).await);
    assert!(!process.writes.discard_parked(sequence).await);
    process.put(8, 1).await.expect("acknowledged");
    process.pass(1).await;
    assert_eq!((rows.of(7), rows.of(8), notebook.sequences().len()), (None, Some(1), 0));
}

#[tokio::test]
async fn whoever_gives_a_write_up_and_hangs_up_leaves_no_record_that_comes_back() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    rows.rejects(7);
    let sequence = process.put(7, 1).await.expect("acknowledged");
    process.pass(2).await;
    let mut giving_up = Box::pin(process.writes.discard_parked(sequence));
    assert!(poll!(&mut giving_up).is_pending(), "the journal has not answered yet");
    drop(giving_up);
    process.put(8, 1).await.expect("acknowledged");
    process.pass(2).await;
    assert_eq!(notebook.sequences(), [0; 0], "the next start would write it");
}

#[tokio::test]
async fn what_the_source_fails_to_take_too_often_is_parked() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::with(&rows, &notebook, |builder| builder.tries_max(3)).await;
    rows.is(Away::Fails);
    process.put(7, 1).await.expect("acknowledged");
    process.pass(5).await;
    assert_eq!((process.told.count("WriteParked"), process.writes.parked().len()), (1, 1));
    assert_eq!(process.told.count("FlushFailed"), 3);
}

#[tokio::test]
async fn a_journal_that_fails_acknowledges_nothing_and_shows_nothing() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    notebook.fails(true);
    let refused = process.put(7, 1).await.expect_err("the notebook is full");
    assert!(matches!(refused, WriteError::Journal(JournalError::NoRoom { .. })), "{refused}");
    assert_eq!((value(process.cache.get(&7).await), rows.of(7)), (None, None));
    assert_eq!(process.told.count("JournalFailed"), 1);
    notebook.fails(false);
    process.put(7, 2).await.expect("it works again");
    process.pass(2).await;
    assert_eq!((rows.of(7), process.writes.stats().pending), (Some(2), 0));
}

#[tokio::test]
async fn a_write_whose_append_was_in_doubt_never_comes_back_over_a_later_one() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    {
        let process = Process::over(&rows, &notebook).await;
        notebook.keeps_what_fails();
        notebook.fails(true);
        process.put(7, 1).await.expect_err("the answer is lost");
        notebook.fails(false);
        process.put(7, 2).await.expect("acknowledged");
        process.pass(2).await;
        assert_eq!(rows.of(7), Some(2));
    }
    let next = Process::over(&rows, &notebook).await;
    next.pass(2).await;
    assert_eq!(rows.of(7), Some(2), "a write that nobody acknowledged came back");
}

#[tokio::test]
async fn what_an_earlier_process_left_is_read_and_flushed_in_its_order() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    rows.set(7, 1);
    rows.is(Away::Fails);
    let sequence = {
        let process = Process::over(&rows, &notebook).await;
        for number in 2..=4 {
            process.put(7, number).await.expect("acknowledged");
        }
        process.writes.remove(&8).await.expect("acknowledged")
    };
    let next = Process::over(&rows, &notebook).await;
    let reading = next.cache.get_or_load(&7, rows.load(7));
    assert_eq!(value(Some(reading.await.expect("an answer"))), Some(4), "not what the source has");
    rows.is(Away::No);
    next.pass(2).await;
    assert_eq!(rows.batches(), [[(7, sequence - 1), (8, sequence)]]);
    assert_eq!(next.writes.stats().replayed, 4);
    let later = next.put(7, 5).await.expect("acknowledged");
    assert!(later > sequence, "sequences go on where they were");
}

#[tokio::test]
async fn a_damaged_record_is_parked_and_nothing_else_is_lost() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    rows.is(Away::Fails);
    let damaged = {
        let process = Process::over(&rows, &notebook).await;
        for key in 1..=3 {
            process.put(key, 1).await.expect("acknowledged");
        }
        notebook.sequences()[1]
    };
    notebook.damage(damaged);
    rows.is(Away::No);
    for start in 0..2 {
        let next = Process::over(&rows, &notebook).await;
        next.pass(2).await;
        assert_eq!((rows.of(1), rows.of(2), rows.of(3)), (Some(1), None, Some(1)));
        let parked = next.writes.parked();
        assert_eq!((parked.len(), parked[0].sequence), (1, damaged), "start {start}");
        assert_eq!(parked[0].reason, "the record is damaged");
        assert_eq!(next.told.count("WriteParked"), usize::from(start == 0));
        assert_eq!(next.writes.retry_parked().await.expect("the journal works"), 0);
    }
}

#[tokio::test]
async fn a_record_of_another_type_is_parked_and_not_misread() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    {
        let (_clock, larder) = node();
        let texts = larder.cache::<u64, String>("numbers").build().expect("a cache");
        let builder = WriteBehind::builder(&texts, notebook.journal());
        let writes = builder.open(|_| async { Ok(()) }).await.expect("a journal");
        writes.put(&7, "1".to_owned()).await.expect("acknowledged");
    }
    let next = Process::over(&rows, &notebook).await;
    let reading = next.cache.get_or_load(&7, rows.load(7));
    assert_eq!(value(Some(reading.await.expect("an answer"))), None);
    next.pass(2).await;
    let parked = next.writes.parked();
    assert_eq!((rows.of(7), parked.len()), (None, 1));
    assert_eq!(parked[0].reason, "the key or the value cannot be read back");
}

#[tokio::test]
async fn closing_while_the_source_is_away_says_what_is_left() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    rows.is(Away::Hangs);
    process.put(7, 1).await.expect("acknowledged");
    let closing = process.writes.close(millis(500));
    let drained = within(&process.clock, seconds(1), closing).await;
    assert_eq!((drained.left, drained.parked), (1, 0));
    assert_eq!(notebook.sequences().len(), 1);
}

#[tokio::test]
async fn any_mix_of_writes_faults_and_restarts_ends_with_the_last_acknowledged_values() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let mut last = [None; 5];
    let mut dice = SEED;
    let mut throw = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for round in 0..30 {
        let process = Process::with(&rows, &notebook, |builder| builder.batch_max(2)).await;
        for number in 0..20 {
            rows.is(if throw(3) == 0 { Away::Fails } else { Away::No });
            notebook.fails(throw(5) == 0);
            let (key, number) = (throw(5), round * 100 + number);
            if process.put(key, number).await.is_ok() {
                last[key as usize] = Some(number);
            }
            pass(&process.clock, millis(throw(4) * 400)).await;
        }
        notebook.fails(false);
    }
    rows.is(Away::No);
    Process::over(&rows, &notebook).await.pass(30).await;
    let found: Vec<_> = (0..5).map(|key| rows.of(key)).collect();
    assert_eq!(found, last, "seed {SEED:#x}");
}

#[tokio::test]
async fn a_process_that_has_lost_its_journal_neither_flushes_nor_shows_what_was_in_it() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::over(&rows, &notebook).await;
    rows.is(Away::Fails);
    process.put(6, 1).await.expect("acknowledged");
    process.pass(2).await;
    process.put(7, 1).await.expect("acknowledged");
    notebook.is_taken();
    rows.is(Away::No);
    rows.set(7, 2);
    process.pass(30).await;
    assert_eq!((rows.of(6), rows.of(7)), (None, Some(2)), "it wrote over what another process did");
    drop(process.cache.invalidate(&7).await);
    let read = process.cache.get_or_load(&7, rows.load(7)).await.expect("an answer");
    assert_eq!(value(Some(read)), Some(2), "readers get what another process has to say");
    let refused = process.put(8, 1).await.expect_err("it is another's");
    assert!(matches!(refused, WriteError::Journal(JournalError::Lost { .. })), "{refused}");
    let drained = process.writes.close(seconds(1)).await;
    assert_eq!((drained.left, drained.untold, drained.parked), (0, 0, 0));
}

/// Four writes for a source that rejects every batch, and meets the journal with `fate` at the first.
/// How often the source was asked, and the process.
async fn rejecting(notebook: &Notebook, fate: fn(&Notebook)) -> (Arc<AtomicUsize>, Process) {
    let offers = Arc::new(AtomicUsize::new(0));
    let (fated, counted) = (notebook.clone(), Arc::clone(&offers));
    let sink = move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            fate(&fated);
        }
        async { Err(SinkError::rejected("not one of these")) }
    };
    let process = Process::of(sink, notebook, |builder| builder.tries_max(2)).await;
    for key in 1..=4 {
        process.put(key, 1).await.expect("acknowledged");
    }
    process.pass(30).await;
    (offers, process)
}

#[tokio::test]
async fn a_process_that_loses_its_journal_between_two_parts_of_a_batch_offers_nothing_more() {
    let notebook = Notebook::default();
    let (offers, process) = rejecting(&notebook, Notebook::is_taken).await;
    assert_eq!(offers.load(Ordering::SeqCst), 1, "another process has what is left");
    assert_eq!((process.writes.stats().pending, process.writes.parked().len()), (0, 0));
    assert_eq!(notebook.sequences().len(), 4);
}

#[tokio::test]
async fn parts_of_a_batch_wait_while_nobody_knows_whose_the_journal_is() {
    let notebook = Notebook::default();
    let (offers, process) = rejecting(&notebook, |notebook| notebook.fails(true)).await;
    assert_eq!((offers.load(Ordering::SeqCst), process.writes.stats().pending), (1, 4));
    notebook.fails(false);
    process.pass(15).await;
    // Four, two, one, one, two, one, one: halves of halves.
    assert_eq!((offers.load(Ordering::SeqCst), process.writes.parked().len()), (1 + 7, 4));
}

#[tokio::test]
async fn while_nobody_knows_whose_the_journal_is_the_source_gets_nothing() {
    let (rows, notebook) = (Rows::default(), Notebook::default());
    let process = Process::with(&rows, &notebook, |builder| builder.tries_max(2)).await;
    process.put(7, 1).await.expect("acknowledged");
    notebook.fails(true);
    process.pass(30).await;
    assert_eq!((rows.of(7), process.writes.stats().pending), (None, 1));
    notebook.fails(false);
    process.pass(15).await;
    assert_eq!((rows.of(7), process.writes.parked().len()), (Some(1), 0), "no try was counted");
}
