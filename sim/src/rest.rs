//! What must hold when everything has settled, and what the shared tier must hold at any time.

use std::sync::Arc;

use larder::key::EncodedKey;
use larder::record::Name;
use larder::shard::StoredEntry;
use larder::shard::state::Parts;
use larder::shard::table::{Positions, Slots};

use crate::check::{Consistency, Promise};
use crate::exec::Owner;
use crate::faults::LASTS_MAX;
use crate::nodes::{ReadFailure, Subject, Wish};
use crate::simulation::Simulation;
use crate::weather::{NODES, SHARDS};
use crate::world::names::{KEYS, Mark, Versions};
use crate::world::source::Loader;

/// Heals, waits until all calls have ended, and checks that nothing old or unfinished is left.
pub(crate) fn settle<S: Subject>(simulation: &mut Simulation<S>) {
    simulation.network.heal();
    // Machines that stand still go on by themselves: a sleep that ends early would turn the clock
    // back.
    simulation.executor.run_until(simulation.executor.now() + LASTS_MAX);
    if !simulation.drain() {
        let calls = simulation.callers.running();
        let story =
            format!("{calls} calls and {} outbox rows never ended", simulation.world.outbox().len());
        return simulation.world.broken(Promise::Rest, 0, story);
    }
    simulation.let_polls_pass(8);
    check_shared_tier(simulation, &simulation.world.source_versions(), Promise::Rest);
    read_everything(simulation);
    for (node, machine) in simulation.machines.iter().enumerate() {
        let unfinished = machine.node.unfinished();
        if !unfinished.is_empty() {
            simulation.world.broken(Promise::Rest, 0, format!("node {node} still has {unfinished}"));
        }
    }
    close_everything(simulation);
}

/// Reads every row on every node: from memory if it can, and as a bounded reader.
fn read_everything<S: Subject>(simulation: &Simulation<S>) {
    let floors = simulation.floors_at_rest();
    for consistency in [Consistency::Eventual, Consistency::Bounded] {
        for (node, machine) in simulation.machines.iter().enumerate() {
            for key in 0..KEYS {
                let (world, habits) =
                    (Arc::clone(&simulation.world), Arc::clone(&simulation.callers.habits));
                let loader = Loader { world: Arc::clone(&world), habits, node, key };
                let wish =
                    if consistency == Consistency::Eventual { Wish::Eventual } else { Wish::Bounded };
                let read = Arc::clone(&machine.node).read(key, wish, loader);
                let waiting = world.begin_read(node, key);
                let read = async move {
                    match read.await {
                        Ok(answer) => {
                            waiting.answered(answer.mark);
                            world.answered(node, key, &floors, &answer);
                        }
                        Err(ReadFailure::Source) => world.count("reads failed by the source"),
                        Err(ReadFailure::Cache(reason)) => {
                            let story = format!("node {node} failed a read at rest: {reason}");
                            world.broken(Promise::FailedRead, key, story);
                        }
                    }
                };
                simulation.executor.spawn(Owner::WORLD, Box::pin(read));
            }
        }
    }
    simulation.let_polls_pass(40);
    if simulation.executor.running(Owner::WORLD) > 0 {
        simulation.world.broken(Promise::Rest, 0, "a read at rest never ended".to_owned());
    }
}

fn close_everything<S: Subject>(simulation: &Simulation<S>) {
    for machine in &simulation.machines {
        simulation.executor.spawn(Owner::WORLD, Box::pin(Arc::clone(&machine.node).close()));
    }
    simulation.let_polls_pass(40);
    let tasks: Vec<usize> =
        (0..NODES).map(|node| simulation.executor.running(simulation.machines[node].owner)).collect();
    if tasks.iter().any(|tasks| *tasks > 0) || simulation.executor.running(Owner::WORLD) > 0 {
        simulation.world.broken(Promise::Rest, 0, format!("after close {tasks:?} tasks still run"));
    }
}

/// No shard holds an alive value that is older than `floor`.
pub(crate) fn check_shared_tier<S: Subject>(
    simulation: &Simulation<S>,
    floor: &Versions,
    promise: Promise,
) {
    for shard in 0..SHARDS {
        for key in 0..KEYS {
            let encoded = S::encoded_key(key);
            let old = simulation.network.look(shard, |parts| old_value::<S>(parts, &encoded, floor));
            if let Some(story) = old.flatten() {
                simulation.world.broken(
                    promise,
                    key,
                    format!("shard {shard} holds alive what {story}"),
                );
            }
        }
    }
}

fn old_value<S: Subject>(parts: &Parts, key: &EncodedKey, floor: &Versions) -> Option<String> {
    let entry = parts.values.get(key)?;
    let row = S::decoded(entry.payload.as_ref()?)?;
    let mark = mark(parts, key, entry)?;
    let named = row.misses(floor, mark)?;
    Some(format!("has not seen {named:?} as of {}: {}", entry.as_of, row.story()))
}

/// How a reader would judge a stored value by the shard's own table; `None`: dead.
fn mark(parts: &Parts, key: &EncodedKey, entry: &StoredEntry) -> Option<Mark> {
    let table = &parts.table.as_ref()?.slots;
    if parts.meta.as_ref()?.epoch != entry.epoch || parts.table.as_ref()?.epoch != entry.epoch {
        return None;
    }
    let wide =
        [Name::root().hash(), key.cache_hash()].map(|hash| Slots::of_wide(hash, table.tag_slots()));
    let tags = entry.tags.iter().map(|hash| Slots::of_tag(*hash, table.tag_slots()));
    let named = wide
        .into_iter()
        .chain(tags)
        .fold(Positions::default(), |most, slots| most.max(table.positions(slots)));
    match () {
        () if named.hard > entry.as_of => None,
        () if named.soft > entry.as_of || entry.soft => Some(Mark::Stale),
        () => Some(Mark::Fresh),
    }
}
