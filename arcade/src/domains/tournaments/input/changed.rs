//! Decides what a change of a tournament may say.

use super::{
    AMOUNT_MINOR, FORMAT, GAME_TYPE, MAX_PLAYERS, NAME, REWARDS, SPONSOR_NAME, STATUS, TIME_MS,
    banner_url, note_times,
};
use crate::domains::tournaments::words::{Format, GameType, Status};
use crate::http::{Fields, Input, flag, id};

/// What is to be another way; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TournamentChange {
    /// What it is called.
    pub name: Option<String>,
    /// Where it is played.
    pub venue_id: Option<i64>,
    /// How far it is.
    pub status: Option<Status>,
    /// What a defeat means.
    pub format: Option<Format>,
    /// What is played.
    pub game_type: Option<GameType>,
    /// When it begins, in milliseconds since 1970 UTC.
    pub starts_at_ms: Option<i64>,
    /// When it ends.
    pub ends_at_ms: Option<i64>,
    /// How many may register.
    pub max_players: Option<u32>,
    /// What each of them pays, in minor units.
    pub entry_fee_minor: Option<i64>,
    /// What is played for, in minor units.
    pub prize_pool_minor: Option<i64>,
    /// What else is played for.
    pub rewards: Option<String>,
    /// Whether somebody pays for it. Without a sponsor, name and picture go too.
    pub sponsored: Option<bool>,
    /// Who does.
    pub sponsor_name: Option<String>,
    /// The sponsor's picture.
    pub sponsor_banner_url: Option<String>,
}

impl Input for TournamentChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", NAME);
        let venue_id = fields.optional("venueId", id());
        let status = fields.optional("status", STATUS);
        let format = fields.optional("format", FORMAT);
        let game_type = fields.optional("gameType", GAME_TYPE);
        let starts_at_ms = fields.optional("startsAtMs", TIME_MS);
        let ends_at_ms = fields.optional("endsAtMs", TIME_MS);
        let max_players = fields.optional("maxPlayers", MAX_PLAYERS);
        let entry_fee_minor = fields.optional("entryFeeMinor", AMOUNT_MINOR);
        let prize_pool_minor = fields.optional("prizePoolMinor", AMOUNT_MINOR);
        let rewards = fields.optional("rewards", REWARDS);
        let sponsored = fields.optional("sponsored", flag());
        let sponsor_name = fields.optional("sponsorName", SPONSOR_NAME);
        let sponsor_banner_url = banner_url(fields);
        note_times(fields, starts_at_ms.flatten(), ends_at_ms.flatten());
        let change = TournamentChange {
            name: name?,
            venue_id: venue_id?,
            status: status?,
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
        };
        if change == TournamentChange::default() {
            fields.mistake("", "must name what is to change", "at least one field");
        }
        Some(change)
    }
}
