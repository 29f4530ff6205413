//! A child process that does not outlive its value.

use std::fs::File;
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
        let child = child.unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
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

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
