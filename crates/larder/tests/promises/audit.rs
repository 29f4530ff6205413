//! The audit trail: who invalidated what, why, and where in the log.

use larder::record::Mode;
use larder::{Invalidation, Pattern, Rule, Rules};

use crate::support::{Fleet, Site, Source, node, numbers, on, pass, seconds, settle};

#[tokio::test]
async fn an_invalidation_says_who_why_what_how_many_and_where() {
    let (clock, larder) = node();
    let cache = numbers(&larder).build().expect("a cache");
    for key in [1, 10, 2] {
        cache.get_or_load(&key, Source::default().load()).await.expect("loaded");
    }
    let named = Invalidation::new().key(&cache, &7).tag("sevens");
    drop(larder.invalidate(named.soft().by("user 7").because("renamed")).await);
    pass(&clock, seconds(3)).await;
    let some = Invalidation::new().pattern(Pattern::glob("numbers:1*").expect("a glob"));
    let done = larder.invalidate(some).await;
    let trail = larder.audit(10);
    let [newest, oldest] = &trail[..] else { panic!("{trail:?}") };
    assert_eq!((oldest.number, oldest.ago, oldest.mode), (1, seconds(3), Mode::Soft));
    assert_eq!((oldest.by.as_deref(), oldest.because.as_deref()), (Some("user 7"), Some("renamed")));
    assert_eq!(oldest.names, ["key numbers:7", "tag sevens"]);
    assert_eq!((oldest.names_count, oldest.matched), (2, None));
    assert_eq!((newest.number, newest.mode, newest.matched), (2, Mode::Hard, Some(2)));
    assert_eq!((newest.by.as_deref(), newest.position.as_ref()), (None, done.position()));
    assert_eq!(newest.names, ["pattern glob numbers:1*"]);
}

#[tokio::test]
async fn the_trail_keeps_the_last_and_no_more_than_it_may() {
    for (kept_max, kept) in [(0, vec![]), (2, vec!["tag c", "tag b"])] {
        let clock = larder::conformance::manual::ManualClock::default();
        let larder = on(&clock).audited_max(kept_max).build().expect("valid settings");
        for tag in ["a", "b", "c"] {
            drop(larder.invalidate_tag(tag).await);
        }
        let names: Vec<String> =
            larder.audit(10).into_iter().flat_map(|audited| audited.names).collect();
        assert_eq!(names, kept, "{kept_max}");
    }
}

#[tokio::test]
async fn of_many_names_the_first_are_kept_and_all_are_counted() {
    let (_clock, larder) = node();
    let many = (0..1_000_u64).fold(Invalidation::new(), |all, key| all.key("numbers", &key));
    drop(larder.invalidate(many).await);
    let newest = &larder.audit(1)[0];
    assert_eq!((newest.names.len(), newest.names_count), (larder::audit::NAMES_MAX, 1_000));
}

#[tokio::test]
async fn what_is_not_shared_yet_has_no_position_until_it_is() {
    let fleet = Fleet::new();
    let site = Site::of(&fleet).await;
    site.cut_off().await;
    let invalidating = site.cache.invalidate(&7);
    drop(crate::support::within(&fleet.clock, seconds(2), invalidating).await);
    assert_eq!(site.larder.audit(1)[0].position, None);
    site.cable.mend();
    pass(&fleet.clock, seconds(3)).await;
    assert!(site.larder.audit(1)[0].position.is_some());
}

#[tokio::test]
async fn an_invalidation_whose_caller_hung_up_is_in_the_trail() {
    let (_clock, larder) = node();
    drop(larder.writing(Invalidation::new().tag("red").by("user 7")));
    settle().await;
    assert_eq!(larder.audit(1)[0].by.as_deref(), Some("user 7"));
}

#[tokio::test]
async fn a_rule_is_the_reason_of_what_it_invalidates() {
    let (_clock, larder) = node();
    let rule = Rule::new("score changed", |_: &()| Some(Invalidation::new().tag("leaderboard")));
    drop(Rules::new(&larder, [rule]).tell(&()).await);
    assert_eq!(larder.audit(1)[0].because.as_deref(), Some("score changed"));
}
