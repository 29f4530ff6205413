//! Decides how a change that must not happen ends: rolled back, with its answer. Only a change that
//! lost a race is tried again.

use crate::http::ApiError;
use crate::storage::{StorageError, retried};

/// Why an attempt at a change ended early. Its transaction leaves no trace.
#[derive(Debug)]
pub enum Fault {
    /// The database refuses.
    Storage(StorageError),
    /// The change must not happen; this is the answer.
    Refused(ApiError),
}

impl From<StorageError> for Fault {
    fn from(fault: StorageError) -> Self {
        Fault::Storage(fault)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(fault: sqlx::Error) -> Self {
        Fault::Storage(fault.into())
    }
}

impl From<ApiError> for Fault {
    fn from(answer: ApiError) -> Self {
        Fault::Refused(answer)
    }
}

/// Runs `attempt`, which is one whole transaction, and again while another is in its way.
///
/// # Errors
/// What the last attempt says.
pub async fn attempted<T, F>(attempt: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, Fault>>,
{
    let decided = retried(async || match attempt().await {
        Ok(done) => Ok(Ok(done)),
        Err(Fault::Refused(answer)) => Ok(Err(answer)),
        Err(Fault::Storage(fault)) => Err(fault),
    });
    decided.await?
}
