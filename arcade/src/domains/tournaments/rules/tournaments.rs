//! Decides which changes of a tournament are good.

use super::{Refusal, ensure};
use crate::domains::tournaments::input::TournamentChange;
use crate::domains::tournaments::mistakes::{sponsor, times};
use crate::domains::tournaments::model::Tournament;
use crate::domains::tournaments::words::Status;

const FINISHED: Refusal = Refusal::Conflict("the tournament is over and does not change");
const TO_BE_STARTED: Refusal = Refusal::Conflict("a tournament becomes ACTIVE by being started");
const NO_WAY: Refusal = Refusal::Conflict("the tournament cannot have this status after its own");
const OPEN_MATCHES: Refusal = Refusal::Conflict("the tournament has matches that are not over");
const FEE_FIXED: Refusal = Refusal::Conflict("the entry fee is fixed once registration is open");
const DRAW_FIXED: Refusal =
    Refusal::Conflict("format, game type and number of players are fixed once it is started");
const TOO_FEW_PLACES: Refusal =
    Refusal::Conflict("more players have registered than maxPlayers would allow");
const NOT_OPEN: Refusal = Refusal::Conflict("the tournament is not open for registration");
const FULL: Refusal = Refusal::Conflict("the tournament is full");
const TWICE: Refusal = Refusal::Conflict("the user has registered for this tournament already");
const NOT_REGISTERED: Refusal = Refusal::Conflict("the user has not registered for this tournament");
const TOO_FEW_PLAYERS: Refusal = Refusal::Conflict("a tournament needs two players to be started");
const IN_USE: Refusal =
    Refusal::Conflict("players have registered; cancel the tournament before it is removed");

/// How many have registered, and how many matches are not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::domains::tournaments) struct Census {
    pub(in crate::domains::tournaments) players: u32,
    pub(in crate::domains::tournaments) open_matches: u32,
}

impl Status {
    fn may_become(self, next: Status) -> bool {
        use Status::{Active, Cancelled, Completed, Live, Registration, Upcoming};
        matches!(
            (self, next),
            (Upcoming, Registration | Cancelled)
                | (Registration, Cancelled)
                | (Active, Live | Completed | Cancelled)
                | (Live, Completed | Cancelled)
        )
    }
}

impl Tournament {
    /// This tournament after `change`.
    pub(in crate::domains::tournaments) fn after(
        &self,
        change: TournamentChange,
        census: Census,
    ) -> Result<Tournament, Refusal> {
        ensure(!self.status.is_final(), FINISHED)?;
        let next = self.merged(change);
        self.ensure_status(next.status, census)?;
        self.ensure_terms(&next, census)?;
        let mistake = times(next.starts_at_ms, next.ends_at_ms).or_else(|| {
            let (name, url) = (&next.sponsor_name, &next.sponsor_banner_url);
            sponsor(next.sponsored, name.as_deref(), url.as_deref())
        });
        mistake.map_or(Ok(next), |mistake| Err(Refusal::Wrong(mistake)))
    }

    fn merged(&self, change: TournamentChange) -> Tournament {
        let was = self.clone();
        let sponsored = change.sponsored.unwrap_or(was.sponsored);
        // Who is no longer sponsored keeps no sponsor.
        let (name, url) = match change.sponsored {
            Some(false) => (None, None),
            _ => (was.sponsor_name, was.sponsor_banner_url),
        };
        Tournament {
            id: was.id,
            name: change.name.unwrap_or(was.name),
            venue_id: change.venue_id.unwrap_or(was.venue_id),
            status: change.status.unwrap_or(was.status),
            format: change.format.unwrap_or(was.format),
            game_type: change.game_type.unwrap_or(was.game_type),
            starts_at_ms: change.starts_at_ms.unwrap_or(was.starts_at_ms),
            ends_at_ms: change.ends_at_ms.unwrap_or(was.ends_at_ms),
            max_players: change.max_players.unwrap_or(was.max_players),
            entry_fee_minor: change.entry_fee_minor.unwrap_or(was.entry_fee_minor),
            prize_pool_minor: change.prize_pool_minor.unwrap_or(was.prize_pool_minor),
            rewards: change.rewards.unwrap_or(was.rewards),
            sponsored,
            sponsor_name: change.sponsor_name.or(name),
            sponsor_banner_url: change.sponsor_banner_url.or(url),
            created_at_ms: was.created_at_ms,
        }
    }

    fn ensure_status(&self, next: Status, census: Census) -> Result<(), Refusal> {
        if next == self.status {
            return Ok(());
        }
        ensure(next != Status::Active, TO_BE_STARTED)?;
        ensure(self.status.may_become(next), NO_WAY)?;
        ensure(next != Status::Completed || census.open_matches == 0, OPEN_MATCHES)
    }

    fn ensure_terms(&self, next: &Tournament, census: Census) -> Result<(), Refusal> {
        let fee_changes = self.entry_fee_minor != next.entry_fee_minor;
        ensure(!fee_changes || self.status == Status::Upcoming, FEE_FIXED)?;
        let draw = |one: &Tournament| (one.format, one.game_type, one.max_players);
        ensure(draw(self) == draw(next) || !self.status.is_played(), DRAW_FIXED)?;
        ensure(census.players <= next.max_players, TOO_FEW_PLACES)
    }

    /// Whether a user may register; `registered` says that this user has.
    pub(in crate::domains::tournaments) fn ensure_place(
        &self,
        players: u32,
        registered: bool,
    ) -> Result<(), Refusal> {
        ensure(self.status == Status::Registration, NOT_OPEN)?;
        ensure(!registered, TWICE)?;
        ensure(players < self.max_players, FULL)
    }

    /// Whether a user may take the registration back.
    pub(in crate::domains::tournaments) fn ensure_leavable(
        &self,
        registered: bool,
    ) -> Result<(), Refusal> {
        ensure(self.status == Status::Registration, NOT_OPEN)?;
        ensure(registered, NOT_REGISTERED)
    }

    /// Whether it may be started with so many players.
    pub(in crate::domains::tournaments) fn ensure_startable(
        &self,
        players: usize,
    ) -> Result<(), Refusal> {
        ensure(self.status == Status::Registration, NOT_OPEN)?;
        ensure(players >= 2, TOO_FEW_PLAYERS)
    }

    /// Whether it may be removed. What players have paid goes back to them when it is cancelled,
    /// so it cannot be removed before.
    pub(in crate::domains::tournaments) fn ensure_removable(
        &self,
        players: u32,
    ) -> Result<(), Refusal> {
        ensure(self.status.is_final() || players == 0, IN_USE)
    }
}
