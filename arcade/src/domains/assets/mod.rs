//! Assets: what is known of the files that boards are made of. What is not public is its uploader's
//! own.

mod cache;
mod changes;
mod input;
mod model;
mod rows;

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use self::input::{AssetsQuery, NewAsset};
use crate::auth::{CurrentUser, Identities};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, JsonBody, LIMIT_DEFAULT, NoInput, NoQuery, PageQuery, Query,
    Route, Routes,
};
use crate::storage::new_id;
use crate::tabletop::{ASSET_META, ROOM_ASSETS};
use crate::wall;

pub use cache::AssetCaches;
pub use changes::Assets;
pub use model::{Asset, AssetKind, AssetNumbers, AssetPage, AssetsFound};
pub use rows::AssetRows;

/// What a change drops.
const CHANGED: &[&CachePlan] = &[&ASSET_META, &ROOM_ASSETS];

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Assets: FromRef<S>,
    Identities: FromRef<S>,
{
    let (all, one, of_room) = ("/api/assets", "/api/assets/{id}", "/api/rooms/{id}/assets");
    Routes::new()
        .route(
            Route::get(all, Access::User, "These assets, in the order of their numbers' list.")
                .cached(&[&ASSET_META]),
            list,
        )
        .route(
            Route::get(one, Access::User, "What is known of an asset.").cached(&[&ASSET_META]),
            show,
        )
        .route(
            Route::get(of_room, Access::User, "The assets of a room, newest first.")
                .cached(&[&ROOM_ASSETS, &ASSET_META]),
            show_of_room,
        )
        .route(
            Route::post(all, Access::User, "Keeps what is known of a new asset of yours.")
                .answers(StatusCode::CREATED)
                .drops(CHANGED)
                .refuses(StatusCode::FORBIDDEN, "You only look on in the room.")
                .refuses(StatusCode::NOT_FOUND, "No such room or game system of yours."),
            create,
        )
        .route(
            Route::delete(one, Access::User, "Takes an asset of yours away.")
                .answers(StatusCode::NO_CONTENT)
                .drops(CHANGED),
            remove,
        )
}

async fn list(
    user: CurrentUser,
    Query(AssetsQuery(ids)): Query<AssetsQuery>,
    State(assets): State<Assets>,
) -> Result<impl IntoResponse, ApiError> {
    let found = assets.caches().assets(&ids, user).await?;
    Ok(found.map(|found| {
        let items = found.iter().flatten().map(Arc::clone).collect();
        let missing = ids.iter().zip(found).filter(|(_, asset)| asset.is_none());
        AssetsFound { items, missing: missing.map(|(id, _)| *id).collect() }
    }))
}

async fn show(
    user: CurrentUser,
    IdPath(id): IdPath,
    _: NoQuery,
    State(assets): State<Assets>,
) -> Result<impl IntoResponse, ApiError> {
    assets.caches().asset(id, user).await
}

/// The numbers first, then all of them at once.
async fn show_of_room(
    user: CurrentUser,
    IdPath(room): IdPath,
    Query(PageQuery(page)): Query<PageQuery<LIMIT_DEFAULT>>,
    State(assets): State<Assets>,
) -> Result<impl IntoResponse, ApiError> {
    let numbers = assets.caches().of_room(room, user, page).await?;
    let found = assets.caches().assets(&numbers.value.ids, user).await?;
    Ok(numbers.join(&found, |numbers, found| AssetPage {
        items: found.iter().flatten().map(Arc::clone).collect(),
        total: numbers.total,
        page: page.number,
        limit: page.limit,
        pages: numbers.total.div_ceil(page.limit.into()),
    }))
}

async fn create(
    user: CurrentUser,
    State(assets): State<Assets>,
    JsonBody(new): JsonBody<NewAsset>,
) -> Result<impl IntoResponse, ApiError> {
    let asset = new.numbered(new_id(), user.id, wall::now_ms());
    Ok((StatusCode::CREATED, Json(assets.create(user, asset).await?)))
}

async fn remove(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(assets): State<Assets>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    assets.remove(user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
