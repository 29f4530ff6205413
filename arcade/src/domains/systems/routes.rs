//! The routes of game systems and templates: the same for both shelves.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::cache;
use super::changes::Systems;
use super::input::{Application, Label, ListQuery, NewSystem, Opinion, SystemChange};
use super::model::Shelf;
use super::rows::Listed;
use crate::auth::{CurrentUser, Identities};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, JsonBody, NoInput, NoQuery, Query, Route, Routes,
};
use crate::tabletop::{ASSET_META, ROOM_STATE};

/// What a change drops.
const CHANGED: &[&CachePlan] = &[&cache::SYSTEM, &cache::QUERY];

/// What the end of one drops, and that of the assets which were its own.
const REMOVED: &[&CachePlan] = &[&cache::SYSTEM, &cache::QUERY, &ASSET_META];

/// What a use of one drops.
const APPLIED: &[&CachePlan] = &[&cache::SYSTEM, &ROOM_STATE];

/// What an opinion of one drops.
const RATED: &[&CachePlan] = &[&cache::SYSTEM];

/// Why not everybody may do something.
const OFFICIAL: &str = "Only an admin makes something official, or changes what is.";
const LEADERS: &str = "You do not lead the game in the room.";
const SAVERS: &str = "You do not lead the game in the room, or may not call anything official.";
const MAKER: &str = "You have made it yourself.";

/// A shelf as its routes know it.
trait Shelved: 'static {
    const SHELF: Shelf;
    const ALL: &'static str;
    const ONE: &'static str;
    const APPLY: &'static str;
    const RATING: &'static str;
    const LISTS: &'static str;
    const SHOWS: &'static str;
    const MAKES: &'static str;
    const CHANGES: &'static str;
    const REMOVES: &'static str;
    const APPLIES: &'static str;
    const RATES: &'static str;
    const UNRATES: &'static str;
}

/// The shelf of game systems.
struct GameSystems;

impl Shelved for GameSystems {
    const SHELF: Shelf = Shelf::System;
    const ALL: &'static str = "/api/systems";
    const ONE: &'static str = "/api/systems/{id}";
    const APPLY: &'static str = "/api/systems/{id}/apply";
    const RATING: &'static str = "/api/systems/{id}/rating";
    const LISTS: &'static str = "Game systems, newest first.";
    const SHOWS: &'static str = "One game system.";
    const MAKES: &'static str = "Makes a game system that is yours.";
    const CHANGES: &'static str = "Changes a game system of yours.";
    const REMOVES: &'static str = "Removes a game system of yours.";
    const APPLIES: &'static str = "Sets a room up with a game system.";
    const RATES: &'static str = "Says what you think of a game system.";
    const UNRATES: &'static str = "Takes back what you thought of a game system.";
}

/// The shelf of templates.
struct Templates;

impl Shelved for Templates {
    const SHELF: Shelf = Shelf::Template;
    const ALL: &'static str = "/api/templates";
    const ONE: &'static str = "/api/templates/{id}";
    const APPLY: &'static str = "/api/templates/{id}/apply";
    const RATING: &'static str = "/api/templates/{id}/rating";
    const LISTS: &'static str = "Templates, newest first.";
    const SHOWS: &'static str = "One template.";
    const MAKES: &'static str = "Makes a template that is yours.";
    const CHANGES: &'static str = "Changes a template of yours.";
    const REMOVES: &'static str = "Removes a template of yours.";
    const APPLIES: &'static str = "Sets a room up with a template.";
    const RATES: &'static str = "Says what you think of a template.";
    const UNRATES: &'static str = "Takes back what you thought of a template.";
}

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Systems: FromRef<S>,
    Identities: FromRef<S>,
{
    let save = "/api/rooms/{id}/template";
    shelf::<S, Templates>(shelf::<S, GameSystems>(Routes::new())).route(
        Route::post(save, Access::User, "Makes a template of a room that you lead.")
            .answers(StatusCode::CREATED)
            .drops(CHANGED)
            .refuses(StatusCode::FORBIDDEN, SAVERS),
        save_room,
    )
}

fn shelf<S, K: Shelved>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Systems: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(Route::get(K::ALL, Access::User, K::LISTS).cached(&[&cache::QUERY]), list::<K>)
        .route(Route::get(K::ONE, Access::User, K::SHOWS).cached(&[&cache::SYSTEM]), show::<K>)
        .route(
            Route::post(K::ALL, Access::User, K::MAKES)
                .answers(StatusCode::CREATED)
                .drops(CHANGED)
                .refuses(StatusCode::FORBIDDEN, OFFICIAL)
                .refuses(StatusCode::NOT_FOUND, "You are no user any more."),
            create::<K>,
        )
        .route(
            Route::patch(K::ONE, Access::User, K::CHANGES)
                .drops(CHANGED)
                .refuses(StatusCode::FORBIDDEN, OFFICIAL),
            change::<K>,
        )
        .route(
            Route::delete(K::ONE, Access::User, K::REMOVES)
                .answers(StatusCode::NO_CONTENT)
                .drops(REMOVED),
            remove::<K>,
        )
        .route(
            Route::post(K::APPLY, Access::User, K::APPLIES)
                .drops(APPLIED)
                .refuses(StatusCode::FORBIDDEN, LEADERS),
            apply::<K>,
        )
        .route(
            Route::put(K::RATING, Access::User, K::RATES)
                .drops(RATED)
                .refuses(StatusCode::FORBIDDEN, MAKER),
            rate::<K>,
        )
        .route(
            Route::delete(K::RATING, Access::User, K::UNRATES)
                .drops(RATED)
                .refuses(StatusCode::FORBIDDEN, MAKER),
            unrate::<K>,
        )
}

async fn list<K: Shelved>(
    user: CurrentUser,
    Query(ListQuery { page, category, own }): Query<ListQuery>,
    State(systems): State<Systems>,
) -> Result<impl IntoResponse, ApiError> {
    let listed = Listed { shelf: K::SHELF, owner: own.then_some(user.id), category };
    systems.caches().page(listed, page).await
}

async fn show<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    _: NoQuery,
    State(systems): State<Systems>,
) -> Result<impl IntoResponse, ApiError> {
    systems.caches().system(K::SHELF, id, user).await
}

async fn create<K: Shelved>(
    user: CurrentUser,
    State(systems): State<Systems>,
    JsonBody(new): JsonBody<NewSystem>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(systems.create(K::SHELF, user, new).await?)))
}

async fn change<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(systems): State<Systems>,
    JsonBody(change): JsonBody<SystemChange>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(systems.change(K::SHELF, id, user, change).await?))
}

async fn remove<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(systems): State<Systems>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    systems.remove(K::SHELF, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn apply<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(systems): State<Systems>,
    JsonBody(Application(room)): JsonBody<Application>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(systems.apply(K::SHELF, id, user, room).await?))
}

async fn rate<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(systems): State<Systems>,
    JsonBody(Opinion(stars)): JsonBody<Opinion>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(systems.rate(K::SHELF, id, user, Some(stars)).await?))
}

async fn unrate<K: Shelved>(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(systems): State<Systems>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(systems.rate(K::SHELF, id, user, None).await?))
}

async fn save_room(
    user: CurrentUser,
    IdPath(room): IdPath,
    State(systems): State<Systems>,
    JsonBody(label): JsonBody<Label>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(systems.save(room, user, label).await?)))
}
