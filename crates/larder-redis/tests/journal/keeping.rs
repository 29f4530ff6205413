//! What the stream keeps, whatever becomes of answers, memory and what others write into it.

use std::sync::Arc;
use std::time::Duration;

use larder::behind::{Journal, JournalError, JournalRecord, WriteBehind};
use larder::conformance::journals::{JournalStage, journal};
use larder::{Cache, Larder};
use larder_redis::journal::RedisJournal;
use larder_rig::{Fault, Proxy, RedisServer};

use crate::support::{
    CACHE, HELD, PATIENCE, append, ask, durable, of, opened, opened_for_long, options, pause, record,
    renewed, sequences, with,
};

const RECORDS: &str = "{shop.journal}:records:numbers";

/// A server for each journal that nobody used before.
struct Servers(RedisServer);

impl JournalStage for Servers {
    async fn fresh(&mut self) -> Arc<dyn Journal> {
        self.next_process().await
    }

    async fn next_process(&mut self) -> Arc<dyn Journal> {
        Arc::new(with(options(self.0.port())))
    }
}

#[tokio::test]
async fn the_suite_of_journals_passes() {
    journal(&mut Servers(durable())).await;
}

#[tokio::test]
async fn an_append_that_is_sent_again_is_kept_once_and_never_comes_back() {
    let server = durable();
    let (journal, last) = opened(server.port()).await;
    let both = [record(last + 1), record(last + 2)];
    journal.append(CACHE, &both).await.expect("there is room");
    journal.append(CACHE, &both).await.expect("it is there as it was");
    assert_eq!(sequences(&journal).await, [last + 1, last + 2]);
    let other = JournalRecord { sequence: last + 2, bytes: vec![1] };
    let refused = journal.append(CACHE, &[other]).await.expect_err("another record is there");
    assert!(refused.to_string().contains("does not follow"), "{refused}");
    journal.forget(CACHE, &[last + 2]).await.expect("it is there");
    journal.append(CACHE, &both).await.expect_err("it was forgotten");
    assert_eq!(sequences(&journal).await, [last + 1]);
}

