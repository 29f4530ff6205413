//! Warm sets, as rows.

use larder::warm::WarmProgress;
use serde::{Deserialize, Serialize};

/// Which warm sets are to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmRequest {
    /// These; `None` are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sets: Option<Vec<String>>,
}

/// How far a warm set is, or how far its last run came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmRow {
    /// Its name.
    pub set: String,
    /// `idle`, `waiting`, `running`, `done`, `failed` or `stopped`.
    pub state: String,
    /// Keys that are to be read.
    pub listed: u64,
    /// Keys beyond its limit, or that could not be read back.
    pub left_out: u64,
    /// Keys that were in memory already.
    pub present: u64,
    /// Keys that came from the shared tier.
    pub shared: u64,
    /// Keys that came from the source.
    pub loaded: u64,
    /// Keys whose read failed.
    pub failed: u64,
    /// How long the run has taken, in milliseconds.
    pub elapsed_ms: u64,
    /// What went wrong last.
    pub error: Option<String>,
}

impl WarmRow {
    /// Keys that were read or found, well or badly.
    pub fn read(&self) -> u64 {
        self.present + self.shared + self.loaded + self.failed
    }

    /// Whether a run of it is under way.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "running")
    }
}

impl From<WarmProgress> for WarmRow {
    fn from(progress: WarmProgress) -> Self {
        WarmRow {
            set: progress.set,
            state: format!("{:?}", progress.state).to_lowercase(),
            listed: progress.listed,
            left_out: progress.left_out,
            present: progress.present,
            shared: progress.shared,
            loaded: progress.loaded,
            failed: progress.failed,
            elapsed_ms: u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX),
            error: progress.error,
        }
    }
}
