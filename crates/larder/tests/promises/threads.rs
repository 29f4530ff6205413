//! The contract under real threads: whoever begins to read after an invalidation returned never
//! gets a value from before it, whichever way the key was named.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use larder::{Cache, Invalidation, Larder, Loaded, Pattern};
use tokio::runtime::{Builder, Runtime};

const WRITES: u32 = 2_000;
const READERS: usize = 3;

/// A row of the source, and the newest version whose invalidation has returned.
#[derive(Default)]
struct Row {
    version: AtomicU32,
    settled: AtomicU32,
    /// Readers that have left: because the writer did, or because they saw a promise broken.
    left: AtomicU32,
    written: AtomicBool,
}

/// Counts a thread as gone, also one that panics.
struct Leaving<'r>(&'r AtomicU32);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

async fn write(larder: &Larder, row: &Row, version: u32, how: Invalidation) {
    row.version.store(version, Ordering::SeqCst);
    assert!(larder.invalidate(how).await.position().is_some());
    row.settled.store(version, Ordering::SeqCst);
}

async fn read(cache: &Cache<u64, u32>, row: &Arc<Row>, how: &str) {
    let settled = row.settled.load(Ordering::SeqCst);
    let source = Arc::clone(row);
    let load = move |_| async move {
        let version = source.version.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok::<_, io::Error>(Loaded::value(version).tag("red"))
    };
    let found = cache.get_or_load(&7, load).await.expect("loaded").found().expect("a value");
    assert!(*found >= settled, "version {} after {settled} was settled, by {how}", *found);
}

/// Waits until a reader has found the value in memory: else nothing is proved. A reader that left
/// has failed, and says so itself.
async fn a_hit(cache: &Cache<u64, u32>, row: &Row) {
    let hits = cache.stats().hits;
    while cache.stats().hits == hits && row.left.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

fn check(name: &str, how: &(dyn Fn() -> Invalidation + Sync)) {
    let runtime = runtime();
    let larder = runtime.block_on(async { Larder::new("test") }).expect("a node");
    let cache = larder.cache::<u64, u32>("numbers").build().expect("a cache");
    let row = Arc::new(Row::default());
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let _leaving = Leaving(&row.left);
                runtime.block_on(async {
                    while !row.written.load(Ordering::SeqCst) {
                        read(&cache, &row, name).await;
                    }
                });
            });
        }
        runtime.block_on(async {
            for version in 1..=WRITES {
                write(&larder, &row, version, how()).await;
                if version % 100 == 0 {
                    a_hit(&cache, &row).await;
                }
            }
            row.written.store(true, Ordering::SeqCst);
        });
    });
}

#[test]
fn no_thread_reads_what_a_key_named_before_it_asked() {
    check("key", &|| Invalidation::new().key("numbers", &7u64));
}

#[test]
fn no_thread_reads_what_a_tag_named_before_it_asked() {
    check("tag", &|| Invalidation::new().tag("red"));
}

#[test]
fn no_thread_reads_what_a_cleared_cache_had() {
    check("cache", &|| Invalidation::new().cache("numbers"));
}

#[test]
fn no_thread_reads_what_a_pattern_matched_before_it_asked() {
    let glob = Pattern::glob("numbers:*").expect("a glob");
    check("glob", &|| Invalidation::new().pattern(glob.clone()));
}
