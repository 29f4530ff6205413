//! Orders of messages that luck finds seldom. Each test forces one, and fails where the step of the
//! protocol is missing that this order needs: `sim/mutants/directed.toml` says which.

use std::sync::Arc;

use larder::shard::Shard;
use larder::{Consistency, Invalidation, Loaded, Origin, Outcome, Pattern};

use crate::support::{
    Fleet, Site, Source, kept, millis, numbers, pass, seconds, settle, value, within,
};

fn red() -> Invalidation {
    Invalidation::new().tag("red")
}

fn all_numbers() -> Invalidation {
    Invalidation::new().pattern(Pattern::glob("numbers:*").expect("a glob"))
}

fn keys(range: std::ops::Range<u64>) -> Invalidation {
    range.fold(Invalidation::new(), |all, key| all.key("numbers", &key))
}

/// Two nodes; the second hears nothing that the server says unasked.
async fn pair(fleet: &Fleet) -> (Site, Site) {
    let (a, b) = (Site::of(fleet).await, Site::of(fleet).await);
    b.cable.deafen();
    (a, b)
}

/// `site` invalidates, and every shard acknowledges.
async fn shared(site: &Site, what: Invalidation) {
    assert!(site.larder.invalidate(what).await.position().is_some());
    settle().await;
}

