//! What an admin drops as one, when something was changed behind the server's back; `larder refresh`
//! does.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use larder::Outcome;
use larder_console::{Answer, RefreshRow};

use super::parts::System;
use crate::auth::{Admin, UserId};
use crate::bundles::Bundle;
use crate::cause;
use crate::http::{Fields, Format, Input, JsonBody, choice, id, line};

const WHY_CHARS: RangeInclusive<usize> = 1..=200;

/// A word for a bundle, and how it is made of an id.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Of one thing.
    Of(fn(i64) -> Bundle),
    /// There is one only.
    All(Bundle),
}

const KINDS: &[(&str, Kind)] = &[
    ("user", Kind::Of(|id| Bundle::User(UserId(id)))),
    ("room", Kind::Of(Bundle::Room)),
    ("asset", Kind::Of(Bundle::Asset)),
    ("system", Kind::Of(Bundle::System)),
    ("tournament", Kind::Of(Bundle::Tournament)),
    ("item", Kind::Of(Bundle::Item)),
    ("build", Kind::Of(Bundle::Build)),
    ("user-builds", Kind::Of(|id| Bundle::UserBuilds(UserId(id)))),
    ("liked-builds", Kind::Of(|id| Bundle::LikedBuilds(UserId(id)))),
    ("listings", Kind::All(Bundle::Listings)),
    ("leaderboards", Kind::All(Bundle::Leaderboards)),
    ("classes", Kind::All(Bundle::Classes)),
];

/// What to drop, and why.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    bundle: Bundle,
    why: Option<String>,
}

impl Input for Refresh {
    fn read(fields: &mut Fields) -> Option<Self> {
        let kind = fields.required("bundle", choice(KINDS));
        let number = fields.optional("id", id());
        let why = fields.optional("why", line(WHY_CHARS));
        let bundle = match (kind?, number?) {
            (Kind::Of(made), Some(number)) => made(number),
            (Kind::All(bundle), None) => bundle,
            (Kind::Of(_), None) => {
                fields.mistake("id", "must be given with this bundle", &id().limit());
                return None;
            }
            (Kind::All(_), Some(_)) => {
                fields.mistake("id", "must not be given with this bundle", "none");
                return None;
            }
        };
        Some(Refresh { bundle, why: why? })
    }
}

pub(super) async fn refresh(
    _: Admin,
    State(system): State<System>,
    JsonBody(Refresh { bundle, why }): JsonBody<Refresh>,
) -> Json<Answer<RefreshRow>> {
    let wrong = cause::put_down(system.bundles.wrong(&bundle));
    let wrong = match why {
        Some(why) => wrong.because(why),
        None => wrong,
    };
    let dropped = system.larder.invalidate(wrong).await;
    let position = match dropped.outcome() {
        Outcome::Shared(position) => Some(position.to_string()),
        Outcome::Local(_) => None,
    };
    Json(Answer::of(RefreshRow { position }))
}
