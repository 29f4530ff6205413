//! Shards that leave out one step each, and the promise that must catch each of them.
//!
//! A wrong shard runs the right verb on parts that it meddled with before or repairs after.

use std::sync::Arc;

use larder::clock::Moment;
use larder::conformance::server::ValueShard;
use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{LogRecord, Mode, Record};
use larder::shard::state::{EpochTable, Lease, Meta, Parts};
use larder::shard::table::{Slots, TagTable};
use larder::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply,
    ServerTime, Shard, TailReply, TailRequest, Token, Unreachable,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    LeaseIsSharedByTokens,
    LeaseIgnoresValues,
    LeaseIgnoresSeen,
    RetryMovesAsOf,
    RenewMovesAsOf,
    RenewIgnoresToken,
    ReleaseIgnoresToken,
    FillIgnoresLease,
    FillIgnoresTags,
    FillIgnoresBarrier,
    FillIgnoresEpoch,
    FillBelievesItsAsOf,
    FillLeavesLease,
    FillRejectsSoft,
    HardLeavesLease,
    HardLeavesValue,
    SoftLeavesLease,
    SoftDeletes,
    SoftDoesNothing,
    SoftIsForgottenByRefresh,
    OnePositionForHardAndSoft,
    TagsAreNotRaised,
    WriteThroughIgnoresLease,
    WriteThroughIgnoresTags,
    WriteThroughIgnoresSoft,
    WriteThroughIgnoresBarrier,
    WriteThroughKeepsAsOf,
    WriteThroughWithoutRecord,
    WriteThroughRejectedAppendsNothing,
    TailHidesGap,
    TailHidesLoss,
    TailHidesEpoch,
    TailIgnoresRun,
    TailSkipsARecord,
    AppendIgnoresRun,
    WriteThroughIgnoresRun,
    EpochIsReused,
    LostTableIsReplaced,
    LogOutlivesItsEpoch,
    ReadIgnoresExpiry,
    ParametersAreNotCompared,
    FullStoreRefusesAppends,
    AnchorSetsNoBarrier,
    ScanStopsAfterABatch,
    SoftScanDeletes,
    FinishIgnoresEpoch,
    HeldIsNotAwaited,
    RecordsAreNotPushed,
}

use Wrong::*;

