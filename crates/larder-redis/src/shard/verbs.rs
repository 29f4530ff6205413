//! The verbs: what goes out, and what comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use larder::key::EncodedKey;
use larder::record::{LogRecord, Name, NameHash, Record};
use larder::shard::state::ConnectReply;
use larder::shard::table::TagTable;
use larder::shard::{
    Appended, Epoch, Fill, FillReply, LeaseReply, ReadReply, StoredEntry, TAGS_MAX, TailReply,
    TailRequest, Token,
};
use redis::Value;

use super::RedisShard;
use super::way::Repeat;
use crate::answer::{Answer, number};
use crate::fault::{Fault, FaultKind};
use crate::scripts::{self, Script};
use crate::server::Need;
use crate::server::batch::{Meta, RawRead};
use crate::server::line::{Call, Line};
use crate::wire::{envelope, parameters, record, table};

/// How often one append joins. Between two joins the parameters must have changed.
const JOINS_MAX: usize = 3;

/// What a lease script answered.
enum Leased {
    Answer(LeaseReply),
    /// There is a value that cannot be read; the id is what its bytes say.
    Damaged {
        id: u128,
    },
}

impl RedisShard {
    pub(super) fn call(
        &self,
        script: &'static Script,
        keys: Vec<Vec<u8>>,
        arguments: Vec<Vec<u8>>,
    ) -> Call {
        let names = &self.names;
        let mut all_keys = Vec::with_capacity(4 + keys.len());
        all_keys.extend([&names.meta, &names.table, &names.log, &names.none].map(Vec::clone));
        all_keys.extend(keys);
        let mut all_arguments = Vec::with_capacity(4 + arguments.len());
        all_arguments.push(self.options.random.next_u128().to_le_bytes().to_vec());
        all_arguments.push(parameters::encode(self.options.parameters));
        all_arguments.push(names.channel.clone());
        all_arguments.push(decimal(self.options.log_records_max as u64));
        all_arguments.extend(arguments);
        Call { script, keys: all_keys, arguments: all_arguments }
    }

    /// Joins the shard, and says how its parameters compare.
    pub(crate) async fn joined(&self) -> Result<ConnectReply, Fault> {
        let joined = |line| async move { self.join(&line).await };
        self.within(Need::Essential, Repeat::Idempotent, scripts::CONNECT.verb, joined).await
    }

    /// Runs a script as a member of the namespace.
    pub(super) async fn run(&self, need: Need, repeat: Repeat, call: Call) -> Result<Value, Fault> {
        let call = &call;
        self.within(need, repeat, call.script.verb, |line| async move {
            let joined = self.join_as_member(&line).await?;
            let answer = line.call(call).await?;
            if is_outranked(&answer) {
                self.join.forget(joined);
                return Err(outranked(call.script.verb));
            }
            Ok(answer)
        })
        .await
    }

    pub(super) async fn read_values(&self, keys: Vec<EncodedKey>) -> Result<ReadReply, Fault> {
        let asked = &keys;
        let read = |line: Arc<Line>| async move {
            self.join_as_member(&line).await?;
            line.reads().read(Arc::clone(&self.names), asked.iter().cloned().collect()).await
        };
        let mut way = self.way(Need::Optional, Repeat::Idempotent, "read")?;
        // Without a timer of its own: its pipeline has one.
        let first = read(way.line()).await;
        let read = way.ended(first, read).await;
        let RawRead { values, meta: Meta { epoch, head } } = read?;
        let entries = keys.iter().zip(values).map(|(key, value)| self.entry(key, value)).collect();
        Ok(ReadReply { entries, epoch, head })
    }

    pub(super) async fn ask_lease(
        &self,
        key: EncodedKey,
        token: Token,
        seen: Option<u128>,
    ) -> Result<LeaseReply, Fault> {
        let answer = self.lease_answer(&key, token, seen).await?;
        match self.lease_reply(&key, answer)? {
            Leased::Answer(reply) => Ok(reply),
            // A value that nobody can read must not keep its key from being loaded.
            Leased::Damaged { id } => {
                let answer = self.lease_answer(&key, token, Some(id)).await?;
                match self.lease_reply(&key, answer)? {
                    Leased::Answer(reply) => Ok(reply),
                    Leased::Damaged { .. } => Ok(LeaseReply::Held),
                }
            }
        }
    }

    async fn lease_answer(
        &self,
        key: &EncodedKey,
        token: Token,
        seen: Option<u128>,
    ) -> Result<Value, Fault> {
        let keys = vec![self.names.value(key), self.names.lease(key)];
        let seen = seen.map_or_else(Vec::new, |id| id.to_le_bytes().to_vec());
        let arguments = vec![token_bytes(token), seen, self.lease_ttl_ms()];
        let call = self.call(&scripts::LEASE, keys, arguments);
        self.run(Need::Optional, Repeat::Idempotent, call).await
    }

