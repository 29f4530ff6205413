//! Decides which input of tournaments is good, before anything is read.

mod changed;
mod listed;
mod made;
mod played;

pub use changed::TournamentChange;
pub(super) use listed::{ListFilter, ListQuery, VenueQuery};
pub use made::{MAX_PLAYERS_DEFAULT, NewTournament};
pub use played::MatchChange;

use crate::http::{Choice, Fields, Integer, Text, choice, integer, line, text};

use super::mistakes::{self, Mistake};
use super::words::{Format, GameType, Status};

const MAX_PLAYERS: Integer<u32> = integer(2..=256);
const NAME: Text = line(3..=120);
const REWARDS: Text = text(0..=1_000);
const SPONSOR_NAME: Text = line(1..=80);
const BANNER_URL: Text = line(9..=500);
const STATUS: Choice<Status> = choice(Status::WORDS);
const FORMAT: Choice<Format> = choice(Format::WORDS);
const GAME_TYPE: Choice<GameType> = choice(GameType::WORDS);

/// A million in the largest unit of a token with 6 decimals: the fees of all players still fit.
const AMOUNT_MINOR: Integer<i64> = integer(0..=1_000_000_000_000);

/// Up to the end of the year 9999.
const TIME_MS: Integer<i64> = integer(0..=253_402_300_799_999);

fn banner_url(fields: &mut Fields) -> Option<Option<String>> {
    let url = fields.optional("sponsorBannerUrl", BANNER_URL)?;
    // Pages show it; another scheme could run as a script there.
    if url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
        fields.mistake("sponsorBannerUrl", "must be the address of a picture", "https://…");
        return None;
    }
    Some(url)
}

/// Notes a time that does not fit the other one, if both are known.
fn note_times(fields: &mut Fields, starts_at_ms: Option<i64>, ends_at_ms: Option<i64>) {
    if let (Some(starts), Some(ends)) = (starts_at_ms, ends_at_ms) {
        note(fields, mistakes::times(starts, ends));
    }
}

fn note(fields: &mut Fields, mistake: Option<Mistake>) {
    if let Some(Mistake { path, message, limit }) = mistake {
        fields.mistake(path, message, limit);
    }
}
