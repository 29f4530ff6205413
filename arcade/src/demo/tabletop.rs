//! The tabletop of the demo world: game systems and templates, and a room for each ten users, with
//! those who sit in it and what lies on its board.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::filling::Filling;
use super::{BEGIN_MS, SPAN_MS, World};
use crate::domains::assets::{Asset, AssetKind, AssetRows};
use crate::domains::rooms::{
    BoardAsset, RoomPlayer, RoomState, Visibility, pieces_insert, rooms_insert, seats_insert,
};
use crate::domains::systems::{Category, Complexity, Content, Rating, Shelf, System, SystemRows};
use crate::storage::StorageError;
use crate::tabletop::{Board, Grid, Seat};

const STREAM: u64 = 5;

const USERS_A_ROOM: u32 = 10;

/// Seats in a room, the owner's included, and things on its board.
const SEATS: u32 = 4;
const PIECES: u32 = 2;

/// At most so many games are known.
const SYSTEMS_MAX: u32 = 24;

const PLACES: [&str; 6] =
    ["Dragon Keep", "Green Table", "Night Harbour", "Old Mill", "Red Cellar", "Star Port"];

const GAMES: [(Category, Complexity, &str); 6] = [
    (Category::Board, Complexity::Simple, "Settlers' Coast"),
    (Category::Card, Complexity::Simple, "Twenty Tricks"),
    (Category::Party, Complexity::Simple, "Who Laughs Last"),
    (Category::Roleplaying, Complexity::Medium, "Caves of Chalk"),
    (Category::Roleplaying, Complexity::Complex, "Long Campaign"),
    (Category::Wargame, Complexity::Complex, "Hex and Smoke"),
];

pub(super) async fn fill(filling: &mut Filling<'_>) -> Result<(), StorageError> {
    let world = filling.world;
    let mut random = world.random(STREAM);
    let rooms = world.users / USERS_A_ROOM;
    let systems = rooms.min(SYSTEMS_MAX);
    filling
        .part("game systems", systems, async |connection, ids| {
            let systems: Vec<System> = ids.iter().map(|id| system(world, *id)).collect();
            SystemRows::insert(connection, &systems).await
        })
        .await?;
    filling
        .part("rooms", rooms, async |connection, ids| {
            let rooms: Vec<RoomState> = ids.iter().map(|id| room(*id, systems)).collect();
            rooms_insert(connection, &rooms).await
        })
        .await?;
    filling
        .part("seats", rooms * SEATS, async |connection, ids| {
            let seats: Vec<(i64, RoomPlayer)> =
                ids.iter().map(|id| seat(world, *id, &mut random)).collect();
            let seats: Vec<_> = seats.iter().map(|(room, player)| (*room, player)).collect();
            seats_insert(connection, &seats).await
        })
        .await?;
    filling
        .part("assets", rooms * PIECES, async |connection, ids| {
            let assets: Vec<Asset> = ids.iter().map(|id| asset(*id)).collect();
            AssetRows::insert(connection, &assets).await?;
            let pieces: Vec<(i64, BoardAsset)> = assets.iter().map(piece).collect();
            let pieces: Vec<_> = pieces.iter().map(|(room, piece)| (*room, piece)).collect();
            pieces_insert(connection, &pieces).await
        })
        .await
}

/// Every other one is a template.
fn system(world: World, id: i64) -> System {
    let (category, complexity, name) = GAMES[(id as usize - 1) / 2 % GAMES.len()];
    let shelf = if id % 2 == 0 { Shelf::Template } else { Shelf::System };
    let created_at_ms = BEGIN_MS + id * SPAN_MS / i64::from(SYSTEMS_MAX + 1);
    System {
        id,
        shelf,
        owner_id: world.admin().0,
        name: format!("{name} {id}"),
        description: format!("{name}, for an evening around one table."),
        category,
        complexity,
        version: "1.0".to_owned(),
        official: true,
        public: true,
        downloads: 0,
        rating: Rating::default(),
        players_min: 2,
        players_max: 6,
        minutes: 90,
        tags: vec!["demo".to_owned(), category.name().to_owned()],
        content: Content {
            rules: "Each in turn. Whoever is last to laugh has won.".to_owned(),
            setup: json!({ "round": 1 }),
            board: Board { grid: Grid::Hex, ..Board::default() },
            ..Content::empty()
        },
        created_at_ms,
        changed_at_ms: created_at_ms,
    }
}

/// The first rooms are those of the first users.
fn room(id: i64, systems: u32) -> RoomState {
    let place = PLACES[(id as usize - 1) % PLACES.len()];
    let created_at_ms = BEGIN_MS + id;
    RoomState {
        id,
        name: format!("{place} {id}"),
        owner_id: id,
        active: true,
        players_max: 8,
        system_id: Some((id - 1) % i64::from(systems) + 1),
        board: Board::default(),
        game_state: json!({ "round": 1 }),
        players: Vec::new(),
        board_assets: Vec::new(),
        version: 1,
        created_at_ms,
        changed_at_ms: created_at_ms,
    }
}

/// The owner of a room first, and then those numbered behind them.
fn seat(world: World, id: i64, random: &mut ChaCha8Rng) -> (i64, RoomPlayer) {
    let (room, place) = ((id - 1) / i64::from(SEATS) + 1, (id - 1) % i64::from(SEATS));
    let role = [Seat::Admin, Seat::Gm, Seat::Player, Seat::Observer][place as usize];
    let player = RoomPlayer {
        user_id: (room + place - 1) % i64::from(world.users) + 1,
        name: String::new(),
        role,
        online: false,
        score: if role.plays() { random.random_range(0..=100) } else { 0 },
        joined_at_ms: BEGIN_MS + room + place,
    };
    (room, player)
}

/// A room has a map and a token, which its owner brought.
fn asset(id: i64) -> Asset {
    let room = (id - 1) / i64::from(PIECES) + 1;
    let is_map = id % 2 == 1;
    let (kind, name) = if is_map { (AssetKind::Map, "map") } else { (AssetKind::Token, "token") };
    let side = if is_map { 800 } else { 50 };
    Asset {
        id,
        room_id: Some(room),
        system_id: None,
        uploader_id: room,
        name: format!("The {name} of room {room}"),
        kind,
        path: format!("/images/tabletop/{name}.webp"),
        file_name: format!("{name}.webp"),
        size_bytes: 4_096,
        mime_type: "image/webp".to_owned(),
        width: Some(side),
        height: Some(side),
        public: true,
        tags: vec!["demo".to_owned()],
        metadata: json!({}),
        created_at_ms: BEGIN_MS + id,
    }
}

fn piece(asset: &Asset) -> (i64, BoardAsset) {
    let is_map = asset.kind == AssetKind::Map;
    let piece = BoardAsset {
        id: asset.id,
        asset_id: asset.id,
        owner_id: asset.uploader_id,
        x: 0,
        y: 0,
        rotation: 0,
        scale: 100,
        order: if is_map { 0 } else { 1 },
        visibility: Visibility::Everyone,
        locked: is_map,
        flipped: false,
    };
    (asset.room_id.unwrap_or_default(), piece)
}