#[tokio::test]
async fn an_answer_that_stops_before_the_head_confirms_nothing() {
    // One record more than a tail carries.
    let (fleet, source) = (Fleet::with_log_of(2_000), Source::default());
    let (a, b) = pair(&fleet).await;
    a.read(7, &source).await;
    settle().await;
    assert_eq!(b.read(7, &source).await, (1, Origin::Shared));
    shared(&a, keys(1_000..2_000)).await;
    shared(&a, keys(7..8)).await;
    b.cable.refuse_after(1, "tail");
    pass(&fleet.clock, millis(1_100)).await;
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_value_that_a_lease_shows_instead_is_judged() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    let gate = b.cable.hold("lease");
    let meanwhile = async {
        gate.begun().await;
        a.read_red(7, &source).await;
        settle().await;
        shared(&a, red()).await;
        gate.open();
    };
    let (found, ()) = tokio::join!(b.read_red(7, &source), meanwhile);
    assert_eq!(found, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_node_that_is_cut_off_waits_for_no_load_older_than_the_staleness_bound() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    b.cut_off().await;
    let gate = source.waits();
    let later = async {
        gate.begun().await;
        shared(&a, keys(7..8)).await;
        pass(&fleet.clock, millis(1_100)).await;
        let opening = async {
            settle().await;
            gate.open();
        };
        tokio::join!(b.read(7, &source), opening).0
    };
    let old = b.cache.get_or_load(&7, source.load());
    let (old, young) = tokio::join!(old, later);
    assert_eq!((*old.expect("loaded"), young), (1, (2, Origin::Loaded)));
}

#[tokio::test]
async fn a_node_that_is_cut_off_waits_for_nothing_that_the_shared_tier_may_answer() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    let loading = source.waits();
    let meanwhile = async {
        loading.begun().await;
        let waiting = b.cache.get_or_load(&7, source.tagged("red"));
        let later = async {
            settle().await;
            loading.open();
            settle().await;
            shared(&a, red()).await;
            b.cable.refuse_after(0, "tail");
            // Deaf to the wake-up, who waits for the lease reads again after a second.
            let answer = b.cable.hold_answer("read");
            pass(&fleet.clock, millis(1_050)).await;
            answer.begun().await;
            let opening = async {
                settle().await;
                answer.open();
            };
            tokio::join!(b.read_red(7, &source), opening).0
        };
        tokio::join!(waiting, later)
    };
    let leading = a.cache.get_or_load(&7, source.tagged("red"));
    let (_, (old, young)) = tokio::join!(leading, meanwhile);
    assert_eq!(value(old.ok()), Some(1));
    assert_eq!(young, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_position_in_an_epoch_that_a_node_does_not_know_is_caught_up_with() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    // What b has applied is no smaller a number than the position in the next epoch.
    shared(&a, keys(8..9)).await;
    b.cable.deafen();
    fleet.restart_empty();
    let invalidated = a.cache.invalidate(&7).await;
    let seen = invalidated.position().expect("shared").clone();
    assert_eq!(kept(&b.cache, 7), Some(1), "the message was not lost");
    let read = b.cache.read(&7).consistency(Consistency::AtLeast(seen));
    let hit = within(&fleet.clock, seconds(2), read.get_or_load(source.load())).await;
    assert_eq!(*hit.expect("loaded"), 2);
}

#[tokio::test]
async fn a_server_that_has_less_than_it_acknowledged_is_not_believed() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    a.read(7, &source).await;
    settle().await;
    let before = fleet.remember();
    // A pattern leaves no trace in the tables by which the old value could be judged.
    shared(&b, all_numbers()).await;
    fleet.restart_old(&before);
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_server_in_another_epoch_is_not_believed() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    a.read(7, &source).await;
    settle().await;
    let before = fleet.remember();
    shared(&b, all_numbers()).await;
    fleet.restart_old(&before);
    // The other epoch has more records than b knows of in its own.
    shared(&a, keys(10..20)).await;
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn a_resync_from_before_an_acknowledgement_keeps_what_was_acknowledged() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    fleet.restart_empty();
    shared(&a, keys(8..9)).await;
    a.read_red(7, &source).await;
    settle().await;
    let answer = b.cable.hold_answer("tail");
    pass(&fleet.clock, millis(300)).await;
    answer.begun().await;
    shared(&b, red()).await;
    b.cable.refuse_after(0, "tail");
    answer.open();
    settle().await;
    assert_eq!(b.read_red(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn what_is_read_between_the_answer_of_a_tail_and_its_resync_is_dropped() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    a.read(7, &source).await;
    settle().await;
    let before = fleet.remember();
    shared(&a, keys(7..8)).await;
    // So many more that the log has lost the first.
    shared(&a, keys(1_000..1_150)).await;
    let answer = b.cable.hold_answer("tail");
    pass(&fleet.clock, millis(300)).await;
    answer.begun().await;
    let primary = fleet.swap_primary(&before);
    assert_eq!(b.read(7, &source).await, (1, Origin::Shared));
    fleet.swap_primary(&primary);
    answer.open();
    pass(&fleet.clock, millis(1_100)).await;
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn what_a_forgotten_epoch_acknowledged_hides_the_shared_value() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = pair(&fleet).await;
    a.read_red(7, &source).await;
    settle().await;
    let before = fleet.remember();
    b.cable.refuse_after(0, "tail");
    fleet.restart_old(&before);
    shared(&b, red()).await;
    fleet.restart_old(&before);
    assert_eq!(b.read_red(7, &source).await, (2, Origin::Loaded));
}

#[tokio::test]
async fn two_acknowledgements_of_one_shard_do_not_pass_for_those_of_two() {
    let fleet = Fleet::new();
    let beside = fleet.beside();
    let (one, two) = (fleet.cable(), beside.cable());
    let both = vec![Arc::clone(&one) as Arc<dyn Shard>, Arc::clone(&two) as Arc<dyn Shard>];
    let (larder, _) = fleet.node_with(|builder| builder.shards(both));
    settle().await;
    one.refuse_after(0, "append");
    // A stranger acknowledges, of whom the log then knows nothing: it is appended again.
    let primary = beside.swap_primary(&beside.nothing());
    let tail = two.hold("tail");
    let meanwhile = async {
        tail.begun().await;
        beside.swap_primary(&primary);
        tail.open();
        pass(&fleet.clock, seconds(2)).await;
    };
    let (invalidated, ()) = tokio::join!(larder.invalidate(red()), meanwhile);
    assert!(two.calls("append") >= 2, "it was not appended again");
    let Outcome::Local(ticket) = invalidated.outcome() else {
        panic!("shared, though one shard never had it: {invalidated:?}")
    };
    assert!(ticket.position().is_none(), "one shard was counted twice");
    one.refuse_after(usize::MAX, "append");
    within(&fleet.clock, seconds(2), ticket.shared()).await;
}

#[tokio::test]
async fn a_node_that_knows_no_epoch_yet_waits_for_it_also_where_memory_is_always_trusted() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (larder, cable) = fleet.node();
    let first_tail = cable.hold("tail");
    let cache = numbers(&larder).build().expect("a cache");
    let read = cache.read(&7).consistency(Consistency::Eventual);
    let meanwhile = async {
        first_tail.begun().await;
        settle().await;
        assert_eq!(source.loads(), 0, "loaded for itself alone");
        first_tail.open();
    };
    let (hit, ()) = tokio::join!(read.get_or_load(source.load()), meanwhile);
    assert_eq!((*hit.expect("loaded"), kept(&cache, 7)), (1, Some(1)));
}

#[tokio::test]
async fn a_pattern_whose_scan_has_not_begun_hides_what_it_matches() {
    let (fleet, source) = (Fleet::new(), Source::default());
    let (a, b) = (Site::of(&fleet).await, Site::of(&fleet).await);
    a.read(7, &source).await;
    settle().await;
    b.read(7, &source).await;
    b.cable.refuse_after(0, "anchor");
    assert!(b.larder.invalidate(all_numbers()).await.position().is_none());
    assert_eq!(kept(&b.cache, 7), None);
    assert_eq!(b.read(7, &source).await, (2, Origin::Loaded), "the shared tier answered");
}

#[tokio::test]
async fn a_set_is_not_kept_where_its_names_were_invalidated_while_it_asked_for_its_lease() {
    for how in [red(), keys(7..8)] {
        let fleet = Fleet::new();
        let b = Site::of(&fleet).await;
        let gate = b.cable.hold("lease");
        let meanwhile = async {
            gate.begun().await;
            b.cable.refuse_after(0, "append");
            assert!(b.larder.invalidate(how.clone()).await.position().is_none());
            gate.open();
        };
        let (set, ()) = tokio::join!(b.cache.set(&7, Loaded::value(70).tag("red")), meanwhile);
        assert!(set.stored);
        assert_eq!(kept(&b.cache, 7), None, "older than {how:?}");
    }
}

#[tokio::test]
async fn a_set_is_not_kept_where_its_names_were_invalidated_while_it_was_stored() {
    for how in [red(), keys(7..8)] {
        let fleet = Fleet::new();
        let b = Site::of(&fleet).await;
        let gate = b.cable.hold_answer("write_through");
        let meanwhile = async {
            gate.begun().await;
            b.cable.refuse_after(0, "append");
            assert!(b.larder.invalidate(how.clone()).await.position().is_none());
            gate.open();
        };
        let (set, ()) = tokio::join!(b.cache.set(&7, Loaded::value(70).tag("red")), meanwhile);
        assert!(set.stored);
        assert_eq!(kept(&b.cache, 7), None, "older than {how:?}");
    }
}
