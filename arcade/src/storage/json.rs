//! Decides how what has parts of its own lies in one column: as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

/// `value` as a column holds it.
pub(crate) fn as_json(value: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|fault| sqlx::Error::Encode(fault.into()))
}

/// What a column of `row` holds as JSON.
pub(crate) fn from_json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text)
        .map_err(|fault| sqlx::Error::ColumnDecode { index: column.to_owned(), source: fault.into() })
}
