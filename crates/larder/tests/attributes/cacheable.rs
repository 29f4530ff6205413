//! A function that is answered from a cache.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use larder::{Cache, Hit, Larder, Loaded, Lookup, Origin, cacheable};

/// Rooms by number, and how often they were read.
#[derive(Clone)]
struct Rooms {
    larder: Larder,
    rooms: Cache<u64, String>,
    named: Cache<String, u64>,
    found: Cache<(String, String), u32>,
    reads: Arc<AtomicU32>,
    time: Duration,
}

impl Rooms {
    fn new() -> Self {
        let larder = Larder::new("attributes").expect("a name");
        Rooms {
            rooms: larder.cache("rooms").build().expect("defaults"),
            named: larder.cache("named").build().expect("defaults"),
            found: larder.cache("found").build().expect("defaults"),
            larder,
            reads: Arc::default(),
            time: Duration::from_secs(60),
        }
    }

    fn read(&self) -> u32 {
        self.reads.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn tag(&self) -> &'static str {
        "house"
    }

    /// The name of a room.
    #[cacheable(cache = self.rooms)]
    async fn name(&self, id: u64) -> Result<String, io::Error> {
        let reads = self.read();
        if id == 0 {
            return Err(io::Error::other("there is no room 0"));
        }
        Ok(format!("room {id}, read {reads}"))
    }

    #[cacheable(cache = self.named, key = name.to_owned())]
    async fn by_name(&self, name: &str) -> Result<Option<u64>, io::Error> {
        self.read();
        Ok(name.strip_prefix("room ").and_then(|id| id.parse().ok()))
    }

    #[cacheable(
        cache = self.rooms,
        key = id,
        tags = [format!("owner-{owner}"), format!("length-{}", result.len()), self.tag()],
        fresh_for = if owner.is_empty() { Duration::ZERO } else { self.time },
        condition = id != 13 || owner == "nobody",
    )]
    async fn owned(&self, id: u64, owner: String) -> Result<String, io::Error> {
        Ok(format!("{owner}'s room {id}, read {}", self.read()))
    }

    #[cacheable(cache = self.rooms, key = u64::from(low) + 1)]
    async fn after(&self, low: u32) -> Result<String, io::Error> {
        Ok(format!("after {low}"))
    }

    #[cacheable(cache = self.rooms, key = low as u64)]
    async fn at(&self, low: u32) -> Result<String, io::Error> {
        Ok(format!("at {low}"))
    }

    /// What arguments as they are written would mix up.
    #[cacheable(cache = self.found)]
    async fn find(&self, name: &str, floor: String) -> Result<u32, io::Error> {
        drop((name, floor));
        Ok(self.read())
    }

    /// For a reader that has the key already.
    #[cacheable(cache = self.found)]
    async fn found(&self, place: &(String, String)) -> Result<u32, io::Error> {
        Ok(self.read() + place.0.len() as u32)
    }

    #[cacheable(cache = self.named)]
    async fn length(&self, mut name: String) -> Result<u64, io::Error> {
        name.push('!');
        Ok(name.len() as u64)
    }

    #[cacheable(cache = self.rooms, key = id)]
    async fn told(&self, id: u64) -> Result<Loaded<String>, io::Error> {
        Ok(Loaded::value(format!("room {id}, read {}", self.read())).tag("told"))
    }
}

#[tokio::test]
async fn a_function_runs_once_and_is_answered_from_memory_then() {
    let rooms = Rooms::new();
    let first: Hit<String> = rooms.name(7).await.expect("the source is healthy");
    assert_eq!((first.as_str(), first.origin()), ("room 7, read 1", Origin::Loaded));
    let again = rooms.name(7).await.expect("the source is healthy");
    assert_eq!((again.as_str(), again.origin()), ("room 7, read 1", Origin::Memory));
    assert_eq!(*rooms.name(8).await.expect("the source is healthy"), "room 8, read 2");
}

#[tokio::test]
async fn the_source_stays_callable_and_its_errors_are_seen() {
    let rooms = Rooms::new();
    assert_eq!(rooms.name_uncached(7).await.expect("the source is healthy"), "room 7, read 1");
    assert_eq!(*rooms.name(7).await.expect("the source is healthy"), "room 7, read 2");
    let error = rooms.name(0).await.expect_err("room 0");
    assert_eq!(error.to_string(), "the source failed: there is no room 0");
}

