//! Whose a journal is: who waits for it, who is refused, who has lost it.

use std::time::Duration;

use larder::behind::{Journal, JournalError};
use larder_redis::journal::RedisJournal;
use larder_rig::{Fault, Proxy, Stopwatch};

use crate::support::{
    CACHE, LEASE_TTL, append, ask, durable, of, opened, opened_for_long, options, pause, record,
    renewed, sequences, with,
};

fn is_lost<T>(answer: Result<T, JournalError>) -> bool {
    matches!(answer, Err(JournalError::Lost { to }) if to == "the second has taken it")
}

async fn second(port: u16) -> (RedisJournal, u64) {
    let journal = of(port, "the second");
    let last = Journal::open(&journal, CACHE).await.expect("the first is gone");
    (journal, last)
}

#[tokio::test]
async fn one_that_lives_renews_its_lease_and_keeps_it() {
    let server = durable();
    let (first, last) = opened_for_long(server.port()).await;
    append(&first, last + 1).await.expect("there is room");
    renewed(&server).await;
    let rival = of(server.port(), "the second");
    let refused = Journal::open(&rival, CACHE).await.expect_err("the first has it");
    assert_eq!(refused.to_string(), "the journal is in use: the first has it");
    append(&first, last + 2).await.expect("it has the journal");
}

#[tokio::test]
async fn one_that_died_is_waited_for() {
    let server = durable();
    let (first, last) = opened(server.port()).await;
    append(&first, last + 1).await.expect("there is room");
    drop(first);
    let (second, last) = second(server.port()).await;
    assert_eq!(sequences(&second).await, [last]);
}

#[tokio::test]
async fn one_that_lets_go_is_not_waited_for() {
    let server = durable();
    let mut patient = options(server.port());
    patient.redis.lease_ttl = Duration::from_secs(60);
    let first = with(patient);
    let last = Journal::open(&first, CACHE).await.expect("nobody has it");
    append(&first, last + 1).await.expect("there is room");
    first.close().await.expect("it was ours");
    append(&first, last + 2).await.expect_err("it was closed");
    let waited = Stopwatch::started();
    let (second, last) = second(server.port()).await;
    assert!(waited.elapsed() < Duration::from_secs(10), "{:?}", waited.elapsed());
    assert_eq!(sequences(&second).await, [last]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_could_not_let_go_can_try_again() {
    const OTHERS: &str = "others";
    let server = durable();
    let proxy = Proxy::before(server.port()).await;
    let mut patient = options(proxy.port());
    patient.redis.lease_ttl = Duration::from_secs(600);
    patient.redis.command_timeout = Duration::from_secs(2);
    let first = with(patient);
    for cache in [CACHE, OTHERS] {
        Journal::open(&first, cache).await.expect("nobody has it");
    }
    proxy.inflict(Fault::BlackHole);
    first.close().await.expect_err("the server does not answer");
    proxy.inflict(Fault::None);
    first.close().await.expect("the server answers");
    let rival = of(server.port(), "the second");
    for cache in [CACHE, OTHERS] {
        Journal::open(&rival, cache).await.expect("the first has let go of both");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_stood_still_while_another_took_over_can_do_nothing_more() {
    let server = durable();
    let proxy = Proxy::before(server.port()).await;
    let (first, last) = opened(proxy.port()).await;
    append(&first, last + 1).await.expect("there is room");
    proxy.inflict(Fault::BlackHole);
    let (second, from) = second(server.port()).await;
    assert_eq!((from, sequences(&second).await), (last + 1, vec![last + 1]));
    proxy.inflict(Fault::None);
    assert!(is_lost(append(&first, last + 2).await));
    assert!(is_lost(first.forget(CACHE, &[last + 1]).await));
    assert!(is_lost(first.park(CACHE, last + 1, Some("no")).await));
    assert!(is_lost(first.read(CACHE, 0, 10).await));
    assert!(is_lost(first.hold(CACHE).await));
    append(&second, last + 2).await.expect("it has the journal");
    let read = second.read(CACHE, 0, 10).await.expect("it can be read");
    let read: Vec<_> = read.iter().map(|one| (one.sequence, one.parked.is_some())).collect();
    assert_eq!(read, [(last + 1, false), (last + 2, false)]);
    // Nor does letting go of what it has not take it from the second.
    first.close().await.expect("there is nothing to let go of");
    append(&second, last + 3).await.expect("it has the journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ended_while_nobody_came_changes_nothing() {
    let server = durable();
    let proxy = Proxy::before(server.port()).await;
    let (first, last) = opened(proxy.port()).await;
    proxy.inflict(Fault::BlackHole);
    pause(LEASE_TTL * 2).await;
    proxy.inflict(Fault::None);
    first.hold(CACHE).await.expect("nobody came");
    append(&first, last + 1).await.expect("nobody came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_lease_has_ended_is_not_sure_of_it_before_it_has_asked() {
    let server = durable();
    let proxy = Proxy::before(server.port()).await;
    let lease_ttl = Duration::from_secs(2);
    let mut hasty = options(proxy.port());
    (hasty.redis.lease_ttl, hasty.redis.command_timeout) = (lease_ttl, lease_ttl);
    let first = with(hasty);
    Journal::open(&first, CACHE).await.expect("nobody has it");
    first.hold(CACHE).await.expect("it has just asked");
    proxy.inflict(Fault::BlackHole);
    pause(lease_ttl).await;
    first.hold(CACHE).await.expect_err("it cannot know");
}

#[tokio::test]
async fn a_server_that_has_lost_everything_is_told_of_and_what_is_left_may_be_flushed() {
    let server = durable();
    let (first, last) = opened(server.port()).await;
    append(&first, last + 1).await.expect("there is room");
    ask::<()>(&server, &["FLUSHALL"]);
    let refused = append(&first, last + 2).await.expect_err("there is no journal");
    assert!(refused.to_string().contains("the server has lost it"), "{refused}");
    pause(LEASE_TTL).await;
    first.hold(CACHE).await.expect("what memory has is all that there is");
    first.forget(CACHE, &[last + 1]).await.expect("it is not there");
    let (second, from) = second(server.port()).await;
    assert!(from > last, "sequences go on growing");
    assert!(sequences(&second).await.is_empty());
    second.append(CACHE, &[record(from + 1)]).await.expect("there is room");
}
