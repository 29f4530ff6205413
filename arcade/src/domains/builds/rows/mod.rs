//! The SQL of builds, likes and classes.

mod builds;
mod classes;
mod likes;
mod lists;

pub(super) use builds::Locked;
pub(super) use lists::Listed;

use crate::storage::Store;

/// Builds, their likes and their classes in the database.
#[derive(Debug, Clone)]
pub struct BuildRows {
    store: Store,
}

impl BuildRows {
    /// The builds in `store`.
    pub fn new(store: Store) -> Self {
        BuildRows { store }
    }
}
