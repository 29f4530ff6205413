//! The routes of rooms.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::cache;
use super::changes::Rooms;
use super::input::{
    BoardAssetChange, BoardChange, Joining, NewBoardAsset, NewRoom, PlayerChange, RoomChange,
    RoomPath, RoomsQuery,
};
use super::model::{BoardAssetList, RoomCard, RoomCards, RoomView};
use crate::auth::{CurrentUser, Identities, Role, UserId};
use crate::http::{
    Access, ApiError, CachePlan, IdPath, IdPaths, JsonBody, LIMIT_DEFAULT, MaybeBody, NoInput,
    NoQuery, PageQuery, Query, Route, Routes,
};
use crate::tabletop::{ASSET_META, ROOM_ASSETS, ROOM_STATE};

/// What a change of the room itself drops.
const CHANGED: &[&CachePlan] = &[&ROOM_STATE, &cache::NAMES, &cache::PLAYERS, &cache::OF_USER];

/// What the end of a room drops, and that of the assets which were its own.
const REMOVED: &[&CachePlan] =
    &[&ROOM_STATE, &cache::NAMES, &cache::PLAYERS, &cache::OF_USER, &ROOM_ASSETS, &ASSET_META];

/// What a change of somebody in the room drops.
const SEATED: &[&CachePlan] = &[&ROOM_STATE, &cache::PLAYERS, &cache::OF_USER];

/// What a change on the board drops.
const PLACED: &[&CachePlan] = &[&ROOM_STATE];

/// Why it is not everybody in a room who may do something there.
const ADMINS: &str = "You are no admin of the room.";
const LEADERS: &str = "You do not lead the game in the room.";
const PLAYERS: &str = "You look on, or only who leads the game may do this with the piece.";

/// The routes of this domain.
pub fn router<S>() -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Rooms: FromRef<S>,
    Identities: FromRef<S>,
{
    player_routes(board_routes(room_routes(Routes::new())))
}

fn room_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Rooms: FromRef<S>,
    Identities: FromRef<S>,
{
    let room = "/api/rooms/{id}";
    routes
        .route(
            Route::get(
                "/api/rooms",
                Access::User,
                "These rooms, in the order of their numbers' list.",
            )
            .cached(&[&ROOM_STATE]),
            list,
        )
        .route(
            Route::post("/api/rooms", Access::User, "Makes a room that is yours.")
                .answers(StatusCode::CREATED)
                .drops(CHANGED)
                .refuses(StatusCode::NOT_FOUND, "You are no user any more."),
            create,
        )
        .route(
            Route::get(room, Access::User, "A room by its number or its name, as you see it.")
                .cached(&[&ROOM_STATE, &cache::NAMES]),
            show,
        )
        .route(
            Route::patch(room, Access::User, "Changes a room.")
                .drops(CHANGED)
                .refuses(StatusCode::FORBIDDEN, ADMINS),
            change,
        )
        .route(
            Route::delete(room, Access::User, "Removes a room of yours with all that is in it.")
                .answers(StatusCode::NO_CONTENT)
                .drops(REMOVED)
                .refuses(StatusCode::FORBIDDEN, "The room is not yours."),
            remove,
        )
        .route(
            Route::get("/api/user/{id}/rooms", Access::User, "The rooms that you sit in.")
                .cached(&[&cache::OF_USER])
                .refuses(StatusCode::FORBIDDEN, "They are the rooms of another user."),
            own,
        )
}

fn board_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Rooms: FromRef<S>,
    Identities: FromRef<S>,
{
    let board = "/api/rooms/{id}/board";
    let pieces = "/api/rooms/{id}/board-assets";
    let piece = "/api/rooms/{id}/board-assets/{boardAssetId}";
    routes
        .route(
            Route::patch(board, Access::User, "Changes the board or the state of the game.")
                .drops(PLACED)
                .refuses(StatusCode::FORBIDDEN, LEADERS),
            change_board,
        )
        .route(
            Route::get(pieces, Access::User, "What you see on the board, lowest first.")
                .cached(&[&ROOM_STATE]),
            pieces_shown,
        )
        .route(
            Route::post(pieces, Access::User, "Puts an asset on the board.")
                .answers(StatusCode::CREATED)
                .drops(PLACED)
                .refuses(StatusCode::FORBIDDEN, PLAYERS),
            place,
        )
        .route(
            Route::patch(piece, Access::User, "Moves a piece, or changes how it lies.")
                .drops(PLACED)
                .refuses(StatusCode::FORBIDDEN, PLAYERS),
            change_piece,
        )
        .route(
            Route::delete(piece, Access::User, "Takes a piece off the board.")
                .answers(StatusCode::NO_CONTENT)
                .drops(PLACED)
                .refuses(StatusCode::FORBIDDEN, PLAYERS),
            take_away,
        )
}