#[tokio::test]
async fn an_append_of_nothing_new_renews_the_lease_that_its_caller_is_sure_of() {
    let server = durable();
    let mut patient = options(server.port());
    // Nobody else renews it in the time of a test.
    patient.redis.lease_ttl = Duration::from_secs(600);
    let journal = with(patient);
    let last = Journal::open(&journal, CACHE).await.expect("nobody has it");
    append(&journal, last + 1).await.expect("there is room");
    for maxmemory in ["0", "1"] {
        for repeated in [&[][..], &[record(last + 1)]] {
            ask::<()>(&server, &["CONFIG", "SET", "maxmemory", "0"]);
            ask::<u64>(&server, &["HSET", HELD, "u", "0"]);
            ask::<()>(&server, &["CONFIG", "SET", "maxmemory", maxmemory]);
            journal.append(CACHE, repeated).await.expect("it takes no room");
            assert!(ask::<u64>(&server, &["HGET", HELD, "u"]) > 0, "{repeated:?}, {maxmemory}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_was_lost_is_acknowledged_and_kept_once() {
    let server = durable();
    let proxy = Proxy::before(server.port()).await;
    let (journal, last) = opened(proxy.port()).await;
    // From here on the server knows the script: a first call asks twice.
    append(&journal, last + 1).await.expect("there is room");
    proxy.inflict(Fault::NoAnswers);
    let lost = async {
        while ask::<u64>(&server, &["XLEN", RECORDS]) < 2 {
            pause(Duration::from_millis(2)).await;
        }
        proxy.inflict(Fault::Cut);
        proxy.inflict(Fault::None);
    };
    let both = async { tokio::join!(append(&journal, last + 2), lost) };
    let (appended, ()) = tokio::time::timeout(PATIENCE, both).await.expect("the server has it");
    appended.expect("it was sent again");
    append(&journal, last + 3).await.expect("there is room");
    assert_eq!(sequences(&journal).await, [last + 1, last + 2, last + 3]);
}

#[tokio::test]
async fn a_full_server_acknowledges_nothing_but_forgets_and_stays_ours() {
    let server = durable();
    let (journal, last) = opened_for_long(server.port()).await;
    append(&journal, last + 1).await.expect("there is room");
    ask::<()>(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    let refused = append(&journal, last + 2).await.expect_err("it is full");
    assert!(matches!(refused, JournalError::NoRoom { .. }), "{refused}");
    journal.forget(CACHE, &[last + 1]).await.expect("a full server forgets");
    renewed(&server).await;
    let rival = of(server.port(), "a rival");
    Journal::open(&rival, CACHE).await.expect_err("its lease is renewed");
    ask::<()>(&server, &["CONFIG", "SET", "maxmemory", "0"]);
    append(&journal, last + 2).await.expect("there is room again");
    assert_eq!(sequences(&journal).await, [last + 2]);
}

#[tokio::test]
async fn a_page_of_large_records_ends_before_it_is_too_large_and_none_is_left_out() {
    let server = durable();
    let (journal, last) = opened(server.port()).await;
    for sequence in last + 1..=last + 40 {
        let bytes = vec![7; 300_000];
        journal.append(CACHE, &[JournalRecord { sequence, bytes }]).await.expect("there is room");
    }
    let page = journal.read(CACHE, 0, 1_000).await.expect("it can be read");
    assert!((1..40).contains(&page.len()), "{} records of 300 kB", page.len());
    let rest = journal.read(CACHE, page.last().expect("one").sequence, 1_000).await;
    let rest = rest.expect("it can be read");
    assert_eq!(rest.first().map(|record| record.sequence), Some(last + 1 + page.len() as u64));
}

fn numbers(larder: &Larder) -> Cache<u64, u64> {
    larder.cache(CACHE).build().expect("a cache")
}

async fn write_behind(journal: RedisJournal) -> WriteBehind<u64, u64> {
    let larder = Larder::new("shop").expect("valid settings");
    let builder = WriteBehind::builder(&numbers(&larder), Arc::new(journal));
    let builder = builder.flush_after(Duration::from_secs(3_600));
    builder.open(|_| async { Ok(()) }).await.expect("the journal is read")
}

#[tokio::test]
async fn what_is_damaged_or_no_record_is_parked_and_the_rest_is_read() {
    let server = durable();
    let (journal, last) = opened(server.port()).await;
    journal.close().await.expect("it was ours");
    let written = {
        let writes = write_behind(of(server.port(), "the second")).await;
        writes.put(&7, 1).await.expect("acknowledged")
    };
    assert!(written > last);
    let ids = [written + 10, written + 11].map(|sequence| format!("{sequence}-0"));
    ask::<()>(&server, &["XADD", RECORDS, &ids[0], "r", "no record"]);
    ask::<()>(&server, &["XADD", RECORDS, &ids[1], "two", "fields", "of", "another"]);
    let writes = write_behind(of(server.port(), "the third")).await;
    let parked: Vec<_> = writes.parked().iter().map(|parked| parked.sequence).collect();
    assert_eq!(parked, [written + 10, written + 11]);
    assert_eq!((writes.stats().replayed, writes.stats().pending), (1, 1));
    assert!(writes.put(&8, 1).await.expect("acknowledged") > written + 11);
    assert!(writes.discard_parked(written + 11).await, "it can be given up");
}

#[tokio::test]
async fn what_cannot_be_a_journal_is_named_and_left_as_it_is() {
    let server = durable();
    let open = async || {
        let journal = of(server.port(), "somebody");
        let opened = Journal::open(&journal, CACHE).await.map(drop);
        let read = async { journal.read(CACHE, 0, 10).await.map(drop) };
        let told = match opened {
            Ok(()) => read.await,
            refused => refused,
        };
        told.expect_err("it is none").to_string()
    };
    ask::<()>(&server, &["XADD", RECORDS, "5-3", "r", "bytes"]);
    assert!(open().await.contains("entry 5-3"), "{}", open().await);
    ask::<()>(&server, &["XADD", RECORDS, "18446744073709551615-0", "r", "bytes"]);
    assert!(open().await.contains("entry 18446744073709551615-0"), "{}", open().await);
    assert_eq!(ask::<u64>(&server, &["XLEN", RECORDS]), 2);
    ask::<()>(&server, &["SET", RECORDS, "text"]);
    assert!(open().await.contains("WRONGTYPE"), "{}", open().await);
    ask::<()>(&server, &["DEL", RECORDS, HELD]);
    ask::<()>(&server, &["SET", HELD, "text"]);
    assert!(open().await.contains("WRONGTYPE"), "{}", open().await);
}
