//! Four races that a cache can lose: each ends with a value older than an invalidation or an
//! insert that had completed before the read began. The schedule is forced, not hoped for.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// A load of one key: gives the version of the source that it saw.
pub type Load = Pin<Box<dyn Future<Output = u64> + Send>>;

/// How long a step may keep others waiting. A cache that makes an invalidation wait for a load
/// loses nothing by it: the load is let go, and the race goes on.
const STEP_MAX: Duration = Duration::from_millis(250);

/// A cache under test. Keys and versions are numbers; a version is the whole value.
pub trait Contestant {
    /// What it is called in the table.
    const NAME: &'static str;
    /// Whether entries can be labelled, so that one call invalidates all of a label.
    const TAGS: Feature;
    /// Whether it loads an entry again in the background while it serves the old one.
    const REFRESH: Feature;

    /// Get or load. Where there are tags, what is loaded gets the tag `key`.
    fn read(&self, key: u64, load: Load) -> impl Future<Output = u64>;
    /// Puts a version in that the caller has written to the source.
    fn insert(&self, key: u64, version: u64) -> impl Future<Output = ()>;
    /// Invalidates the key.
    fn invalidate(&self, key: u64) -> impl Future<Output = ()>;
    /// Invalidates the tag `key`; only called where there are tags.
    fn invalidate_tag(&self, key: u64) -> impl Future<Output = ()>;
    /// Makes the entry one that the next read serves and refreshes in the background; only called
    /// where there is such a thing.
    fn grow_old(&self, key: u64) -> impl Future<Output = ()>;
}

/// Whether a cache can be raced at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// It has this.
    There,
    /// It does not.
    Missing,
}

/// A race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Race {
    /// A load reads the source, the source changes and the key is invalidated, the load fills.
    InvalidatedDuringLoad,
    /// A load reads the source, somebody writes the source and inserts that, the load fills.
    InsertedDuringLoad,
    /// As the first, with the tag of the entry invalidated instead of its key.
    TagInvalidatedDuringLoad,
    /// As the first, with a load in the background while the old value is served.
    InvalidatedDuringRefresh,
}

impl Race {
    /// All of them, in the order of the table.
    pub const ALL: [Race; 4] = [
        Race::InvalidatedDuringLoad,
        Race::InsertedDuringLoad,
        Race::TagInvalidatedDuringLoad,
        Race::InvalidatedDuringRefresh,
    ];

    /// What happens in it.
    pub fn title(self) -> &'static str {
        match self {
            Race::InvalidatedDuringLoad => "load, invalidate, fill",
            Race::InsertedDuringLoad => "newer insert, older load",
            Race::TagInvalidatedDuringLoad => "tag invalidated in load",
            Race::InvalidatedDuringRefresh => "invalidated in refresh",
        }
    }
}

/// How a race ended over all its rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In so many rounds the last read got an old version.
    Stale(usize),
    /// The cache has no tags.
    NoTags,
    /// The cache does not refresh in the background.
    NoRefresh,
}

impl Outcome {
    /// How the table shows it.
    pub fn text(self, rounds: usize) -> String {
        match self {
            Outcome::Stale(stale) => format!("{stale} of {rounds}"),
            Outcome::NoTags => "no tags".into(),
            Outcome::NoRefresh => "no refresh".into(),
        }
    }
}

/// The source: one number a key.
#[derive(Clone, Default)]
struct Source(Arc<AtomicU64>);

impl Source {
    fn change(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Reads and answers at once.
    fn quick(&self) -> Load {
        let source = self.0.clone();
        Box::pin(async move { source.load(Ordering::SeqCst) })
    }

    /// Reads, says so, and answers what it read once it is let go.
    fn held(&self) -> (Load, oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (begins, begun) = oneshot::channel();
        let (let_go, released) = oneshot::channel();
        let source = self.0.clone();
        let load = Box::pin(async move {
            let version = source.load(Ordering::SeqCst);
            begins.send(()).expect("the race waits for the load");
            released.await.expect("the race lets the load go");
            version
        });
        (load, begun, let_go)
    }
}

/// Runs `race` once for each key of `0..rounds`. Call it on a runtime of one thread: there a
/// yield lets everything that can run do so.
pub async fn run<C: Contestant>(cache: &C, race: Race, rounds: usize) -> Outcome {
    if race == Race::TagInvalidatedDuringLoad && C::TAGS == Feature::Missing {
        return Outcome::NoTags;
    }
    if race == Race::InvalidatedDuringRefresh && C::REFRESH == Feature::Missing {
        return Outcome::NoRefresh;
    }
    let mut stale = 0;
    for key in 0..rounds as u64 {
        stale += usize::from(is_stale(cache, race, key).await);
    }
    Outcome::Stale(stale)
}

/// One round. Whether a read that begins after everything else ended gets an old version.
async fn is_stale<C: Contestant>(cache: &C, race: Race, key: u64) -> bool {
    let source = Source::default();
    source.change();
    if race == Race::InvalidatedDuringRefresh {
        cache.read(key, source.quick()).await;
        cache.grow_old(key).await;
    }
    let (load, begun, let_go) = source.held();
    let overtaking = async {
        begun.await.expect("the cache calls the loader");
        let version = source.change();
        let mut changing = pin!(change(cache, race, key, version));
        let changed = timeout(STEP_MAX, &mut changing).await;
        let_go.send(()).expect("the load waits to be let go");
        if changed.is_err() {
            changing.await;
        }
        version
    };
    let (_, version) = tokio::join!(cache.read(key, load), overtaking);
    settled().await;
    cache.read(key, source.quick()).await < version
}

async fn change<C: Contestant>(cache: &C, race: Race, key: u64, version: u64) {
    match race {
        Race::InvalidatedDuringLoad | Race::InvalidatedDuringRefresh => cache.invalidate(key).await,
        Race::InsertedDuringLoad => cache.insert(key, version).await,
        Race::TagInvalidatedDuringLoad => cache.invalidate_tag(key).await,
    }
}

/// Lets what runs in the background come to its end.
async fn settled() {
    for _ in 0..256 {
        tokio::task::yield_now().await;
    }
}

/// The row of a contestant: one cell a race. `cache` makes a new, empty one for each race.
pub async fn row<C: Contestant>(
    cache: impl AsyncFn() -> anyhow::Result<C>,
    rounds: usize,
) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for race in Race::ALL {
        outcomes.push(run(&cache().await?, race, rounds).await);
    }
    print_row(C::NAME, outcomes.iter().map(|outcome| outcome.text(rounds)));
    Ok(outcomes)
}

/// The first line of the table.
pub fn print_head() {
    println!("stale reads, of as many rounds");
    print_row("", Race::ALL.iter().map(|race| race.title().to_owned()));
}

fn print_row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!("{cell:>26}")).collect();
    println!("{name:<18}{cells}");
}
