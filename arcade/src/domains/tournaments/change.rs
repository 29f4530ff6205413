//! What can be changed about tournaments, and what a change did.

use super::input::{MatchChange, NewTournament, TournamentChange};
use super::model::{Match, Tournament};
use super::rows::{Registration, Started, Updated};
use crate::auth::UserId;

/// A change of tournaments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Announces one.
    Create(NewTournament),
    /// Changes one.
    Update(i64, TournamentChange),
    /// Removes one.
    Delete(i64),
    /// Takes a place in one for a user.
    Register(i64, UserId),
    /// Gives the place of a user in one free.
    Unregister(i64, UserId),
    /// Draws the first round of one.
    Start(i64),
    /// Changes a match.
    UpdateMatch {
        /// Its tournament.
        tournament: i64,
        /// Its number.
        id: i64,
        /// What is to be another way.
        change: MatchChange,
    },
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// There is one more.
    Created(Tournament),
    /// One is another way.
    Updated(Updated),
    /// One is gone; this is what it was.
    Deleted(Tournament),
    /// A user has a place.
    Registered(Registration),
    /// A user has no place any more.
    Unregistered(Registration),
    /// One has begun.
    Started(Started),
    /// A match is another way.
    MatchUpdated(Match),
}
