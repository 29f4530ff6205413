//! What events make wrong: at once, after a time, or once it is quiet; and in which order.

use std::sync::Arc;

use futures_util::FutureExt;
use larder::conformance::manual::ManualClock;
use larder::record::Mode;
use larder::tasks::TokioTasks;
use larder::{Cache, Invalidation, Larder, Rule, Rules};
use tokio::runtime::Handle;

use crate::support::{Fleet, Source, kept, millis, node, numbers, on, pass, seconds, settle};

/// A number has changed; how it is told is the rule's.
struct Changed(u64);

async fn filled(larder: &Larder, keys: impl IntoIterator<Item = u64>) -> Cache<u64, u32> {
    let cache = numbers(larder).fresh_for(seconds(3_600)).build().expect("a cache");
    for key in keys {
        cache.get_or_load(&key, Source::default().load()).await.expect("loaded");
    }
    cache
}

/// Names the number that has changed.
fn number(event: &Changed) -> Option<Invalidation> {
    Some(Invalidation::new().key("numbers", &event.0))
}

/// The numbers named by the invalidations of this node, oldest first.
fn named(larder: &Larder) -> Vec<String> {
    larder.audit(usize::MAX).into_iter().rev().flat_map(|audited| audited.names).collect()
}

#[tokio::test]
async fn every_rule_that_is_about_an_event_applies_and_no_other() {
    let (_clock, larder) = node();
    let cache = filled(&larder, 1..=4).await;
    let rules = Rules::new(
        &larder,
        [
            Rule::new("itself", number),
            Rule::new("the next", |event: &Changed| {
                Some(Invalidation::new().key("numbers", &(event.0 + 1)))
            }),
            Rule::new("only nines", |event: &Changed| {
                (event.0 == 9).then(|| Invalidation::new().cache("numbers"))
            }),
        ],
    );
    let told = rules.tell(&Changed(2)).await;
    assert!(told.invalidated.position().is_some() && told.unmatched == 0);
    let left: Vec<bool> = (1..=4).map(|key| kept(&cache, key).is_some()).collect();
    assert_eq!(left, [true, false, false, true]);
}

