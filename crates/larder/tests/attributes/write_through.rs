//! A function that writes what is cached.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder::{Cache, Hit, Larder, Loaded, Lookup, Origin, Pattern, cache_write_through};

#[derive(Debug, Clone, PartialEq, larder::Entry, serde::Serialize, serde::Deserialize)]
struct Room {
    id: u64,
    name: String,
}

struct House {
    larder: Larder,
    rooms: Cache<u64, Room>,
    lists: Cache<(u64, u64), u64>,
    halls: Pattern,
    writes: AtomicU64,
}

impl House {
    async fn new() -> Self {
        let larder = Larder::new("attributes").expect("a name");
        let rooms = larder.cache("rooms").negative_for(Duration::from_secs(60)).build();
        let lists = larder.cache("lists").build().expect("defaults");
        for list in [(1, 1), (1, 2), (2, 1)] {
            assert!(lists.set(&list, Loaded::value(0).tag(format!("floor-{}", list.0))).await.stored);
        }
        let halls = Pattern::glob("lists:*:2").expect("a glob");
        let writes = AtomicU64::new(0);
        House { larder, rooms: rooms.expect("defaults"), lists, halls, writes }
    }

    /// Which lists are cached.
    fn lists_left(&self) -> Vec<(u64, u64)> {
        [(1, 1), (1, 2), (2, 1)].into_iter().filter(|list| self.lists.peek(list).is_some()).collect()
    }

    fn wrote(&self, id: u64, name: &str) -> Room {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Room { id, name: name.to_owned() }
    }

    /// Renames a room.
    #[cache_write_through(
        cache = self.rooms,
        key = id,
        keys = [(self.lists, (1, id))],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    )]
    async fn rename(&self, id: u64, name: &str, fails: Option<ErrorKind>) -> io::Result<Room> {
        tokio::task::yield_now().await;
        match fails {
            Some(kind) => Err(io::Error::from(kind)),
            None => Ok(self.wrote(id, name)),
        }
    }

    /// Whatever is told only by the row that it creates, and a connection that it changes.
    #[cache_write_through(
        cache = &self.rooms,
        key = result.id,
        tags = [format!("named-{}", result.name), "rooms"],
        prefixes = [(self.lists, (result.id,))],
        patterns = [self.halls.clone()],
    )]
    async fn add(&self, connection: &mut Vec<u64>, name: String) -> Result<Room, io::Error> {
        connection.push(2);
        let id = 2;
        Ok(Room { name, ..self.wrote(id, "") })
    }

    #[cache_write_through(cache = self.rooms, caches = [self.lists])]
    async fn remove(&self, id: u64) -> Result<Option<Room>, io::Error> {
        self.wrote(id, "");
        Ok(None)
    }

    #[cache_write_through(
        cache = self.rooms,
        key = id,
        fresh_for = if result.name.is_empty() { Duration::ZERO } else { Duration::from_secs(9) },
        condition = id != 13,
        dropped_tags = [format!("floor-{id}")],
    )]
    async fn paint(&self, id: u64, name: &str) -> Result<Room, io::Error> {
        Ok(self.wrote(id, name))
    }

    #[cache_write_through(cache = self.rooms, key = id)]
    async fn told(&self, id: u64) -> Result<Loaded<Room>, io::Error> {
        Ok(Loaded::value(self.wrote(id, "told")).tag("told"))
    }

    /// A list, and how many rooms are on the floor.
    #[cache_write_through(cache = self.lists, keys = [counts])]
    async fn number(
        &self,
        counts: &Cache<(u64, u64), u64>,
        floor: u64,
        page: u64,
    ) -> Result<u64, io::Error> {
        Ok(floor * page)
    }

    fn kept(&self, id: u64) -> Option<String> {
        self.rooms.peek(&id)?.found().map(|room| room.name.clone())
    }
}

