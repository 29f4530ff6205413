//! Loads in flight: at most one a key in this process, and what those who wait for it get. Knows
//! no shard and no loader.
//!
//! A flight has one leader. Dropping the leader hands the flight to one waiter; only if nobody
//! waits does it end. Flights are a table of their own, because a map's own get-or-insert wakes
//! waiters before the value is known to be allowed.

use std::any::Any;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use hashbrown::HashTable;

use crate::clock::Moment;
use crate::memory::key::MemoryKey;
use crate::sync::Mutex;
use crate::wait::{Place, Waiters};

#[cfg(not(feature = "shuttle"))]
const TABLES: usize = 64;
#[cfg(feature = "shuttle")]
const TABLES: usize = 2;

/// Whether a flight may read the shared tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Shared tier, lease, source.
    Whole,
    /// The source only: the log is not confirmed. Begun at this moment.
    Bypass { begun: Moment },
}

/// The flights of a node.
pub(crate) struct Flights {
    tables: Box<[Mutex<HashTable<Seat>>]>,
}

/// A flight in the table.
struct Seat {
    hash: u64,
    key: MemoryKey,
    shard: usize,
    route: Route,
    flight: Arc<dyn Any + Send + Sync>,
}

/// One load in flight, whose result is an `R`.
pub(crate) struct Flight<R> {
    hash: u64,
    inner: Mutex<Inner<R>>,
}

struct Inner<R> {
    result: Option<R>,
    led: bool,
    /// Since when the source is being asked.
    loading_since: Option<Moment>,
    /// Who has joined and not left, whether or not it was polled yet.
    joined: usize,
    waiters: Waiters,
}

/// What a caller who wants a load gets.
pub(crate) enum Joined<R> {
    /// It leads: nobody loads this key.
    Leads(Lead<R>),
    /// Somebody else does.
    Waits(Waiter<R>),
}

/// What a waiter gets.
pub(crate) enum Arrived<R> {
    /// The result.
    Result(R),
    /// The leader was dropped: lead now.
    Leads(Lead<R>),
}

/// The right and the duty to load. Dropping it hands the flight on.
pub(crate) struct Lead<R> {
    flights: Arc<Flights>,
    flight: Arc<Flight<R>>,
}

/// A place in a flight that somebody else leads. As long as there is one, a dropped leader leaves
/// the flight in the table. Dropping it passes on a lead that it was offered.
pub(crate) struct Waiter<R> {
    flights: Arc<Flights>,
    flight: Arc<Flight<R>>,
    place: Place,
}

/// Which flight a caller wants.
pub(crate) struct Wanted<'a> {
    pub(crate) hash: u64,
    pub(crate) key: &'a MemoryKey,
    pub(crate) shard: usize,
    pub(crate) route: Route,
    /// A bypass caller joins only bypass flights that began at this moment or later.
    pub(crate) joins_since: Moment,
}

impl Default for Flights {
    fn default() -> Self {
        Flights { tables: (0..TABLES).map(|_| Mutex::new(HashTable::new())).collect() }
    }
}

impl Flights {
    fn table(&self, hash: u64) -> &Mutex<HashTable<Seat>> {
        &self.tables[(hash >> 7) as usize % TABLES]
    }

    /// Joins the flight of a key, or begins one.
    pub(crate) fn join<R: Send + 'static>(self: &Arc<Self>, wanted: &Wanted<'_>) -> Joined<R> {
        let mut table = self.table(wanted.hash).lock();
        let seat = table.find_mut(wanted.hash, |seat| seat.key == *wanted.key);
        let Some(seat) = seat else {
            let flight = Arc::new(Flight::new(wanted.hash));
            table.insert_unique(wanted.hash, Seat::new(wanted, &flight), |seat| seat.hash);
            return Joined::Leads(self.lead(flight));
        };
        let there = Arc::clone(&seat.flight).downcast::<Flight<R>>().ok();
        if let Some(flight) = there.filter(|_| wanted.may_join(seat.route)) {
            if !flight.take_lead_or_join() {
                return Joined::Waits(Waiter { flights: Arc::clone(self), flight, place: None });
            }
            // Its leader was dropped and nobody waited: it is ours as if it were new.
            seat.route = wanted.route;
            return Joined::Leads(self.lead(flight));
        }
        let flight = Arc::new(Flight::new(wanted.hash));
        let replaced = std::mem::replace(seat, Seat::new(wanted, &flight));
        drop(table);
        drop(replaced);
        Joined::Leads(self.lead(flight))
    }

    fn lead<R>(self: &Arc<Self>, flight: Arc<Flight<R>>) -> Lead<R> {
        Lead { flights: Arc::clone(self), flight }
    }

    /// Takes the flight of a key out of the table. It goes on and answers those who wait for it;
    /// who comes later starts another.
    pub(crate) fn detach(&self, hash: u64, key: &MemoryKey) {
        let detached = self.take(hash, |seat| seat.key == *key);
        drop(detached);
    }

    /// Detaches every flight of a shard.
    pub(crate) fn detach_shard(&self, shard: usize) {
        for table in &self.tables {
            let detached: Vec<Seat> = table.lock().extract_if(|seat| seat.shard == shard).collect();
            drop(detached);
        }
    }

    fn take(&self, hash: u64, wanted: impl FnMut(&Seat) -> bool) -> Option<Seat> {
        let mut table = self.table(hash).lock();
        table.find_entry(hash, wanted).ok().map(|entry| entry.remove().0)
    }

    /// The lead of a flight was given up; `next` of those who wait is offered it.
    fn hand_on<R>(&self, flight: &Arc<Flight<R>>, next: Option<Waker>) {
        match next {
            Some(next) => next.wake(),
            // Nobody waits. Asked again under the table's lock, without which nobody can join.
            None => {
                let seat = self.take(flight.hash, |seat| seat.is_of(flight) && flight.is_deserted());
                drop(seat);
            }
        }
    }

    /// How many loads are in flight.
    pub(crate) fn len(&self) -> usize {
        self.tables.iter().map(|table| table.lock().len()).sum()
    }
}

