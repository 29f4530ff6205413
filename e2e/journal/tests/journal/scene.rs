//! A journal and a source that many writers use, one after the other.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};

use larder_journal_crashes::crashing::Doom;
use larder_journal_crashes::ledger::{Told, check};
use larder_journal_crashes::orders::{Orders, Place};
use larder_rig::RedisServer;
use tempfile::TempDir;

/// The program of the writers.
const WRITER: &str = env!("CARGO_BIN_EXE_journal-writer");

/// Numbers that a writer would write to each key if it lived.
const NUMBERS: u64 = 1_000_000;
/// Numbers that each writer of a process writes that dies at a point. The last one of the key that is
/// picked at is rejected, so that there is something to park.
const FEW: u64 = 63;

pub(crate) struct Scene {
    directory: TempDir,
    /// What keeps the journal, if it is no file.
    pub(crate) server: Option<RedisServer>,
    pub(crate) told: Told,
    pub(crate) next: u64,
}

/// A writer that runs, and what it says.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    said: String,
}

impl Running {
    fn of(mut child: Child) -> Self {
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Running { child, out, said: String::new() }
    }

    /// Waits until it has said so many lines more.
    pub(crate) fn says(&mut self, lines: usize) {
        for _ in 0..lines {
            self.out.read_line(&mut self.said).expect("text");
        }
    }

    /// Whether it says a line that begins so, before it has said so many.
    pub(crate) fn says_within(&mut self, beginning: &str, lines: usize) -> bool {
        (0..lines).any(|_| {
            let said = self.said.len();
            self.says(1);
            self.said[said..].starts_with(beginning)
        })
    }

    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("it runs");
        self.end()
    }

    /// All that it has said, once it has ended.
    pub(crate) fn end(mut self) -> String {
        self.out.read_to_string(&mut self.said).expect("text");
        self.child.wait().expect("it ends");
        std::mem::take(&mut self.said)
    }
}

impl Drop for Running {
    /// Whatever becomes of the test, its writer does not outlive it.
    fn drop(&mut self) {
        // It may have ended by itself: both calls fail then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Scene {
    /// With a journal in a file.
    pub(crate) fn of_file() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Scene { directory, server: None, told: Told::default(), next: 1 }
    }

    /// With a journal in a server that has each write on its disk before it confirms it.
    pub(crate) fn of_stream() -> Self {
        let durable = ["--appendonly", "yes", "--appendfsync", "always"];
        Scene { server: Some(RedisServer::start_with(&durable)), ..Scene::of_file() }
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.path().join("source")
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn orders(&self, count: u64) -> Orders {
        let place = self.server.as_ref().map_or(Place::File, |server| Place::Redis(server.port()));
        let doom = Doom::default();
        Orders { directory: self.path().to_owned(), place, first: self.next, count, doom }
    }

    /// A writer that goes on until it is killed.
    pub(crate) fn start(&self) -> Running {
        Running::of(self.orders(NUMBERS).start(WRITER))
    }

    /// A writer that writes a little.
    pub(crate) fn start_briefly(&self) -> Running {
        Running::of(self.orders(FEW).start(WRITER))
    }

    /// Runs a process that dies at this point. False: it never got there, and ended by itself.
    pub(crate) fn run_until(&mut self, point: &str, count: usize) -> bool {
        let child = Orders { doom: Doom::at(point, count), ..self.orders(FEW) }.start(WRITER);
        let ended = child.wait_with_output().expect("it ends");
        self.hear(&String::from_utf8(ended.stdout).expect("text"));
        let died = ended.status.signal().is_some();
        assert!(died || ended.status.success(), "it failed instead of dying at {point}");
        died
    }

    /// Runs a process and kills it once it has said so many lines.
    pub(crate) fn kill_after(&mut self, lines: usize) {
        let mut running = self.start();
        running.says(lines);
        self.hear(&running.kill());
    }

    /// The same, but for the server, which is killed and started again between the lines.
    pub(crate) fn kill_server_after(&mut self, lines: usize) {
        let mut running = self.start();
        running.says(lines);
        let server = self.server.as_mut().expect("a server keeps the journal");
        server.kill();
        server.run();
        running.says(lines);
        self.hear(&running.kill());
    }

    /// Runs a process that writes nothing: it flushes what the others left.
    pub(crate) fn settle(&mut self) {
        let out = Running::of(self.orders(0).start(WRITER)).end();
        assert!(out.lines().any(|line| line == "left 0"), "the journal is not empty: {out}");
        self.told.parked.clear();
        self.hear(&out);
    }

    /// Settles, and looks at what the source has.
    pub(crate) async fn check(&mut self, context: &str) {
        self.settle();
        check(&self.source(), &self.told, context).await;
    }

    pub(crate) fn hear(&mut self, out: &str) {
        for line in out.lines() {
            let mut words = line.split(' ');
            let verb = words.next();
            let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
            match (verb, numbers.as_slice()) {
                (Some("asked"), [key, number]) => {
                    self.told.asked.insert(*key, *number);
                    self.next = self.next.max(number + 1);
                }
                (Some("acknowledged"), [key, number, sequence]) => {
                    self.told.writes += 1;
                    self.told.acknowledged.insert(*key, (*number, *sequence));
                }
                (Some("parked"), [sequence]) => {
                    self.told.parked.insert(*sequence);
                }
                _ => {}
            }
        }
    }
}
