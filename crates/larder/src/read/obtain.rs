//! The shared tier in a read: one read for all keys of a shard, then a lease for each key that
//! has no value. Whatever comes back is judged, never trusted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finish::StoredAt;
use super::held::Held;
use super::lead::{Leading, Lease, Leg, Next};
use super::look::Candidate;
use crate::Entry;
use crate::cache::core::CacheCore;
use crate::flight::Route;
use crate::hit::{Answer, Origin};
use crate::key::EncodedKey;
use crate::memory::resident::Meta;
use crate::memory::verdict::Verdict;
use crate::node::Node;
use crate::node::subject::Names;
use crate::node::view::View;
use crate::shard::{LeaseReply, StoredEntry, Token, Unreachable};
use crate::wait;

/// How often a key is read and its lease asked for, before it is loaded without one.
const TRIES: usize = 5;

/// What the shared tier said of one leg.
enum Said {
    /// Nothing that ends it: ask for the lease, showing the id of what was seen.
    AskLease { seen: Option<u128> },
    /// The leg goes on like this.
    Next(Next),
}

impl<V: Entry> Leading<V> {
    /// What comes next for each open leg.
    pub(super) async fn obtain(&mut self) -> Vec<(usize, Next)> {
        let (asking, mut nexts) = self.who_asks();
        if asking.is_empty() {
            return nexts;
        }
        let mut leasing = Vec::new();
        for (index, said) in self.read(asking).await {
            match said {
                Said::Next(next) => nexts.push((index, next)),
                Said::AskLease { seen } => leasing.push((index, seen)),
            }
        }
        let (core, demand_shared) = (Arc::clone(&self.core), self.legs.as_mut_slice());
        let mut asks = Vec::new();
        for (index, leg) in demand_shared.iter_mut().enumerate() {
            if let Some((_, seen)) = leasing.iter().find(|(leasing, _)| *leasing == index) {
                asks.push(ask_lease(&core, index, leg, *seen));
            }
        }
        nexts.extend(wait::all(asks).await);
        nexts
    }

    /// The open legs that may use the shared tier, and those that go straight to the source.
    fn who_asks(&self) -> (Vec<usize>, Vec<(usize, Next)>) {
        let mut asking = Vec::new();
        let mut nexts = Vec::new();
        for (index, leg) in self.legs.iter().enumerate().filter(|(_, leg)| leg.is_open()) {
            let view = self.core.view(&leg.sought);
            let barred = self.demand.skip_shared
                || self.route != Route::Whole
                || !view.shard.keeps_values()
                || leg.tries >= TRIES
                || view.skips_shared(leg.sought.names());
            match barred {
                true => nexts.push((index, Next::Load)),
                false => asking.push(index),
            }
        }
        (asking, nexts)
    }

    /// One read for all keys of a shard.
    async fn read(&mut self, asking: Vec<usize>) -> Vec<(usize, Said)> {
        let mut by_shard: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in asking {
            self.legs[index].tries += 1;
            by_shard.entry(self.legs[index].sought.shard).or_default().push(index);
        }
        let node = Arc::clone(&self.core.node);
        let reads = by_shard.into_iter().map(|(shard, legs)| {
            let keys = legs.iter().map(|&index| self.legs[index].sought.names.key.clone()).collect();
            read_shard(&node, shard, legs, keys)
        });
        let mut said = Vec::new();
        for (legs, entries) in wait::all(reads).await {
            for (at, index) in legs.into_iter().enumerate() {
                let leg = &mut self.legs[index];
                said.push((
                    index,
                    match &entries {
                        Answered::Entries(entries, applied) => {
                            let entry = entries.get(at).cloned().flatten();
                            consider_read(&self.core, leg, entry, *applied)
                        }
                        Answered::OtherEpoch => start_over(leg),
                        Answered::Unreachable => Said::Next(Next::Load),
                    },
                ));
            }
        }
        said
    }
}

/// What a shard answered to a read.
enum Answered {
    /// With what this node had applied when it asked.
    Entries(Vec<Option<StoredEntry>>, u64),
    OtherEpoch,
    Unreachable,
}

async fn read_shard(
    node: &Node,
    shard: usize,
    legs: Vec<usize>,
    keys: Vec<EncodedKey>,
) -> (Vec<usize>, Answered) {
    let view = &node.views[shard];
    let asked = view.asking();
    let reply = node.within(node.limits.call_timeout, view.shard.read(keys)).await;
    let answered = match reply {
        Err(Unreachable { .. }) => Answered::Unreachable,
        Ok(reply) if asked.agrees(reply.epoch, reply.head) => {
            Answered::Entries(reply.entries, asked.place.applied)
        }
        Ok(_) => Answered::OtherEpoch,
    };
    (legs, answered)
}

