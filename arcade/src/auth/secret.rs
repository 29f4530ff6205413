//! Decides where the signing secret comes from and how private files are written.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
    match kept(&path)? {
        Some(secret) => Ok(secret),
        None => made_and_kept(&path),
    }
}

/// The secret in this file, if there is a file.
fn kept(path: &Path) -> Result<Option<Secret>, SecretError> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= JWT_SECRET_BYTES_MIN => Ok(Some(Secret::new(text.trim()))),
        Ok(text) => Err(SecretError::Short { path: path.to_owned(), bytes: text.trim().len() }),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SecretError::File { path: path.to_owned(), source }),
    }
}

/// A new secret, or the one of another process that was faster: processes that start together
/// must take each other's tokens.
fn made_and_kept(path: &Path) -> Result<Secret, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    let secret = made()?;
    path.parent().map_or(Ok(()), private_directory).map_err(failed)?;
    let beside = written_beside(path, &secret).map_err(failed)?;
    // A link, unlike a rename, replaces nothing, and shows the whole file at once.
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside).map_err(failed)?;
    match linked {
        Ok(()) => Ok(Secret::new(secret)),
        Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {
            kept(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
        }
        Err(source) => Err(failed(source)),
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

/// Writes a file that only its owner can read, in place of an older one and at once.
///
/// # Errors
/// What the operating system says.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = written_beside(path, text)?;
    std::fs::rename(beside, path)
}

/// Writes a private file next to `path`, under a name that no other process or thread takes.
fn written_beside(path: &Path, text: &str) -> io::Result<PathBuf> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{number}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{self, Environment};

    #[test]
    fn starts_at_one_time_take_one_secret() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().expect("temporary directory");
            let settings = configuration::load(Environment::of(directory.path(), []));
            let settings = settings.expect("good settings");
            let secrets = std::thread::scope(|scope| {
                let start = || secret_of(&settings).expect("a secret").reveal().to_owned();
                let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
                starts.into_iter().map(|start| start.join().expect("no panic")).collect::<Vec<_>>()
            });
            assert!(secrets.iter().all(|secret| *secret == secrets[0]), "{secrets:?}");
        }
    }
}
