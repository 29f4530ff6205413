//! Decides what may follow what in the life of a tournament and of a match. Pure: no clock, no
//! database, no cache.

mod bracket;
mod matches;
mod tournaments;

pub(crate) use bracket::{Pairing, first_round};
pub(super) use tournaments::Census;

use super::mistakes::Mistake;
use crate::http::{ApiError, Detail};

/// Why a change is not made. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such thing.
    Missing(&'static str),
    /// It does not fit what is there.
    Conflict(&'static str),
    /// A field does not fit what is there.
    Wrong(Mistake),
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing(thing) => ApiError::NotFound(thing),
            Refusal::Conflict(what) => ApiError::Conflict(what),
            Refusal::Wrong(Mistake { path, message, limit }) => {
                let [path, message, limit] = [path, message, limit].map(str::to_owned);
                ApiError::BadInput(vec![Detail { path, message, limit }])
            }
        }
    }
}

/// A refusal unless `holds`.
fn ensure(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
