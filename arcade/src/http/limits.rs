//! Decides how often a source may ask. Windows are fixed and begin with the first request of a
//! source; the table of sources has a named maximum.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use larder::clock::{Clock, Moment};
use parking_lot::Mutex;

use super::error::ApiError;
use super::routes::{Route, Traffic};
use crate::settings;

/// How long a budget lasts.
const WINDOW: Duration = Duration::from_secs(60);

/// The most counters that are kept. Sources beyond share one, so that nobody can ask without
/// being counted, and the table cannot be made to grow.
const COUNTERS_MAX: usize = 10_000;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    V4([u8; 4]),
    /// One subscriber has at least a /64, so that is what is counted.
    V6([u8; 8]),
    /// All who came when the table was full.
    Others,
}

impl From<Peer> for Source {
    fn from(Peer(address): Peer) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Source::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Source::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Budget {
    Requests,
    Logins,
    Refreshes,
    BadTokens,
}

/// The counters of every source.
pub struct Limits {
    settings: settings::Limits,
    traffic: HashMap<&'static str, Traffic>,
    clock: Arc<dyn Clock>,
    counters: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    windows: HashMap<(Source, Budget), Window>,
    swept: Option<Moment>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    begun: Moment,
    used: u64,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Limits {
    /// The limits of `settings` for the routes of `table`, measured with `clock`.
    pub fn new(settings: settings::Limits, table: &[Route], clock: Arc<dyn Clock>) -> Self {
        let traffic = table.iter().map(|route| (route.path, route.traffic)).collect();
        Limits { settings, traffic, clock, counters: Mutex::default() }
    }

    fn per_minute(&self, budget: Budget) -> u64 {
        match budget {
            Budget::Requests => self.settings.requests_per_minute,
            Budget::Logins => self.settings.logins_per_minute,
            Budget::Refreshes => self.settings.refreshes_per_minute,
            Budget::BadTokens => self.settings.bad_tokens_per_minute,
        }
    }

    /// Uses one of `source`'s `budget`, if there is one left.
    fn take(&self, source: Source, budget: Budget) -> Result<(), ApiError> {
        let most = self.per_minute(budget);
        if most == 0 {
            return Ok(());
        }
        let now = self.clock.precise();
        let mut counters = self.counters.lock();
        let window = counters.window(source, budget, now);
        window.admits(most, now)?;
        window.used += 1;
        Ok(())
    }

    /// Uses one of `source`'s `budget` for what has been answered already.
    fn spend(&self, source: Source, budget: Budget) {
        if self.per_minute(budget) > 0 {
            let now = self.clock.precise();
            self.counters.lock().window(source, budget, now).used += 1;
        }
    }

    /// Whether `source` has something left of `budget`.
    fn has_left(&self, source: Source, budget: Budget) -> Result<(), ApiError> {
        let now = self.clock.precise();
        match (self.per_minute(budget), self.counters.lock().known(source, budget)) {
            (0, _) | (_, None) => Ok(()),
            (most, Some(window)) => window.admits(most, now),
        }
    }

    fn admit(&self, source: Source, traffic: Traffic, with_token: bool) -> Result<(), ApiError> {
        match traffic {
            Traffic::Probe => return Ok(()),
            Traffic::Usual => {}
            Traffic::Login => self.take(source, Budget::Logins)?,
            Traffic::Refresh => self.take(source, Budget::Refreshes)?,
        }
        if with_token {
            self.has_left(source, Budget::BadTokens)?;
        }
        self.take(source, Budget::Requests)
    }
}

impl Window {
    fn admits(&self, most: u64, now: Moment) -> Result<(), ApiError> {
        let elapsed = now.since(self.begun);
        match elapsed < WINDOW && self.used >= most {
            true => Err(ApiError::TooManyRequests { retry_after: WINDOW - elapsed }),
            false => Ok(()),
        }
    }
}

impl Counters {
    fn known(&self, source: Source, budget: Budget) -> Option<Window> {
        let others = || self.windows.get(&(Source::Others, budget));
        self.windows.get(&(source, budget)).or_else(others).copied()
    }

