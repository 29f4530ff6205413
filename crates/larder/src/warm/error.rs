//! What warming says when it cannot do what it was asked. That a set could not be read is no error: its
//! progress tells it.

use std::io;
use std::path::PathBuf;

/// No set has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no warm set `{name}`")]
pub struct UnknownSet {
    /// The name.
    pub name: String,
}

/// Why hot keys were not saved. The file of before is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The file cannot be written.
    #[error("cannot write the hot keys to {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}
