//! The marketplace: items that everybody sees, and what each user bought and has left, which only
//! that user sees.

mod cache;
mod changes;
mod input;
mod model;
mod purchase;
mod rows;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use self::input::{InventoryQuery, ListQuery, NewItem, Offer};
use crate::auth::{Admin, CurrentUser, Identities};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, IdempotencyKey, JsonBody, MaybeBody, NoInput, NoQuery,
    Query, Route, Routes,
};
use crate::storage::new_id;
use crate::wall;

pub use cache::MarketCaches;
pub use changes::Market;
pub use model::{
    Balance, Category, InventoryItem, InventoryPage, Item, ItemChange, ItemPage, PRICE_MAX, Receipt,
    STOCK_MAX,
};
pub use purchase::{Decision, Order, Refusal};
pub use rows::MarketRows;
pub(crate) use rows::inventory_insert;

/// What a change of an item drops.
const CHANGED: &[&CachePlan] = &[&cache::ITEMS, &cache::ITEM];

/// What a purchase drops.
const BOUGHT: &[&CachePlan] = &[&cache::ITEMS, &cache::ITEM, &cache::INVENTORY, &cache::BALANCE];

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Market: FromRef<S>,
    Identities: FromRef<S>,
{
    admin_routes(reading_routes(Routes::new())).route(
        Route::post("/marketplace/items/{id}/buy", Access::User, "Buys one piece of an item.")
            .answers(StatusCode::CREATED)
            .drops(BOUGHT)
            .refuses(StatusCode::UNPROCESSABLE_ENTITY, "The key stands for another request."),
        buy,
    )
}

fn reading_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Market: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(
            Route::get("/marketplace/items", Access::Public, "What there is, newest first.")
                .cached(&[&cache::ITEMS]),
            list,
        )
        .route(
            Route::get("/marketplace/items/{id}", Access::Public, "One item.")
                .cached(&[&cache::ITEM]),
            show,
        )
        .route(
            Route::get("/marketplace/inventory", Access::User, "What you bought, newest first.")
                .cached(&[&cache::INVENTORY]),
            inventory,
        )
        .route(
            Route::get("/marketplace/balance", Access::User, "The money that you have.")
                .cached(&[&cache::BALANCE])
                .refuses(StatusCode::NOT_FOUND, "You are no user any more."),
            balance,
        )
}

fn admin_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Market: FromRef<S>,
    Identities: FromRef<S>,
{
    routes
        .route(
            Route::post("/marketplace/items", Access::Admin, "Puts an item on the marketplace.")
                .answers(StatusCode::CREATED)
                .drops(CHANGED),
            create,
        )
        .route(
            Route::patch("/marketplace/items/{id}", Access::Admin, "Changes an item.").drops(CHANGED),
            change,
        )
        .route(
            Route::delete("/marketplace/items/{id}", Access::Admin, "Takes an item away.")
                .answers(StatusCode::NO_CONTENT)
                .drops(CHANGED),
            remove,
        )
}

async fn list(
    Query(ListQuery { page, category }): Query<ListQuery>,
    State(market): State<Market>,
) -> Result<impl IntoResponse, ApiError> {
    market.caches().page(category, page).await
}

async fn show(
    IdPath(id): IdPath,
    _: NoQuery,
    State(market): State<Market>,
) -> Result<impl IntoResponse, ApiError> {
    market.caches().item(id).await
}

async fn inventory(
    user: CurrentUser,
    Query(InventoryQuery(stretch)): Query<InventoryQuery>,
    State(market): State<Market>,
) -> Result<impl IntoResponse, ApiError> {
    market.caches().inventory(user.id, stretch).await
}

async fn balance(
    user: CurrentUser,
    _: NoQuery,
    State(market): State<Market>,
) -> Result<impl IntoResponse, ApiError> {
    market.caches().balance(user.id).await
}

async fn create(
    _: Admin,
    State(market): State<Market>,
    JsonBody(new): JsonBody<NewItem>,
) -> Result<impl IntoResponse, ApiError> {
    let item = new.numbered(new_id(), wall::now_ms());
    Ok((StatusCode::CREATED, Json(market.create(item).await?)))
}

async fn change(
    _: Admin,
    IdPath(id): IdPath,
    State(market): State<Market>,
    JsonBody(change): JsonBody<ItemChange>,
) -> Result<impl IntoResponse, ApiError> {
    market.change(id, change).await?.map(Json).ok_or(ApiError::NotFound("item"))
}

async fn remove(
    _: Admin,
    IdPath(id): IdPath,
    State(market): State<Market>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    match market.remove(id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound("item")),
    }
}

async fn buy(
    user: CurrentUser,
    IdPath(item): IdPath,
    IdempotencyKey(key): IdempotencyKey,
    State(market): State<Market>,
    MaybeBody(Offer { expected_price }): MaybeBody<Offer>,
) -> Result<impl IntoResponse, ApiError> {
    let order = Order { buyer: user.id, item, expected_price, key };
    let receipt = market.buy(order).await?.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(receipt)))
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NoItem => ApiError::NotFound("item"),
        Refusal::NoBuyer => ApiError::NotFound("user"),
        Refusal::NotForSale => ApiError::Conflict("the item is not for sale"),
        Refusal::SoldOut => ApiError::Conflict("the item is sold out"),
        Refusal::OtherPrice => ApiError::Conflict("the price is not the expected one"),
        Refusal::TooPoor => ApiError::Conflict("the balance is too small"),
        Refusal::KeyOfAnother => ApiError::KeyOfAnother,
    }
}
