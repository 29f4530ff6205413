//! What an operator drops as one.

use serde::{Deserialize, Serialize};

/// What to drop: all that is cached of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// The kind of thing, such as `room`; the server tells which there are.
    pub bundle: String,
    /// Which one, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The reason, for the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRow {
    /// From which position of the log on no node serves the old entries. `None`: this node does not,
    /// and goes on telling the others.
    pub position: Option<String>,
}
