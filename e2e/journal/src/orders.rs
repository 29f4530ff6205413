//! What a writer is told when it is started, as the words of its command line.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use larder::behind::Journal;
use larder_redis::journal::{JournalOptions, RedisJournal};
use larder_redis::{RedisOptions, Topology};
use larder_sql::journal::SqliteJournal;

use crate::crashing::Doom;

/// How long a journal in Redis stays that of a writer that was killed: the next one waits for it.
const LEASE_TTL: Duration = Duration::from_millis(100);

/// The word for a journal in a file.
const FILE: &str = "file";

/// What a writer is told.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Where the source is, and the journal if it is a file.
    pub directory: PathBuf,
    /// Where the journal lies.
    pub place: Place,
    /// The first number that it writes to each key.
    pub first: u64,
    /// How many numbers; 0: what the journal has is flushed, and nothing else.
    pub count: u64,
    /// Where it dies.
    pub doom: Doom,
}

/// Where a journal lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In an SQLite file.
    File,
    /// In the server on this port of loopback.
    Redis(u16),
}

impl Orders {
    /// Starts the writer, whose program this is. Its lines come out of its standard output.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(&self, program: &str) -> Child {
        let mut command = Command::new(program);
        let place = match self.place {
            Place::File => FILE.to_owned(),
            Place::Redis(port) => port.to_string(),
        };
        let numbers = [self.first, self.count].map(|number| number.to_string());
        command.arg(&self.directory).arg(place).args(numbers).args(self.doom.words());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("it can be started")
    }

    /// The orders that this process was given.
    ///
    /// # Panics
    /// They are none.
    pub fn given() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let [directory, place, first, count, doom @ ..] = words.as_slice() else {
            panic!("a directory, a place and two numbers are wanted, not {words:?}");
        };
        let number = |word: &String| word.parse().expect("a number");
        Orders {
            directory: Path::new(directory).to_owned(),
            place: match place.as_str() {
                FILE => Place::File,
                port => Place::Redis(port.parse().expect("a port")),
            },
            first: number(first),
            count: number(count),
            doom: Doom::of_words(doom),
        }
    }

    /// Opens the journal, and what lets go of it in the end.
    pub async fn journal(&self) -> (Arc<dyn Journal>, Option<Arc<RedisJournal>>) {
        match self.place {
            Place::File => {
                let journal = SqliteJournal::open(self.directory.join("journal")).await;
                (Arc::new(journal.expect("it opens")), None)
            }
            Place::Redis(port) => {
                let mut redis = RedisOptions::new(Topology::single("127.0.0.1", port));
                redis.lease_ttl = LEASE_TTL;
                let journal = RedisJournal::open("kills", JournalOptions::new(redis));
                let journal = Arc::new(journal.expect("options in range"));
                (Arc::clone(&journal) as Arc<dyn Journal>, Some(journal))
            }
        }
    }
}
