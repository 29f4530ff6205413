//! The writer that is killed. It says what it asked for and what was acknowledged, a line each,
//! before it does anything else.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use larder::Larder;
use larder::behind::{Journal, JournalError, WriteBehind, WriteError};
use larder_journal_crashes::crashing::{Crashing, Doom};
use larder_journal_crashes::ledger;
use larder_journal_crashes::orders::Orders;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Writers at a time, each with keys of its own.
const WRITERS: u64 = 8;
const KEYS_EACH: u64 = 3;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let orders = Orders::given();
    let (journal, redis) = orders.journal().await;
    let writes = open(&orders, journal).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(writes.clone(), orders.clone(), writer));
    }
    while let Some(written) = writers.join_next().await {
        written.expect("a writer does not panic");
    }
    let drained = writes.close(Duration::from_secs(20)).await;
    writes.parked().iter().for_each(|parked| say(&format!("parked {}", parked.sequence)));
    say(&format!("left {}", drained.left + drained.untold));
    if let Some(redis) = redis {
        // Of another's journal there is nothing to let go.
        drop(redis.close().await);
    }
}

async fn open(orders: &Orders, journal: Arc<dyn Journal>) -> WriteBehind<u64, u64> {
    let larder = Larder::new("kills").expect("valid settings");
    let cache = larder.cache("numbers").build().expect("a cache");
    let journal = Arc::new(Crashing { journal, doom: orders.doom.clone() });
    let source = Arc::new(Mutex::new(ledger::open(&orders.directory.join("source")).await));
    let doom = orders.doom.clone();
    let builder = WriteBehind::builder(&cache, journal).flush_after(Duration::from_millis(10));
    let opened = builder.batch_max(16).open(move |batch: ledger::Batch| {
        let (source, doom) = (Arc::clone(&source), doom.clone());
        async move {
            doom.reached("before the sink");
            let mut source = source.lock().await;
            ledger::take(&mut source, &batch, || doom.reached("before commit")).await?;
            doom.reached("after commit");
            Ok(())
        }
    });
    opened.await.expect("the journal is read")
}

async fn write(writes: WriteBehind<u64, u64>, orders: Orders, writer: u64) {
    let doom: Doom = orders.doom;
    for number in orders.first..orders.first + orders.count {
        let key = writer * KEYS_EACH + number % KEYS_EACH;
        say(&format!("asked {key} {number}"));
        match writes.put(&key, number).await {
            Ok(sequence) => {
                say(&format!("acknowledged {key} {number} {sequence}"));
                doom.reached("after acknowledgement");
            }
            Err(WriteError::Journal(JournalError::Lost { to })) => {
                return say(&format!("lost: {to}"));
            }
            Err(_) => {}
        }
    }
}

/// One write of one line: a kill leaves whole lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A parent that is gone reads nothing.
    drop(out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()));
}