#[tokio::test]
async fn what_is_written_is_answered_and_read_from_memory() {
    let house = House::new().await;
    let written: Hit<Room> = house.rename(1, "hall", None).await.expect("it is renamed");
    assert_eq!((written.name.as_str(), written.origin()), ("hall", Origin::Loaded));
    assert_eq!(house.kept(1).as_deref(), Some("hall"));
    assert_eq!(house.lists_left(), [(1, 2), (2, 1)]);
    house.rename(1, "room", None).await.expect("it is renamed");
    assert_eq!(house.kept(1).as_deref(), Some("room"));
    assert_eq!(house.writes.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_created_is_read_by_the_key_of_the_result() {
    let house = House::new().await;
    let mut connection = Vec::new();
    let added = house.add(&mut connection, "attic".to_owned()).await.expect("it is added");
    assert_eq!((added.id, connection), (2, vec![2]));
    assert_eq!(house.kept(2).as_deref(), Some("attic"));
    assert_eq!(house.lists_left(), [(1, 1)]);
    for tag in ["named-attic", "rooms"] {
        house.add(&mut Vec::new(), "attic".to_owned()).await.expect("it is added");
        assert!(house.larder.invalidate_tag(tag).await.position().is_some());
        assert_eq!(house.kept(2), None, "{tag}");
    }
}

#[tokio::test]
async fn a_write_that_fails_takes_the_old_value_unless_it_has_rolled_back() {
    let house = House::new().await;
    house.rename(1, "hall", None).await.expect("it is renamed");
    let refused: io::Error =
        house.rename(1, "", Some(ErrorKind::InvalidInput)).await.expect_err("a room without a name");
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert_eq!(house.kept(1).as_deref(), Some("hall"));
    house.rename(1, "x", Some(ErrorKind::ConnectionReset)).await.expect_err("the line is cut");
    assert_eq!(house.kept(1), None);
}

#[tokio::test]
async fn a_write_that_is_cancelled_takes_the_old_value() {
    let house = House::new().await;
    house.rename(1, "hall", None).await.expect("it is renamed");
    let mut renaming = Box::pin(house.rename(1, "room", None));
    assert!(futures_util::poll!(&mut renaming).is_pending(), "it waits once");
    drop(renaming);
    assert_eq!(house.kept(1), None);
}

#[tokio::test]
async fn a_row_that_is_removed_is_known_to_be_absent() {
    let house = House::new().await;
    house.rename(1, "hall", None).await.expect("it is renamed");
    let removed: Lookup<Room> = house.remove(1).await.expect("it is removed");
    assert!(removed.found().is_none());
    assert!(house.rooms.peek(&1).is_some_and(|lookup| lookup.value().is_none()));
    assert_eq!(house.lists_left(), []);
}

#[tokio::test]
async fn time_and_condition_say_whether_what_was_written_is_kept() {
    let house = House::new().await;
    for (id, name, kept) in [(1, "red", Some("red")), (13, "red", None), (2, "", None)] {
        assert!(house.rooms.set(&id, Room { id, name: "old".to_owned() }).await.stored);
        assert_eq!(house.paint(id, name).await.expect("it is painted").name, name);
        assert_eq!(house.kept(id).as_deref(), kept, "{id} {name}");
    }
    assert_eq!(house.lists_left(), []);
}

#[tokio::test]
async fn what_is_written_may_have_tags_of_its_own() {
    let house = House::new().await;
    assert!(house.told(1).await.expect("it is told").value().is_some());
    assert!(house.larder.invalidate_tag("told").await.position().is_some());
    assert_eq!(house.kept(1), None);
}

#[tokio::test]
async fn arguments_are_the_key_of_what_is_written_and_of_what_it_makes_wrong() {
    let house = House::new().await;
    let counts = house.larder.cache("counts").build().expect("defaults");
    for count in [(1, 2), (2, 1)] {
        assert!(counts.set(&count, 0).await.stored);
    }
    house.number(&counts, 1, 2).await.expect("it is numbered");
    assert_eq!(house.lists.peek(&(1, 2)).and_then(|list| list.value().copied()), Some(2));
    assert!(counts.peek(&(1, 2)).is_none());
    assert!(counts.peek(&(2, 1)).is_some());
}