impl Seat {
    fn new<R: Send + 'static>(wanted: &Wanted<'_>, flight: &Arc<Flight<R>>) -> Self {
        Seat {
            hash: wanted.hash,
            key: wanted.key.clone(),
            shard: wanted.shard,
            route: wanted.route,
            flight: Arc::clone(flight) as Arc<dyn Any + Send + Sync>,
        }
    }

    fn is_of<R>(&self, flight: &Arc<Flight<R>>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.flight), Arc::as_ptr(flight))
    }
}

impl Wanted<'_> {
    /// A bypass caller may not wait for an answer that the shared tier might give, nor for one
    /// whose load began too long ago.
    fn may_join(&self, there: Route) -> bool {
        match (self.route, there) {
            (Route::Whole, _) => true,
            (Route::Bypass { .. }, Route::Whole) => false,
            (Route::Bypass { .. }, Route::Bypass { begun }) => begun >= self.joins_since,
        }
    }
}

impl<R> Flight<R> {
    fn new(hash: u64) -> Self {
        let inner = Inner {
            result: None,
            led: true,
            loading_since: None,
            joined: 0,
            waiters: Waiters::default(),
        };
        Flight { hash, inner: Mutex::new(inner) }
    }

    fn take_lead_or_join(&self) -> bool {
        let mut inner = self.inner.lock();
        let free = !inner.led && inner.result.is_none();
        inner.led |= free;
        inner.joined += usize::from(!free);
        free
    }

    /// Since when the source is being asked, if it is.
    pub(crate) fn loading_since(&self) -> Option<Moment> {
        self.inner.lock().loading_since
    }

    /// Nobody leads, and nobody is there who could.
    fn is_deserted(&self) -> bool {
        let inner = self.inner.lock();
        !inner.led && inner.joined == 0
    }