    fn lease_reply(&self, key: &EncodedKey, answer: Value) -> Result<Leased, Fault> {
        let mut answer = Answer::list(scripts::LEASE.verb, answer)?;
        let reply = match answer.bytes()?.as_slice() {
            b"granted" => LeaseReply::Granted { epoch: answer.epoch()?, as_of: answer.number()? },
            b"filled" => {
                let (epoch, head) = (answer.epoch()?, answer.number()?);
                let value = Bytes::from(answer.bytes()?);
                match envelope::decode(key, value.clone()) {
                    Some(entry) => LeaseReply::Filled { entry, epoch, head },
                    None => return Ok(Leased::Damaged { id: envelope::id_of(&value) }),
                }
            }
            b"held" => LeaseReply::Held,
            other => {
                let other = Value::BulkString(other.to_vec());
                return Err(Fault::unexpected(scripts::LEASE.verb, &other));
            }
        };
        Ok(Leased::Answer(reply))
    }

    pub(super) async fn renew_lease(&self, key: EncodedKey, token: Token) -> Result<bool, Fault> {
        let arguments = vec![token_bytes(token), self.lease_ttl_ms()];
        let call = self.call(&scripts::RENEW, vec![self.names.lease(&key)], arguments);
        let answer = self.run(Need::Essential, Repeat::Idempotent, call).await?;
        Ok(number(&answer) == Some(1))
    }

    pub(super) async fn release_lease(&self, key: EncodedKey, token: Token) -> Result<(), Fault> {
        let arguments = vec![token_bytes(token)];
        let call = self.call(&scripts::RELEASE, vec![self.names.lease(&key)], arguments);
        self.run(Need::Essential, Repeat::Idempotent, call).await?;
        Ok(())
    }

    pub(super) async fn fill_value(&self, fill: Fill) -> Result<FillReply, Fault> {
        let keys = vec![self.names.value(&fill.key), self.names.lease(&fill.key)];
        let call = self.call(&scripts::FILL, keys, stored(&fill));
        let answer = self.run(Need::Essential, Repeat::Once, call).await?;
        Ok(fill_reply(&answer))
    }

    pub(super) async fn append_records(&self, records: Vec<Record>) -> Result<Appended, Fault> {
        let call = || self.append_call(&records);
        let answer = self.log(scripts::APPEND.verb, &records, &call).await?;
        appended(scripts::APPEND.verb, answer)
    }

    /// Runs a script that logs records: `call`, where this node is a member. The format of records is frozen, so
    /// that an outranked node can append too. It cannot know the others' form of a key: it names the key's whole
    /// cache.
    async fn log(
        &self,
        verb: &'static str,
        records: &[Record],
        call: &impl Fn() -> Call,
    ) -> Result<Value, Fault> {
        self.within(Need::Essential, Repeat::Once, verb, |line| async move {
            for _ in 0..JOINS_MAX {
                let joined = self.join(&line).await?;
                let call = match joined {
                    ConnectReply::Joined { .. } => call(),
                    ConnectReply::Outranked { .. } => self.append_call(&widened(records)),
                };
                let answer = line.call(&call).await?;
                if !is_outranked(&answer) {
                    return Ok(answer);
                }
                // The parameters have changed since it joined. Nothing is logged yet.
                self.join.forget(joined);
            }
            Err(outranked(verb))
        })
        .await
    }

    fn append_call(&self, records: &[Record]) -> Call {
        let arguments = records.iter().map(record::encode).collect();
        self.call(&scripts::APPEND, self.keys_named(records), arguments)
    }

    /// The value and the lease of each key that the records name.
    fn keys_named(&self, records: &[Record]) -> Vec<Vec<u8>> {
        let keys = records.iter().filter_map(|record| record.name.as_key());
        keys.flat_map(|key| [self.names.value(&key), self.names.lease(&key)]).collect()
    }

    pub(super) async fn write_value_through(
        &self,
        fill: Fill,
        records: Vec<Record>,
    ) -> Result<(Appended, FillReply), Fault> {
        let verb = scripts::WRITE_THROUGH.verb;
        let call = || self.write_through_call(&fill, &records);
        let answer = self.log(verb, &records, &call).await?;
        let mut answer = Answer::list(verb, answer)?;
        let appended = Appended { epoch: answer.epoch()?, position: answer.number()? };
        let stored = answer.optional_number()?.map_or(FillReply::Rejected, reply_of);
        Ok((appended, stored))
    }

    fn write_through_call(&self, fill: &Fill, records: &[Record]) -> Call {
        let mut keys = vec![self.names.value(&fill.key), self.names.lease(&fill.key)];
        keys.extend(self.keys_named(records));
        let mut arguments = stored(fill);
        arguments.extend(records.iter().map(record::encode));
        self.call(&scripts::WRITE_THROUGH, keys, arguments)
    }

