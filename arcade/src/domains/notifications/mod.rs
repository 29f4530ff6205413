//! Notifications: what happened to a user, newest first. Each user sees their own only.

mod cache;
mod changes;
mod model;
mod rows;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::auth::{CurrentUser, Identities};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, NoInput, NoQuery, PageQuery, Query, Route, Routes,
};

pub use cache::NotificationCaches;
pub use changes::{Change, Changed, Notifications};
pub use model::{Notification, NotificationPage, ReadAll, UnreadCount};
pub use rows::{NewNotification, NotificationRows};

/// Notifications on a page where the caller names no limit.
pub const LIMIT_DEFAULT: u32 = 50;

/// What every change drops.
const CHANGED: &[&CachePlan] = &[&cache::PAGES, &cache::UNREAD];

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Notifications: FromRef<S>,
    Identities: FromRef<S>,
{
    Routes::new()
        .route(
            Route::get("/notifications", Access::User, "What happened to you, newest first.")
                .cached(&[&cache::PAGES]),
            list,
        )
        .route(
            Route::get("/notifications/unread-count", Access::User, "How many are unread.")
                .cached(&[&cache::UNREAD]),
            unread_count,
        )
        .route(
            Route::post("/notifications/read-all", Access::User, "Marks all of yours as read.")
                .drops(CHANGED),
            read_all,
        )
        .route(
            Route::patch("/notifications/{id}/read", Access::User, "Marks one as read.")
                .drops(CHANGED),
            read,
        )
        .route(
            Route::delete("/notifications/{id}", Access::User, "Removes one.")
                .answers(StatusCode::NO_CONTENT)
                .drops(CHANGED),
            delete,
        )
}

async fn list(
    user: CurrentUser,
    Query(PageQuery(page)): Query<PageQuery<LIMIT_DEFAULT>>,
    State(notifications): State<Notifications>,
) -> Result<impl IntoResponse, ApiError> {
    notifications.caches().page(user.id, page).await
}

async fn unread_count(
    user: CurrentUser,
    _: NoQuery,
    State(notifications): State<Notifications>,
) -> Result<impl IntoResponse, ApiError> {
    notifications.caches().unread_count(user.id).await
}

async fn read(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(notifications): State<Notifications>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    answer(notifications.apply(user.id, Change::Read(id)).await?)
}

async fn read_all(
    user: CurrentUser,
    State(notifications): State<Notifications>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    answer(notifications.apply(user.id, Change::ReadAll).await?)
}

async fn delete(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(notifications): State<Notifications>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    answer(notifications.apply(user.id, Change::Delete(id)).await?)
}

fn answer(changed: Changed) -> Result<axum::response::Response, ApiError> {
    match changed {
        Changed::Read(notification) => Ok(Json(notification).into_response()),
        Changed::AllRead(read) => Ok(Json(read).into_response()),
        Changed::Deleted => Ok(StatusCode::NO_CONTENT.into_response()),
        Changed::Nothing => Err(ApiError::NotFound("notification")),
    }
}
