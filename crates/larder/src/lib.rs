//! A multi-tier cache whose entries cannot be served after they were invalidated.
//!
//! Every other cache has the same hole: a slow loader reads the source, somebody writes and
//! invalidates, then the loader stores what it read *before* the write. This one has an
//! **invalidation log**. Every entry carries the log position at which its load began, and is dead
//! as soon as a record that names it has a larger one. `docs/design.md` tells the idea,
//! `docs/protocol.md` the exact steps.
//!
//! ```
//! use std::time::Duration;
//! use larder::{Invalidation, Key, Larder, Loaded};
//!
//! #[derive(Key)]
//! struct Page { user: u64, number: u32 }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let larder = Larder::new("shop")?;
//! let pages = larder.cache::<Page, Vec<String>>("pages").fresh_for(Duration::from_secs(60)).build()?;
//!
//! let page = pages
//!     .get_or_load(&Page { user: 7, number: 1 }, |_| async {
//!         Ok::<_, std::io::Error>(Loaded::value(vec!["tea".to_owned()]).tag("catalogue"))
//!     })
//!     .await?;
//! assert_eq!(page.value().map(Vec::len), Some(1));
//!
//! // One call for everything that a change of the source makes wrong.
//! larder.invalidate(Invalidation::new().prefix(&pages, &(7u64,)).tag("catalogue")).await;
//! assert!(pages.get(&Page { user: 7, number: 1 }).await.is_none());
//! # Ok(()) }
//! ```

// The derive macros name `::larder`, also where this crate uses them itself.
extern crate self as larder;

mod asked;
pub mod audit;
pub mod behind;
mod builder;
mod cache;
mod catalogue;
pub mod clock;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod entry;
mod error;
pub mod event;
mod flight;
mod handle;
mod hit;
mod invalidation;
pub mod key;
mod loaded;
mod memory;
mod name;
mod node;
mod policy;
mod position;
pub mod probe;
pub mod random;
mod read;
pub mod record;
mod rules;
pub mod shard;
#[cfg(all(test, feature = "shuttle"))]
mod shuttle_tests;
mod stats;
pub(crate) mod sync;
mod tally;
pub mod tasks;
mod wait;
pub mod warm;
mod writing;

pub use audit::Audited;
pub use behind::WriteBehind;
pub use builder::LarderBuilder;
pub use cache::{BoxError, Cache, CacheBuilder, Read, SetOutcome, WriteThrough, Written};
pub use catalogue::Listing;
pub use codec::{Codec, Compression};
pub use entry::Entry;
pub use error::{BuildError, Error, Mistake, SourceError};
pub use event::{Event, Observer};
pub use handle::{Larder, Stats};
pub use hit::{Absence, Hit, Lookup, Origin};
pub use invalidation::{CacheOf, Invalidated, Invalidation, InvalidationTextError, Outcome};
pub use key::pattern::{Pattern, PatternError};
pub use key::{Key, ReadableKey};
/// Drops what a function changes, for example:
///
/// ```
/// use larder::{Cache, Larder, cache_invalidate};
///
/// struct Rooms {
///     larder: Larder,
///     rooms: Cache<u64, String>,
/// }
///
/// impl Rooms {
///     #[cache_invalidate(
///         larder = self.larder,
///         keys = [(self.rooms, id)],
///         tags = [format!("rooms-of-{}", result)],
///         rolled_back = error.kind() == std::io::ErrorKind::InvalidInput,
///     )]
///     async fn rename(&self, id: u64, name: &str) -> Result<u64, std::io::Error> {
///         // … commits, and answers the owner
/// #       Ok(id + name.len() as u64)
///     }
/// }
/// ```
pub use larder_macros::cache_invalidate;
/// Stores what a function writes, for example:
///
/// ```
/// use larder::{Cache, Larder, cache_write_through};
///
/// #[cache_write_through(cache = rooms, key = result.0, patterns = [lists()])]
/// async fn add(rooms: &Cache<u64, (u64, String)>, name: &str) -> Result<(u64, String), std::io::Error> {
///     // … inserts the row
///     Ok((12, name.to_owned()))
/// }
///
/// fn lists() -> larder::Pattern {
///     larder::Pattern::glob("lists:*").expect("a glob")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let larder = Larder::new("docs")?;
/// let rooms = larder.cache("rooms").build()?;
/// assert_eq!(add(&rooms, "the hall").await?.1, "the hall");
/// assert!(rooms.exists(&12).await);
/// # Ok(())
/// # }
/// ```
pub use larder_macros::cache_write_through;
/// Answers a function from a cache, for example:
///
/// ```
/// use larder::{Cache, Larder, cacheable};
///
/// #[cacheable(cache = rooms)]
/// async fn room(rooms: &Cache<u64, String>, id: u64) -> Result<String, std::io::Error> {
///     Ok(format!("room {id}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let larder = Larder::new("docs")?;
/// let rooms = larder.cache("rooms").build()?;
/// assert_eq!(*room(&rooms, 12).await?, "room 12");
/// assert_eq!(room(&rooms, 12).await?.origin(), larder::Origin::Memory);
/// # Ok(())
/// # }
/// ```
pub use larder_macros::cacheable;
pub use loaded::{IntoLoaded, Load, Loaded};
pub use node::queue::Ticket;
pub use position::{Position, PositionError};
pub use probe::{Probe, ProbeOptions, ProbeReport};
pub use read::Consistency;
pub use record::Tag;
pub use rules::{Rule, Rules, Told};
pub use stats::CacheStats;
pub use warm::Warmer;
pub use writing::Writing;
