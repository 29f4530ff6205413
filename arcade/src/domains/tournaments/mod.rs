//! Tournaments: announced by admins, played by whoever registers, read by everybody. Their matches
//! belong to them.

mod cache;
mod change;
mod changes;
mod input;
mod mistakes;
mod model;
mod routes;
mod rows;
mod rules;
mod words;

pub use cache::TournamentCaches;
pub use change::{Change, Changed};
pub use changes::Tournaments;
pub use input::{MAX_PLAYERS_DEFAULT, MatchChange, NewTournament, TournamentChange};
pub use model::{Match, MatchList, Participant, Tournament, TournamentDetail, TournamentPage};
pub use routes::router;
pub use rows::{NewParticipant, Registration, Started, TournamentRows, Updated};
pub(crate) use rules::first_round;
pub use words::{Format, GameType, MatchStatus, Status};
