//! The four races on which caches serve what was invalidated, each on a forced schedule: the load
//! reads the source, the source changes, and only then may the load end.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use larder::{Cache, Invalidation, Larder, Load, Loaded, Lookup, Origin};
use tokio::sync::oneshot::{Receiver, Sender, channel};

const KEY: u64 = 7;
const TAG: &str = "builds";

/// A node, its cache, and a source that has one number.
struct Scene {
    larder: Larder,
    pages: Cache<u64, u32>,
    source: Arc<AtomicU32>,
}

/// The other end of a load that is held up.
struct Held {
    begun: Receiver<()>,
    let_go: Sender<()>,
}

impl Held {
    /// Waits until the load has read the source, and lets `change` happen before it goes on.
    async fn during(self, change: impl Future<Output = ()>) {
        self.begun.await.expect("the load begins");
        change.await;
        self.let_go.send(()).expect("the load waits");
    }
}

impl Scene {
    fn new() -> Self {
        let larder = Larder::new("test").expect("a node");
        let minute = Duration::from_secs(60);
        let pages = larder.cache("pages").fresh_for(minute).stale_for(minute).build();
        Scene { larder, pages: pages.expect("a cache"), source: Arc::new(AtomicU32::new(1)) }
    }

    /// Writes the source.
    fn change(&self) -> u32 {
        self.source.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn read(&self) -> Lookup<u32> {
        let source = Arc::clone(&self.source);
        let load = move |_: Load<u32>| async move {
            Ok::<_, Infallible>(Loaded::value(source.load(Ordering::SeqCst)).tag(TAG))
        };
        self.pages.get_or_load(&KEY, load).await.expect("the load does not fail")
    }

    /// A read whose load reads the source at once, but answers only when it is let go.
    fn slow_read(&self) -> (impl Future<Output = Lookup<u32>>, Held) {
        let (begins, begun) = channel();
        let (let_go, gone) = channel::<()>();
        let source = Arc::clone(&self.source);
        let load = move |_: Load<u32>| async move {
            let seen = source.load(Ordering::SeqCst);
            begins.send(()).expect("the test waits for the load");
            gone.await.expect("the test lets the load go");
            Ok::<_, Infallible>(Loaded::value(seen).tag(TAG))
        };
        let read = async { self.pages.get_or_load(&KEY, load).await.expect("it does not fail") };
        (read, Held { begun, let_go })
    }

    /// What the first read after the race is answered, and from where.
    async fn next_read(&self) -> (Option<u32>, Origin) {
        let lookup = self.read().await;
        (lookup.value().copied(), lookup.origin())
    }
}

#[tokio::test]
async fn a_load_that_was_overtaken_by_an_invalidation_does_not_fill() {
    let scene = Scene::new();
    let (read, held) = scene.slow_read();
    let invalidated = held.during(async {
        scene.change();
        assert!(scene.pages.invalidate(&KEY).await.position().is_some());
    });
    tokio::join!(read, invalidated);
    assert_eq!(scene.next_read().await, (Some(2), Origin::Loaded));
}

#[tokio::test]
async fn an_older_load_does_not_overwrite_a_newer_insert() {
    let scene = Scene::new();
    let (read, held) = scene.slow_read();
    let inserted = held.during(async {
        let newer = scene.change();
        // The load holds the lease, so this may only invalidate; the older value must not win.
        assert!(scene.pages.set(&KEY, newer).await.invalidated.position().is_some());
    });
    tokio::join!(read, inserted);
    assert_eq!(scene.next_read().await.0, Some(2));
}

#[tokio::test]
async fn a_tag_invalidated_during_a_load_kills_what_the_load_brings() {
    let scene = Scene::new();
    let (read, held) = scene.slow_read();
    let invalidated = held.during(async {
        scene.change();
        assert!(scene.larder.invalidate_tag(TAG).await.position().is_some());
    });
    tokio::join!(read, invalidated);
    assert_eq!(scene.next_read().await, (Some(2), Origin::Loaded));
}

#[tokio::test]
async fn a_refresh_in_the_background_does_not_bring_back_what_was_invalidated_meanwhile() {
    let scene = Scene::new();
    scene.read().await;
    let soft = Invalidation::new().key(&scene.pages, &KEY).soft();
    assert!(scene.larder.invalidate(soft).await.position().is_some());
    let (read, held) = scene.slow_read();
    let invalidated = held.during(async {
        scene.change();
        assert!(scene.pages.invalidate(&KEY).await.position().is_some());
    });
    let (served, ()) = tokio::join!(read, invalidated);
    assert!(served.is_stale(), "the old value is served while it is refreshed: {served:?}");
    refresh_ended().await;
    assert_eq!(scene.next_read().await.0, Some(2));
}

#[tokio::test]
async fn a_refresh_in_the_background_that_nothing_overtakes_does_fill() {
    let scene = Scene::new();
    scene.read().await;
    let soft = Invalidation::new().key(&scene.pages, &KEY).soft();
    assert!(scene.larder.invalidate(soft).await.position().is_some());
    let (read, held) = scene.slow_read();
    let (served, ()) = tokio::join!(read, held.during(async {}));
    assert!(served.is_stale(), "{served:?}");
    refresh_ended().await;
    assert_eq!(scene.next_read().await, (Some(1), Origin::Memory));
}

/// On a runtime of one thread and without a shared tier, what is in the background ends within
/// these yields; the last test would fail if it did not.
async fn refresh_ended() {
    for _ in 0..256 {
        tokio::task::yield_now().await;
    }
}
