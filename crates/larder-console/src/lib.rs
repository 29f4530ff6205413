//! What an operator is told of a running larder, in the form in which it goes over the wire. Knows no
//! HTTP: an application answers its own routes with these.

mod catalogue;
mod log;
mod refresh;
mod warm;

use serde::{Deserialize, Serialize};

pub use catalogue::CacheRow;
pub use log::{LogRange, LogRow};
pub use refresh::{RefreshRequest, RefreshRow};
pub use warm::{WarmRequest, WarmRow};

/// Where a server answers with the audit trail: `Answer<Vec<LogRow>>`, newest first.
pub const LOG_PATH: &str = "/api/v1/cache/log";

/// Where a server answers with its catalogue: `Answer<Vec<CacheRow>>`, by name.
pub const CATALOGUE_PATH: &str = "/api/v1/cache/catalogue";

/// Where a server takes a [`RefreshRequest`] by POST: `Answer<RefreshRow>`.
pub const REFRESH_PATH: &str = "/api/v1/cache/refresh";

/// Where a server answers with its warm sets: `Answer<Vec<WarmRow>>`. A [`WarmRequest`] that is posted there
/// begins them.
pub const WARM_PATH: &str = "/api/v1/cache/warm";

/// The envelope of every answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer<T> {
    /// Whether `data` is what was asked for.
    pub success: bool,
    /// What was asked for.
    pub data: T,
}

impl<T> Answer<T> {
    /// What was asked for.
    pub fn of(data: T) -> Self {
        Answer { success: true, data }
    }
}
