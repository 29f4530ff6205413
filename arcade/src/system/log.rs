//! What an admin may ask about invalidations and caches; `larder log`, `larder catalogue` and the page
//! do.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use larder_console::{Answer, CacheRow, Figures, LogRange, LogRow, catalogue};

use super::parts::System;
use crate::auth::Admin;
use crate::http::{Fields, Input, NoQuery, Query, integer};
use crate::wall;

const LAST: RangeInclusive<i64> = 1..=LogRange::LAST_MAX as i64;

/// Milliseconds since 1970.
const TIME: RangeInclusive<i64> = 0..=LogRange::TIME_MAX;

/// Which part of the trail.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogQuery(LogRange);

impl Input for LogQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let last = fields.or("last", LogRange::LAST_DEFAULT as i64, integer(LAST));
        let from_ms = fields.optional("from", integer(TIME));
        let to_ms = fields.optional("to", integer(TIME));
        let last = usize::try_from(last?).ok()?;
        Some(LogQuery(LogRange { last, from_ms: from_ms?, to_ms: to_ms? }))
    }
}

/// The newest first.
pub(super) async fn show(
    _: Admin,
    Query(LogQuery(range)): Query<LogQuery>,
    State(system): State<System>,
) -> Json<Answer<Vec<LogRow>>> {
    Json(Answer::of(range.of(&system.larder, wall::now_ms())))
}

pub(super) async fn listed(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Json<Answer<Vec<CacheRow>>> {
    Json(Answer::of(catalogue(&system.larder)))
}

pub(super) async fn figures(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Json<Answer<Figures>> {
    Json(Answer::of(Figures::of(&system.larder)))
}
