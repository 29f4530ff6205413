//! Users: who they are, what they own, and how they get a session. A password is known here only
//! until it is hashed.

mod accounts;
mod cache;
mod input;
mod model;
mod rows;
mod sessions;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use self::input::{Credentials, Registration, Renewal};
use crate::auth::{CurrentUser, Tokens};
use crate::http::{Access, ApiError, JsonBody, NoQuery, Route, Routes, Traffic};

pub use accounts::Users;
pub use cache::UserCaches;
pub use model::{Account, Session};
pub use rows::{NewUser, UserRows};

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Users: FromRef<S>,
    Tokens: FromRef<S>,
{
    Routes::new()
        .route(
            Route::post("/auth/register", Access::Public, "Makes you a user.")
                .answers(StatusCode::CREATED)
                .traffic(Traffic::Login),
            register,
        )
        .route(
            Route::post("/auth/login", Access::Public, "Begins a session.").traffic(Traffic::Login),
            log_in,
        )
        .route(
            Route::post("/auth/refresh", Access::Public, "Goes on with a session; each token once.")
                .traffic(Traffic::Refresh),
            refresh,
        )
        .route(
            Route::get("/users/me", Access::User, "Who you are and what you own.")
                .cached(&[&cache::ACCOUNTS]),
            me,
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
) -> Result<Json<Session>, ApiError> {
    Ok(Json(users.log_in(credentials).await?))
}

async fn refresh(
    State(users): State<Users>,
    JsonBody(renewal): JsonBody<Renewal>,
) -> Result<Json<Session>, ApiError> {
    Ok(Json(users.refresh(renewal).await?))
}

async fn me(
    user: CurrentUser,
    _: NoQuery,
    State(users): State<Users>,
) -> Result<impl IntoResponse, ApiError> {
    users.caches().account(user.id).await
}
