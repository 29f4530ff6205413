//! What an admin may do about warming: begin it, and see how far it is; `larder warm` does.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use larder_console::{Answer, WarmRow};

use super::parts::System;
use crate::auth::Admin;
use crate::http::{ApiError, Detail, Fields, Input, MaybeBody, NoQuery, line, lines};

const NAME: RangeInclusive<usize> = 1..=40;

const SETS_MAX: usize = 20;

/// Which sets; without a word, all.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Option<Vec<String>>);

impl Input for Wanted {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.optional("sets", lines(line(NAME), SETS_MAX)).map(Wanted)
    }
}

/// Begins those that are not under way, and says how far all are.
pub(super) async fn begin(
    _: Admin,
    State(system): State<System>,
    MaybeBody(Wanted(sets)): MaybeBody<Wanted>,
) -> Result<impl IntoResponse, ApiError> {
    let warmer = &system.warmer;
    match sets {
        None => warmer.begin_all(),
        Some(names) => {
            let begun = warmer.begin(names.iter().map(String::as_str));
            begun.map_err(|unknown| {
                let known: Vec<String> = warmer.progress().into_iter().map(|row| row.set).collect();
                let (path, message) = ("sets".to_owned(), unknown.to_string());
                ApiError::BadInput(vec![Detail { path, message, limit: known.join(", ") }])
            })?;
        }
    }
    Ok((StatusCode::ACCEPTED, Json(progress(&system))))
}

pub(super) async fn show(
    _: Admin,
    _: NoQuery,
    State(system): State<System>,
) -> Json<Answer<Vec<WarmRow>>> {
    Json(progress(&system))
}

fn progress(system: &System) -> Answer<Vec<WarmRow>> {
    Answer::of(system.warmer.progress().into_iter().map(WarmRow::from).collect())
}