    fn publish(&self, result: R) {
        let woken = {
            let mut inner = self.inner.lock();
            inner.result.get_or_insert(result);
            inner.waiters.all()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl<R: Clone + Send + 'static> Waiter<R> {
    pub(crate) fn flight(&self) -> &Arc<Flight<R>> {
        &self.flight
    }

    /// Waits for the result, or for the lead.
    ///
    /// # Cancel safety
    /// It may be called again; the place is kept until the waiter is dropped.
    pub(crate) async fn arrived(&mut self) -> Arrived<R> {
        poll_fn(|context| {
            let mut inner = self.flight.inner.lock();
            if let Some(result) = &inner.result {
                return Poll::Ready(Arrived::Result(result.clone()));
            }
            if !inner.led {
                inner.led = true;
                drop(inner);
                return Poll::Ready(Arrived::Leads(self.flights.lead(Arc::clone(&self.flight))));
            }
            inner.waiters.enter(&mut self.place, context.waker());
            Poll::Pending
        })
        .await
    }
}

impl<R> Drop for Waiter<R> {
    fn drop(&mut self) {
        let next = {
            let mut inner = self.flight.inner.lock();
            inner.waiters.leave(self.place);
            inner.joined -= 1;
            if inner.led || inner.result.is_some() {
                return;
            }
            // The lead may have been offered to this one only.
            inner.waiters.one()
        };
        self.flights.hand_on(&self.flight, next);
    }
}

impl<R> Lead<R> {
    /// Takes the flight out of the table, if it is still this one.
    pub(crate) fn take_out(&self) {
        let seat = self.flights.take(self.flight.hash, |seat| seat.is_of(&self.flight));
        drop(seat);
    }

    pub(crate) fn flight(&self) -> Arc<Flight<R>> {
        Arc::clone(&self.flight)
    }

    /// The source is being asked since `now`: from now on the patience of callers counts.
    pub(crate) fn loading(&self, now: Moment) {
        let woken = {
            let mut inner = self.flight.inner.lock();
            inner.loading_since = Some(now);
            inner.waiters.all()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Ends the flight: those who wait get this.
    pub(crate) fn publish(self, result: R) {
        self.flight.publish(result);
    }
}

impl<R> Drop for Lead<R> {
    fn drop(&mut self) {
        let next = {
            let mut inner = self.flight.inner.lock();
            if inner.result.is_some() {
                return;
            }
            inner.led = false;
            inner.loading_since = None;
            inner.waiters.one()
        };
        self.flights.hand_on(&self.flight, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::EncodedKey;
    use crate::memory::key::CacheId;

    fn join(flights: &Arc<Flights>, route: Route) -> Joined<u32> {
        let key = MemoryKey::new(CacheId(0), &EncodedKey::new("rooms", &7u64));
        flights.join(&Wanted {
            hash: 1,
            key: &key,
            shard: 0,
            route,
            joins_since: Moment::from_nanos(10),
        })
    }

    fn lead(joined: Joined<u32>) -> Lead<u32> {
        match joined {
            Joined::Leads(lead) => lead,
            Joined::Waits(_) => panic!("somebody else leads"),
        }
    }

    #[tokio::test]
    async fn one_leads_and_the_others_get_its_result() {
        let flights = Arc::new(Flights::default());
        let leader = lead(join(&flights, Route::Whole));
        let Joined::Waits(mut waiter) = join(&flights, Route::Whole) else { panic!("two leaders") };
        leader.take_out();
        leader.publish(5);
        assert!(matches!(waiter.arrived().await, Arrived::Result(5)));
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn a_dropped_leader_hands_the_flight_to_one_waiter() {
        let flights = Arc::new(Flights::default());
        let leader = lead(join(&flights, Route::Whole));
        let Joined::Waits(mut waiter) = join(&flights, Route::Whole) else { panic!("two leaders") };
        let (arrived, ()) = tokio::join!(waiter.arrived(), async { drop(leader) });
        assert!(matches!(arrived, Arrived::Leads(_)));
    }

    #[tokio::test]
    async fn an_offered_lead_is_passed_on_when_its_waiter_is_dropped() {
        let flights = Arc::new(Flights::default());
        let leader = lead(join(&flights, Route::Whole));
        let Joined::Waits(mut first) = join(&flights, Route::Whole) else { panic!("two leaders") };
        let Joined::Waits(mut second) = join(&flights, Route::Whole) else { panic!("two leaders") };
        assert!(futures_util::poll!(Box::pin(first.arrived())).is_pending());
        assert!(futures_util::poll!(Box::pin(second.arrived())).is_pending());
        drop(leader);
        drop(first);
        assert!(matches!(second.arrived().await, Arrived::Leads(_)));
    }

    #[tokio::test]
    async fn a_flight_stays_joinable_while_somebody_may_take_its_lead() {
        let flights = Arc::new(Flights::default());
        let leader = lead(join(&flights, Route::Whole));
        let Joined::Waits(mut waiter) = join(&flights, Route::Whole) else { panic!("two leaders") };
        drop(leader);
        let Arrived::Leads(next) = waiter.arrived().await else { panic!("no result yet") };
        assert!(matches!(join(&flights, Route::Whole), Joined::Waits(_)));
        drop((next, waiter));
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn the_last_waiter_to_go_leaves_nothing_behind() {
        let flights = Arc::new(Flights::default());
        let leader = lead(join(&flights, Route::Whole));
        let Joined::Waits(mut waiter) = join(&flights, Route::Whole) else { panic!("two leaders") };
        assert!(futures_util::poll!(Box::pin(waiter.arrived())).is_pending());
        drop(leader);
        drop(waiter);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_leader_dropped_alone_leaves_nothing_behind() {
        let flights = Arc::new(Flights::default());
        drop(lead(join(&flights, Route::Whole)));
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_bypass_caller_joins_neither_whole_flights_nor_old_ones() {
        let flights = Arc::new(Flights::default());
        let bypass = |at| Route::Bypass { begun: Moment::from_nanos(at) };
        let whole = lead(join(&flights, Route::Whole));
        let old = lead(join(&flights, bypass(5)));
        let young = lead(join(&flights, bypass(20)));
        assert!(matches!(join(&flights, bypass(21)), Joined::Waits(_)));
        drop((whole, old, young));
    }
}
