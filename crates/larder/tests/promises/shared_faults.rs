//! Nodes that share one tier which is cut off, comes back, or forgets.

use larder::{Origin, Outcome};

use crate::support::{
    Fleet, Site, Source, Told, kept, millis, numbers, pass, seconds, settle, value, within,
};

#[tokio::test]
async fn reads_are_answered_while_the_shared_tier_is_gone() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let site = Site::of(&fleet).await;
    site.read(7, &source).await;
    site.cut_off().await;
    assert_eq!(site.read(7, &source).await, (2, Origin::Loaded));
    assert_eq!(site.read(8, &source).await, (3, Origin::Loaded));
    assert!(site.larder.ping().await.is_err());
}

#[tokio::test]
async fn a_node_that_was_never_connected_answers_reads() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (larder, cable) = fleet.node();
    cable.cut();
    let cache = numbers(&larder).build().expect("a cache");
    let reading = cache.get_or_load(&7, source.load());
    assert_eq!(*within(&fleet.clock, seconds(2), reading).await.expect("loaded"), 1);
}

#[tokio::test]
async fn a_node_that_comes_back_trusts_its_log_again() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let site = Site::of(&fleet).await;
    site.cut_off().await;
    site.read(7, &source).await;
    site.cable.mend();
    pass(&fleet.clock, seconds(1)).await;
    let (number, _) = site.read(7, &source).await;
    pass(&fleet.clock, seconds(5)).await;
    assert_eq!(site.read(7, &source).await, (number, Origin::Memory));
}

#[tokio::test]
async fn a_node_that_is_cut_off_serves_what_it_loaded_itself_just_now_and_nothing_older() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let site = Site::of(&fleet).await;
    site.cut_off().await;
    assert_eq!(site.read(7, &source).await, (1, Origin::Loaded));
    fleet.clock.pass(millis(500));
    assert_eq!(site.read(7, &source).await, (1, Origin::Memory));
    fleet.clock.pass(millis(510));
    assert_eq!(site.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_node_that_is_cut_off_serves_no_copy_longer_than_the_staleness_bound() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    assert_eq!(b.read(7, &source).await.1, Origin::Shared);
    b.cable.cut();
    b.cable.deafen();
    assert!(a.cache.invalidate(&7).await.position().is_some());
    fleet.clock.pass(seconds(1));
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_node_may_be_told_to_serve_its_memory_marked_stale_while_it_is_cut_off() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (larder, cable) = fleet.node_with(|builder| builder.serve_stale_when_partitioned(true));
    let cache = numbers(&larder).build().expect("a cache");
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    cable.cut();
    pass(&fleet.clock, seconds(5)).await;
    let reading = cache.get_or_load(&7, source.load());
    let hit = within(&fleet.clock, seconds(2), reading).await.expect("an answer");
    assert_eq!((*hit, hit.is_stale(), hit.origin()), (1, true, Origin::Memory));
}

#[tokio::test]
async fn an_invalidation_while_cut_off_holds_here_at_once_and_everywhere_when_it_arrives() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    a.cable.cut();
    let invalidated = within(&fleet.clock, seconds(1), a.cache.invalidate(&7)).await;
    let Outcome::Local(ticket) = invalidated.outcome().clone() else { panic!("it was cut off") };
    assert_eq!((kept(&a.cache, 7), kept(&b.cache, 7)), (None, Some(1)));
    assert!(a.larder.stats().backlog > 0 && ticket.position().is_none());
    a.cable.mend();
    pass(&fleet.clock, seconds(1)).await;
    assert!(ticket.position().is_some());
    assert_eq!((kept(&b.cache, 7), a.larder.stats().backlog), (None, 0));
    assert_eq!(value(b.cache.get(&7).await), None, "the shared tier still had it");
}

#[tokio::test]
async fn invalidations_while_cut_off_arrive_though_their_futures_were_dropped() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    a.cable.cut();
    {
        let mut dropped = Box::pin(a.cache.invalidate(&7));
        drop(futures_util::poll!(&mut dropped));
    }
    assert_eq!(kept(&a.cache, 7), None);
    a.cable.mend();
    pass(&fleet.clock, seconds(1)).await;
    assert_eq!(kept(&b.cache, 7), None);
}

