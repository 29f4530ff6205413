//! A process of this program that does what it is told, line by line, and answers with a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

/// A process, ended with this.
pub(crate) struct Process {
    child: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Process {
    /// Runs this program with these words. Returns once it says that it is ready.
    ///
    /// # Errors
    /// It does not start, or says something else.
    pub(crate) fn start(words: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = child.stdin.take().context("the process has an input")?;
        let told = BufReader::new(child.stdout.take().context("the process has an output")?);
        let mut process = Process { child, ask, told };
        let ready = process.answer()?;
        anyhow::ensure!(ready == READY, "the process said {ready:?}");
        Ok(process)
    }

    /// Tells it something, without waiting for its answer.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn tell(&mut self, what: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.ask, "{what}")?)
    }

    /// Its next line.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let bytes = self.told.read_line(&mut line)?;
        anyhow::ensure!(bytes > 0, "a process has ended");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself: both calls fail then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const READY: &str = "ready";

/// What such a process does: says that it is ready, and answers each line until there is no more.
///
/// # Errors
/// Those of `answer`.
pub(crate) fn serve(mut answer: impl FnMut(&str) -> anyhow::Result<String>) -> anyhow::Result<()> {
    println!("{READY}");
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line?)?);
    }
    Ok(())
}
