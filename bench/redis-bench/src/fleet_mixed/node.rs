//! What one process of a fleet does.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::Rng;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use yardstick::keys;

use super::caches::{Cached, Hand, LarderNode, Reach};
use super::ledger::{Change, Ledger, Round, Seen, now};
use super::{BY_HAND, EXPONENT, JUDGE, KEYS, LARDER, RUN, SEED, STATS, TASKS, TELL};
use crate::nodes::runtime;
use crate::process;

/// Which process of how many this is.
#[derive(Clone, Copy)]
struct Seat {
    index: usize,
    of: usize,
}

#[derive(Clone, Copy)]
enum Operation {
    Read(u32),
    Update(u32),
}

/// Does what it is told, until there is no more.
///
/// # Errors
/// The words are not those of [`run`](super::run), or the server or a file fails.
pub(crate) fn serve(words: &[&str]) -> anyhow::Result<()> {
    let &[who, port, index, of, of_each, place] = words else {
        anyhow::bail!("a process of a fleet was started with {words:?}");
    };
    let (port, seat) = (port.parse()?, Seat { index: index.parse()?, of: of.parse()? });
    let work = Arc::new(work(seat, of_each.parse()?)?);
    let ledger = Arc::new(Ledger::open(Path::new(place), seat.index, seat.of)?);
    let runtime = runtime()?;
    match who {
        LARDER => {
            follow(&runtime, &Arc::new(runtime.block_on(LarderNode::on(port))?), &ledger, &work)
        }
        BY_HAND => follow(&runtime, &Arc::new(runtime.block_on(Hand::on(port))?), &ledger, &work),
        who => anyhow::bail!("nobody is called {who:?}"),
    }
}

fn follow<C: Cached>(
    runtime: &Runtime,
    cache: &Arc<C>,
    ledger: &Arc<Ledger>,
    work: &Arc<Vec<Vec<Operation>>>,
) -> anyhow::Result<()> {
    let texts = Arc::new(keys::texts(u64::from(KEYS)));
    let mut round = Round::default();
    process::serve(|asked| match asked {
        RUN => {
            round = runtime.block_on(run(cache, ledger, work, &texts));
            Ok(String::from("ran"))
        }
        TELL => ledger.tell(&round).map(|()| String::from("told")),
        JUDGE => ledger.judge(&round).map(|counts| counts.to_string()),
        STATS => Ok(cache.stats()),
        asked => anyhow::bail!("it was asked for {asked:?}"),
    })
}

/// What each task of this process does in each round.
fn work(seat: Seat, of_each: usize) -> anyhow::Result<Vec<Vec<Operation>>> {
    let tasks = (seat.index..TASKS).step_by(seat.of);
    tasks
        .map(|task| {
            let mut chance = keys::seeded(SEED + task as u64);
            let trace = keys::zipf(KEYS, EXPONENT, of_each, SEED ^ task as u64)?;
            let operation = |key: u64| match (chance.random_ratio(1, 20), key as u32) {
                (true, key) => Operation::Update(own(seat, key)),
                (false, key) => Operation::Read(key),
            };
            Ok(trace.into_iter().map(operation).collect())
        })
        .collect()
}

/// A key beside this one that this process updates.
fn own(seat: Seat, key: u32) -> u32 {
    let (index, of) = (seat.index as u32, seat.of as u32);
    let own = key - key % of + index;
    if own < KEYS { own } else { own - of }
}

async fn run<C: Cached>(
    cache: &Arc<C>,
    ledger: &Arc<Ledger>,
    work: &Arc<Vec<Vec<Operation>>>,
    texts: &Arc<Vec<String>>,
) -> Round {
    let mut working = JoinSet::new();
    for task in 0..work.len() {
        let (cache, ledger) = (Arc::clone(cache), Arc::clone(ledger));
        let (work, texts) = (Arc::clone(work), Arc::clone(texts));
        working.spawn(async move { followed(&work[task], &*cache, &ledger, &texts).await });
    }
    let mut round = Round::default();
    for done in working.join_all().await {
        round.add(done);
    }
    round
}

async fn followed<C: Cached>(
    work: &[Operation],
    cache: &C,
    ledger: &Arc<Ledger>,
    texts: &[String],
) -> Round {
    let mut round = Round::with_room_for(work.len());
    for &operation in work {
        match operation {
            Operation::Read(key) => {
                let known_here = ledger.invalidated[key as usize].load(Ordering::SeqCst);
                let began = now();
                let version = cache.read(&texts[key as usize], key, ledger).await;
                round.own_stale += u64::from(version < known_here);
                round.seen.push(Seen { key, version, began });
            }
            Operation::Update(key) => {
                let version = ledger.change(key);
                let known = cache.invalidate(&texts[key as usize]).await;
                ledger.invalidated[key as usize].fetch_max(version, Ordering::SeqCst);
                match known {
                    Reach::Everywhere => round.changes.push(Change { key, version, known_at: now() }),
                    Reach::Here => round.local += 1,
                }
            }
        }
    }
    round
}
