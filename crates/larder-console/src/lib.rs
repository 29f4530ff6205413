//! What an operator is told of a running larder, in the form in which it goes over the wire, and the
//! page that shows it. Has no server: an application answers with a [`Console`], or its own routes
//! with the parts of one.

mod catalogue;
mod console;
mod figures;
mod log;
mod page;
mod refresh;
mod token;
mod warm;

use serde::{Deserialize, Serialize};

pub use catalogue::{CacheRow, catalogue};
pub use console::Console;
pub use figures::{Counts, Figures, FiguresRow};
pub use log::{LogRange, LogRow};
pub use page::{PAGE, PAGE_PATH, PageFile, link};
pub use refresh::{RefreshRequest, RefreshRow};
pub use token::{TOKEN_BYTES_MIN, TokenError};
pub use warm::{WarmRequest, WarmRow};

/// Where a server answers with the audit trail: `Answer<Vec<LogRow>>`, newest first.
pub const LOG_PATH: &str = "/api/v1/cache/log";

/// Where a server answers with its catalogue: `Answer<Vec<CacheRow>>`, by name.
pub const CATALOGUE_PATH: &str = "/api/v1/cache/catalogue";

/// Where a server takes a [`RefreshRequest`] by POST: `Answer<RefreshRow>`.
pub const REFRESH_PATH: &str = "/api/v1/cache/refresh";

/// Where a server answers with the numbers of its caches: `Answer<Figures>`.
pub const FIGURES_PATH: &str = "/api/v1/cache/figures";

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
