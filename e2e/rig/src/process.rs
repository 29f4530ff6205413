//! A child process that does not outlive its value.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running child process. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command`; what it writes goes to the file `log`.
    ///
    /// # Panics
    /// The program cannot be started, or the file not be written.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let log = File::options().create(true).append(true).open(log).expect("a log can be written");
        let errors = log.try_clone().expect("a file has two handles");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{}", not_started(&program, &error)));
        Process { child }
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it at once, as `kill -9` does, and waits for its end.
    pub fn kill(&mut self) {
        // It may have ended by itself: both calls fail then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Why a program was not started, and which Debian package has it that is not there.
fn not_started(program: &str, error: &io::Error) -> String {
    let refused = format!("{program} cannot be started: {error}");
    let package = match Path::new(program).file_name().and_then(OsStr::to_str) {
        Some("redis-server") => "redis-server",
        _ => return refused,
    };
    match error.kind() {
        io::ErrorKind::NotFound => format!("{refused}; the Debian package {package} has it"),
        _ => refused,
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_named_with_the_package_that_has_it() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let told = not_started("/no/such/folder/redis-server", &missing);
        assert!(told.ends_with("the Debian package redis-server has it"), "{told}");
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(!not_started("redis-server", &refused).contains("package"));
        assert!(!not_started("/no/such/valkey-server", &missing).contains("package"));
    }
}