    pub(super) async fn tail_log(&self, request: TailRequest) -> Result<TailReply, Fault> {
        let verb = scripts::TAIL.verb;
        let known = request.epoch.map_or_else(Vec::new, |epoch| epoch.0.to_le_bytes().to_vec());
        let arguments =
            vec![known, decimal(request.from), decimal(request.records_max.max(1) as u64)];
        let call = self.call(&scripts::TAIL, Vec::new(), arguments);
        let asked = self.options.clock.precise();
        let call = &call;
        let answer = self
            .within(Need::Essential, Repeat::Idempotent, verb, |line| async move {
                self.join(&line).await?;
                line.call(call).await
            })
            .await?;
        let mut answer = Answer::list(verb, answer)?;
        let (epoch, head) = (answer.epoch()?, answer.number()?);
        let server_time = answer.time()?;
        self.time.learn(server_time, asked);
        let table = match answer.optional_bytes()? {
            Some(bytes) => Some(Arc::new(table_of(&bytes, epoch)?)),
            None => None,
        };
        let mut records = Vec::new();
        for (position, value) in (request.from + 1..).zip(answer.nested()?) {
            let Value::BulkString(bytes) = &value else {
                return Err(Fault::unexpected(verb, &value));
            };
            let change = record::decode(bytes).ok_or_else(|| Fault::unexpected(verb, &value))?;
            records.push(LogRecord { position, change });
        }
        // Of keys in another form this node would not know which entries they are.
        let (theirs, ours) = (answer.parameters()?, self.options.parameters);
        let forms = (theirs.version(), theirs.encoding());
        self.join.learn(theirs, ours);
        if forms != (ours.version(), ours.encoding()) {
            let reason = format!("the namespace is used with version and key encoding {forms:?}");
            return Err(Fault::new(FaultKind::Refused, verb, reason));
        }
        Ok(TailReply { epoch, head, records, table, server_time })
    }

    /// `None`: there is no value, or one that cannot be read.
    fn entry(&self, key: &EncodedKey, value: Value) -> Option<StoredEntry> {
        let Value::BulkString(bytes) = value else { return None };
        let entry = envelope::decode(key, bytes.into());
        if entry.is_none() {
            self.damaged.fetch_add(1, Ordering::Relaxed);
        }
        entry
    }

    fn lease_ttl_ms(&self) -> Vec<u8> {
        decimal(u64::try_from(self.options.lease_ttl.as_millis()).unwrap_or(u64::MAX))
    }
}

fn table_of(bytes: &[u8], epoch: Epoch) -> Result<TagTable, Fault> {
    match table::decode(bytes) {
        Some((of, table)) if of == epoch => Ok(table),
        _ => Err(Fault::new(FaultKind::Refused, scripts::TAIL.verb, "a damaged tag table")),
    }
}

/// Token, entry, expiry, and the hashes of all tags: root and cache first.
fn stored(fill: &Fill) -> Vec<Vec<u8>> {
    let Fill { key, token, entry } = fill;
    let wide = [Name::root().hash(), key.cache_hash()];
    // With one tag too many the script rejects it.
    let tags = entry.tags.iter().take(TAGS_MAX + 1);
    let tags = wide.iter().chain(tags).flat_map(|hash: &NameHash| hash.to_bits().to_le_bytes());
    vec![
        token_bytes(*token),
        envelope::encode(key, entry),
        decimal(entry.expires_at.0),
        tags.collect(),
    ]
}

fn outranked(verb: &'static str) -> Fault {
    let reason = "the namespace is used with other parameters since this node joined";
    Fault::new(FaultKind::Refused, verb, reason)
}

/// Whether a script did nothing, because the shard has other parameters than its caller.
fn is_outranked(answer: &Value) -> bool {
    match answer {
        Value::Array(values) => {
            matches!(values.as_slice(), [Value::BulkString(word)] if word == b"outranked")
        }
        _ => false,
    }
}

/// The records as a node gives them whose keys others cannot read: each key as its cache.
fn widened(records: &[Record]) -> Vec<Record> {
    let wide = |record: &Record| match record.name.as_key() {
        Some(key) => Record { name: Name::cache(key.cache()), mode: record.mode },
        None => record.clone(),
    };
    records.iter().map(wide).collect()
}

pub(super) fn appended(verb: &'static str, answer: Value) -> Result<Appended, Fault> {
    let mut answer = Answer::list(verb, answer)?;
    Ok(Appended { epoch: answer.epoch()?, position: answer.number()? })
}

fn fill_reply(answer: &Value) -> FillReply {
    number(answer).map_or(FillReply::Rejected, reply_of)
}

fn reply_of(stored: u64) -> FillReply {
    if stored == 1 { FillReply::Stored } else { FillReply::Rejected }
}

fn token_bytes(token: Token) -> Vec<u8> {
    token.0.to_le_bytes().to_vec()
}

pub(super) fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}
