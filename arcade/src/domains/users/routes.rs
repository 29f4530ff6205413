//! The routes of users and of their sessions.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::accounts::Users;
use super::cache;
use super::changes::UserChange;
use super::input::{Credentials, PictureChange, Registration, Renewal, RoleChange};
use super::model::{Account, TokenPair};
use crate::auth::{Admin, CurrentSession, CurrentUser, Identities, SessionId, UserId};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, JsonBody, NoInput, NoQuery, Route, Routes, Traffic,
};
use crate::sessions::{ACTIVITY, OF_USER, SESSIONS};

/// What a change of a user makes wrong.
const CHANGED: &[&CachePlan] = &[&cache::ACCOUNTS, &SESSIONS];

/// What a change of a session makes wrong.
const SESSION_CHANGED: &[&CachePlan] = &[&SESSIONS, &OF_USER];

/// Why there is nothing of somebody whose token is good.
const GONE: &str = "You are no user any more.";
const NO_SESSION: &str = "The token belongs to no session.";

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Users: FromRef<S>,
    Identities: FromRef<S>,
{
    let routes = Routes::new()
        .route(
            Route::post("/auth/register", Access::Public, "Makes you a user.")
                .answers(StatusCode::CREATED)
                .traffic(Traffic::Login),
            register,
        )
        .route(
            Route::post("/auth/login", Access::Public, "Begins a session.")
                .traffic(Traffic::Login)
                .drops(SESSION_CHANGED)
                .refuses(StatusCode::UNAUTHORIZED, "The email or the password is wrong."),
            log_in,
        )
        .route(
            Route::post("/auth/refresh", Access::Public, "Goes on with a session; each token once.")
                .traffic(Traffic::Refresh)
                .drops(SESSION_CHANGED)
                .refuses(StatusCode::UNAUTHORIZED, "The session has ended."),
            refresh,
        )
        .route(
            Route::get("/users/me", Access::User, "Who you are and what you own.")
                .cached(&[&cache::ACCOUNTS])
                .refuses(StatusCode::NOT_FOUND, GONE),
            me,
        )
        .route(
            Route::patch("/users/me", Access::User, "Changes your picture.")
                .drops(CHANGED)
                .refuses(StatusCode::NOT_FOUND, GONE),
            change,
        )
        .route(
            Route::put(
                "/users/{id}/role",
                Access::Admin,
                "Changes what a user may do, in every session at once.",
            )
            .drops(CHANGED),
            change_role,
        );
    routes.merge(of_sessions())
}

fn of_sessions<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Users: FromRef<S>,
    Identities: FromRef<S>,
{
    Routes::new()
        .route(
            Route::get("/api/auth/session", Access::User, "The session in which you ask.")
                .cached(&[&SESSIONS, &ACTIVITY])
                .refuses(StatusCode::NOT_FOUND, NO_SESSION),
            session,
        )
        .route(
            Route::delete("/api/auth/session", Access::User, "Ends it, on every node.")
                .answers(StatusCode::NO_CONTENT)
                .drops(SESSION_CHANGED)
                .refuses(StatusCode::NOT_FOUND, NO_SESSION),
            log_out,
        )
        .route(
            Route::get("/api/auth/sessions", Access::User, "Your open sessions, newest first.")
                .cached(&[&OF_USER, &ACTIVITY]),
            sessions,
        )
        .route(
            Route::delete("/api/auth/sessions/{id}", Access::User, "Ends one of your sessions.")
                .answers(StatusCode::NO_CONTENT)
                .drops(SESSION_CHANGED),
            end,
        )
}

async fn register(
    State(users): State<Users>,
    JsonBody(new): JsonBody<Registration>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(users.register(new).await?)))
}

async fn log_in(
    State(users): State<Users>,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<Json<TokenPair>, ApiError> {
    Ok(Json(users.log_in(credentials).await?))
}

async fn refresh(
    State(users): State<Users>,
    JsonBody(renewal): JsonBody<Renewal>,
) -> Result<Json<TokenPair>, ApiError> {
    Ok(Json(users.refresh(renewal).await?))
}

async fn me(
    user: CurrentUser,
    _: NoQuery,
    State(users): State<Users>,
) -> Result<impl IntoResponse, ApiError> {
    users.caches().account(user.id).await
}

async fn change(
    user: CurrentUser,
    State(users): State<Users>,
    JsonBody(PictureChange { image }): JsonBody<PictureChange>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(users.change(user.id, UserChange::Image(image)).await?))
}

async fn change_role(
    _: Admin,
    IdPath(id): IdPath,
    State(users): State<Users>,
    JsonBody(RoleChange(role)): JsonBody<RoleChange>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(users.change(UserId(id), UserChange::Role(role)).await?))
}

async fn session(
    CurrentSession(open): CurrentSession,
    _: NoQuery,
    State(users): State<Users>,
) -> Result<impl IntoResponse, ApiError> {
    users.sessions.shown(open.ok_or(ApiError::NotFound("session"))?).await
}

async fn log_out(
    user: CurrentUser,
    State(users): State<Users>,
    _: NoInput,
) -> Result<StatusCode, ApiError> {
    let session = user.session.ok_or(ApiError::NotFound("session"))?;
    users.sessions.end(user.id, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sessions(
    user: CurrentUser,
    _: NoQuery,
    State(users): State<Users>,
) -> Result<impl IntoResponse, ApiError> {
    users.sessions.of_user(user.id, user.session).await
}

async fn end(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(users): State<Users>,
    _: NoInput,
) -> Result<StatusCode, ApiError> {
    users.sessions.end(user.id, SessionId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
