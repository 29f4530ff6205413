//! The value of the benchmarks.

use serde::{Deserialize, Serialize};

/// A struct of 12 fields, about 1,000 bytes as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, larder::Entry)]
pub struct Page {
    /// Which state of the source this is: grows by one with each update.
    pub version: u64,
    key: u64,
    user: u64,
    created_ms: u64,
    unread: u32,
    pinned: bool,
    score: i64,
    title: String,
    body: String,
    author: String,
    labels: Vec<String>,
    replies: Vec<u64>,
}

impl Page {
    /// What the source has under `key` at this version.
    pub fn of(key: u64, version: u64) -> Self {
        Page {
            version,
            key,
            user: key / 7,
            created_ms: 1_795_000_000_000 + key,
            unread: 3,
            pinned: key.is_multiple_of(2),
            score: -5,
            title: format!("Notification {key}"),
            body: "All work and no play makes a dull cache. ".repeat(15),
            author: format!("user-{}", key % 1_000),
            labels: ["news", "market", "chat", "builds"].map(str::to_owned).to_vec(),
            replies: (0..12).map(|reply| key * 100 + reply).collect(),
        }
    }
}
