//! What each verb of a journal sends, and what its answer means. Every script asks first whether this
//! process has the journal still.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use larder::behind::{JournalError, JournalRecord, StoredRecord};
use larder::clock::Moment;
use parking_lot::Mutex;
use redis::Value;

use super::holding::Holding;
use super::keys::Keys;
use super::options::JournalOptions;
use super::refusal::Refusal;
use super::rights;
use super::scripts::{APPEND, FORGET, PARK, READ, RELEASE, RENEW};
use super::way::Way;
use crate::address::Topology;
use crate::answer::{Answer, number};
use crate::fault::Fault;
use crate::rights::MissingRight;
use crate::scripts::Script;
use crate::server::line::Call;

/// How often the lease is renewed in its time.
pub(super) const RENEWALS: u32 = 3;

/// A page of records ends after so many bytes, and a few records more.
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// Sequences from here on are not told apart by a script.
const SEQUENCE_MAX: u64 = 1 << 53;

/// What a page has for each record: its sequence, its bytes, why it is parked.
const PARTS: usize = 3;

/// The journals of one namespace.
pub(super) struct Verbs {
    pub(super) namespace: String,
    pub(super) options: JournalOptions,
    way: Way,
    /// Those that this process has, by cache.
    pub(super) held: Mutex<HashMap<String, Arc<Holding>>>,
}

impl Verbs {
    pub(super) fn open(namespace: &str, options: JournalOptions) -> Self {
        let way = Way::open(namespace, &options);
        Verbs { namespace: namespace.to_owned(), options, way, held: Mutex::default() }
    }

    /// The caches whose journal this process has.
    pub(super) fn caches(&self) -> Vec<String> {
        self.held.lock().keys().cloned().collect()
    }

    /// Whether the server may keep a journal, asked for one that nobody has.
    pub(super) async fn check_server(&self) -> Result<(), JournalError> {
        let nobodys = Holding::new(Keys::new(&self.namespace, "", 1), self.token());
        match self.confirm(&nobodys).await {
            // Only a server that keeps what it confirms is asked at all.
            Ok(()) | Err(Refusal::Gone | Refusal::Lost { .. }) => Ok(()),
            Err(refusal) => Err(self.error(refusal)),
        }
    }

    /// Renews the lease until another process has taken the journal, or the server has lost it.
    pub(super) async fn renew(self: Arc<Self>, holding: Arc<Holding>) {
        let (clock, ttl) = (&self.options.redis.clock, self.options.redis.lease_ttl);
        loop {
            clock.sleep_until(clock.precise().plus(ttl / RENEWALS)).await;
            if let Err(Refusal::Lost { .. } | Refusal::Gone) = self.confirm(&holding).await {
                return;
            }
        }
    }

    async fn confirm(&self, holding: &Holding) -> Result<(), Refusal> {
        let asked = self.now();
        self.ask(holding, &RENEW, [self.lease_ms()]).await?;
        holding.confirm(asked);
        Ok(())
    }

    pub(super) async fn hold(&self, cache: &str) -> Result<(), JournalError> {
        let holding = self.holding(cache)?;
        if holding.is_sure(self.now(), self.options.redis.lease_ttl) {
            return Ok(());
        }
        match self.confirm(&holding).await {
            // Nobody can have taken what is not there: what this process has is all that there is.
            Ok(()) | Err(Refusal::Gone) => Ok(()),
            Err(refusal) => Err(self.error(refusal)),
        }
    }

    pub(super) async fn append(
        &self,
        cache: &str,
        records: &[JournalRecord],
    ) -> Result<(), JournalError> {
        let holding = self.holding(cache)?;
        let mut arguments = vec![self.lease_ms()];
        for JournalRecord { sequence, bytes } in records {
            if !(1..SEQUENCE_MAX).contains(sequence) {
                return Err(self.error(Refusal::Conflict { sequence: sequence.to_string() }));
            }
            arguments.extend([decimal(*sequence), bytes.clone()]);
        }
        let asked = self.now();
        self.done(&holding, &APPEND, arguments).await?;
        holding.confirm(asked);
        Ok(())
    }

