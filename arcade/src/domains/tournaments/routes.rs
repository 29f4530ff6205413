//! The routes of tournaments.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::cache::{DETAILS, LISTS, MATCH_LISTS, MATCHES, VENUE_LISTS};
use super::change::{Change, Changed};
use super::changes::Tournaments;
use super::input::{ListFilter, ListQuery, MatchChange, NewTournament, TournamentChange, VenueQuery};
use crate::auth::{Admin, CurrentUser, Identities};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, IdPaths, JsonBody, NoInput, NoQuery, Query, Route, Routes,
};

/// What shows a tournament or its matches.
const ALL: &[&CachePlan] = &[&LISTS, &VENUE_LISTS, &DETAILS, &MATCH_LISTS, &MATCHES];

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Tournaments: FromRef<S>,
    Identities: FromRef<S>,
{
    reads().merge(administration()).merge(registration())
}

fn reads<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Tournaments: FromRef<S>,
{
    let get = |path, about| Route::get(path, Access::Public, about);
    Routes::new()
        .route(
            get("/v1/tournaments", "Tournaments, newest first.").cached(&[&LISTS, &VENUE_LISTS]),
            list,
        )
        .route(
            get("/v1/tournaments/venue/{venueId}", "Tournaments of a venue, newest first.")
                .cached(&[&VENUE_LISTS]),
            list_of_venue,
        )
        .route(
            get("/v1/tournaments/{id}", "A tournament with its players.").cached(&[&DETAILS]),
            show,
        )
        .route(
            get("/v1/tournaments/{id}/matches", "The matches of a tournament, by round and place.")
                .cached(&[&MATCH_LISTS]),
            list_matches,
        )
        .route(
            get("/v1/tournaments/{id}/matches/{matchId}", "A match of a tournament.")
                .cached(&[&MATCHES]),
            show_match,
        )
}

fn administration<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Tournaments: FromRef<S>,
    Identities: FromRef<S>,
{
    let path = "/v1/tournaments/{id}";
    Routes::new()
        .route(
            Route::post("/v1/tournaments", Access::Admin, "Announces a tournament.")
                .answers(StatusCode::CREATED)
                .drops(ALL),
            create,
        )
        .route(
            Route::patch(path, Access::Admin, "Changes a tournament that is not over.").drops(ALL),
            update,
        )
        .route(
            Route::delete(path, Access::Admin, "Removes a tournament that nobody plays.")
                .answers(StatusCode::NO_CONTENT)
                .drops(ALL),
            delete,
        )
        .route(
            Route::post(
                "/v1/tournaments/{id}/start",
                Access::Admin,
                "Ends the registration and draws the first round.",
            )
            .drops(ALL),
            start,
        )
        .route(
            Route::patch(
                "/v1/tournaments/{id}/matches/{matchId}",
                Access::Admin,
                "Changes a match that is not over.",
            )
            .drops(&[&MATCH_LISTS, &MATCHES]),
            update_match,
        )
}

fn registration<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Tournaments: FromRef<S>,
    Identities: FromRef<S>,
{
    let about = "Gives your place free and pays the entry fee back.";
    let path = "/v1/tournaments/{id}/unregister";
    Routes::new()
        .route(
            Route::post(
                "/v1/tournaments/{id}/register",
                Access::User,
                "Takes a place for you and charges the entry fee.",
            )
            .drops(&[&DETAILS]),
            register,
        )
        .route(Route::post(path, Access::User, about).drops(&[&DETAILS]), unregister)
        .route(Route::delete(path, Access::User, about).drops(&[&DETAILS]), unregister)
}

async fn list(
    Query(query): Query<ListQuery>,
    State(tournaments): State<Tournaments>,
) -> Result<impl IntoResponse, ApiError> {
    tournaments.caches().page(query.filter, query.page).await
}

async fn list_of_venue(
    IdPath(venue): IdPath,
    Query(query): Query<VenueQuery>,
    State(tournaments): State<Tournaments>,
) -> Result<impl IntoResponse, ApiError> {
    let filter = ListFilter { status: query.status, venue_id: Some(venue) };
    tournaments.caches().page(filter, query.page).await
}

async fn show(
    IdPath(id): IdPath,
    _: NoQuery,
    State(tournaments): State<Tournaments>,
) -> Result<impl IntoResponse, ApiError> {
    tournaments.caches().detail(id).await
}

async fn list_matches(
    IdPath(id): IdPath,
    _: NoQuery,
    State(tournaments): State<Tournaments>,
) -> Result<impl IntoResponse, ApiError> {
    tournaments.caches().matches(id).await
}

async fn show_match(
    IdPaths([id, number]): IdPaths<2>,
    _: NoQuery,
    State(tournaments): State<Tournaments>,
) -> Result<impl IntoResponse, ApiError> {
    tournaments.caches().one_match(id, number).await
}

async fn create(
    _: Admin,
    State(tournaments): State<Tournaments>,
    JsonBody(new): JsonBody<NewTournament>,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Create(new)).await?))
}

async fn update(
    _: Admin,
    IdPath(id): IdPath,
    State(tournaments): State<Tournaments>,
    JsonBody(change): JsonBody<TournamentChange>,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Update(id, change)).await?))
}

async fn delete(
    _: Admin,
    IdPath(id): IdPath,
    State(tournaments): State<Tournaments>,
    _: NoInput,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Delete(id)).await?))
}

async fn start(
    _: Admin,
    IdPath(id): IdPath,
    State(tournaments): State<Tournaments>,
    _: NoInput,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Start(id)).await?))
}

async fn update_match(
    _: Admin,
    IdPaths([tournament, id]): IdPaths<2>,
    State(tournaments): State<Tournaments>,
    JsonBody(change): JsonBody<MatchChange>,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::UpdateMatch { tournament, id, change }).await?))
}

async fn register(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(tournaments): State<Tournaments>,
    _: NoInput,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Register(id, user.id)).await?))
}

async fn unregister(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(tournaments): State<Tournaments>,
    _: NoInput,
) -> Result<Response, ApiError> {
    Ok(answer(tournaments.apply(Change::Unregister(id, user.id)).await?))
}

fn answer(changed: Changed) -> Response {
    match changed {
        Changed::Created(made) => {
            let place = [(header::LOCATION, format!("/v1/tournaments/{}", made.id))];
            (StatusCode::CREATED, place, Json(made)).into_response()
        }
        Changed::Updated(updated) => Json(updated.now).into_response(),
        Changed::Deleted(_) => StatusCode::NO_CONTENT.into_response(),
        Changed::Registered(registration) | Changed::Unregistered(registration) => {
            Json(registration).into_response()
        }
        Changed::Started(started) => Json(started).into_response(),
        Changed::MatchUpdated(changed) => Json(changed).into_response(),
    }
}
