//! What assets look like in an answer and in the cache.

use std::sync::Arc;

use larder::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::{CurrentUser, Role};
use crate::tabletop::words;

words! {
    /// What kind of thing an asset is.
    AssetKind {
        /// A card.
        Card = "card",
        /// What lies below everything.
        Map = "map",
        /// Something else to be looked at.
        Other = "other",
        /// Music or noise.
        Sound = "sound",
        /// A piece.
        Token = "token",
    }
}

/// What is known of a file; the file itself lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Its number.
    pub id: i64,
    /// The room that it belongs to.
    pub room_id: Option<i64>,
    /// The game system or template that it belongs to.
    pub system_id: Option<i64>,
    /// Who brought it.
    pub uploader_id: i64,
    /// What it is called.
    pub name: String,
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: AssetKind,
    /// Where the file is: a path of this site or an https URL.
    pub path: String,
    /// What the file was called.
    pub file_name: String,
    /// How long the file is.
    pub size_bytes: i64,
    /// What is in the file (RFC 6838).
    pub mime_type: String,
    /// In pixels, where it can be seen.
    pub width: Option<i64>,
    /// In pixels, where it can be seen.
    pub height: Option<i64>,
    /// Whether everybody sees it.
    pub public: bool,
    /// What it is found by.
    pub tags: Vec<String>,
    /// What only the clients understand.
    pub metadata: Value,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

impl Asset {
    /// Whether `viewer` sees it: what is not public is its uploader's own.
    pub(super) fn is_shown_to(&self, viewer: CurrentUser) -> bool {
        self.public || self.uploader_id == viewer.id.0 || viewer.role == Role::Admin
    }
}

/// The numbers of the assets on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct AssetNumbers {
    /// Newest first.
    pub ids: Vec<i64>,
    /// How many there are.
    pub total: u64,
}

/// A page of a room's assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssetPage {
    /// The assets on the page, newest first.
    pub items: Vec<Arc<Asset>>,
    /// How many there are.
    pub total: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most assets on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

/// Assets that were asked for by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssetsFound {
    /// Those that you see, in the order of the question.
    pub items: Vec<Arc<Asset>>,
    /// The numbers of the others.
    pub missing: Vec<i64>,
}