/// Each wrong shard, and a promise that it breaks.
pub(crate) const WRONGS: &[(Wrong, &str)] = &[
    (LeaseIsSharedByTokens, "the_second_to_ask_is_held"),
    (LeaseIgnoresValues, "an_unseen_value_is_shown_instead_of_a_lease"),
    (LeaseIgnoresSeen, "a_refresher_who_saw_the_value_is_granted"),
    (RetryMovesAsOf, "a_retry_of_the_holder_is_granted_as_stored"),
    (RenewMovesAsOf, "a_renewed_lease_keeps_its_as_of"),
    (RenewIgnoresToken, "a_stranger_cannot_renew"),
    (ReleaseIgnoresToken, "a_stranger_cannot_release"),
    (FillIgnoresLease, "a_fill_without_a_lease_is_rejected"),
    (FillIgnoresTags, "a_hard_tag_rejects_older_loads_of_it"),
    (FillIgnoresBarrier, "an_anchor_rejects_every_older_load"),
    (FillIgnoresEpoch, "a_load_of_an_older_epoch_is_rejected"),
    (FillBelievesItsAsOf, "a_fill_that_claims_a_later_as_of_is_rejected"),
    (FillLeavesLease, "a_fill_ends_its_lease"),
    (FillRejectsSoft, "soft_records_reject_no_fill"),
    (HardLeavesLease, "a_hard_key_record_voids_the_lease"),
    (HardLeavesValue, "a_hard_key_record_deletes_the_value"),
    (SoftLeavesLease, "a_soft_key_record_voids_the_lease"),
    (SoftDeletes, "a_soft_key_record_flags_the_value_and_keeps_it"),
    (SoftDoesNothing, "a_soft_key_record_flags_the_value_and_keeps_it"),
    (SoftIsForgottenByRefresh, "a_refresh_clears_the_flag"),
    (OnePositionForHardAndSoft, "soft_after_hard_does_not_move_the_hard_position"),
    (TagsAreNotRaised, "the_table_has_hard_and_soft_positions_of_every_name"),
    (WriteThroughIgnoresLease, "without_a_lease_it_only_appends"),
    (WriteThroughIgnoresTags, "a_hard_tag_since_the_lease_rejects_it"),
    (WriteThroughIgnoresSoft, "a_soft_tag_since_the_lease_rejects_it"),
    (WriteThroughIgnoresBarrier, "an_anchor_since_the_lease_rejects_it"),
    (WriteThroughKeepsAsOf, "a_write_through_is_stored_at_its_own_position"),
    (WriteThroughWithoutRecord, "without_records_it_is_rejected"),
    (WriteThroughRejectedAppendsNothing, "a_rejected_one_appends_all_the_same"),
    (TailHidesGap, "one_record_more_than_the_log_keeps_is_a_gap"),
    (TailHidesLoss, "a_node_ahead_of_the_head_proves_a_loss"),
    (TailHidesEpoch, "a_node_of_another_epoch_gets_the_table_and_no_records"),
    (TailIgnoresRun, "a_tail_on_a_surviving_connection_begins_an_epoch"),
    (TailSkipsARecord, "records_come_in_order_with_name_and_mode"),
    (AppendIgnoresRun, "an_append_on_a_surviving_connection_begins_an_epoch"),
    (WriteThroughIgnoresRun, "a_write_through_on_a_surviving_connection_begins_an_epoch"),
    (EpochIsReused, "every_restart_begins_another_epoch"),
    (LostTableIsReplaced, "a_lost_table_begins_an_epoch"),
    (LogOutlivesItsEpoch, "the_log_of_a_new_epoch_is_empty"),
    (ReadIgnoresExpiry, "an_expired_value_is_gone"),
    (ParametersAreNotCompared, "higher_parameters_begin_an_epoch_with_theirs"),
    (FullStoreRefusesAppends, "a_full_store_appends"),
    (AnchorSetsNoBarrier, "an_anchor_rejects_every_older_load"),
    (ScanStopsAfterABatch, "a_scan_in_small_batches_misses_nothing"),
    (SoftScanDeletes, "a_soft_scan_flags_what_matches_and_nothing_else"),
    (FinishIgnoresEpoch, "a_finish_of_an_older_epoch_is_refused"),
    (HeldIsNotAwaited, "a_fill_wakes_who_waits"),
    (RecordsAreNotPushed, "appended_records_are_pushed_to_the_others"),
];

pub(crate) struct WrongShard {
    right: ValueShard,
    wrong: Wrong,
}

/// A listener that hears no records.
struct Deaf(Arc<dyn Listener>);

impl Listener for Deaf {
    fn pushed(&self, _: Epoch, _: Vec<LogRecord>) {}

    fn woken(&self, key: &EncodedKey) {
        self.0.woken(key);
    }
}

