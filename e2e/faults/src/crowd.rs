//! Readers and writers, for as long as they are wanted. Seeded: the seed is printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// How long the last reads and changes may take: what has not ended by then hangs.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let millis = Duration::from_millis;
        let patience = Duration::from_secs(10);
        Pace { readers: 8, reads_every: millis(2), changes_every: millis(4), patience }
    }
}

/// Readers and writers of a fleet. They go on until this is dropped or [`ended`](Self::end).
pub struct Crowd<N> {
    nodes: Arc<[N]>,
    source: Source,
    history: Arc<History>,
    seed: u64,
    over: Arc<AtomicBool>,
    patience: Duration,
    at_work: JoinSet<()>,
}

impl<N: Node> Crowd<N> {
    /// Begins, in the tokio runtime of the caller.
    pub fn on(nodes: Vec<N>, source: Source, pace: Pace) -> Self {
        let history = Arc::new(History::new(nodes.len()));
        let (seed, nodes) = (rand::random(), Arc::<[N]>::from(nodes));
        let over = Arc::new(AtomicBool::new(false));
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
                    over: Arc::clone(&over),
                };
                if at_work.len() % (pace.readers + 1) == pace.readers {
                    at_work.spawn(member.write(pace.changes_every));
                } else {
                    at_work.spawn(member.read(pace.reads_every));
                }
            }
        }
        Crowd { nodes, source, history, seed, over, patience: pace.patience, at_work }
    }

    /// The nodes that it asks.
    pub fn nodes(&self) -> &[N] {
        &self.nodes
    }

    /// What it has seen so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Lets everybody end what they are at, and says what they saw. Whoever cannot end it has failed.
    ///
    /// # Panics
    /// One of them did.
    pub async fn end(mut self, row: &'static str) -> Report {
        self.over.store(true, Ordering::Relaxed);
        let home = async {
            while let Some(ended) = self.at_work.join_next().await {
                if let Err(panic) = ended {
                    std::panic::resume_unwind(panic.into_panic());
                }
            }
        };
        if tokio::time::timeout(self.patience, home).await.is_err() {
            self.history.hung(self.at_work.len() as u64, self.patience);
        }
        Report::of(row, self.seed, &self.history, &self.source)
    }
}

struct Member<N> {
    nodes: Arc<[N]>,
    node: usize,
    source: Source,
    history: Arc<History>,
    dice: SmallRng,
    over: Arc<AtomicBool>,
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

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    async fn read(mut self, every: Duration) {
        while !self.is_over() {
            self.rest(every).await;
            let key = self.key();
            let begun = self.history.begin(self.node, key);
            let answer = self.nodes[self.node].read(key, &self.source).await;
            self.history.end(begun, &answer);
        }
    }

    async fn write(mut self, every: Duration) {
        let mut later = JoinSet::new();
        while !self.is_over() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Answer;

    /// What a node does that is read.
    #[derive(Clone, Copy)]
    enum Doing {
        Answers,
        Panics,
        Hangs,
    }

    impl Node for Doing {
        async fn read(&self, key: usize, source: &Source) -> Result<Answer, String> {
            match self {
                Doing::Answers => {
                    Ok(Answer { version: source.load(key).await, origin: "the source" })
                }
                Doing::Panics => panic!("a node that panics"),
                Doing::Hangs => std::future::pending().await,
            }
        }

        async fn invalidate(&self, _: usize) -> Told {
            Told::Shared
        }
    }

    async fn report_of(doing: Doing) -> Report {
        let patience = Duration::from_millis(50);
        let pace = Pace { readers: 2, patience, ..Pace::default() };
        let crowd = Crowd::on(vec![doing], Source::new(Duration::ZERO), pace);
        pause(Duration::from_millis(50)).await;
        crowd.end("a row").await
    }

    #[tokio::test]
    async fn nodes_that_answer_have_not_failed() {
        report_of(Doing::Answers).await.must_be_clean();
    }

    #[tokio::test]
    async fn reads_that_hang_have_failed() {
        assert_eq!(report_of(Doing::Hangs).await.failed, 2);
    }

    #[tokio::test]
    #[should_panic(expected = "a node that panics")]
    async fn a_panic_is_not_swallowed() {
        report_of(Doing::Panics).await;
    }
}
