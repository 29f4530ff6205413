//! What tournaments and their matches look like in an answer and in the cache.

use larder::Entry;
use serde::{Deserialize, Serialize};

use super::words::{Format, GameType, MatchStatus, Status};

/// A tournament, as lists show it. It does not count the players: each registration would change
/// every list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Tournament {
    /// Its number.
    pub id: i64,
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
    /// When it was announced, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

/// A player of a tournament.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub user_id: i64,
    /// The place in the draw; given at the start.
    pub seed: Option<u32>,
    /// The place in the end.
    pub final_rank: Option<u32>,
}

/// A tournament with its players.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct TournamentDetail {
    /// The tournament.
    #[serde(flatten)]
    pub tournament: Tournament,
    /// How many have registered.
    pub players: u32,
    /// Who, by seed; without seeds, by time of registration.
    pub participants: Vec<Participant>,
}

/// A page of a list of tournaments, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct TournamentPage {
    /// The tournaments on the page.
    pub items: Vec<Tournament>,
    /// How many the list has.
    pub total: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most items on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

/// Two players of a tournament against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Its number.
    pub id: i64,
    /// Of which tournament.
    pub tournament_id: i64,
    /// The first round is 1.
    pub round: u32,
    /// Its place in the round, from 1.
    pub place: u32,
    /// The better seed.
    pub player_a: i64,
    /// The other one; without one it is a bye.
    pub player_b: Option<i64>,
    /// The frames of player A.
    pub score_a: u32,
    /// The frames of player B.
    pub score_b: u32,
    /// Who won.
    pub winner: Option<i64>,
    /// Who lost.
    pub loser: Option<i64>,
    /// How far it is.
    pub status: MatchStatus,
    /// What the two play for, in minor units.
    pub wager_minor: i64,
    /// At which table.
    pub table: Option<u32>,
    /// When it is to begin, in milliseconds since 1970 UTC.
    pub scheduled_at_ms: i64,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// The matches of a tournament, by round and place. There are twice as many as players at most, so
/// they come whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct MatchList {
    /// The matches.
    pub items: Vec<Match>,
    /// How many there are.
    pub total: u64,
}