#[tokio::test]
async fn what_the_source_has_not_is_remembered_too() {
    let rooms = Rooms::new();
    let found: Lookup<u64> = rooms.by_name("room 7").await.expect("the source is healthy");
    assert_eq!(found.found().map(|id| *id), Some(7));
    for _ in 0..3 {
        let absent = rooms.by_name("hall").await.expect("the source is healthy");
        assert!(absent.found().is_none());
    }
    assert_eq!(rooms.reads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn tags_speak_of_arguments_and_of_the_result() {
    let rooms = Rooms::new();
    for tag in ["owner-ann", "length-20", "house", "told"] {
        let before = rooms.reads.load(Ordering::SeqCst);
        let owned = async || match tag {
            "told" => rooms.told(1).await.map(|lookup| drop(lookup.found())),
            _ => rooms.owned(1, "ann".to_owned()).await.map(drop),
        };
        assert!(rooms.larder.clear().await.position().is_some());
        owned().await.expect("the source is healthy");
        owned().await.expect("the source is healthy");
        assert_eq!(rooms.reads.load(Ordering::SeqCst), before + 1, "{tag}");
        assert!(rooms.larder.invalidate_tag(tag).await.position().is_some());
        owned().await.expect("the source is healthy");
        assert_eq!(rooms.reads.load(Ordering::SeqCst), before + 2, "{tag}");
    }
}

#[tokio::test]
async fn a_time_may_speak_of_arguments_and_of_self() {
    let rooms = Rooms::new();
    for _ in 0..2 {
        rooms.owned(1, String::new()).await.expect("the source is healthy");
    }
    assert_eq!(rooms.reads.load(Ordering::SeqCst), 2, "a time of zero keeps nothing");
}

#[tokio::test]
async fn without_its_condition_the_source_is_asked_and_nothing_kept() {
    let rooms = Rooms::new();
    for reads in 1..4 {
        let owned = rooms.owned(13, "ann".to_owned()).await.expect("the source is healthy");
        assert_eq!(*owned, format!("ann's room 13, read {reads}"));
    }
    assert!(rooms.rooms.peek(&13).is_none());
}

#[tokio::test]
async fn a_key_may_be_any_expression() {
    let rooms = Rooms::new();
    assert_eq!(*rooms.at(7).await.expect("the source is healthy"), "at 7");
    assert_eq!(*rooms.after(6).await.expect("the source is healthy"), "at 7");
}

/// A function of no type, with a cache among its arguments, and a generic one.
#[cacheable(cache = lengths, key = text.as_ref().to_owned())]
async fn length<T>(lengths: &Cache<String, u64>, text: T) -> Result<u64, io::Error>
where
    T: AsRef<str> + Clone + Send + Sync + 'static,
{
    Ok(lengths.name().len() as u64 + text.as_ref().len() as u64)
}

#[tokio::test]
async fn a_function_may_be_generic_and_take_its_cache() {
    let larder = Larder::new("attributes").expect("a name");
    let lengths = larder.cache("lengths").build().expect("defaults");
    assert_eq!(*length(&lengths, "four").await.expect("the source is healthy"), 11);
    let again = length(&lengths, String::from("four")).await.expect("the source is healthy");
    assert_eq!((*again, again.origin()), (11, Origin::Memory));
}

#[tokio::test]
async fn arguments_that_are_the_key_are_told_apart_also_where_only_punctuation_differs() {
    let rooms = Rooms::new();
    let found = async |name: &str, floor: &str| {
        *rooms.find(name, floor.to_owned()).await.expect("the source is healthy")
    };
    let calls =
        [("a,b", "c"), ("a", "b,c"), ("\"a\"", "b"), ("a", "\"b\""), ("a:b", ""), ("a", ":b")];
    for _ in 0..2 {
        for (reads, (name, floor)) in (1..).zip(calls) {
            assert_eq!(found(name, floor).await, reads, "{name} {floor}");
        }
    }
    assert!(rooms.found.peek(&("a,b".to_owned(), "c".to_owned())).is_some());
}

#[tokio::test]
async fn an_argument_that_is_the_key_may_be_a_reference_or_a_value_that_the_source_changes() {
    let rooms = Rooms::new();
    let (place, name) = (("hall".to_owned(), "cellar".to_owned()), "halls".to_owned());
    for _ in 0..2 {
        assert_eq!(*rooms.found(&place).await.expect("the source is healthy"), 5);
    }
    assert_eq!(*rooms.length(name.clone()).await.expect("the source is healthy"), 6);
    assert!(rooms.named.peek(&name).is_some());
}

/// All but the arguments that the cache is taken from are the key.
#[cacheable(cache = houses[0].rooms)]
async fn of_first(houses: &[Rooms], id: u64) -> Result<String, io::Error> {
    Ok(format!("room {id} of {}", houses.len()))
}

#[tokio::test]
async fn an_argument_that_the_cache_is_taken_from_is_no_part_of_the_key() {
    let houses = [Rooms::new(), Rooms::new()];
    assert_eq!(*of_first(&houses, 3).await.expect("the source is healthy"), "room 3 of 2");
    assert!(houses[0].rooms.peek(&3).is_some());
}