#[tokio::test]
async fn an_event_that_no_rule_knows_is_counted_and_drops_nothing() {
    let (_clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let rules = Rules::new(&larder, [Rule::new("none", |_: &Changed| None)]);
    let told = rules.tell_all(&[Changed(1), Changed(2)]).await;
    assert_eq!((told.unmatched, told.planned), (2, 0));
    assert!(kept(&cache, 1).is_some());
    assert!(larder.audit(10).is_empty(), "nothing was invalidated");
}

#[tokio::test]
async fn a_thousand_events_are_one_round_trip_and_each_name_goes_once() {
    let fleet = Fleet::new();
    let (larder, cable) = fleet.node();
    settle().await;
    let rules = Rules::new(&larder, [Rule::new("itself", number)]);
    let events: Vec<Changed> = (0..1_000).map(|event| Changed(event % 300)).collect();
    let told = rules.tell_all(&events).await;
    assert!(told.invalidated.position().is_some());
    assert_eq!(cable.calls("append"), 1);
    assert_eq!(larder.audit(1)[0].names_count, 300);
}

#[tokio::test]
async fn a_rule_that_waits_for_quiet_tells_once_after_the_last_event() {
    let (clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let rule = Rule::new("itself", number).debounced(millis(300), seconds(10));
    let rules = Rules::new(&larder, [rule]);
    for _ in 0..5 {
        let told = rules.tell(&Changed(1)).await;
        assert_eq!(told.planned, 1);
        pass(&clock, millis(200)).await;
        assert!(kept(&cache, 1).is_some(), "it was not quiet yet");
    }
    assert_eq!(larder.stats().planned, 1);
    pass(&clock, millis(200)).await;
    assert!(kept(&cache, 1).is_none());
    assert_eq!((larder.stats().planned, named(&larder).len()), (0, 1));
}

#[tokio::test]
async fn a_rule_that_waits_for_quiet_does_not_wait_for_ever() {
    let (clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let rule = Rule::new("itself", number).debounced(millis(300), seconds(1));
    let rules = Rules::new(&larder, [rule]);
    for _ in 0..6 {
        drop(rules.tell(&Changed(1)).await);
        pass(&clock, millis(200)).await;
    }
    assert!(kept(&cache, 1).is_none(), "it was never quiet, and a second has passed");
}

#[tokio::test]
async fn a_delayed_rule_tells_as_often_as_it_was_told_each_in_its_time() {
    let (clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let rules = Rules::new(&larder, [Rule::new("itself", number).delayed(seconds(1))]);
    drop(rules.tell(&Changed(1)).await);
    pass(&clock, millis(500)).await;
    drop(rules.tell(&Changed(1)).await);
    pass(&clock, millis(400)).await;
    assert!(kept(&cache, 1).is_some(), "it is not time yet");
    pass(&clock, millis(200)).await;
    assert!(kept(&cache, 1).is_none());
    cache.get_or_load(&1, Source::default().load()).await.expect("loaded");
    pass(&clock, millis(500)).await;
    assert!(kept(&cache, 1).is_none(), "the second was forgotten");
}

#[tokio::test]
async fn what_is_due_sooner_is_told_sooner_although_it_was_planned_later() {
    let (clock, larder) = node();
    let about = |number_at: u64| {
        move |event: &Changed| (event.0 == number_at).then(|| Invalidation::new().tag("told"))
    };
    let late = Rule::new("late", about(1)).delayed(seconds(60));
    let soon = Rule::new("soon", about(2)).delayed(seconds(1));
    let rules = Rules::new(&larder, [late, soon]);
    drop(rules.tell(&Changed(1)).await);
    // Somebody waits for the later one already.
    settle().await;
    drop(rules.tell(&Changed(2)).await);
    pass(&clock, millis(1_100)).await;
    assert_eq!((named(&larder).len(), larder.stats().planned), (1, 1));
}

#[tokio::test]
async fn of_those_that_are_due_together_the_higher_priority_goes_first() {
    let (clock, larder) = node();
    let rule = |name: &'static str, priority| {
        let wrong = move |_: &Changed| Some(Invalidation::new().tag(name));
        Rule::new(name, wrong).priority(priority).delayed(seconds(1))
    };
    let rules = Rules::new(&larder, [rule("manual", 20), rule("system", 100), rule("room", 60)]);
    drop(rules.tell(&Changed(1)).await);
    pass(&clock, millis(1_100)).await;
    assert_eq!(named(&larder), ["tag system", "tag room", "tag manual"]);
}

#[tokio::test]
async fn what_waits_is_told_when_the_node_closes() {
    let (_clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let rule = Rule::new("itself", number).debounced(seconds(60), seconds(60));
    drop(Rules::new(&larder, [rule]).tell(&Changed(1)).await);
    larder.close().await;
    assert_eq!((kept(&cache, 1), larder.stats().planned), (None, 0));
    let late = Rule::new("itself", number).debounced(seconds(60), seconds(60));
    let told = Rules::new(&larder, [late]).tell(&Changed(1)).await;
    assert_eq!((told.planned, told.hurried), (0, 1), "nobody is left to tell it later");
}

#[tokio::test]
async fn of_two_rules_that_wait_for_quiet_the_more_impatient_one_counts() {
    let (clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let patient = Rule::new("patient", number).debounced(millis(300), seconds(60));
    let other = Rule::new("impatient", number).debounced(millis(300), seconds(1));
    let (patient, other) = (Rules::new(&larder, [patient]), Rules::new(&larder, [other]));
    drop(patient.tell(&Changed(1)).await);
    for _ in 0..6 {
        drop(other.tell(&Changed(1)).await);
        pass(&clock, millis(200)).await;
    }
    assert!(kept(&cache, 1).is_none(), "a second has passed since the impatient one was told");
}

#[tokio::test]
async fn more_than_fit_are_told_at_once_and_not_lost() {
    let (_clock, larder) = node();
    let cache = filled(&larder, [10_001]).await;
    let rules = Rules::new(&larder, [Rule::new("itself", number).delayed(seconds(60))]);
    let events: Vec<Changed> = (0..=10_001).map(Changed).collect();
    let told = rules.tell_all(&events).await;
    assert_eq!((told.planned, told.hurried), (10_000, 2));
    assert!(kept(&cache, 10_001).is_none());
}

#[tokio::test]
async fn what_a_transaction_writes_down_is_what_is_wrong_at_once() {
    let (_clock, larder) = node();
    let rules = Rules::new(
        &larder,
        [Rule::new("itself", number), Rule::new("later", number).delayed(seconds(1))],
    );
    drop(larder.invalidate(rules.wrong(&Changed(1))).await);
    assert_eq!((named(&larder).len(), larder.stats().planned), (1, 0));
}

#[tokio::test]
async fn what_is_named_hard_and_soft_is_gone() {
    let (_clock, larder) = node();
    let cache = filled(&larder, [1]).await;
    let soft = |event: &Changed| number(event).map(Invalidation::soft);
    let rules = Rules::new(&larder, [Rule::new("soft", soft), Rule::new("hard", number)]);
    drop(rules.tell(&Changed(1)).await);
    assert!(kept(&cache, 1).is_none());
    assert_eq!((larder.audit(1)[0].mode, larder.audit(1)[0].names_count), (Mode::Hard, 1));
}

#[tokio::test]
async fn what_waits_does_not_keep_a_node_alive() {
    let tasks = TokioTasks::new(Handle::current());
    let clock = ManualClock::default();
    let node = on(&clock).tasks(Arc::new(tasks.clone())).build().expect("valid settings");
    let rules = Rules::new(&node, [Rule::new("itself", number).delayed(seconds(60))]);
    drop(rules.tell(&Changed(1)).await);
    settle().await;
    assert!(tasks.drained().now_or_never().is_none(), "nobody waits for the time");
    drop((rules, node));
    settle().await;
    assert!(tasks.drained().now_or_never().is_some(), "a task waits for a node that is gone");
}
