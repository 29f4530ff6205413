//! Decides how an answer under `/api/v1` is wrapped, as its callers have always known it. A failure
//! is wrapped by [`rendered`](super::rendered).

use serde::Serialize;

/// What was asked for, and that it was found.
#[derive(Debug, Clone, Serialize)]
pub struct Envelope<T> {
    success: bool,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

impl<T> Envelope<T> {
    /// One thing.
    pub fn of(data: T) -> Self {
        Envelope { success: true, data, count: None }
    }

    /// A part of a list that has `count` things in all.
    pub fn counted(data: T, count: u64) -> Self {
        Envelope { success: true, data, count: Some(count) }
    }
}
