//! The shard inside the process, for one node. It keeps leases, meta and log, and no values: the
//! memory tier is its store. Always reachable, so its node is never suspect.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use super::parameters::{InvalidSetting, Parameters};
use super::state::{
    Effects, LEASE_TTL, LOG_RECORDS_MAX, RunId, ShardSettings, ShardState, Step, Values,
};
use super::table::{TAG_SLOTS, TagTable};
use super::{
    Appended, Epoch, Fill, FillReply, LeaseReply, Listener, ReadReply, Reply, Scan, ScanReply,
    ServerTime, Shard, TailReply, TailRequest, Token, Unreachable,
};
use crate::clock::{Clock, Moment, SystemClock};
use crate::key::EncodedKey;
use crate::key::pattern::Pattern;
use crate::random::{Random, SystemRandom};
use crate::record::{Mode, Record};
use crate::sync::Mutex;

/// The process and its shard live and die together.
const RUN: RunId = RunId(0);

/// The most records an embedded log may keep.
pub const EMBEDDED_LOG_RECORDS_MAX: usize = 10_000_000;

/// The longest a lease may last without being renewed.
pub const LEASE_TTL_MAX: Duration = Duration::from_secs(3600);

/// What an embedded shard is configured with.
#[derive(Clone)]
pub struct EmbeddedOptions {
    /// Slots that tags and prefixes share in each row of the tag table: a power of two in 256 to
    /// 4,194,304, by default 65,536 (2 MiB). Fewer slots let unrelated tags kill more entries.
    pub tag_slots: usize,
    /// How many records the log keeps: 1 to [`EMBEDDED_LOG_RECORDS_MAX`], by default 100,000.
    pub log_records_max: usize,
    /// How long a lease lasts that is not renewed: 1 ms to [`LEASE_TTL_MAX`], by default 10 s.
    pub lease_ttl: Duration,
    /// Counts the lifetime of leases; by default that of the operating system.
    pub clock: Arc<dyn Clock>,
    /// Draws the epoch; by default unpredictable.
    pub random: Arc<dyn Random>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        EmbeddedOptions {
            tag_slots: TAG_SLOTS,
            log_records_max: LOG_RECORDS_MAX,
            lease_ttl: LEASE_TTL,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

impl EmbeddedOptions {
    fn settings(&self) -> Result<ShardSettings, InvalidSetting> {
        let EmbeddedOptions { log_records_max, lease_ttl, .. } = *self;
        if !(1..=EMBEDDED_LOG_RECORDS_MAX).contains(&log_records_max) {
            let limit = format!("between 1 and {EMBEDDED_LOG_RECORDS_MAX}");
            return Err(InvalidSetting::new("log_records_max", log_records_max, limit));
        }
        if !(Duration::from_millis(1)..=LEASE_TTL_MAX).contains(&lease_ttl) {
            let found = format!("{lease_ttl:?}");
            let limit = format!("between 1ms and {LEASE_TTL_MAX:?}");
            return Err(InvalidSetting::new("lease_ttl", found, limit));
        }
        Ok(ShardSettings { log_records_max, lease_ttl, values: Values::Checked })
    }
}

/// The shard of a node that shares its values with no other process.
///
/// A lease of a key is `Held` while another token has it, as everywhere else: an older load that
/// was detached still counts as the one load of its key. Verbs complete at once.
pub struct Embedded {
    state: Mutex<ShardState>,
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
    parameters: Parameters,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Embedded {
    /// A shard with an empty log and a new epoch.
    ///
    /// # Errors
    /// The first option that is out of its range.
    pub fn new(options: EmbeddedOptions) -> Result<Self, InvalidSetting> {
        let parameters = Parameters::new(1, options.tag_slots)?;
        let embedded = Embedded {
            state: Mutex::new(ShardState::new(options.settings()?)),
            listeners: Mutex::new(Vec::new()),
            parameters,
            clock: options.clock,
            random: options.random,
        };
        let step = embedded.step();
        embedded.state.lock().connect(&step);
        Ok(embedded)
    }

    /// Appends records, for a node that holds its writer lock: append, apply and removal are one
    /// step for everybody else. The effects are to be [delivered](Self::deliver) once that lock is
    /// released, for listeners may take it.
    pub fn append_now(&self, records: Vec<Record>) -> (Appended, Effects) {
        self.now(|state, step, effects| state.append(step, records, effects))
    }

    /// Appends records and judges `fill` in one step, as [`append_now`](Self::append_now) appends.
    /// The value is the caller's to keep, if it is said to be stored.
    pub fn write_through_now(
        &self,
        fill: Fill,
        records: Vec<Record>,
    ) -> ((Appended, FillReply), Effects) {
        self.now(|state, step, effects| state.write_through(step, &fill, records, effects))
    }

    /// Begins the scan of a pattern, as [`append_now`](Self::append_now) appends.
    pub fn anchor_now(&self) -> (Appended, Effects) {
        self.now(ShardState::anchor)
    }

    /// Ends the scan of a pattern, as [`append_now`](Self::append_now) appends; `None`: the epoch
    /// is not the anchor's any more.
    pub fn finish_now(
        &self,
        pattern: Pattern,
        mode: Mode,
        anchor: Appended,
    ) -> (Option<Appended>, Effects) {
        self.now(|state, step, effects| state.finish(step, pattern, mode, anchor, effects))
    }

    /// Tells the listeners what a step did. To be called without any lock held.
    pub fn deliver(&self, effects: Effects) {
        let Effects { woken, pushed } = effects;
        if woken.is_empty() && pushed.is_none() {
            return;
        }
        let listeners = self.listeners.lock().clone();
        for listener in &listeners {
            if let Some((epoch, records)) = &pushed {
                listener.pushed(*epoch, records.clone());
            }
            for key in &woken {
                listener.woken(key);
            }
        }
    }

    /// The epoch and the position of the last record.
    pub fn head(&self) -> (Epoch, u64) {
        // `new` began the epoch, and nothing takes it away.
        self.state.lock().head().expect("an embedded shard always has an epoch")
    }

    /// The tag table as it is now.
    pub fn table(&self) -> Arc<TagTable> {
        let state = self.state.lock();
        let table = state.parts().table.as_ref();
        Arc::clone(&table.expect("an embedded shard always has a table").slots)
    }

    fn step(&self) -> Step {
        Step {
            now: self.server_time(self.clock.precise()),
            run: RUN,
            fresh: Epoch(self.random.next_u128()),
            parameters: self.parameters,
        }
    }

    /// Runs one verb under the lock, and says what to deliver after it.
    fn now<T>(&self, verb: impl FnOnce(&mut ShardState, &Step, &mut Effects) -> T) -> (T, Effects) {
        let step = self.step();
        let mut effects = Effects::default();
        let answer = verb(&mut self.state.lock(), &step, &mut effects);
        (answer, effects)
    }

    /// Runs one verb when its future is first polled, so that dropping it before does nothing.
    fn reply<'a, T: Send + 'a>(
        &'a self,
        verb: impl FnOnce(&mut ShardState, &Step, &mut Effects) -> T + Send + 'a,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            let (answer, effects) = self.now(verb);
            self.deliver(effects);
            Ok(answer)
        })
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (epoch, head) = self.head();
        f.debug_struct("Embedded").field("epoch", &epoch).field("head", &head).finish()
    }
}

impl Shard for Embedded {
    fn keeps_values(&self) -> bool {
        false
    }

