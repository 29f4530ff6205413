//! A function that changes what is cached.

use std::io::{self, ErrorKind};

use larder::{Cache, Larder, Loaded, Pattern, cache_invalidate};

struct House {
    larder: Larder,
    rooms: Cache<(u64, u64), String>,
    lists: Cache<u64, String>,
    halls: Pattern,
}

const ROOMS: [(u64, u64); 3] = [(1, 1), (1, 2), (2, 1)];

impl House {
    async fn full() -> Self {
        let larder = Larder::new("attributes").expect("a name");
        let rooms = larder.cache("rooms").build().expect("defaults");
        let lists = larder.cache("lists").build().expect("defaults");
        let halls = Pattern::glob("rooms:*:2").expect("a glob");
        let house = House { larder, rooms, lists, halls };
        for room in ROOMS {
            let stored = Loaded::value("a room".to_owned()).tag(format!("floor-{}", room.0));
            assert!(house.rooms.set(&room, stored).await.stored);
        }
        for list in [1, 2] {
            assert!(house.lists.set(&list, "a list".to_owned()).await.stored);
        }
        house
    }

    /// Which rooms and lists are cached.
    fn left(&self) -> (Vec<(u64, u64)>, Vec<u64>) {
        let rooms = ROOMS.into_iter().filter(|room| self.rooms.peek(room).is_some());
        let lists = [1, 2].into_iter().filter(|list| self.lists.peek(list).is_some());
        (rooms.collect(), lists.collect())
    }

    #[cache_invalidate(
        larder = self.larder,
        keys = [(self.rooms, (1, room)), ("lists", *result)],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
        condition = room != 13,
    )]
    async fn paint(&self, room: u64, fails: Option<ErrorKind>) -> Result<u64, io::Error> {
        tokio::task::yield_now().await;
        match fails {
            Some(kind) => Err(io::Error::from(kind)),
            None => Ok(1),
        }
    }

    /// All that a write may look like: a connection that it changes, a field called as its answer.
    #[cache_invalidate(
        larder = &self.larder,
        tags = [format!("floor-{result}"), self.result()],
        keys = [(&self.rooms, (floor + 1, 1))],
        rolled_back = error.kind() == ErrorKind::InvalidInput || error.kind() == ErrorKind::NotFound,
    )]
    async fn renumber(
        &self,
        connection: &mut Vec<u64>,
        (floor, fails): (u64, Option<ErrorKind>),
    ) -> Result<u64, io::Error> {
        connection.push(floor);
        fails.map_or(Ok(floor), |kind| Err(io::Error::from(kind)))
    }

    fn result(&self) -> &'static str {
        "floors"
    }

    #[cache_invalidate(larder = self.larder, prefixes = [(self.rooms, (1_u64,))])]
    async fn heat_floor(&self) -> Result<(), io::Error> {
        Ok(())
    }

    #[cache_invalidate(larder = self.larder, tags = [format!("floor-{floor}")], caches = [self.lists])]
    async fn sweep_floor(&self, floor: u64) -> Result<(), io::Error> {
        Ok(())
    }

    #[cache_invalidate(larder = self.larder, keys = [self.rooms, ("lists", room)])]
    async fn lock(&self, floor: u64, room: u64) -> Result<(), io::Error> {
        Ok(())
    }

    #[cache_invalidate(larder = self.larder, patterns = [self.halls.clone()])]
    async fn light_halls(&self) -> Result<(), io::Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_write_takes_what_it_names_and_nothing_else() {
    let house = House::full().await;
    assert_eq!(house.paint(1, None).await.expect("it is painted"), 1);
    assert_eq!(house.left(), (vec![(1, 2), (2, 1)], vec![2]));

    let house = House::full().await;
    house.heat_floor().await.expect("it is heated");
    assert_eq!(house.left(), (vec![(2, 1)], vec![1, 2]));

    let house = House::full().await;
    house.sweep_floor(2).await.expect("it is swept");
    assert_eq!(house.left(), (vec![(1, 1), (1, 2)], vec![]));

    let house = House::full().await;
    house.lock(1, 2).await.expect("it is locked");
    assert_eq!(house.left(), (vec![(1, 1), (2, 1)], vec![1]));

    let house = House::full().await;
    house.light_halls().await.expect("they are lit");
    assert_eq!(house.left(), (vec![(1, 1), (2, 1)], vec![1, 2]));
}

#[tokio::test]
async fn a_write_that_has_rolled_back_takes_nothing() {
    let house = House::full().await;
    house.paint(1, Some(ErrorKind::InvalidInput)).await.expect_err("no such colour");
    assert_eq!(house.left(), (ROOMS.to_vec(), vec![1, 2]));
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_takes_what_it_may_have_changed() {
    let house = House::full().await;
    house.paint(1, Some(ErrorKind::ConnectionReset)).await.expect_err("the line is cut");
    assert_eq!(house.left(), (vec![(1, 2), (2, 1)], vec![1, 2]));
}

#[tokio::test]
async fn a_write_that_is_cancelled_takes_what_it_may_have_changed() {
    let house = House::full().await;
    let mut painting = Box::pin(house.paint(1, None));
    assert!(futures_util::poll!(&mut painting).is_pending(), "it waits once");
    assert_eq!(house.left(), (ROOMS.to_vec(), vec![1, 2]), "before it is known to have begun");
    drop(painting);
    assert_eq!(house.left(), (vec![(1, 2), (2, 1)], vec![1, 2]));
}

#[tokio::test]
async fn a_write_may_change_what_it_is_given() {
    let mut connection = Vec::new();
    let house = House::full().await;
    house.renumber(&mut connection, (1, Some(ErrorKind::NotFound))).await.expect_err("no floor 1");
    assert_eq!(house.left(), (ROOMS.to_vec(), vec![1, 2]));
    house.renumber(&mut connection, (1, None)).await.expect("it has a number");
    assert_eq!(house.left(), (vec![], vec![1, 2]));
    let house = House::full().await;
    let unknown = Some(ErrorKind::ConnectionReset);
    house.renumber(&mut connection, (1, unknown)).await.expect_err("the line is cut");
    assert_eq!(house.left(), (vec![(1, 1), (1, 2)], vec![1, 2]));
    assert_eq!(connection, [1, 1, 1]);
}

#[test]
fn a_write_may_be_dropped_where_no_runtime_is() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let house = runtime.block_on(House::full());
    drop(house.larder.writing(larder::Invalidation::new().cache(&house.lists)));
    assert_eq!(house.left(), (ROOMS.to_vec(), vec![]));
}

#[tokio::test]
async fn without_its_condition_a_write_takes_nothing() {
    let house = House::full().await;
    house.paint(13, None).await.expect("it is painted");
    assert_eq!(house.left(), (ROOMS.to_vec(), vec![1, 2]));
}

#[tokio::test]
async fn a_write_without_a_word_takes_what_it_names() {
    let house = House::full().await;
    let mut writing = house.larder.writing(larder::Invalidation::new().key(&house.rooms, &(1, 1)));
    writing.also(larder::Invalidation::new().cache(&house.lists));
    drop(writing);
    assert_eq!(house.left(), (vec![(1, 2), (2, 1)], vec![]));
}