    fn window(&mut self, source: Source, budget: Budget, now: Moment) -> &mut Window {
        let known = self.windows.contains_key(&(source, budget));
        if !known && self.windows.len() >= COUNTERS_MAX {
            self.sweep(now);
        }
        let full = !known && self.windows.len() >= COUNTERS_MAX;
        let source = if full { Source::Others } else { source };
        let fresh = Window { begun: now, used: 0 };
        let window = self.windows.entry((source, budget)).or_insert(fresh);
        if now.since(window.begun) >= WINDOW {
            *window = fresh;
        }
        window
    }

    /// Forgets what is over. At most once a second: with a full table each request would pay it.
    fn sweep(&mut self, now: Moment) {
        if self.swept.is_none_or(|swept| now.since(swept) >= Duration::from_secs(1)) {
            self.swept = Some(now);
            self.windows.retain(|_, window| now.since(window.begun) < WINDOW);
        }
    }
}

/// Refuses who asks too often, before anything else is done for them.
pub async fn limited(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let Some(source) = request.extensions().get::<Peer>().copied().map(Source::from) else {
        return next.run(request).await;
    };
    let path = request.extensions().get::<MatchedPath>();
    let traffic = path.and_then(|path| limits.traffic.get(path.as_str())).copied();
    let with_token = request.headers().contains_key(header::AUTHORIZATION);
    if let Err(refused) = limits.admit(source, traffic.unwrap_or(Traffic::Usual), with_token) {
        return refused.into_response();
    }
    let response = next.run(request).await;
    if with_token && response.status() == StatusCode::UNAUTHORIZED {
        limits.spend(source, Budget::BadTokens);
    }
    response
}

#[cfg(test)]
mod tests {
    use larder::clock::BoxFuture;

    use super::*;

    /// A clock that stands where it was put.
    struct Standing(Mutex<Moment>);

    impl Clock for Standing {
        fn coarse(&self) -> Moment {
            *self.0.lock()
        }

        fn precise(&self) -> Moment {
            *self.0.lock()
        }

        fn with_suspend(&self) -> Moment {
            *self.0.lock()
        }

        fn sleep_until(&self, _: Moment) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    fn limits() -> (Limits, Arc<Standing>) {
        let clock = Arc::new(Standing(Mutex::new(Moment::START.plus(WINDOW))));
        let settings = settings::Limits {
            requests_per_minute: 5,
            logins_per_minute: 2,
            refreshes_per_minute: 3,
            bad_tokens_per_minute: 10,
        };
        (Limits::new(settings, &[], Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    fn source(number: u32) -> Source {
        Source::from(Peer(IpAddr::V4(number.into())))
    }

    fn taken(limits: &Limits, source: Source, traffic: Traffic) -> usize {
        (0..20).take_while(|_| limits.admit(source, traffic, false).is_ok()).count()
    }

    #[test]
    fn each_source_has_each_budget_once_a_minute() {
        let (limits, clock) = limits();
        assert_eq!(taken(&limits, source(1), Traffic::Login), 2);
        assert_eq!(taken(&limits, source(1), Traffic::Refresh), 3);
        assert_eq!(taken(&limits, source(1), Traffic::Usual), 0);
        assert_eq!(taken(&limits, source(1), Traffic::Probe), 20);
        assert_eq!(taken(&limits, source(2), Traffic::Usual), 5);
        let almost = clock.precise().plus(WINDOW).minus(Duration::from_nanos(1));
        *clock.0.lock() = almost;
        assert_eq!(taken(&limits, source(1), Traffic::Usual), 0);
        *clock.0.lock() = almost.plus(Duration::from_nanos(1));
        assert_eq!(taken(&limits, source(1), Traffic::Usual), 5);
    }

    #[test]
    fn addresses_of_one_subscriber_are_one_source() {
        let of = |text: &str| Source::from(Peer(text.parse().expect("address")));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }

    #[test]
    fn a_flood_of_sources_neither_grows_the_table_nor_goes_uncounted() {
        let (limits, clock) = limits();
        let admitted = (0..50_000_u32)
            .filter(|number| limits.admit(source(*number), Traffic::Usual, false).is_ok())
            .count();
        assert!(limits.counters.lock().windows.len() <= COUNTERS_MAX + 1);
        // Beyond the table all share the five of one source.
        assert!((COUNTERS_MAX..=COUNTERS_MAX + 5).contains(&admitted), "{admitted}");
        *clock.0.lock() = clock.precise().plus(WINDOW);
        assert_eq!(taken(&limits, source(60_000), Traffic::Usual), 5);
        assert!(limits.counters.lock().windows.len() <= 2);
    }
}
