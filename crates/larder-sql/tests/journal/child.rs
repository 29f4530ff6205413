//! The process that is killed: this test program again, as a writer. It says what it asked for and
//! what was acknowledged, a line each, before it does anything else.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use larder::Larder;
use larder::behind::{SinkError, WriteBehind};
use larder_sql::journal::SqliteJournal;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::crashing::{Crashing, Doom};
use crate::ledger;

/// Writers at a time, each with keys of its own.
const WRITERS: u64 = 8;
const KEYS_EACH: u64 = 3;
/// The source never takes even numbers of this key.
pub(crate) const PICKY: u64 = 5;

/// What a writer is told when it is started.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    pub(crate) directory: PathBuf,
    /// The first number that it writes to each key.
    pub(crate) first: u64,
    /// How many numbers; 0: what the journal has is flushed, and nothing else.
    pub(crate) count: u64,
    pub(crate) doom: Option<(String, usize)>,
}

impl Orders {
    /// Starts the writer. Its lines come out of its standard output.
    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args(["--exact", "child::a_writer_only_runs_when_it_is_ordered_to", "--nocapture"]);
        command.env("LARDER_TEST_WRITER", &self.directory);
        command.env("LARDER_TEST_NUMBERS", format!("{} {}", self.first, self.count));
        if let Some((point, count)) = &self.doom {
            command.env("LARDER_TEST_DOOM", format!("{count} {point}"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("it can be started")
    }

    #[expect(clippy::disallowed_methods, reason = "the environment is how a test orders its child")]
    fn given() -> Option<Self> {
        let directory = PathBuf::from(std::env::var_os("LARDER_TEST_WRITER")?);
        let numbers = std::env::var("LARDER_TEST_NUMBERS").expect("given with the directory");
        let (first, count) = numbers.split_once(' ').expect("two numbers");
        let doom = std::env::var("LARDER_TEST_DOOM").ok().map(|doom| {
            let (count, point) = doom.split_once(' ').expect("a number and a point");
            (point.to_owned(), count.parse().expect("a number"))
        });
        let [first, count] = [first, count].map(|number| number.parse().expect("a number"));
        Some(Orders { directory, first, count, doom })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_only_runs_when_it_is_ordered_to() {
    let Some(orders) = Orders::given() else { return };
    let doom = match orders.doom.clone() {
        Some((point, count)) => Doom::at(Some(point), count),
        None => Doom::at(None, 0),
    };
    let writes = open(&orders, &doom).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(writes.clone(), orders.clone(), writer, doom.clone()));
    }
    while let Some(written) = writers.join_next().await {
        written.expect("a writer does not panic");
    }
    let drained = writes.close(Duration::from_secs(20)).await;
    writes.parked().iter().for_each(|parked| say(&format!("parked {}", parked.sequence)));
    say(&format!("left {}", drained.left + drained.untold));
}

async fn open(orders: &Orders, doom: &Doom) -> WriteBehind<u64, u64> {
    let larder = Larder::new("kills").expect("valid settings");
    let cache = larder.cache("numbers").build().expect("a cache");
    let journal = SqliteJournal::open(orders.directory.join("journal")).await.expect("it opens");
    let journal = Arc::new(Crashing { journal, doom: doom.clone() });
    let source = Arc::new(Mutex::new(ledger::open(&orders.directory.join("source")).await));
    let doom = doom.clone();
    let builder = WriteBehind::builder(&cache, journal).flush_after(Duration::from_millis(10));
    let opened = builder.batch_max(16).open(move |batch: ledger::Batch| {
        let (source, doom) = (Arc::clone(&source), doom.clone());
        async move {
            doom.reached("before the sink");
            if let Some(change) = batch.iter().find(|change| is_rejected(change.key, change.value)) {
                return Err(SinkError::rejected(format!("never {:?}", change.value)));
            }
            let mut source = source.lock().await;
            ledger::take(&mut source, &batch, || doom.reached("before commit")).await?;
            doom.reached("after commit");
            Ok(())
        }
    });
    opened.await.expect("the journal is read")
}

fn is_rejected(key: u64, number: Option<u64>) -> bool {
    key == PICKY && number.is_some_and(|number| number.is_multiple_of(2))
}

async fn write(writes: WriteBehind<u64, u64>, orders: Orders, writer: u64, doom: Doom) {
    for number in orders.first..orders.first + orders.count {
        let key = writer * KEYS_EACH + number % KEYS_EACH;
        say(&format!("asked {key} {number}"));
        if let Ok(sequence) = writes.put(&key, number).await {
            say(&format!("acknowledged {key} {number} {sequence}"));
            doom.reached("after acknowledgement");
        }
    }
}

/// One write of one line: a kill leaves whole lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A parent that is gone reads nothing.
    drop(out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()));
}
