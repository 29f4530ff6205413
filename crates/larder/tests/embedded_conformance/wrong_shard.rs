//! A shard that leaves out one step: it runs the right verb on parts that it meddled with before,
//! or spoils after.

use std::sync::{Arc, Mutex};

use larder::clock::Moment;
use larder::conformance::server::ValueShard;
use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::{LogRecord, Mode, Record};
use larder::shard::state::{EpochTable, Lease, Meta, Parts};
use larder::shard::table::{Slots, TagTable};
use larder::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply,
    ServerTime, Shard, TAGS_MAX, TailReply, TailRequest, Token, Unreachable,
};

use crate::wrong::Wrong::{self, *};

pub(crate) struct WrongShard {
    right: ValueShard,
    wrong: Wrong,
    /// The parts as the last verb left them.
    last: Mutex<Option<Parts>>,
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
        WrongShard { right, wrong, last: Mutex::default() }
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
        self.survive();
        if self.is(LostTableIsReplaced) {
            self.meddle(|parts| {
                if let (Some(meta), None) = (&parts.meta, &parts.table) {
                    let slots = Arc::new(TagTable::new(meta.parameters.tag_slots()));
                    parts.table = Some(EpochTable { epoch: meta.epoch, slots });
                }
            });
        }
    }

    /// Carries what an epoch had into the next one.
    fn survive(&self) {
        let last = self.last.lock().expect("no case panics under the lock");
        self.meddle(|parts| {
            let Some(old) = last.as_ref().filter(|_| parts.meta.is_none()) else { return };
            let (Some(meta), Some(table)) = (&old.meta, &old.table) else { return };
            let fresh = Epoch(meta.epoch.0.wrapping_add(1));
            let mut meta = Meta { epoch: fresh, head: 0, barrier: 0, ..meta.clone() };
            let mut slots = Arc::new(TagTable::new(meta.parameters.tag_slots()));
            match self.wrong {
                BarrierOutlivesItsEpoch => {
                    meta.barrier = old.meta.as_ref().map_or(0, |old| old.barrier)
                }
                TableOutlivesItsEpoch => slots = Arc::clone(&table.slots),
                _ => return,
            }
            parts.log.clear();
            parts.meta = Some(meta);
            parts.table = Some(EpochTable { epoch: fresh, slots });
        });
    }

    /// What comes after a verb that may have begun an epoch.
    fn end(&self, before: Parts) {
        *self.last.lock().expect("no case panics under the lock") = Some(self.parts());
        if self.is(LogOutlivesItsEpoch) {
            self.meddle(|parts| {
                let epoch = |parts: &Parts| parts.meta.as_ref().map(|meta| meta.epoch);
                if epoch(parts) != epoch(&before) {
                    let fresh = std::mem::replace(&mut parts.log, before.log);
                    parts.log.extend(fresh);
                }
            });
        }
        if self.is(LeasesNeverEnd) {
            self.meddle(|parts| {
                parts.leases.values_mut().for_each(|lease| lease.expires_at = ServerTime(u64::MAX));
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

    async fn filled(&self, mut fill: Fill) -> Result<FillReply, Unreachable> {
        if self.is(EverythingIsRejected) {
            fill.token = Token(0);
        }
        if self.is(TagsAboveTheLimitAreForgotten) {
            fill.entry.tags = fill.entry.tags.iter().copied().take(TAGS_MAX).collect();
        }
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
        if let (KeyRecordsRaiseTags, Some(table)) = (self.wrong, &mut parts.table) {
            let slots = Slots::of_tag(key.hash(), table.slots.tag_slots());
            Arc::make_mut(&mut table.slots).raise(slots, position, record.mode);
        }
        if self.is(FlagIsShownOfNothing) {
            parts.values.values_mut().for_each(|entry| entry.soft = true);
        }
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
        if self.is(EmptyBatchCounts) && records.is_empty() {
            return self.right.anchor().await;
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
        if self.is(WriteThroughLeavesLease) {
            self.meddle(|parts| parts.leases.extend(before.leases.clone()));
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
            if self.is(ReadsAreOutOfOrder) {
                reply.entries.reverse();
            }
            if self.is(PayloadIsLost) {
                reply.entries.iter_mut().flatten().for_each(|entry| entry.payload = None);
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
            match reply? {
                LeaseReply::Granted { epoch, as_of } if self.is(LeaseBeginsBeforeTheHead) => {
                    Ok(LeaseReply::Granted { epoch, as_of: as_of.saturating_sub(1) })
                }
                reply => Ok(reply),
            }
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
            if let (TailEndsAtItsLastRecord, Some(log)) = (self.wrong, reply.records.last()) {
                reply.head = log.position;
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
            let before = self.parts();
            let end = self.right.anchor().await;
            self.end(before);
            if self.is(AnchorSetsNoBarrier) {
                self.meddle(WrongShard::forget_barrier);
            }
            if self.is(AnchorIsNotLogged) {
                self.meddle(|parts| parts.log.pop_back());
            }
            end
        })
    }

    fn scan(&self, mut scan: Scan) -> Reply<'_, ScanReply> {
        Box::pin(async move {
            if self.is(SoftScanDeletes) {
                scan.mode = Mode::Hard;
            }
            if self.is(HardScanDeletesAll) {
                scan.pattern = Pattern::glob("*").expect("a glob");
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
