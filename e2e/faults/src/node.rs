//! What a checked node can do.

use larder::clock::BoxFuture;

use crate::source::Source;

/// What a read answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The version of the row.
    pub version: u64,
    /// Where it came from, for stories.
    pub origin: &'static str,
}

/// What a node said of an invalidation when it returned.
pub enum Told {
    /// Every node will have it within the bound.
    Shared,
    /// Not yet; the future completes once they will.
    Later(BoxFuture<'static, ()>),
}

/// One process's cache of the source.
pub trait Node: Send + Sync + 'static {
    /// Reads a row through the cache.
    ///
    /// # Errors
    /// The read failed, which the source never does.
    fn read(
        &self,
        key: usize,
        source: &Source,
    ) -> impl Future<Output = Result<Answer, String>> + Send;

    /// Says that a row has changed.
    fn invalidate(&self, key: usize) -> impl Future<Output = Told> + Send;
}
