//! An attribute does what its expansion does, written out: the files that `larder-macros` compares
//! its expansions with, compiled as what they are.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use larder::{Cache, Larder, Loaded};

async fn select(table: &str, id: u64) -> Result<String, Error> {
    Ok(format!("{id} of {table}"))
}

async fn update(_id: u64, name: &str) -> Result<String, Error> {
    match name {
        "" => Err(Error::from(ErrorKind::InvalidInput)),
        name => Ok(name.to_owned()),
    }
}

async fn insert(name: &str) -> Result<String, Error> {
    Ok(name.to_owned())
}

fn moved(door: String, name: &str) -> Result<String, Error> {
    Ok(format!("{door} of {name}"))
}

async fn delete(id: u64) -> Result<u64, Error> {
    match id {
        0 => Err(Error::from(ErrorKind::InvalidInput)),
        id => Ok(id),
    }
}

#[expect(clippy::all, reason = "an attribute borrows with care what it cannot know")]
mod by_hand {
    use super::*;

    include!("../../../larder-macros/expansions/cacheable.txt");
    include!("../../../larder-macros/expansions/cacheable_of_tuple.txt");
    include!("../../../larder-macros/expansions/cache_invalidate.txt");
    include!("../../../larder-macros/expansions/cache_write_through.txt");
    include!("../../../larder-macros/expansions/create_through.txt");
    include!("../../../larder-macros/expansions/write_through_of_argument.txt");
}

mod by_attribute {
    use larder::{cache_invalidate, cache_write_through, cacheable};

    use super::*;

    #[cacheable(cache = rooms)]
    pub(super) async fn room_name(rooms: &Cache<u64, String>, id: u64) -> Result<String, Error> {
        select(rooms.name(), id).await
    }

    #[cacheable(cache = seats)]
    pub(super) async fn sitting(
        seats: &Cache<(u64, String), String>,
        room: u64,
        seat: &str,
    ) -> Result<String, Error> {
        select(&format!("{seat} of {}", seats.name()), room).await
    }

    #[cache_write_through(cache = doors)]
    pub(super) async fn open(doors: &Cache<String, String>, door: String) -> Result<String, Error> {
        moved(door, doors.name())
    }

    #[cache_invalidate(
        larder = larder,
        keys = [rooms, ("lists", *result)],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    )]
    pub(super) async fn remove(
        larder: &Larder,
        rooms: &Cache<u64, String>,
        id: u64,
    ) -> Result<u64, Error> {
        delete(id).await
    }

    #[cache_write_through(
        cache = rooms,
        key = id,
        tags = [format!("named-{result}")],
        keys = [("lists", id)],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    )]
    pub(super) async fn rename(
        rooms: &Cache<u64, String>,
        id: u64,
        name: &str,
    ) -> Result<String, Error> {
        update(id, name).await
    }

    #[cache_write_through(
        cache = rooms,
        key = result.len() as u64,
        fresh_for = Duration::from_secs(60),
        condition = !name.is_empty(),
        prefixes = [("lists", (result.len() as u64,))],
    )]
    pub(super) async fn add(rooms: &Cache<u64, String>, name: &str) -> Result<String, Error> {
        insert(name).await
    }
}

/// Whatever the functions do, as texts: what they answer, and what is cached after each of them.
macro_rules! story_of {
    ($module:ident) => {{
        let larder = Larder::new("attributes").expect("a name");
        let rooms = larder.cache::<u64, String>("rooms").build().expect("defaults");
        let lists = larder.cache::<u64, String>("lists").build().expect("defaults");
        let seats = larder.cache::<(u64, String), String>("seats").build().expect("defaults");
        let doors = larder.cache::<String, String>("doors").build().expect("defaults");
        let mut story = Vec::new();
        for call in 0..12_u32 {
            for list in [1, 4] {
                let stored = Loaded::value("a list".to_owned());
                assert!(lists.set(&list, stored).await.stored);
            }
            let answer = match call {
                0 | 4 | 7 => {
                    format!("{:?}", $module::room_name(&rooms, 1).await.map(|hit| hit.origin()))
                }
                1 => format!(
                    "{:?}",
                    $module::rename(&rooms, 1, "hall").await.map(|hit| String::clone(&hit))
                ),
                2 => format!(
                    "{:?}",
                    $module::rename(&rooms, 1, "").await.map(|hit| String::clone(&hit))
                ),
                3 => format!("{:?}", larder.invalidate_tag("named-hall").await.position().is_some()),
                5 => format!("{:?}", $module::remove(&larder, &rooms, 0).await),
                6 => format!("{:?}", $module::remove(&larder, &rooms, 1).await),
                8 => {
                    format!("{:?}", $module::add(&rooms, "hall").await.map(|hit| String::clone(&hit)))
                }
                9 => format!("{:?}", $module::add(&rooms, "").await.map(|hit| String::clone(&hit))),
                10 => {
                    let sitting = $module::sitting(&seats, 1, "left").await;
                    let kept = seats.peek(&(1, "left".to_owned())).is_some();
                    format!("{:?} {kept}", sitting.map(|hit| hit.origin()))
                }
                _ => {
                    let opened = $module::open(&doors, "front".to_owned()).await;
                    let kept = doors.peek(&"front".to_owned()).is_some();
                    format!("{:?} {kept}", opened.map(|hit| String::clone(&hit)))
                }
            };
            let left = |key: u64| {
                let room = rooms.peek(&key).and_then(|room| room.value().cloned());
                (room, lists.peek(&key).is_some())
            };
            story.push(format!("{call}: {answer}, then {:?}", [0, 1, 4].map(left)));
        }
        story
    }};
}

#[tokio::test]
async fn an_attribute_does_what_one_would_write_by_hand() {
    let (attribute, hand) = (story_of!(by_attribute), story_of!(by_hand));
    assert_eq!(attribute, hand);
    assert!(
        hand[1].contains("Ok(\"hall\"), then [(None, false), (Some(\"hall\"), false)"),
        "{hand:#?}"
    );
    assert!(hand[10].contains("Ok(Loaded) true"), "{hand:#?}");
    assert!(hand[11].contains("Ok(\"front of doors\") true"), "{hand:#?}");
}
