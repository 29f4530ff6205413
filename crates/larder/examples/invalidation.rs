//! Everything that can be named: keys, prefixes of keys, tags, patterns, caches; gone or only
//! stale.
//!
//! ```sh
//! cargo run -p larder --example invalidation
//! ```

use std::error::Error;
use std::io;
use std::time::Duration;

use larder::{Cache, Invalidation, Larder, Loaded, Pattern};

/// One page of a user's notifications: `notifications:7:1`.
#[derive(Clone, Copy, larder::Key)]
struct PageKey {
    user: u64,
    page: u32,
}

const PAGES: [PageKey; 4] = [
    PageKey { user: 7, page: 1 },
    PageKey { user: 7, page: 2 },
    PageKey { user: 70, page: 1 },
    PageKey { user: 8, page: 1 },
];

type Pages = Cache<PageKey, String>;

/// Loads whatever is missing. Pages of user 8 show builds, and carry the tag that says so.
async fn fill(pages: &Pages) -> Result<(), larder::Error> {
    for key in PAGES {
        let load = move |_| async move {
            let page = Loaded::value(format!("page {} of user {}", key.page, key.user));
            Ok::<_, io::Error>(if key.user == 8 { page.tag("builds") } else { page })
        };
        pages.get_or_load(&key, load).await?;
    }
    Ok(())
}

/// The texts of the keys that are still served as fresh.
fn fresh(pages: &Pages) -> Vec<String> {
    let alive = PAGES.iter().filter(|key| pages.peek(key).is_some_and(|page| !page.is_stale()));
    alive.map(|key| larder::key::text(pages.name(), key)).collect()
}

/// Invalidates, and says what is left.
async fn shown(
    larder: &Larder,
    pages: &Pages,
    name: &str,
    how: Invalidation,
) -> Result<Vec<String>, Box<dyn Error>> {
    fill(pages).await?;
    let invalidated = larder.invalidate(how).await;
    let left = fresh(pages);
    println!("{name}: at {}, left {left:?}", invalidated.position().ok_or("not shared")?);
    Ok(left)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let larder = Larder::new("arcade")?;
    let pages = larder.cache("notifications").stale_for(Duration::from_secs(60)).build()?;
    let new = Invalidation::new;

    let left = shown(&larder, &pages, "one key", new().key(&pages, &PAGES[0])).await?;
    assert_eq!(left, ["notifications:7:2", "notifications:70:1", "notifications:8:1"]);

    // One record, whether user 7 has two pages or two million. User 70 is somebody else.
    let left = shown(&larder, &pages, "all of user 7", new().prefix(&pages, &(7u64,))).await?;
    assert_eq!(left, ["notifications:70:1", "notifications:8:1"]);

    let left = shown(&larder, &pages, "a tag", new().tag("builds")).await?;
    assert_eq!(left, ["notifications:7:1", "notifications:7:2", "notifications:70:1"]);

    let both = new().tag("builds").prefix(&pages, &(7u64,));
    let left = shown(&larder, &pages, "two names in one call", both).await?;
    assert_eq!(left, ["notifications:70:1"]);

    // Patterns are matched against whole keys. They cost a scan, and tell what they found.
    let glob = new().pattern(Pattern::glob("notifications:*:1")?);
    let left = shown(&larder, &pages, "a glob", glob).await?;
    assert_eq!(left, ["notifications:7:2"]);
    let regex = new().pattern(Pattern::regex("notifications:(7|8):[0-9]+")?);
    let left = shown(&larder, &pages, "a regular expression", regex).await?;
    assert_eq!(left, ["notifications:70:1"]);

    // Soft: still served, marked stale, while one reader loads it again.
    let left = shown(&larder, &pages, "softly, the cache", new().cache(&pages).soft()).await?;
    assert!(left.is_empty() && pages.peek(&PAGES[0]).is_some_and(|page| page.is_stale()));
    Ok(())
}
