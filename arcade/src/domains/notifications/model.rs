//! What notifications look like in an answer and in the cache.

use std::collections::BTreeMap;

use larder::Entry;
use serde::{Deserialize, Serialize};

/// Something that happened to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// What happened, such as `match_won`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub title: String,
    /// One sentence.
    pub message: String,
    /// What a client needs to link to the thing itself.
    pub payload: BTreeMap<String, String>,
    /// `low`, `normal` or `high`.
    pub priority: String,
    /// Whether the user has read it.
    pub read: bool,
    /// When it was read, in milliseconds since 1970 UTC.
    pub read_at_ms: Option<i64>,
    /// When it happened, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

/// A page of a user's notifications, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct NotificationPage {
    /// The notifications on the page.
    pub items: Vec<Notification>,
    /// How many the user has.
    pub total: u64,
    /// How many of them are unread.
    pub unread: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most items on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

/// How many notifications a user has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct UnreadCount {
    /// The number.
    pub unread: u64,
}

/// What reading all of them changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadAll {
    /// How many were unread before.
    pub updated: u64,
}