impl WrongShard {
    pub(crate) fn new(right: ValueShard, wrong: Wrong) -> Self {
        WrongShard { right, wrong }
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn meddle<T>(&self, meddle: impl FnOnce(&mut Parts) -> T) -> T {
        self.right.server().with_state(|state| meddle(state.parts_mut()))
    }

    fn parts(&self) -> Parts {
        self.meddle(|parts| parts.clone())
    }

    /// What comes before every verb but `read`.
    fn begin(&self) {
        if self.is(LostTableIsReplaced) {
            self.meddle(|parts| {
                if let (Some(meta), None) = (&parts.meta, &parts.table) {
                    let slots = Arc::new(TagTable::new(meta.parameters.tag_slots()));
                    parts.table = Some(EpochTable { epoch: meta.epoch, slots });
                }
            });
        }
    }

    /// What comes after a verb that may have begun an epoch.
    fn end(&self, before: Parts) {
        if self.is(LogOutlivesItsEpoch) {
            self.meddle(|parts| {
                let epoch = |parts: &Parts| parts.meta.as_ref().map(|meta| meta.epoch);
                if epoch(parts) != epoch(&before) {
                    let fresh = std::mem::replace(&mut parts.log, before.log);
                    parts.log.extend(fresh);
                }
            });
        }
    }

    fn claim_run(&self) {
        let run = self.right.server().run();
        self.meddle(|parts| parts.meta.iter_mut().for_each(|meta| meta.run = run));
    }

    /// Meta and table after a verb ran on meddled ones: everything but what it counted.
    fn repair(parts: &mut Parts, before: Parts) {
        if let (Some(now), Some(meta)) = (&mut parts.meta, before.meta) {
            let Meta { epoch, barrier, .. } = meta;
            now.epoch = epoch;
            now.barrier = barrier;
        }
        parts.table = before.table;
    }

    fn grant(parts: &mut Parts, fill: &Fill) {
        let (epoch, as_of) = (fill.entry.epoch, fill.entry.as_of);
        let awaited = parts.leases.get(&fill.key).is_some_and(|lease| lease.awaited);
        let expires_at = ServerTime(u64::MAX);
        let lease = Lease { token: fill.token, epoch, as_of, awaited, expires_at };
        parts.leases.insert(fill.key.clone(), lease);
    }

    fn forget_tags(parts: &mut Parts) {
        if let Some(table) = &mut parts.table {
            table.slots = Arc::new(TagTable::new(table.slots.tag_slots()));
        }
    }

    fn forget_barrier(parts: &mut Parts) {
        parts.meta.iter_mut().for_each(|meta| meta.barrier = 0);
    }

    fn claim_epoch(parts: &mut Parts, epoch: Epoch) {
        parts.meta.iter_mut().for_each(|meta| meta.epoch = epoch);
        parts.table.iter_mut().for_each(|table| table.epoch = epoch);
    }

    async fn filled(&self, fill: Fill) -> Result<FillReply, Unreachable> {
        // Any verb makes sure that there is an epoch to meddle with.
        self.right.renew(fill.key.clone(), fill.token).await?;
        let before = self.parts();
        let mine = |lease: &&Lease| lease.token == fill.token;
        let lease = before.leases.get(&fill.key).filter(mine).cloned();
        let soft_since = lease.as_ref().is_some_and(|lease| soft_since(&before, lease, &fill));
        if self.is(FillRejectsSoft) && soft_since {
            return Ok(FillReply::Rejected);
        }
        self.meddle(|parts| match self.wrong {
            FillIgnoresLease => WrongShard::grant(parts, &fill),
            FillBelievesItsAsOf if lease.is_some() => WrongShard::grant(parts, &fill),
            FillIgnoresTags => WrongShard::forget_tags(parts),
            FillIgnoresBarrier => WrongShard::forget_barrier(parts),
            FillIgnoresEpoch => WrongShard::claim_epoch(parts, fill.entry.epoch),
            _ => {}
        });
        let key = fill.key.clone();
        let soft = before.values.get(&key).is_some_and(|entry| entry.soft);
        let reply = self.right.fill(fill).await;
        self.meddle(|parts| {
            WrongShard::repair(parts, before);
            match (self.wrong, lease, parts.values.get_mut(&key)) {
                (FillLeavesLease, Some(lease), _) => {
                    parts.leases.insert(key, lease);
                }
                (SoftIsForgottenByRefresh, _, Some(entry)) => entry.soft = soft,
                _ => {}
            }
        });
        reply
    }

    /// Undoes what an append of `records` did, as far as this shard is wrong about it.
    fn undo(&self, before: &Parts, records: &[Record], end: Appended) {
        let first = end.position + 1 - records.len() as u64;
        self.meddle(|parts| {
            for (position, record) in (first..).zip(records) {
                self.undo_one(parts, before, record, position);
            }
        });
    }

    fn undo_one(&self, parts: &mut Parts, before: &Parts, record: &Record, position: u64) {
        if let (Some(table), Some(slots)) = (&mut parts.table, slots(record, before)) {
            match (self.wrong, record.mode, &before.table) {
                (OnePositionForHardAndSoft, Mode::Soft, _) => {
                    Arc::make_mut(&mut table.slots).raise(slots, position, Mode::Hard);
                }
                (TagsAreNotRaised, _, Some(old)) => table.slots = Arc::clone(&old.slots),
                _ => {}
            }
        }
        let Some(key) = record.name.as_key() else { return };
        let (lease, value) = (before.leases.get(&key).cloned(), before.values.get(&key).cloned());
        match (self.wrong, record.mode) {
            (HardLeavesLease, Mode::Hard) | (SoftLeavesLease, Mode::Soft) => {
                parts.leases.extend(lease.map(|lease| (key, lease)));
            }
            (HardLeavesValue, Mode::Hard) | (SoftDoesNothing, Mode::Soft) => {
                parts.values.extend(value.map(|value| (key, value)));
            }
            (SoftDeletes, Mode::Soft) => {
                parts.values.remove(&key);
            }
            _ => {}
        }
    }

    async fn appended(&self, records: Vec<Record>) -> Result<Appended, Unreachable> {
        if self.is(AppendIgnoresRun) {
            self.claim_run();
        }
        let full = self.is(FullStoreRefusesAppends);
        if full && self.right.lease(probe(), Token(1), None).await.is_err() {
            return Err(Unreachable::new("the store takes no more data"));
        }
        let before = self.parts();
        let end = self.right.append(records.clone()).await?;
        self.undo(&before, &records, end);
        self.end(before);
        Ok(end)
    }

    async fn written(
        &self,
        mut fill: Fill,
        mut records: Vec<Record>,
    ) -> Result<(Appended, FillReply), Unreachable> {
        let before = self.parts();
        let old_as_of = fill.entry.as_of;
        if self.is(WriteThroughWithoutRecord) && records.is_empty() {
            let reply = self.right.fill(fill).await?;
            return Ok((self.right.append(records).await?, reply));
        }
        if self.is(WriteThroughIgnoresRun) {
            self.claim_run();
        }
        self.meddle(|parts| match self.wrong {
            WriteThroughIgnoresLease => WrongShard::grant(parts, &fill),
            WriteThroughIgnoresTags => WrongShard::forget_tags(parts),
            WriteThroughIgnoresSoft => forget_soft(parts),
            WriteThroughIgnoresBarrier => WrongShard::forget_barrier(parts),
            _ => {}
        });
        if self.is(WriteThroughRejectedAppendsNothing)
            && !self.right.renew(fill.key.clone(), fill.token).await?
        {
            records.clear();
        }
        fill.entry.soft = false;
        let key = fill.key.clone();
        let (end, reply) = self.right.write_through(fill, records).await?;
        if self.is(WriteThroughKeepsAsOf) && reply == FillReply::Stored {
            self.meddle(|parts| {
                parts.values.get_mut(&key).into_iter().for_each(|entry| entry.as_of = old_as_of);
            });
        }
        self.end(before);
        Ok((end, reply))
    }
}

/// A key that no case uses.
fn probe() -> EncodedKey {
    EncodedKey::from_encoded(*b"probe")
}

fn slots(record: &Record, parts: &Parts) -> Option<Slots> {
    let tag_slots = parts.meta.as_ref()?.parameters.tag_slots();
    Slots::of(&record.name, tag_slots)
}

fn soft_since(parts: &Parts, lease: &Lease, fill: &Fill) -> bool {
    let Some(table) = &parts.table else { return false };
    let tag_slots = table.slots.tag_slots();
    let soft = |hash| table.slots.positions(Slots::of_tag(hash, tag_slots)).soft;
    fill.entry.tags.iter().any(|&hash| soft(hash) > lease.as_of)
}

/// The table with hard positions only.
fn forget_soft(parts: &mut Parts) {
    let Some(table) = &mut parts.table else { return };
    let mut hard = TagTable::new(table.slots.tag_slots());
    for (slot, found) in table.slots.slots().iter().enumerate() {
        hard.raise(Slots { first: slot, second: slot }, found.hard, Mode::Hard);
    }
    table.slots = Arc::new(hard);
}

impl Shard for WrongShard {
    fn keeps_values(&self) -> bool {
        true
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        let deaf = self.is(RecordsAreNotPushed);
        self.right.subscribe(if deaf { Arc::new(Deaf(listener)) } else { listener });
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        Box::pin(async move {
            let mut reply = self.right.read(keys.clone()).await?;
            if self.is(ReadIgnoresExpiry) {
                let parts = self.parts();
                reply.entries = keys.iter().map(|key| parts.values.get(key).cloned()).collect();
            }
            Ok(reply)
        })
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        Box::pin(async move {
            self.begin();
            let before = self.parts();
            self.meddle(|parts| match (self.wrong, parts.leases.get_mut(&key)) {
                (LeaseIsSharedByTokens, Some(lease)) => lease.token = token,
                (RetryMovesAsOf, Some(lease)) if lease.token == token => {
                    lease.as_of = parts.meta.as_ref().map_or(0, |meta| meta.head);
                }
                (LeaseIgnoresValues, _) => {
                    parts.values.remove(&key);
                }
                _ => {}
            });
            let seen = seen.filter(|_| !self.is(LeaseIgnoresSeen));
            let reply = self.right.lease(key.clone(), token, seen).await;
            self.meddle(|parts| match (self.wrong, parts.leases.get_mut(&key)) {
                (HeldIsNotAwaited, Some(lease)) => lease.awaited = false,
                (LeaseIgnoresValues, _) => parts.values.clone_from(&before.values),
                _ => {}
            });
            self.end(before);
            reply
        })
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        Box::pin(async move {
            let held = self.parts().leases.get(&key).cloned();
            let token = match held {
                Some(lease) if self.is(RenewIgnoresToken) => lease.token,
                _ => token,
            };
            let renewed = self.right.renew(key.clone(), token).await?;
            if self.is(RenewMovesAsOf) && renewed {
                self.meddle(|parts| {
                    let head = parts.meta.as_ref().map_or(0, |meta| meta.head);
                    parts.leases.get_mut(&key).into_iter().for_each(|lease| lease.as_of = head);
                });
            }
            Ok(renewed)
        })
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        let held = self.parts().leases.get(&key).cloned();
        match held {
            Some(lease) if self.is(ReleaseIgnoresToken) => self.right.release(key, lease.token),
            _ => self.right.release(key, token),
        }
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        Box::pin(async move {
            self.begin();
            self.filled(fill).await
        })
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        Box::pin(async move {
            self.begin();
            self.appended(records).await
        })
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        Box::pin(async move {
            self.begin();
            self.written(fill, records).await
        })
    }

