//! What users look like in an answer and in the cache.

use larder::Entry;
use serde::{Deserialize, Serialize};

/// A user, as that user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The user's number.
    pub id: i64,
    /// What others call the user.
    pub name: String,
    /// The address that the user logs in with.
    pub email: String,
    /// `player` or `admin`.
    pub role: String,
    /// Where the user's picture is, if there is one.
    pub image: Option<String>,
    /// What the user owns, in minor units.
    pub balance_minor: i64,
    /// When the user came, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

/// What a login gives.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// Goes into the header `Authorization: Bearer …` of each request.
    pub access_token: String,
    /// How long that is good, in seconds.
    pub expires_in_s: u64,
    /// Is given, once, for the next session.
    pub refresh_token: String,
}
