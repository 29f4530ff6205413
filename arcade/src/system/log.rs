//! What an admin may ask about invalidations and caches; `larder log` and `larder catalogue` do.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use larder_console::{Answer, CacheRow, LogRange, LogRow};

use super::parts::System;
use crate::auth::Admin;
use crate::http::{Fields, Input, NoQuery, Query, integer};
use crate::wall;

const LAST: RangeInclusive<i64> = 1..=1_000;

const LAST_DEFAULT: i64 = 50;

/// Milliseconds since 1970.
const TIME: RangeInclusive<i64> = 0..=(1 << 53);

/// Which part of the trail.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogQuery(LogRange);

impl Input for LogQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let last = fields.or("last", LAST_DEFAULT, integer(LAST));
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

pub(super) async fn catalogue(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Json<Answer<Vec<CacheRow>>> {
    let listings = system.larder.catalogue();
    Json(Answer::of(listings.into_iter().map(CacheRow::from).collect()))
}
