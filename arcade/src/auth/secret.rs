//! Decides where the signing secret comes from and how private files are written.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::settings::{JWT_SECRET_BYTES_MIN, Secret, Settings};

/// The file in the data directory that keeps a made secret.
const SECRET_FILE: &str = "jwt-secret";

/// There is no usable secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("cannot read or write {path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The file is too short to sign with.
    #[error("{path} has {bytes} bytes, must have at least {JWT_SECRET_BYTES_MIN}; delete it to have a new one made", path = path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness(#[source] rand::rand_core::OsError),
}

/// The secret of the settings; without one, that of the data directory, which is made where it
/// is missing. Settings allow that in development only.
///
/// # Errors
/// The file cannot be read or written, or is too short.
pub fn secret_of(settings: &Settings) -> Result<Secret, SecretError> {
    if let Some(secret) = &settings.jwt_secret {
        return Ok(secret.clone());
    }
    let path = settings.data.join(SECRET_FILE);
    let failed = |source| SecretError::File { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= JWT_SECRET_BYTES_MIN => Ok(Secret::new(text.trim())),
        Ok(text) => Err(SecretError::Short { path, bytes: text.trim().len() }),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            let secret = made()?;
            private_directory(&settings.data).map_err(failed)?;
            write_private(&path, &secret).map_err(failed)?;
            Ok(Secret::new(secret))
        }
        Err(fault) => Err(failed(fault)),
    }
}

fn made() -> Result<String, SecretError> {
    let mut bytes = [0; JWT_SECRET_BYTES_MIN];
    OsRng.try_fill_bytes(&mut bytes).map_err(SecretError::Randomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a directory that only its owner can enter. One that exists stays as it is.
///
/// # Errors
/// What the operating system says.
pub fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that only its owner can read, in place of an older one.
///
/// # Errors
/// What the operating system says.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // The mode applies when a file is made, so an older file with a wider mode must go first.
    match std::fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
