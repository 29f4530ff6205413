//! What the conformance suite cannot see from outside: bounds, sharing and snapshots.

use super::*;
use crate::key::{Key, Parts as KeyParts};
use crate::record::{Mode, Name, Record, Tag};
use crate::shard::{Fill, LeaseReply, Token};

struct Number(u64);

impl Key for Number {
    fn visit<P: KeyParts>(&self, parts: &mut P) {
        parts.unsigned(self.0);
    }
}

fn key(number: u64) -> EncodedKey {
    EncodedKey::new("numbers", &Number(number))
}

fn state() -> ShardState {
    let lease_ttl = Duration::from_secs(10);
    ShardState::new(ShardSettings { log_records_max: 5, lease_ttl, values: Values::Kept })
}

fn step_at(millis: u64, fresh: u128) -> Step {
    let parameters = Parameters::new(1, 256).expect("in range");
    Step { now: ServerTime(millis), run: RunId(1), fresh: Epoch(fresh), parameters }
}

fn tagged(text: &str) -> Vec<Record> {
    vec![Record { name: Name::tag(&Tag::new(text)), mode: Mode::Hard }]
}

#[test]
fn leases_of_holders_that_died_do_not_pile_up() {
    let mut state = state();
    for number in 0..10_000 {
        // Every holder dies; ten seconds later its lease has ended.
        let step = step_at(number * 1_000, 7);
        state.lease(&step, &key(number), Token(1 + u128::from(number)), None);
        let held = state.parts().leases.len();
        assert!(held <= 40, "{held} leases are kept after {number} holders, of which 10 may live");
    }
}

#[test]
fn a_sweep_leaves_living_leases_alone() {
    let mut state = state();
    let step = step_at(0, 7);
    for number in 0..100 {
        state.lease(&step, &key(number), Token(1 + u128::from(number)), None);
    }
    assert_eq!(state.parts().leases.len(), 100);
}

#[test]
fn a_snapshot_shares_the_table_until_one_of_both_writes_it() {
    let mut state = state();
    let mut effects = Effects::default();
    state.append(&step_at(0, 7), tagged("a"), &mut effects);
    let snapshot = state.clone();
    let table = |state: &ShardState| Arc::clone(&state.parts().table.as_ref().expect("whole").slots);
    assert!(Arc::ptr_eq(&table(&state), &table(&snapshot)));
    state.append(&step_at(0, 7), tagged("b"), &mut effects);
    assert_ne!(table(&state), table(&snapshot));
    assert_eq!(snapshot.head().map(|(_, head)| head), Some(1));
}

#[test]
fn who_waited_for_a_lease_of_a_lost_epoch_is_woken_by_the_next_holder() {
    let mut state = state();
    let mut effects = Effects::default();
    state.lease(&step_at(0, 7), &key(1), Token(1), None);
    state.lease(&step_at(0, 7), &key(1), Token(2), None);
    state.parts_mut().evict(&Part::Meta);
    state.lease(&step_at(0, 8), &key(1), Token(3), None);
    state.release(&step_at(0, 8), &key(1), Token(3), &mut effects);
    assert_eq!(effects.woken, [key(1)]);
}

#[test]
fn a_shard_that_only_checks_keeps_nothing() {
    let lease_ttl = Duration::from_secs(10);
    let settings = ShardSettings { log_records_max: 5, lease_ttl, values: Values::Checked };
    let mut state = ShardState::new(settings);
    let step = step_at(0, 7);
    let LeaseReply::Granted { epoch, as_of } = state.lease(&step, &key(1), Token(1), None) else {
        panic!("the first to ask is granted")
    };
    let entry = StoredEntry {
        fingerprint: 7,
        id: 1,
        epoch,
        as_of,
        soft: false,
        tags: Arc::from([]),
        fresh_until: ServerTime(1000),
        expires_at: ServerTime(1000),
        ends_at: None,
        load_cost: Duration::ZERO,
        loaded_at: ServerTime(0),
        payload: None,
    };
    let fill = Fill { key: key(1), token: Token(1), entry };
    let reply = state.fill(&step, &fill, &mut Effects::default());
    assert_eq!(reply, crate::shard::FillReply::Stored);
    assert!(state.parts().values.is_empty());
}

#[test]
fn a_table_of_another_epoch_than_meta_is_no_table() {
    let mut state = state();
    let mut effects = Effects::default();
    let before = state.append(&step_at(0, 7), tagged("a"), &mut effects);
    let table = state.parts_mut().table.as_mut().expect("whole");
    table.epoch = Epoch(6);
    let after = state.append(&step_at(0, 8), tagged("a"), &mut effects);
    assert_eq!((before.epoch, after.epoch, after.position), (Epoch(7), Epoch(8), 1));
}
