//! Which servers may keep a journal, and what becomes of it when they restart or move.

use std::collections::BTreeSet;
use std::time::Duration;

use larder::behind::Journal;
use larder_redis::journal::{Durability, JournalOptions};
use larder_redis::{Address, Credentials, RedisOptions, Topology};
use larder_rig::{RedisCluster, RedisServer};

use crate::support::{
    CACHE, PATIENCE, append, ask, durable, opened, options, record, sequences, with,
};

/// What is said of such a server, or `None` where it is taken.
async fn refusal(options: JournalOptions) -> Option<String> {
    let journal = with(options);
    let refused = Journal::open(&journal, CACHE).await.err();
    journal.close().await.expect("the server answers");
    refused.map(|refused| refused.to_string())
}

async fn check(server: &RedisServer, durability: Durability, says: Option<&str>) {
    let refused = refusal(JournalOptions { durability, ..options(server.port()) }).await;
    let fits = refused.as_ref().zip(says).is_some_and(|(refused, says)| refused.contains(says));
    assert!(fits || (refused.is_none() && says.is_none()), "{durability:?}: {refused:?}");
}

#[tokio::test]
async fn a_server_that_could_lose_what_it_confirms_is_refused_with_what_to_set() {
    let server = RedisServer::start();
    check(&server, Durability::Always, Some("set `appendonly yes`")).await;
    check(&server, Durability::Memory, None).await;
    ask::<()>(&server, &["CONFIG", "SET", "appendonly", "yes"]);
    check(&server, Durability::Always, Some("set `appendfsync always`")).await;
    check(&server, Durability::EverySecond, None).await;
    ask::<()>(&server, &["CONFIG", "SET", "appendfsync", "always"]);
    check(&server, Durability::Always, None).await;
    ask::<()>(&server, &["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"]);
    check(&server, Durability::Always, Some("set `no-appendfsync-on-rewrite no`")).await;
    ask::<()>(&server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    check(&server, Durability::Memory, Some("set `maxmemory-policy noeviction`")).await;
}

#[tokio::test]
async fn a_server_is_looked_at_again_on_each_connection() {
    let server = durable();
    let (journal, last) = opened(server.port()).await;
    append(&journal, last + 1).await.expect("there is room");
    ask::<()>(&server, &["CONFIG", "SET", "appendfsync", "everysec"]);
    ask::<u64>(&server, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let refused = append(&journal, last + 2).await.expect_err("it changed its mind");
    assert!(refused.to_string().contains("appendfsync"), "{refused}");
}

/// A user who may touch the keys of the namespace, and nothing dangerous but these.
fn limited(server: &RedisServer, rights: &[&str]) -> JournalOptions {
    let who =
        ["ACL", "SETUSER", "node", "reset", "on", ">s3cret", "~{shop.*", "+@all", "-@dangerous"];
    ask::<()>(server, &[&who, rights].concat());
    let mut options = options(server.port());
    options.redis.credentials =
        Credentials { username: Some("node".into()), password: Some("s3cret".into()) };
    options
}

#[tokio::test]
async fn a_user_of_the_namespace_who_may_see_what_the_server_does_is_enough() {
    let server = durable();
    assert_eq!(refusal(limited(&server, &["+info", "+config|get"])).await, None);
    let blind = refusal(limited(&server, &["+info"])).await.expect("refused");
    assert!(blind.contains("`+config|get`"), "{blind}");
    let weaker =
        JournalOptions { durability: Durability::EverySecond, ..limited(&server, &["+info"]) };
    assert_eq!(refusal(weaker).await, None);
    let deaf = refusal(limited(&server, &[])).await.expect("refused");
    assert!(deaf.contains("+info"), "{deaf}");
}

/// What the user of these options lacks.
async fn missing(options: JournalOptions) -> BTreeSet<String> {
    let missing = with(options).missing_rights().await.expect("the server answers");
    missing.into_iter().map(|missing| missing.rule).collect()
}

#[tokio::test]
async fn the_rights_that_are_named_as_missing_are_all_that_a_journal_needs() {
    let server = durable();
    let nothing = ["-@all"];
    let named = missing(limited(&server, &nothing)).await;
    assert!(named.len() > 12 && named.contains("+config|get"), "{named:?}");
    let weaker = |rights: &[&str]| JournalOptions {
        durability: Durability::EverySecond,
        ..limited(&server, rights)
    };
    let fewer = missing(weaker(&nothing)).await;
    assert_eq!(named.difference(&fewer).collect::<Vec<_>>(), ["+config|get"]);
    let rules: Vec<&str> = nothing.into_iter().chain(named.iter().map(String::as_str)).collect();
    let options = limited(&server, &rules);
    assert_eq!(missing(options.clone()).await, BTreeSet::new());
    let journal = with(options);
    let last = Journal::open(&journal, CACHE).await.expect("it may");
    append(&journal, last + 1).await.expect("it may");
    journal.park(CACHE, last + 1, Some("refused")).await.expect("it may");
    assert_eq!(sequences(&journal).await, [last + 1]);
    journal.park(CACHE, last + 1, None).await.expect("it may");
    journal.forget(CACHE, &[last + 1]).await.expect("it may");
    journal.hold(CACHE).await.expect("it may");
    journal.close().await.expect("it may");
    let reopened = Journal::open(&journal, CACHE).await;
    assert_eq!(reopened.expect("it may look at the stream that is there"), last + 1);
}

#[tokio::test]
async fn each_right_that_a_journal_lacks_is_named_and_no_other() {
    let server = durable();
    let enough = ["+info", "+config|get"];
    for right in ["xadd", "xrange", "xdel", "xinfo|stream", "hget", "hdel", "exists", "eval"] {
        // Before version 7 a command can be taken away as a whole only.
        let command = right.split('|').next().unwrap_or(right);
        let options = limited(&server, &[&enough[..], &[&format!("-{command}")]].concat());
        assert_eq!(missing(options).await, BTreeSet::from([format!("+{right}")]));
    }
    let strange = limited(&server, &[&enough[..], &["resetkeys", "~{shop.1.*"]].concat());
    assert_eq!(missing(strange).await, BTreeSet::from(["~{shop.*".to_owned()]));
}

#[tokio::test]
async fn asking_for_the_rights_of_a_journal_changes_nothing() {
    let server = durable();
    missing(options(server.port())).await;
    assert_eq!(ask::<u64>(&server, &["DBSIZE"]), 0);
    // Also where there is a journal of the very cache that is asked with.
    let journal = with(options(server.port()));
    let last = Journal::open(&journal, "rights").await.expect("nobody has it");
    journal.append("rights", &[record(last + 1)]).await.expect("there is room");
    missing(options(server.port())).await;
    let kept = journal.read("rights", 0, 10).await.expect("it is there still");
    assert_eq!(kept.iter().map(|kept| kept.sequence).collect::<Vec<_>>(), [last + 1]);
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_for_rights_says_why_in_time() {
    let server = durable();
    let mut options = options(server.port());
    options.redis.command_timeout = Duration::from_millis(300);
    options.redis.credentials =
        Credentials { username: Some("nobody".into()), password: Some("wrong".into()) };
    let journal = with(options);
    let asked = tokio::time::timeout(PATIENCE, journal.missing_rights()).await.expect("in time");
    let refused = asked.expect_err("it is not let in").to_string();
    assert!(refused.contains("WRONGPASS"), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted_goes_on_with_what_it_confirmed() {
    let mut server = durable();
    let (journal, last) = opened(server.port()).await;
    for sequence in last + 1..=last + 5 {
        append(&journal, sequence).await.expect("there is room");
        server.kill();
        server.run();
    }
    append(&journal, last + 6).await.expect("it is the same journal");
    assert_eq!(sequences(&journal).await, (last + 1..=last + 6).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cluster_keeps_all_journals_of_a_namespace_in_one_slot() {
    let cluster = RedisCluster::start(3);
    let seeds = cluster.ports().into_iter().map(|port| Address::Tcp("127.0.0.1".into(), port));
    let redis = RedisOptions::new(Topology::Cluster(seeds.collect()));
    // Its servers have no file.
    let durability = Durability::Memory;
    let journal = with(JournalOptions { durability, ..JournalOptions::new(redis) });
    let last = Journal::open(&journal, CACHE).await.expect("nobody has it");
    Journal::open(&journal, "others").await.expect("nobody has it");
    append(&journal, last + 1).await.expect("there is room");
    let slot = cluster.slot_of("{shop.journal}");
    let keeper = cluster.keeper(slot);
    cluster.migrate(slot, (keeper + 1) % 3, || {});
    append(&journal, last + 2).await.expect("it is found again");
    assert_eq!(sequences(&journal).await, [last + 1, last + 2]);
}