    pub(super) async fn read(
        &self,
        cache: &str,
        after: u64,
        records_max: usize,
    ) -> Result<Vec<StoredRecord>, JournalError> {
        let first = decimal(after.saturating_add(1));
        let arguments = [first, decimal(records_max as u64), decimal(PAGE_BYTES_MAX)];
        let mut answer = self.done(&*self.holding(cache)?, &READ, arguments).await?;
        let parts = answer.nested().map_err(JournalError::failed)?;
        let records: Result<_, Fault> = parts.chunks(PARTS).map(record).collect();
        records.map_err(JournalError::failed)
    }

    pub(super) async fn forget(&self, cache: &str, sequences: &[u64]) -> Result<(), JournalError> {
        let listed = sequences.iter().copied().map(decimal);
        match self.ask(&*self.holding(cache)?, &FORGET, listed).await {
            // What is not there is forgotten.
            Ok(_) | Err(Refusal::Gone) => Ok(()),
            Err(refusal) => Err(self.error(refusal)),
        }
    }

    pub(super) async fn park(
        &self,
        cache: &str,
        sequence: u64,
        reason: Option<&str>,
    ) -> Result<(), JournalError> {
        let reason = reason.map(|reason| reason.as_bytes().to_vec());
        let arguments = std::iter::once(decimal(sequence)).chain(reason);
        self.done(&*self.holding(cache)?, &PARK, arguments).await.map(drop)
    }

    /// Which rights the ACL user lacks.
    pub(super) async fn missing_rights(&self) -> Result<Vec<MissingRight>, Fault> {
        let is_cluster = matches!(self.options.redis.topology, Topology::Cluster(_));
        let keys = Keys::new(&self.namespace, "rights", 1);
        let asked = rights::asked(&keys, self.options.durability, is_cluster);
        self.way.lacking(&asked, &self.namespace).await
    }

    /// Lets go of every journal. Those of which the server could not be told stay held, so that another
    /// call tries again; the first error is the answer.
    pub(super) async fn release(&self) -> Result<(), JournalError> {
        let held = self.held.lock().clone();
        // All at once: a server that does not answer is waited for once.
        let released = held.iter().map(|(cache, holding)| self.let_go(cache, holding));
        join_all(released).await.into_iter().collect()
    }

    async fn let_go(&self, cache: &str, holding: &Holding) -> Result<(), JournalError> {
        self.done(holding, &RELEASE, []).await?;
        self.held.lock().remove(cache);
        Ok(())
    }

    async fn done(
        &self,
        holding: &Holding,
        script: &'static Script,
        arguments: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Answer, JournalError> {
        self.ask(holding, script, arguments).await.map_err(|no| self.error(no))
    }

    pub(super) async fn ask(
        &self,
        holding: &Holding,
        script: &'static Script,
        arguments: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Answer, Refusal> {
        let token = std::iter::once(holding.token.to_vec());
        let call =
            Call { script, keys: holding.keys.all(), arguments: token.chain(arguments).collect() };
        Refusal::unless_done(self.way.run(&call).await?)
    }

    fn holding(&self, cache: &str) -> Result<Arc<Holding>, JournalError> {
        let held = self.held.lock().get(cache).map(Arc::clone);
        held.ok_or_else(|| JournalError::failed(format!("`{cache}` is not open, or was closed")))
    }

    /// Random, and new for each who opens.
    pub(super) fn token(&self) -> u128 {
        self.options.redis.random.next_u128()
    }

    pub(super) fn error(&self, refusal: Refusal) -> JournalError {
        let limit = self.options.redis.command_timeout;
        refusal.into_error(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn lease_ms(&self) -> Vec<u8> {
        self.options.redis.lease_ttl.as_millis().to_string().into_bytes()
    }

    /// A lease goes on while the machine sleeps.
    pub(super) fn now(&self) -> Moment {
        self.options.redis.clock.with_suspend()
    }
}

/// One record of a page. Bytes that are none of ours are found out by their checksum.
fn record(parts: &[Value]) -> Result<StoredRecord, Fault> {
    let unexpected = || Fault::unexpected(READ.verb, &Value::Array(parts.to_vec()));
    let [sequence, Value::BulkString(bytes), parked] = parts else { return Err(unexpected()) };
    let parked = match parked {
        Value::Nil => None,
        Value::BulkString(reason) => Some(String::from_utf8_lossy(reason).into_owned()),
        _ => return Err(unexpected()),
    };
    let sequence = number(sequence).ok_or_else(unexpected)?;
    Ok(StoredRecord { sequence, bytes: bytes.clone(), parked })
}

fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}
