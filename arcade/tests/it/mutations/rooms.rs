//! What users change about rooms, the seats in them and what lies on their boards. User 1 owns the
//! room, user 3 plays in it and user 4 comes later; nothing of user 2 and user 5 is changed. A room
//! is read once: by its number, by its name, with others and as its board it is one entry. Which
//! number a name stands for is another.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Made, Mutation, Read, loaded_before, of_user};
use crate::support::TestClient;

macro_rules! rows {
    ($($verb:ident $path:literal, $case:literal: $prepare:ident,)+) => {
        pub(crate) const ROWS: &[Mutation] = &[$(Mutation {
            verb: Verb::$verb,
            path: $path,
            case: $case,
            prepare: |client| Box::pin($prepare(client)),
        },)+];
    };
}

rows! {
    Post "/api/rooms", "whose name was asked for before": create,
    Patch "/api/rooms/{id}", "its name": rename,
    Patch "/api/rooms/{id}", "that it takes nobody": close,
    Patch "/api/rooms/{id}", "how many may play": resize,
    Delete "/api/rooms/{id}", "with players and an asset": remove,
    Patch "/api/rooms/{id}/board", "the state of the game": change_board,
    Post "/api/rooms/{id}/join", "a free place": join,
    Post "/api/rooms/{id}/leave", "a taken place": leave,
    Patch "/api/rooms/{id}/players/{userId}", "a score": score,
    Patch "/api/rooms/{id}/players/{userId}", "a role": promote,
    Delete "/api/rooms/{id}/players/{userId}", "one who plays": kick,
    Post "/api/rooms/{id}/board-assets", "an asset without a room": place,
    Patch "/api/rooms/{id}/board-assets/{boardAssetId}", "its place": move_piece,
    Delete "/api/rooms/{id}/board-assets/{boardAssetId}", "a piece": take_away,
}

/// The users whose lists are looked at.
const USERS: [i64; 4] = [1, 2, 3, 4];

/// A room with two users in it, an asset and a piece, and another one that nothing happens to.
struct Table {
    room: String,
    name: String,
    asset: i64,
    piece: String,
    other: String,
}

impl Table {
    async fn of(client: &TestClient, name: &str) -> Self {
        let room = client.room_with(1, name, &[(3, "player")]).await;
        let asset = client.asset_by(1, json!({ "roomId": number(&room) })).await;
        let piece = client.piece_by(3, &room, json!({})).await;
        let other = client.room_with(2, &format!("{name}, elsewhere"), &[(5, "player")]).await;
        Table { room, name: name.replace(' ', "%20"), asset, piece, other }
    }

    fn path(&self, tail: &str) -> String {
        format!("{}{tail}", self.room)
    }

    fn by_name(&self) -> String {
        format!("/api/rooms/{}", self.name)
    }

    fn players(&self) -> String {
        self.path("/players")
    }

    fn assets(&self) -> Vec<String> {
        vec![self.path("/assets"), format!("/api/assets/{}", self.asset)]
    }
}

fn number(room: &str) -> i64 {
    room.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number")
}

/// A change by `user`, which shows in `shows` and in the lists of `lists`. What else there is of the
/// room, and all of the other one, is among what it leaves alone.
async fn case(
    client: &TestClient,
    table: &Table,
    (user, path, body): (i64, String, Value),
    shows: Vec<String>,
    lists: &[i64],
) -> Case {
    let one = client.player(1);
    let other = &table.other;
    let mut keeps = vec![other.clone(), format!("{other}/players"), format!("{other}/assets")];
    keeps.push(format!("/api/rooms?ids={}", number(other)));
    let of_room = [vec![table.players()], table.assets()].concat();
    keeps.extend(of_room.into_iter().filter(|path| !shows.contains(path)));
    let (mut shows, mut keeps) = (of_user(&one, shows), of_user(&one, keeps));
    for user in USERS {
        let own: [Read; 1] = own_rooms(client, user);
        if lists.contains(&user) { shows.extend(own) } else { keeps.extend(own) }
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path, token: Some(client.player(user)), body, shows, keeps }
}