#[tokio::test]
async fn what_is_pending_is_sent_before_a_node_closes() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    b.read(7, &source).await;
    a.cable.cut();
    let invalidated = within(&fleet.clock, seconds(1), a.cache.invalidate(&7)).await;
    assert!(invalidated.position().is_none());
    a.cable.mend();
    within(&fleet.clock, seconds(1), a.larder.close()).await;
    settle().await;
    assert_eq!(kept(&b.cache, 7), None);
}

#[tokio::test]
async fn a_closed_node_still_answers_reads_from_its_source() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let site = Site::of(&fleet).await;
    site.read(7, &source).await;
    site.larder.close().await;
    fleet.clock.pass(seconds(2));
    assert_eq!(site.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_set_while_cut_off_fails_nobody_and_says_that_nothing_is_stored() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    b.read(7, &source).await;
    a.cable.cut();
    let outcome = within(&fleet.clock, seconds(2), a.cache.set(&7, 70)).await;
    assert!(!outcome.stored && outcome.invalidated.position().is_none());
    a.cable.mend();
    pass(&fleet.clock, seconds(1)).await;
    assert_eq!(kept(&b.cache, 7), None, "the old value outlived the write");
}

#[tokio::test]
async fn a_holder_that_vanished_keeps_the_others_waiting_for_its_lease_and_no_longer() {
    let fleet = Fleet::new();
    let patient = |builder: larder::LarderBuilder| builder.lease_wait_max(seconds(60));
    let ((a, cable), (b, _)) = (fleet.node_with(patient), fleet.node_with(patient));
    let [on_a, on_b] =
        [&a, &b].map(|node| numbers(node).hard_timeout(seconds(60)).build().expect("a cache"));
    let source = Source::default();
    let hanging = source.waits();
    let vanished = async { on_a.get_or_load(&7, source.load()).await.map(|hit| *hit) };
    let waiting = async {
        hanging.begun().await;
        cable.cut();
        let reading = on_b.get_or_load(&7, source.load());
        within(&fleet.clock, seconds(12), reading).await.map(|hit| *hit)
    };
    let first = futures_util::future::select(Box::pin(vanished), Box::pin(waiting)).await;
    let futures_util::future::Either::Right((taken_over, _)) = first else { panic!("it hangs") };
    assert_eq!(taken_over.expect("loaded by the other node"), 2);
}

#[tokio::test]
async fn a_server_that_forgot_everything_costs_misses_and_never_an_old_value() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let told = Told::new();
    let (larder, _cable) = fleet.node_with(|builder| builder.observer(told.clone()));
    let cache = numbers(&larder).build().expect("a cache");
    let other = Site::of(&fleet).await;
    cache.get_or_load(&7, source.load()).await.expect("loaded");
    settle().await;
    other.read(7, &source).await;
    let resyncs = told.count("Resynced");
    fleet.restart_empty();
    assert!(other.cache.invalidate(&7).await.position().is_some());
    pass(&fleet.clock, seconds(1)).await;
    assert_eq!((kept(&cache, 7), told.count("Resynced") - resyncs), (None, 1));
    let hit = cache.get_or_load(&7, source.load()).await.expect("loaded");
    assert_eq!(*hit, 2);
    settle().await;
    assert_eq!(other.read(7, &source).await, (2, Origin::Shared));
}

#[tokio::test]
async fn a_position_from_before_the_server_forgot_still_means_at_least_all_that_was_seen() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    b.cable.deafen();
    let invalidated = a.cache.invalidate(&7).await;
    let seen = invalidated.position().expect("shared").clone();
    fleet.restart_empty();
    let read = b.cache.read(&7).consistency(larder::Consistency::AtLeast(seen));
    let hit = within(&fleet.clock, seconds(2), read.get_or_load(source.load())).await;
    assert_eq!(*hit.expect("loaded"), 2);
}

#[tokio::test]
async fn a_full_server_stores_nothing_and_still_invalidates() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    fleet.server.fill_memory();
    assert!(a.cache.invalidate(&7).await.position().is_some());
    settle().await;
    assert_eq!(kept(&b.cache, 7), None);
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn every_read_is_counted_once_also_while_the_shared_tier_is_gone() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let site = Site::of(&fleet).await;
    site.cut_off().await;
    site.larder.reset_stats();
    for key in 0..10 {
        site.read(key, &source).await;
    }
    let stats = site.cache.stats();
    let reads = stats.hits + stats.shared_hits + stats.stale_hits + stats.misses + stats.bypasses;
    assert_eq!((reads, stats.bypasses), (10, 10), "{stats:?}");
}
