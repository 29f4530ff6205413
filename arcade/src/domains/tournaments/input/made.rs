//! Decides what a new tournament must say.

use super::{
    AMOUNT_MINOR, FORMAT, GAME_TYPE, MAX_PLAYERS, NAME, REWARDS, SPONSOR_NAME, TIME_MS, banner_url,
    note, note_times,
};
use crate::domains::tournaments::mistakes;
use crate::domains::tournaments::words::{Format, GameType, Status};
use crate::http::{Choice, Fields, Input, choice, flag, id};

/// Players of a tournament whose maker names no number.
pub const MAX_PLAYERS_DEFAULT: u32 = 8;

/// A tournament begins without players, so it cannot begin started.
const FIRST_STATUS: Choice<Status> = choice(&[
    (Status::Upcoming.name(), Status::Upcoming),
    (Status::Registration.name(), Status::Registration),
]);

/// A tournament to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTournament {
    /// What it is called.
    pub name: String,
    /// Where it is played.
    pub venue_id: i64,
    /// How far it is.
    pub status: Status,
    /// What a defeat means.
    pub format: Format,
    /// What is played.
    pub game_type: GameType,
    /// When it begins, in milliseconds since 1970 UTC.
    pub starts_at_ms: i64,
    /// When it ends.
    pub ends_at_ms: i64,
    /// How many may register.
    pub max_players: u32,
    /// What each of them pays, in minor units.
    pub entry_fee_minor: i64,
    /// What is played for, in minor units.
    pub prize_pool_minor: i64,
    /// What else is played for.
    pub rewards: String,
    /// Whether somebody pays for it.
    pub sponsored: bool,
    /// Who does.
    pub sponsor_name: Option<String>,
    /// The sponsor's picture.
    pub sponsor_banner_url: Option<String>,
}

impl Input for NewTournament {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", NAME);
        let venue_id = fields.required("venueId", id());
        let status = fields.optional("status", FIRST_STATUS);
        let format = fields.required("format", FORMAT);
        let game_type = fields.required("gameType", GAME_TYPE);
        let starts_at_ms = fields.required("startsAtMs", TIME_MS);
        let ends_at_ms = fields.required("endsAtMs", TIME_MS);
        let max_players = fields.or("maxPlayers", MAX_PLAYERS_DEFAULT, MAX_PLAYERS);
        let entry_fee_minor = fields.or("entryFeeMinor", 0, AMOUNT_MINOR);
        let prize_pool_minor = fields.or("prizePoolMinor", 0, AMOUNT_MINOR);
        let rewards = fields.or("rewards", String::new(), REWARDS);
        let sponsored = fields.or("sponsored", false, flag());
        let sponsor_name = fields.optional("sponsorName", SPONSOR_NAME);
        let sponsor_banner_url = banner_url(fields);
        note_times(fields, starts_at_ms, ends_at_ms);
        if let (Some(sponsored), Some(name), Some(url)) =
            (sponsored, &sponsor_name, &sponsor_banner_url)
        {
            note(fields, mistakes::sponsor(sponsored, name.as_deref(), url.as_deref()));
        }
        Some(NewTournament {
            name: name?,
            venue_id: venue_id?,
            status: status?.unwrap_or(Status::Upcoming),
            format: format?,
            game_type: game_type?,
            starts_at_ms: starts_at_ms?,
            ends_at_ms: ends_at_ms?,
            max_players: max_players?,
            entry_fee_minor: entry_fee_minor?,
            prize_pool_minor: prize_pool_minor?,
            rewards: rewards?,
            sponsored: sponsored?,
            sponsor_name: sponsor_name?,
            sponsor_banner_url: sponsor_banner_url?,
        })
    }
}
