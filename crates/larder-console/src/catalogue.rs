//! The catalogue of caches, as rows.

use larder::{Larder, Listing};
use serde::{Deserialize, Serialize};

/// One cache, as it was set up. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheRow {
    /// Its name.
    pub name: String,
    /// How its keys look, such as `rooms:{id}`.
    pub key: String,
    /// The type of its values.
    pub value: String,
    /// How long a value is fresh.
    pub fresh_seconds: f64,
    /// How much longer it is served, marked stale, while one caller loads it again.
    pub stale_seconds: f64,
    /// How much longer it is served if the source fails.
    pub fail_safe_seconds: f64,
    /// How long it is known that there is no value.
    pub negative_seconds: f64,
    /// Whether a read makes a value fresh for longer.
    pub sliding: bool,
    /// The most bytes of a value.
    pub value_bytes_max: u64,
    /// How values are encoded for other nodes, such as `json`.
    pub codec: String,
    /// How encoded values are compressed, such as `lz4`.
    pub compression: String,
    /// From how many bytes on they are compressed.
    pub compress_from_bytes: u64,
}

/// Every cache of `larder`, by name.
pub fn catalogue(larder: &Larder) -> Vec<CacheRow> {
    larder.catalogue().into_iter().map(CacheRow::from).collect()
}

impl From<Listing> for CacheRow {
    fn from(listing: Listing) -> Self {
        CacheRow {
            name: listing.name,
            key: listing.key,
            value: listing.value,
            fresh_seconds: listing.fresh_for.as_secs_f64(),
            stale_seconds: listing.stale_for.as_secs_f64(),
            fail_safe_seconds: listing.fail_safe_for.as_secs_f64(),
            negative_seconds: listing.negative_for.as_secs_f64(),
            sliding: listing.sliding,
            value_bytes_max: listing.value_bytes_max as u64,
            codec: format!("{:?}", listing.codec).to_lowercase(),
            compression: format!("{:?}", listing.compression).to_lowercase(),
            compress_from_bytes: listing.compress_from as u64,
        }
    }
}
