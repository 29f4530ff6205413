//! Readers and writers, for as long as they are wanted. Seeded: the seed is printed.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use crate::history::History;
use crate::node::{Node, Told};
use crate::pause;
use crate::report::Report;
use crate::source::{KEYS, Source};

/// How much is asked of the nodes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Readers of each node.
    pub readers: usize,
    /// A reader rests so long, on average, between two reads.
    pub reads_every: Duration,
    /// A writer of each node rests so long, on average, between two changes.
    pub changes_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Pace { readers: 8, reads_every: millis(2), changes_every: millis(4) }
    }
}

/// Readers and writers of a fleet. They go on until this is dropped or [`ended`](Self::end).
pub struct Crowd<N> {
    nodes: Arc<[N]>,
    source: Source,
    history: Arc<History>,
    seed: u64,
    at_work: JoinSet<()>,
}

impl<N: Node> Crowd<N> {
    /// Begins, in the tokio runtime of the caller.
    pub fn on(nodes: Vec<N>, source: Source, pace: Pace) -> Self {
        let history = Arc::new(History::new(nodes.len()));
        let (seed, nodes) = (rand::random(), Arc::<[N]>::from(nodes));
        println!("seed {seed}");
        let mut at_work = JoinSet::new();
        for node in 0..nodes.len() {
            for member in 0..=pace.readers {
                let member_seed = seed ^ (node * 1_000 + member) as u64;
                let member = Member {
                    nodes: Arc::clone(&nodes),
                    node,
                    source: source.clone(),
                    history: Arc::clone(&history),
                    dice: SmallRng::seed_from_u64(member_seed),
                };
                if at_work.len() % (pace.readers + 1) == pace.readers {
                    at_work.spawn(member.write(pace.changes_every));
                } else {
                    at_work.spawn(member.read(pace.reads_every));
                }
            }
        }
        Crowd { nodes, source, history, seed, at_work }
    }

    /// The nodes that it asks.
    pub fn nodes(&self) -> &[N] {
        &self.nodes
    }

    /// What it has seen so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Sends everybody home and says what they saw.
    pub async fn end(mut self, row: &'static str) -> Report {
        self.at_work.shutdown().await;
        Report::of(row, self.seed, &self.history, &self.source)
    }
}

struct Member<N> {
    nodes: Arc<[N]>,
    node: usize,
    source: Source,
    history: Arc<History>,
    dice: SmallRng,
}

impl<N: Node> Member<N> {
    /// Few rows are read by many, so that they are in memory when they change.
    fn key(&mut self) -> usize {
        let share: f64 = self.dice.random();
        ((share * share) * KEYS as f64) as usize
    }

    async fn rest(&mut self, on_average: Duration) {
        let share: f64 = self.dice.random();
        pause(on_average.mul_f64(2.0 * share)).await;
    }

    async fn read(mut self, every: Duration) {
        loop {
            self.rest(every).await;
            let key = self.key();
            let begun = self.history.begin(self.node, key);
            let answer = self.nodes[self.node].read(key, &self.source).await;
            self.history.end(begun, &answer);
        }
    }

    async fn write(mut self, every: Duration) {
        let mut later = JoinSet::new();
        loop {
            while later.try_join_next().is_some() {}
            self.rest(every).await;
            let key = self.key();
            let version = self.source.change(key);
            let told = self.nodes[self.node].invalidate(key).await;
            self.history.returned(self.node, key, version, matches!(told, Told::Shared));
            if let Told::Later(shared) = told {
                let history = Arc::clone(&self.history);
                later.spawn(async move {
                    shared.await;
                    history.shared(key, version);
                });
            }
        }
    }
}
