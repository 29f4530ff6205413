//! What of tournaments is cached, under which keys, for how long, and what a change drops. The only
//! place of this domain that calls the cache.

mod loads;

use std::time::Duration;

use larder::{BuildError, Invalidation, Key, ReadableKey};

use super::change::Changed;
use super::input::ListFilter;
use super::model::{Match, MatchList, TournamentDetail, TournamentPage};
use super::rows::{TournamentRows, Updated};
use super::words::Status;
use crate::auth::UserId;
use crate::balances;
use crate::bundles::{Bundle, Bundled};
use crate::http::{ApiError, Audience, CachePlan, Cached, Page};
use crate::reads::{CachedReads, Reads};
use crate::warming::Sets;

/// How long it is remembered that there is no such thing. Making it drops that knowledge.
const ABSENT: Duration = Duration::from_secs(60);

/// Lists of all venues.
pub(super) const LISTS: CachePlan = CachePlan {
    name: "tournaments",
    fresh: |cache| cache.tournaments_fresh,
    stale: |cache| cache.tournaments_fresh,
    absent: Duration::ZERO,
    tags: &["tournaments"],
    audience: Audience::Public,
};

/// Lists of one venue.
pub(super) const VENUE_LISTS: CachePlan = CachePlan {
    name: "tournaments-by-venue",
    fresh: |cache| cache.tournaments_by_venue_fresh,
    stale: |cache| cache.tournaments_by_venue_fresh,
    absent: Duration::ZERO,
    tags: &["tournaments", "venue-{venueId}"],
    audience: Audience::Public,
};

/// Single tournaments with their players.
pub(super) const DETAILS: CachePlan = CachePlan {
    name: "tournament",
    fresh: |cache| cache.tournament_fresh,
    stale: |cache| cache.tournament_fresh,
    absent: ABSENT,
    tags: &["tournament-{id}"],
    audience: Audience::Public,
};

/// The matches of a tournament.
pub(super) const MATCH_LISTS: CachePlan = CachePlan {
    name: "matches",
    fresh: |cache| cache.matches_fresh,
    stale: |cache| cache.matches_fresh,
    absent: ABSENT,
    tags: &["tournament-{id}"],
    audience: Audience::Public,
};

/// Single matches.
pub(super) const MATCHES: CachePlan = CachePlan {
    name: "match",
    fresh: |cache| cache.match_fresh,
    stale: |cache| cache.match_fresh,
    absent: ABSENT,
    tags: &["tournament-{id}"],
    audience: Audience::Public,
};

/// The status comes first, so that one prefix names all pages of a list.
#[derive(Clone, Copy, Key, ReadableKey)]
struct ListKey {
    status: Option<Status>,
    page: u32,
    limit: u32,
}

/// Venue and status come first, so that one prefix names all pages of a venue's list.
#[derive(Clone, Copy, Key, ReadableKey)]
struct VenueListKey {
    venue: i64,
    status: Option<Status>,
    page: u32,
    limit: u32,
}

/// The key of what exists once for each tournament.
#[derive(Clone, Copy, Key, ReadableKey)]
struct TournamentKey {
    tournament: i64,
}

#[derive(Clone, Copy, Key, ReadableKey)]
struct MatchKey {
    tournament: i64,
    number: i64,
}

/// Tournaments as readers see them: through the cache.
#[derive(Debug)]
pub struct TournamentCaches {
    lists: CachedReads<ListKey, TournamentPage>,
    venue_lists: CachedReads<VenueListKey, TournamentPage>,
    details: CachedReads<TournamentKey, TournamentDetail>,
    match_lists: CachedReads<TournamentKey, MatchList>,
    matches: CachedReads<MatchKey, Match>,
    rows: TournamentRows,
}

impl TournamentCaches {
    /// The caches of this domain.
    ///
    /// # Errors
    /// The lifetimes are not what the cache takes.
    pub fn build(reads: &Reads, rows: TournamentRows) -> Result<Self, BuildError> {
        Ok(TournamentCaches {
            lists: reads.cache(&LISTS)?,
            venue_lists: reads.cache(&VENUE_LISTS)?,
            details: reads.cache(&DETAILS)?,
            match_lists: reads.cache(&MATCH_LISTS)?,
            matches: reads.cache(&MATCHES)?,
            rows,
        })
    }

    /// A page of a list.
    pub(super) async fn page(
        &self,
        filter: ListFilter,
        page: Page,
    ) -> Result<Cached<TournamentPage>, ApiError> {
        const LIST: &str = "list";
        if !page.is_cached() {
            return Ok(self.lists.bypass(self.rows.page(filter, page).await?));
        }
        let (rows, ListFilter { status, venue_id }) = (self.rows.clone(), filter);
        let Page { number: page, limit } = page;
        match venue_id {
            None => {
                let key = ListKey { status, page, limit };
                self.lists.find(&key, LIST, move |_| loads::list(rows, key)).await
            }
            Some(venue) => {
                let key = VenueListKey { venue, status, page, limit };
                self.venue_lists.find(&key, LIST, move |_| loads::venue_list(rows, key)).await
            }
        }
    }