    fn tail(&self, mut request: TailRequest) -> Reply<'_, TailReply> {
        Box::pin(async move {
            self.begin();
            let before = self.parts();
            if self.is(TailIgnoresRun) {
                self.claim_run();
            }
            if let (TailHidesLoss, Some(meta)) = (self.wrong, &before.meta) {
                request.from = request.from.min(meta.head);
            }
            if let (TailHidesEpoch, Some(meta)) = (self.wrong, &before.meta) {
                request.epoch = request.epoch.map(|_| meta.epoch);
            }
            let mut reply = self.right.tail(request).await?;
            if self.is(TailHidesGap) && request.epoch == Some(reply.epoch) && reply.table.is_some() {
                reply.table = None;
                let log = self.parts().log;
                reply.records = log.into_iter().filter(|log| log.position > request.from).collect();
            }
            if self.is(TailSkipsARecord) && reply.records.len() > 1 {
                reply.records.remove(0);
            }
            self.end(before);
            Ok(reply)
        })
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        Box::pin(async move {
            let end = self.right.anchor().await;
            if self.is(AnchorSetsNoBarrier) {
                self.meddle(WrongShard::forget_barrier);
            }
            end
        })
    }

    fn scan(&self, mut scan: Scan) -> Reply<'_, ScanReply> {
        Box::pin(async move {
            if self.is(SoftScanDeletes) {
                scan.mode = Mode::Hard;
            }
            let mut reply = self.right.scan(scan).await?;
            if self.is(ScanStopsAfterABatch) {
                reply.cursor = None;
            }
            Ok(reply)
        })
    }

    fn finish(
        &self,
        pattern: Pattern,
        mode: Mode,
        mut anchor: Appended,
    ) -> Reply<'_, Option<Appended>> {
        Box::pin(async move {
            if let (FinishIgnoresEpoch, Some(meta)) = (self.wrong, self.parts().meta) {
                anchor.epoch = meta.epoch;
            }
            self.right.finish(pattern, mode, anchor).await
        })
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        self.right.server_time(now)
    }
}
