//! Notifications: what happened to a user, newest first. Each user sees their own only.

mod cache;
mod changes;
mod model;
mod rows;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::auth::{CurrentUser, Tokens};
use crate::http::{Access, ApiError, IdPath, NoInput, NoQuery, PageQuery, Routes, Verb};

pub use cache::{NotificationCaches, PAGES_CACHED_MAX};
pub use changes::{Change, Changed, Notifications};
pub use model::{Notification, NotificationPage, ReadAll, UnreadCount};
pub use rows::{NewNotification, NotificationRows};

/// Notifications on a page where the caller names no limit.
pub const LIMIT_DEFAULT: u32 = 50;

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Notifications: FromRef<S>,
    Tokens: FromRef<S>,
{
    Routes::new()
        .route(Verb::Get, "/notifications", Access::User, list)
        .route(Verb::Get, "/notifications/unread-count", Access::User, unread_count)
        .route(Verb::Post, "/notifications/read-all", Access::User, read_all)
        .route(Verb::Patch, "/notifications/{id}/read", Access::User, read)
        .route(Verb::Delete, "/notifications/{id}", Access::User, delete)
}

async fn list(
    user: CurrentUser,
    PageQuery(page): PageQuery<LIMIT_DEFAULT>,
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