    fn subscribe(&self, listener: Arc<dyn Listener>) {
        self.listeners.lock().push(listener);
    }

    fn read(&self, keys: Vec<EncodedKey>) -> Reply<'_, ReadReply> {
        let (epoch, head) = self.head();
        let entries = vec![None; keys.len()];
        Box::pin(ready(Ok(ReadReply { entries, epoch: Some(epoch), head })))
    }

    fn lease(&self, key: EncodedKey, token: Token, seen: Option<u128>) -> Reply<'_, LeaseReply> {
        self.reply(move |state, step, _| state.lease(step, &key, token, seen))
    }

    fn renew(&self, key: EncodedKey, token: Token) -> Reply<'_, bool> {
        self.reply(move |state, step, _| state.renew(step, &key, token))
    }

    fn release(&self, key: EncodedKey, token: Token) -> Reply<'_, ()> {
        self.reply(move |state, step, effects| state.release(step, &key, token, effects))
    }

    fn fill(&self, fill: Fill) -> Reply<'_, FillReply> {
        self.reply(move |state, step, effects| state.fill(step, &fill, effects))
    }

    fn append(&self, records: Vec<Record>) -> Reply<'_, Appended> {
        self.reply(move |state, step, effects| state.append(step, records, effects))
    }

    fn write_through(&self, fill: Fill, records: Vec<Record>) -> Reply<'_, (Appended, FillReply)> {
        self.reply(move |state, step, effects| state.write_through(step, &fill, records, effects))
    }

    fn tail(&self, request: TailRequest) -> Reply<'_, TailReply> {
        self.reply(move |state, step, _| state.tail(step, &request))
    }

    fn anchor(&self) -> Reply<'_, Appended> {
        self.reply(|state, step, effects| state.anchor(step, effects))
    }

    fn scan(&self, scan: Scan) -> Reply<'_, ScanReply> {
        Box::pin(async move {
            let (reply, _) = self.now(|state, step, _| state.scan(step, &scan));
            reply.ok_or_else(|| Unreachable::new("the epoch of the scan's anchor is gone"))
        })
    }

    fn finish(&self, pattern: Pattern, mode: Mode, anchor: Appended) -> Reply<'_, Option<Appended>> {
        self.reply(move |state, step, effects| state.finish(step, pattern, mode, anchor, effects))
    }

    fn server_time(&self, now: Moment) -> ServerTime {
        ServerTime(now.as_nanos() / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_range_name_the_field_and_its_limit() {
        let check = |options, expected: &str| {
            let error = Embedded::new(options).expect_err("out of range");
            assert_eq!(error.to_string(), expected);
        };
        let options = EmbeddedOptions::default;
        check(
            EmbeddedOptions { tag_slots: 1000, ..options() },
            "tag_slots is 1000, but must be a power of two between 256 and 4194304",
        );
        check(
            EmbeddedOptions { log_records_max: 0, ..options() },
            "log_records_max is 0, but must be between 1 and 10000000",
        );
        check(
            EmbeddedOptions { lease_ttl: Duration::ZERO, ..options() },
            "lease_ttl is 0ns, but must be between 1ms and 3600s",
        );
    }
}
