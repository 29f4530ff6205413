//! The SQL of builds, likes and classes.

mod builds;
mod classes;
mod likes;
mod lists;

pub(super) use builds::Locked;
pub(super) use lists::Listed;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::storage::{StorageError, Store};

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

fn as_json<T: Serialize>(value: &T) -> Result<String, StorageError> {
    let text = serde_json::to_string(value).map_err(|fault| sqlx::Error::Encode(fault.into()))?;
    Ok(text)
}

fn from_json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text)
        .map_err(|fault| sqlx::Error::ColumnDecode { index: column.to_owned(), source: fault.into() })
}
