//! Several processes that write behind one cache: each has a journal of its own, and none is left behind.

use std::time::Duration;

use larder::behind::{Journal, JournalError};
use larder_redis::journal::{JournalOptions, RedisJournal};
use larder_rig::{RedisServer, Stopwatch};

use crate::support::{CACHE, HELD, LONG_LEASE_TTL, append, ask, durable, options, sequences, with};

/// A journal of one of up to three processes.
fn one_of_three(server: &RedisServer, holder: &str, lease_ttl: Duration) -> RedisJournal {
    let holder = holder.to_owned();
    let mut options = JournalOptions { holder, processes_max: 3, ..options(server.port()) };
    options.redis.lease_ttl = lease_ttl;
    with(options)
}

async fn opened(server: &RedisServer, holder: &str) -> (RedisJournal, u64) {
    let journal = one_of_three(server, holder, LONG_LEASE_TTL);
    let last = Journal::open(&journal, CACHE).await.expect("there is one for each");
    (journal, last)
}

/// Who has the journal of this number.
fn holder(server: &RedisServer, number: u32) -> Option<String> {
    let key =
        if number == 1 { HELD.to_owned() } else { format!("{{shop.journal}}:held-{number}:{CACHE}") };
    ask(server, &["HGET", &key, "n"])
}

#[tokio::test]
async fn each_process_has_a_journal_of_its_own_until_there_is_none_left() {
    let server = durable();
    let mut journals = Vec::new();
    for name in ["the first", "the second", "the third"] {
        let waited = Stopwatch::started();
        let (journal, last) = opened(&server, name).await;
        // Those that live are told by their renewals.
        assert!(waited.elapsed() < LONG_LEASE_TTL, "{:?}", waited.elapsed());
        append(&journal, last + 1).await.expect("there is room");
        journals.push((journal, last));
    }
    for (journal, last) in &journals {
        assert_eq!(sequences(journal).await, [last + 1]);
        journal.hold(CACHE).await.expect("nobody has taken it");
    }
    // With a shorter lease it does not wait for long.
    let fourth = one_of_three(&server, "the fourth", Duration::from_millis(100));
    let refused = Journal::open(&fourth, CACHE).await.expect_err("there are three");
    assert!(matches!(refused, JournalError::InUse { .. }), "{refused}");
}

#[tokio::test]
async fn what_a_process_has_left_is_taken_before_what_is_free() {
    let server = durable();
    let (first, _) = opened(&server, "the first").await;
    let (second, last) = opened(&server, "the second").await;
    append(&second, last + 1).await.expect("there is room");
    for journal in [&first, &second] {
        journal.close().await.expect("it was its own");
    }
    let (third, from) = opened(&server, "the third").await;
    assert_eq!((from, sequences(&third).await), (last + 1, vec![last + 1]));
    assert_eq!((holder(&server, 1), holder(&server, 2).as_deref()), (None, Some("the third")));
}

#[tokio::test]
async fn one_that_died_just_now_is_waited_for_and_one_that_lives_is_not_taken_for_it() {
    let server = durable();
    let (first, at) = opened(&server, "the first").await;
    append(&first, at + 1).await.expect("there is room");
    let (second, last) = opened(&server, "the second").await;
    append(&second, last + 1).await.expect("there is room");
    drop(second);
    let waited = Stopwatch::started();
    let (third, from) = opened(&server, "the third").await;
    println!("taken over after {:?}", waited.elapsed());
    assert_eq!((from, sequences(&third).await), (last + 1, vec![last + 1]));
    append(&first, at + 2).await.expect("it has its journal");
    assert_eq!(holder(&server, 1).as_deref(), Some("the first"));
}

#[tokio::test]
async fn an_empty_journal_of_one_that_died_keeps_nobody_waiting() {
    let server = durable();
    let (first, _) = opened(&server, "the first").await;
    drop(first);
    let waited = Stopwatch::started();
    let (_second, _) = opened(&server, "the second").await;
    assert!(waited.elapsed() < LONG_LEASE_TTL, "{:?}", waited.elapsed());
    assert_eq!(holder(&server, 2).as_deref(), Some("the second"));
}

#[tokio::test]
async fn a_server_is_looked_at_without_taking_a_journal() {
    let server = durable();
    let asked = one_of_three(&server, "nobody", LONG_LEASE_TTL);
    asked.check_server().await.expect("it keeps what it confirms");
    let (first, last) = opened(&server, "the first").await;
    append(&first, last + 1).await.expect("there is room");
    asked.check_server().await.expect("it keeps what it confirms");
    assert_eq!(holder(&server, 1).as_deref(), Some("the first"));
    ask::<()>(&server, &["CONFIG", "SET", "appendfsync", "everysec"]);
    let anew = one_of_three(&server, "nobody", LONG_LEASE_TTL);
    let refused = anew.check_server().await.expect_err("it could lose what it confirms");
    assert!(refused.to_string().contains("appendfsync always"), "{refused}");
}
