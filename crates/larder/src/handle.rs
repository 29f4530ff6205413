//! The node as its users hold it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Audited;
use crate::cache::CacheBuilder;
use crate::catalogue::Listing;
use crate::invalidation::{Invalidated, Invalidation};
use crate::node::Node;
use crate::position::Position;
use crate::record::Tag;
use crate::shard::{TailRequest, Unreachable};
use crate::stats::CacheStats;
use crate::writing::Writing;
use crate::{Entry, Key};

/// One process's part of a namespace: its memory, its view of the log, its caches. Cheap to clone.
///
/// ```
/// use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let larder = larder::Larder::builder("shop").build()?;
/// let prices = larder.cache::<u64, u64>("prices").fresh_for(Duration::from_secs(60)).build()?;
/// let price = prices.get_or_load(&7, |_| async { Ok::<_, std::io::Error>(1_299) }).await?;
/// assert_eq!(*price, 1_299);
/// prices.invalidate(&7).await;
/// assert!(prices.get(&7).await.is_none());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Larder {
    node: Arc<Node>,
}

impl fmt::Debug for Larder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Larder").field("namespace", &self.node.namespace).finish_non_exhaustive()
    }
}

/// A node's numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Each cache's numbers, by name.
    pub caches: Vec<(String, CacheStats)>,
    /// Entries in memory.
    pub entries: u64,
    /// What these weigh, in bytes, at least their share of the entry limit each.
    pub weight: u64,
    /// Loads in flight.
    pub flights: usize,
    /// Invalidations that wait for a shard.
    pub backlog: usize,
    /// Invalidations of [`Rules`](crate::Rules) that wait for their time.
    pub planned: usize,
}

impl Larder {
    pub(crate) fn of(node: Arc<Node>) -> Self {
        Larder { node }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Sets up a cache. Each name may be used once in a node.
    pub fn cache<K: Key, V: Entry>(&self, name: &str) -> CacheBuilder<K, V> {
        CacheBuilder::new(Arc::clone(&self.node), name)
    }

    /// Invalidates everything that `invalidation` names, on all nodes.
    ///
    /// Commit the change of the source first. Once this returns anything, this node never serves
    /// a value whose load began earlier; once it is [`Shared`](crate::Outcome::Shared), no node
    /// serves one to a reader who has seen the position, nor to anybody after `staleness_max`.
    /// Never fails: what cannot reach the log now is retried in order.
    ///
    /// # Cancel safety
    /// Dropping the future forgets nothing, once it was polled.
    ///
    /// # Cost
    /// One append a shard, whatever the number of entries; a pattern costs a scan.
    pub async fn invalidate(&self, invalidation: Invalidation) -> Invalidated {
        self.node.invalidate(invalidation.into_asked()).await
    }

    /// Begins a write of the source, which changes what `invalidation` names.
    ///
    /// ```
    /// # async fn rename(larder: larder::Larder) -> Result<(), std::io::Error> {
    /// # async fn commit() -> Result<(), std::io::Error> { Ok(()) }
    /// let writing = larder.writing(larder::Invalidation::new().key("rooms", &12u64));
    /// // Cancelled here, it invalidates too.
    /// match commit().await {
    ///     Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => writing.rolled_back(),
    ///     _ => drop(writing.committed().await),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn writing(&self, invalidation: Invalidation) -> Writing {
        Writing::new(&self.node, invalidation)
    }

    /// Invalidates every entry that carries this tag.
    pub async fn invalidate_tag(&self, tag: impl Into<Tag>) -> Invalidated {
        self.invalidate(Invalidation::new().tag(tag)).await
    }

    /// Invalidates every entry of the namespace.
    pub async fn clear(&self) -> Invalidated {
        self.invalidate(Invalidation::new().everything()).await
    }

    /// The last `count` invalidations that were asked for on this node, newest first: who, why, what,
    /// and where in the log. What is kept is bounded by
    /// [`LarderBuilder::audited_max`](crate::LarderBuilder::audited_max) and ends with the process.
    pub fn audit(&self, count: usize) -> Vec<Audited> {
        self.node.trail.last(count, self.node.now())
    }

    /// Where this node stands in the log of every shard: a session token that asks another node
    /// to know at least as much, see [`Consistency::AtLeast`](crate::Consistency::AtLeast).
    pub fn position(&self) -> Position {
        self.node.position()
    }

    /// Asks every shard, and says how long the slowest took to answer.
    ///
    /// # Errors
    /// The first shard that cannot be reached.
    pub async fn ping(&self) -> Result<Duration, Unreachable> {
        let mut slowest = Duration::ZERO;
        for view in &self.node.views {
            let began = self.node.now();
            let place = view.place();
            let request = TailRequest { epoch: place.epoch, from: place.applied, records_max: 1 };
            self.node.within(self.node.limits.call_timeout, view.shard.tail(request)).await?;
            slowest = slowest.max(self.node.now().since(began));
        }
        Ok(slowest)
    }

    /// This node's numbers.
    pub fn stats(&self) -> Stats {
        let node = &self.node;
        let mut caches = Vec::new();
        node.each_cache(|name, counters| caches.push((name.to_owned(), counters.stats())));
        let memories = node.memories();
        Stats {
            caches,
            entries: memories.iter().map(|memory| memory.len() as u64).sum(),
            weight: memories.iter().map(|memory| memory.weight()).sum(),
            flights: node.flights.len(),
            backlog: node.views.iter().map(|view| view.queue.backlog()).sum(),
            planned: node.planned(),
        }
    }

    /// Every cache of this node as it was set up, by name.
    pub fn catalogue(&self) -> Vec<Listing> {
        let mut listings = self.node.listings();
        listings.sort_by(|one, other| one.name.cmp(&other.name));
        listings
    }

    /// Starts every cache's numbers again from zero; entries and bytes are those of now.
    pub fn reset_stats(&self) {
        self.node.each_cache(|_, counters| counters.reset());
    }

    /// Sends what still waits for its time or for the log, then ends the node's tasks. Reads go on as if the log
    /// could not be confirmed. Dropping the last handle ends the tasks too, without the sending.
    pub async fn close(&self) {
        self.node.hurry_plans().await;
        self.node.flush().await;
        self.node.close();
    }
}