fn own_rooms(client: &TestClient, user: i64) -> [Read; 1] {
    let path = format!("/api/user/{user}/rooms");
    [Read { path, token: Some(client.player(user)), made: Made::OfItsOwn }]
}

async fn create(client: &TestClient) -> Case {
    let table = Table::of(client, "Before the new one").await;
    let change = (1, "/api/rooms".to_owned(), json!({ "name": "Asked for" }));
    case(client, &table, change, vec!["/api/rooms/Asked%20for".to_owned()], &[1]).await
}

async fn rename(client: &TestClient) -> Case {
    let table = Table::of(client, "The old name").await;
    let new = "/api/rooms/The%20new%20name".to_owned();
    let shows = vec![table.room.clone(), table.by_name(), new];
    let change = (1, table.room.clone(), json!({ "name": "The new name" }));
    case(client, &table, change, shows, &[1, 3]).await
}

async fn close(client: &TestClient) -> Case {
    let table = Table::of(client, "Closing time").await;
    let shows = vec![table.room.clone()];
    let change = (1, table.room.clone(), json!({ "active": false }));
    let mut case = case(client, &table, change, shows, &[1, 3]).await;
    // Its name still stands for it.
    case.shows.extend(loaded_before(of_user(&client.player(1), [table.by_name()])));
    case
}

async fn resize(client: &TestClient) -> Case {
    let table = Table::of(client, "More chairs").await;
    let shows = vec![table.room.clone()];
    let change = (1, table.room.clone(), json!({ "playersMax": 12 }));
    case(client, &table, change, shows, &[]).await
}

async fn remove(client: &TestClient) -> Case {
    let table = Table::of(client, "The last evening").await;
    let mut shows = vec![table.room.clone(), table.by_name(), table.players()];
    shows.extend(table.assets());
    case(client, &table, (1, table.room.clone(), Value::Null), shows, &[1, 3]).await
}

async fn change_board(client: &TestClient) -> Case {
    let table = Table::of(client, "The next turn").await;
    let shows = vec![table.room.clone()];
    let change = (1, table.path("/board"), json!({ "gameState": { "turn": 2 } }));
    case(client, &table, change, shows, &[]).await
}

async fn join(client: &TestClient) -> Case {
    let table = Table::of(client, "One more comes").await;
    let shows = vec![table.room.clone(), table.players()];
    case(client, &table, (4, table.path("/join"), Value::Null), shows, &[4]).await
}

async fn leave(client: &TestClient) -> Case {
    let table = Table::of(client, "One goes home").await;
    let shows = vec![table.room.clone(), table.players()];
    case(client, &table, (3, table.path("/leave"), Value::Null), shows, &[3]).await
}

async fn score(client: &TestClient) -> Case {
    let table = Table::of(client, "A point").await;
    let shows = vec![table.room.clone(), table.players()];
    case(client, &table, (1, table.path("/players/3"), json!({ "score": 7 })), shows, &[]).await
}

async fn promote(client: &TestClient) -> Case {
    let table = Table::of(client, "Another leads").await;
    let shows = vec![table.room.clone(), table.players()];
    case(client, &table, (1, table.path("/players/3"), json!({ "role": "gm" })), shows, &[3]).await
}

async fn kick(client: &TestClient) -> Case {
    let table = Table::of(client, "One must go").await;
    let shows = vec![table.room.clone(), table.players()];
    case(client, &table, (1, table.path("/players/3"), Value::Null), shows, &[3]).await
}

async fn place(client: &TestClient) -> Case {
    let table = Table::of(client, "A new piece").await;
    let asset = client.asset_by(3, json!({})).await;
    let body = json!({ "assetId": asset, "x": 1, "y": 2 });
    case(client, &table, (3, table.path("/board-assets"), body), vec![table.room.clone()], &[]).await
}

async fn move_piece(client: &TestClient) -> Case {
    let table = Table::of(client, "A moved piece").await;
    let change = (3, table.piece.clone(), json!({ "x": 99, "flipped": true }));
    case(client, &table, change, vec![table.room.clone()], &[]).await
}

async fn take_away(client: &TestClient) -> Case {
    let table = Table::of(client, "A lost piece").await;
    case(client, &table, (1, table.piece.clone(), Value::Null), vec![table.room.clone()], &[]).await
}
