//! What goes wrong, and how it is put right in the end. Knows servers, links and nodes only by the
//! switches that they offer.

use std::sync::Arc;

use larder::shard::state::Part;

use crate::exec::{Nanos, millis};
use crate::fault::Fault;
use crate::network::Unnoticed;
use crate::nodes::Subject;
use crate::simulation::Simulation;
use crate::trace::Event;
use crate::weather::{NODES, POLL_INTERVAL_MS, SHARDS};
use crate::world::names::KEYS;

/// The longest that a fault with an end lasts.
pub(crate) const LASTS_MAX: Nanos = millis(6 * POLL_INTERVAL_MS);

/// One fault of a kind that this seed knows, somewhere, for a while.
pub(crate) fn strike<S: Subject>(simulation: &mut Simulation<S>) {
    let dice = &simulation.dice;
    let (node, shard) = (dice.index(NODES), dice.index(SHARDS));
    for down in 0..SHARDS {
        if dice.chance(300) {
            simulation.network.shard_up(down);
        }
    }
    let kinds = &simulation.weather.kinds;
    if kinds.is_empty() {
        return;
    }
    let fault = kinds[dice.index(kinds.len())];
    let lasts = dice.below(LASTS_MAX);
    simulation.world.count(fault.text());
    simulation.world.disturbed();
    simulation.world.note(Event::new(fault.text(), lasts).on_node(node).on_shard(shard));
    match fault {
        Fault::NodePaused | Fault::NodeSuspended | Fault::NodeKilled => {
            strike_node(simulation, fault, node, lasts)
        }
        Fault::ValueEvicted
        | Fault::LeaseEvicted
        | Fault::MetaEvicted
        | Fault::TableEvicted
        | Fault::LogEvicted => {
            evict(simulation, fault, shard);
        }
        _ => strike_network(simulation, fault, (node, shard), lasts),
    }
}

fn strike_network<S: Subject>(
    simulation: &Simulation<S>,
    fault: Fault,
    (node, shard): (usize, usize),
    lasts: Nanos,
) {
    let network = &simulation.network;
    let until = simulation.executor.now() + lasts;
    match fault {
        Fault::ShardDown => network.shard_down(shard),
        Fault::ShardEmpty => network.restart_empty(shard),
        Fault::Failover => network.fail_over(shard, node, until, Unnoticed::ByNobody),
        Fault::FailoverUnnoticed => network.fail_over(shard, node, until, Unnoticed::BySome),
        Fault::MessagesLost => network.lose_messages(node, shard),
        Fault::Cut => network.cut(node, shard, until),
        Fault::HalfOpen => network.half_open(node, shard, until),
        other => unreachable!("{other:?} is no fault of the network"),
    }
}

fn evict<S: Subject>(simulation: &Simulation<S>, fault: Fault, shard: usize) {
    let key = S::encoded_key(simulation.dice.index(KEYS));
    let part = match fault {
        Fault::ValueEvicted => Part::Value(key),
        Fault::LeaseEvicted => Part::Lease(key),
        Fault::MetaEvicted => Part::Meta,
        Fault::TableEvicted => Part::Table,
        Fault::LogEvicted => Part::Log,
        other => unreachable!("{other:?} evicts nothing"),
    };
    simulation.network.evict(shard, &part);
}

/// A machine that stands still already is left alone: it cannot be put to sleep twice.
fn strike_node<S: Subject>(simulation: &mut Simulation<S>, fault: Fault, node: usize, lasts: Nanos) {
    let owner = simulation.machines[node].owner;
    let executor = simulation.executor.clone();
    if executor.is_paused(owner) {
        return;
    }
    if fault == Fault::NodeKilled {
        return simulation.restart(node);
    }
    let world = Arc::clone(&simulation.world);
    executor.pause(owner);
    executor.clone().at(executor.now() + lasts, move || {
        if fault == Fault::NodeSuspended {
            world.woke(node, lasts);
        }
        world.disturbed();
        executor.resume(owner);
    });
}