fn start_over<V: Entry>(leg: &mut Leg<V>) -> Said {
    leg.start_over();
    Said::Next(Next::Landed)
}

fn consider_read<V: Entry>(
    core: &CacheCore<V>,
    leg: &mut Leg<V>,
    entry: Option<StoredEntry>,
    applied: u64,
) -> Said {
    match entry {
        Some(entry) => consider(core, leg, entry, applied),
        None => Said::AskLease { seen: None },
    }
}

/// Judges a value of the shared tier; `applied` is what this node had applied when it asked.
fn consider<V: Entry>(
    core: &CacheCore<V>,
    leg: &mut Leg<V>,
    entry: StoredEntry,
    applied: u64,
) -> Said {
    let view = core.view(&leg.sought);
    let seen = Some(entry.id);
    if Some(entry.epoch) != view.place().epoch {
        return Said::AskLease { seen };
    }
    let prefixes = leg.sought.names.prefixes.len().min(entry.tags.len());
    let tags = &entry.tags[prefixes..];
    if view.skips_shared(Names { tags, ..leg.sought.names() }) {
        return Said::Next(Next::Load);
    }
    let now = core.node.now();
    let stored = StoredAt { entry: &entry, l0: leg.l0, applied, place: view.place(), tags, now };
    let Some(resident) = core.decode(&leg.sought, stored) else {
        return Said::AskLease { seen };
    };
    let meta = &resident.meta;
    let verdict = view.judge_elsewhere(meta, leg.sought.names(), leg.l0);
    if verdict == Verdict::Dead {
        return if view.mark() > leg.l0 { Said::Next(Next::Load) } else { Said::AskLease { seen } };
    }
    // A refresh wants something newer than what it was started for.
    let newer = leg.candidate.as_ref().is_none_or(|held| is_newer(meta, &held.resident.meta));
    let answer =
        |stale| Answer { resident: Arc::clone(&resident), origin: Origin::Shared, stale, at: now };
    if verdict == Verdict::Fresh && now < meta.fresh_until() && newer {
        core.keep(&leg.sought, &resident, None);
        leg.land(core, answer(false), None);
        return Said::Next(Next::Landed);
    }
    if now < core.stale_until(&resident) && !core.policy.stale_for.is_zero() {
        leg.offer(answer(true));
    }
    if newer {
        leg.candidate = Some(Candidate { resident, l0: leg.l0 });
    }
    Said::AskLease { seen }
}

fn is_newer(found: &Meta, held: &Meta) -> bool {
    found.epoch != held.epoch || found.as_of > held.as_of
}

/// Asks for the lease, and looks at the value that may have come in between.
async fn ask_lease<V: Entry>(
    core: &Arc<CacheCore<V>>,
    index: usize,
    leg: &mut Leg<V>,
    mut seen: Option<u128>,
) -> (usize, Next) {
    let node = &core.node;
    loop {
        let view = core.view(&leg.sought);
        let asked = view.asking();
        let token = Token(node.random.next_u128());
        // Before the lease is asked for, so that its end cannot be missed.
        let wakeup = node.wakeups.listen(&leg.sought.names.key);
        let unanswered = Lease::new(node, &leg.sought, token);
        let reply = view.shard.lease(leg.sought.names.key.clone(), token, seen);
        match node.within(node.limits.call_timeout, reply).await {
            // The lease may be ours all the same: dropping it gives it back.
            Err(_) => return (index, Next::Load),
            Ok(LeaseReply::Granted { epoch, as_of }) => {
                leg.granted(unanswered, epoch, as_of);
                return (index, Next::Load);
            }
            Ok(LeaseReply::Held) => {
                unanswered.spend();
                // Waiting is bounded by `lease_wait_max`. Counted as tries, five wake-ups would
                // end it, and a load that takes longer would run twice.
                leg.tries = 0;
                return (index, Next::Wait(Held::new(wakeup)));
            }
            Ok(LeaseReply::Filled { entry: found, epoch, head }) => {
                unanswered.spend();
                leg.tries += 1;
                if !asked.agrees(Some(epoch), head) {
                    leg.start_over();
                    return (index, Next::Landed);
                }
                match consider(core, leg, found, asked.place.applied) {
                    Said::Next(next) => return (index, next),
                    Said::AskLease { .. } if leg.tries >= TRIES => return (index, Next::Load),
                    Said::AskLease { seen: newest } => seen = newest,
                }
            }
        }
    }
}

impl View {
    /// Whether this node has invalidated one of these names, and does not find it in the log yet.
    pub(crate) fn skips_shared(&self, names: Names<'_>) -> bool {
        self.pending.names_any(names) || self.unsure.names_any(names)
    }
}