fn player_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Rooms: FromRef<S>,
    Identities: FromRef<S>,
{
    let player = "/api/rooms/{id}/players/{userId}";
    routes
        .route(
            Route::get("/api/rooms/{id}/players", Access::User, "Who sits in a room.")
                .cached(&[&cache::PLAYERS]),
            players,
        )
        .route(
            Route::post("/api/rooms/{id}/join", Access::User, "Lets you into a room.")
                .answers(StatusCode::CREATED)
                .drops(SEATED),
            join,
        )
        .route(
            Route::post("/api/rooms/{id}/leave", Access::User, "Takes you out of a room.")
                .answers(StatusCode::NO_CONTENT)
                .drops(SEATED),
            leave,
        )
        .route(
            Route::patch(player, Access::User, "Changes somebody's role, score or presence.")
                .drops(SEATED)
                .refuses(StatusCode::FORBIDDEN, "Your role in the room is not enough."),
            change_player,
        )
        .route(
            Route::delete(player, Access::User, "Takes somebody out of a room.")
                .answers(StatusCode::NO_CONTENT)
                .drops(SEATED)
                .refuses(StatusCode::FORBIDDEN, LEADERS),
            remove_player,
        )
}

async fn list(
    _: CurrentUser,
    Query(RoomsQuery(ids)): Query<RoomsQuery>,
    State(rooms): State<Rooms>,
) -> Result<impl IntoResponse, ApiError> {
    let found = rooms.caches().rooms(&ids).await?;
    Ok(found.map(|found| {
        let items = found.iter().flatten().map(|room| RoomCard::of(room)).collect();
        let missing = ids.iter().zip(found).filter(|(_, room)| room.is_none());
        RoomCards { items, missing: missing.map(|(id, _)| *id).collect() }
    }))
}

async fn create(
    user: CurrentUser,
    State(rooms): State<Rooms>,
    JsonBody(new): JsonBody<NewRoom>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(rooms.create(user, new).await?)))
}

async fn show(
    user: CurrentUser,
    path: RoomPath,
    _: NoQuery,
    State(rooms): State<Rooms>,
) -> Result<impl IntoResponse, ApiError> {
    let room = match path {
        RoomPath::Id(id) => rooms.caches().room(id).await?,
        RoomPath::Name(name) => rooms.caches().named(name).await?,
    };
    Ok(room.map(|room| RoomView::of(room, user)))
}

async fn change(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    JsonBody(change): JsonBody<RoomChange>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(rooms.change(id, user, change).await?))
}

async fn remove(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    rooms.remove(id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn own(
    user: CurrentUser,
    IdPath(of): IdPath,
    Query(PageQuery(page)): Query<PageQuery<LIMIT_DEFAULT>>,
    State(rooms): State<Rooms>,
) -> Result<impl IntoResponse, ApiError> {
    match user.id.0 == of || user.role == Role::Admin {
        true => rooms.caches().of_user(UserId(of), page).await,
        false => Err(ApiError::ForeignUser),
    }
}

async fn change_board(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    JsonBody(change): JsonBody<BoardChange>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(rooms.change_board(id, user, change).await?))
}

async fn pieces_shown(
    user: CurrentUser,
    IdPath(id): IdPath,
    _: NoQuery,
    State(rooms): State<Rooms>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(rooms.caches().room(id).await?.map(|room| {
        let items = room.shown_to(user);
        BoardAssetList { total: items.len(), items }
    }))
}

async fn place(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    JsonBody(new): JsonBody<NewBoardAsset>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(rooms.place(id, user, new).await?)))
}

async fn change_piece(
    user: CurrentUser,
    IdPaths([id, piece]): IdPaths<2>,
    State(rooms): State<Rooms>,
    JsonBody(change): JsonBody<BoardAssetChange>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(rooms.change_piece(id, user, piece, change).await?))
}

async fn take_away(
    user: CurrentUser,
    IdPaths([id, piece]): IdPaths<2>,
    State(rooms): State<Rooms>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    rooms.take_away(id, user, piece).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn players(
    _: CurrentUser,
    IdPath(id): IdPath,
    _: NoQuery,
    State(rooms): State<Rooms>,
) -> Result<impl IntoResponse, ApiError> {
    rooms.caches().players(id).await
}

async fn join(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    MaybeBody(Joining(seat)): MaybeBody<Joining>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((StatusCode::CREATED, Json(rooms.join(id, user, seat).await?)))
}

async fn leave(
    user: CurrentUser,
    IdPath(id): IdPath,
    State(rooms): State<Rooms>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    rooms.remove_player(id, user, user.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_player(
    user: CurrentUser,
    IdPaths([id, target]): IdPaths<2>,
    State(rooms): State<Rooms>,
    JsonBody(change): JsonBody<PlayerChange>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Json(rooms.change_player(id, user, UserId(target), change).await?))
}

async fn remove_player(
    user: CurrentUser,
    IdPaths([id, target]): IdPaths<2>,
    State(rooms): State<Rooms>,
    _: NoInput,
) -> Result<impl IntoResponse, ApiError> {
    rooms.remove_player(id, user, UserId(target)).await?;
    Ok(StatusCode::NO_CONTENT)
}
