//! The file of a list of hot keys: read within bounds, replaced as a whole. Only its owner can read it,
//! for keys may name people.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

/// The bytes of the file; `None` if there is none.
///
/// # Errors
/// It is no file, has more than `bytes_max` bytes, or cannot be read.
pub(super) async fn read(path: PathBuf, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    blocking(move || {
        // What only looks like a file may never end, or never begin.
        match fs::metadata(&path) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
            Ok(about) if !about.is_file() => {
                return Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"));
            }
            Ok(_) => {}
        }
        let mut bytes = Vec::new();
        File::open(&path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max {
            let problem = format!("it has more than {bytes_max} bytes");
            return Err(io::Error::new(ErrorKind::InvalidData, problem));
        }
        Ok(Some(bytes))
    })
    .await
}

/// Puts these bytes in the place of the file. A crash leaves the old file or the new one.
///
/// The write goes on when nobody waits for it any more, so the turn is the write's: another one would
/// put what is half written in the place of the file.
///
/// # Errors
/// It cannot be written.
pub(super) async fn replace(
    path: PathBuf,
    bytes: Vec<u8>,
    turn: OwnedMutexGuard<()>,
) -> io::Result<()> {
    blocking(move || {
        let written = write(&path, &bytes);
        drop(turn);
        written
    })
    .await
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    // What a crash left there has other rights, perhaps.
    match fs::remove_file(&beside) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    let mut file = private(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// The new file, until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// A file that was not there before.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Runs it where it holds nobody up, if there is a tokio runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.map_err(io::Error::other)?,
        Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use futures_util::FutureExt;
    use tokio::sync::Mutex;

    use super::*;

    #[test]
    fn a_turn_lasts_as_long_as_the_write_even_if_nobody_waits_for_it() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).build().expect("a runtime");
        let name = format!("larder-turn-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        runtime.block_on(async {
            // The only thread that may block is taken: the write has to wait.
            let (go_on, held) = mpsc::channel::<()>();
            let taken = runtime.spawn_blocking(move || held.recv().is_ok());
            let saving = Arc::new(Mutex::new(()));
            let turn = Arc::clone(&saving).lock_owned().await;
            assert!(replace(path.clone(), vec![7; 9], turn).now_or_never().is_none());
            assert!(saving.try_lock().is_err(), "the write is still to come");
            go_on.send(()).expect("somebody waits");
            drop(saving.lock().await);
            assert_eq!(fs::read(&path).expect("a file"), [7; 9]);
            assert!(taken.await.expect("no panic"));
        });
        fs::remove_file(path).expect("removed");
    }
}