    /// A tournament with its players.
    pub(super) async fn detail(&self, id: i64) -> Result<Cached<TournamentDetail>, ApiError> {
        let (rows, key) = (self.rows.clone(), TournamentKey { tournament: id });
        self.details.find(&key, "tournament", move |_| loads::detail(rows, key)).await
    }

    /// The matches of a tournament.
    pub(super) async fn matches(&self, id: i64) -> Result<Cached<MatchList>, ApiError> {
        let (rows, key) = (self.rows.clone(), TournamentKey { tournament: id });
        self.match_lists.find(&key, "tournament", move |_| loads::match_list(rows, key)).await
    }

    /// A match of a tournament.
    pub(super) async fn one_match(
        &self,
        tournament: i64,
        number: i64,
    ) -> Result<Cached<Match>, ApiError> {
        let (rows, key) = (self.rows.clone(), MatchKey { tournament, number });
        self.matches.find(&key, "match", move |_| loads::one_match(rows, key)).await
    }

    /// What of this domain is warmed: what was hot when the process before ended.
    pub fn warmed(&self, sets: Sets) -> Sets {
        let rows = self.rows.clone();
        let lists = self.lists.supplied(move |key| loads::list(rows.clone(), key));
        let rows = self.rows.clone();
        let venues = self.venue_lists.supplied(move |key| loads::venue_list(rows.clone(), key));
        let rows = self.rows.clone();
        let details = self.details.supplied(move |key| loads::detail(rows.clone(), key));
        let rows = self.rows.clone();
        let match_lists = self.match_lists.supplied(move |key| loads::match_list(rows.clone(), key));
        let rows = self.rows.clone();
        let matches = self.matches.supplied(move |key| loads::one_match(rows.clone(), key));
        let sets = sets.restored(&lists).restored(&venues).restored(&details);
        sets.restored(&match_lists).restored(&matches)
    }

    /// What a change makes wrong.
    pub(super) fn wrong_after(&self, changed: &Changed) -> Invalidation {
        let wrong = Invalidation::new();
        match changed {
            // Somebody may have asked for it before there was one.
            Changed::Created(made) => {
                self.with_whole(self.with_lists(wrong, made.venue_id, made.status), made.id)
            }
            Changed::Updated(updated) => self.wrong_after_update(updated),
            Changed::Deleted(was) => {
                self.with_whole(self.with_lists(wrong, was.venue_id, was.status), was.id)
            }
            Changed::Registered(registration) | Changed::Unregistered(registration) => wrong
                .key(&self.details, &TournamentKey { tournament: registration.tournament_id })
                .tag(balances::tag(UserId(registration.user_id))),
            Changed::Started(started) => {
                let now = &started.tournament;
                let wrong = self.with_lists(wrong, now.venue_id, Status::Registration);
                self.with_whole(self.with_lists(wrong, now.venue_id, now.status), now.id)
            }
            Changed::MatchUpdated(Match { id, tournament_id, .. }) => wrong
                .key(&self.match_lists, &TournamentKey { tournament: *tournament_id })
                .key(&self.matches, &MatchKey { tournament: *tournament_id, number: *id }),
        }
    }

    fn wrong_after_update(&self, Updated { was, now, paid_back }: &Updated) -> Invalidation {
        let wrong = self.with_lists(Invalidation::new(), was.venue_id, was.status);
        let wrong = self.with_lists(wrong, now.venue_id, now.status);
        let wrong = match now.status {
            // Its matches are called off with it.
            Status::Cancelled => self.with_whole(wrong, now.id),
            _ => wrong.key(&self.details, &TournamentKey { tournament: now.id }),
        };
        paid_back.iter().fold(wrong, |wrong, user| wrong.tag(balances::tag(*user)))
    }

    /// A tournament with its matches. By key, because the knowledge that there is none has no tag.
    fn with_whole(&self, wrong: Invalidation, tournament: i64) -> Invalidation {
        let key = TournamentKey { tournament };
        wrong
            .key(&self.details, &key)
            .key(&self.match_lists, &key)
            .prefix(&self.matches, &(tournament,))
    }

    /// The lists that show a tournament of this venue and status; those of others stay.
    fn with_lists(&self, wrong: Invalidation, venue: i64, status: Status) -> Invalidation {
        [None, Some(status)].into_iter().fold(wrong, |wrong, status| {
            wrong.prefix(&self.lists, &(status,)).prefix(&self.venue_lists, &(venue, status))
        })
    }
}

impl Bundled for TournamentCaches {
    const NAME: &'static str = "tournaments";

    fn held_of(&self, bundle: Bundle) -> Option<Invalidation> {
        match bundle {
            Bundle::Tournament(id) => {
                Some(self.with_whole(Invalidation::new().tag("tournaments"), id))
            }
            _ => None,
        }
    }
}
