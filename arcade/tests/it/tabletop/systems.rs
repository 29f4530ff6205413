//! What game systems and templates do to rooms, and who sees and changes them.

use arcade::http::Verb;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::TestClient;
use crate::support::tabletop::new_system;

#[tokio::test]
async fn a_room_that_is_set_up_shows_the_board_and_the_state_of_its_system_at_once() {
    let client = TestClient::start().await;
    let system = client.made_by(1, "/api/systems", &new_system(json!({}))).await;
    let room = client.room_with(2, "To be set up", &[(3, "player")]).await;
    let number: i64 = room.rsplit('/').next().expect("id").parse().expect("a number");
    assert_eq!(client.read_by(2, &room).await.json()["systemId"], Value::Null);
    let (apply, body) = (format!("/api/systems/{system}/apply"), json!({ "roomId": number }));
    assert_eq!(client.as_player(3, Verb::Post, &apply, &body).await.status, 403);
    assert_eq!(client.as_player(4, Verb::Post, &apply, &body).await.status, 404);
    let applied = client.as_player(2, Verb::Post, &apply, &body).await;
    assert_eq!(applied.status, 200, "{applied:?}");
    let after = client.read_by(2, &room).await.json();
    assert_eq!((&after["systemId"], &after["gameState"]), (&json!(system), &json!({ "round": 1 })));
    assert_eq!((&after["board"]["width"], &after["board"]["grid"]), (&json!(1_000), &json!("hex")));
    let shown = client.read_by(2, &format!("/api/systems/{system}")).await.json();
    assert_eq!(shown["downloads"], 1);
    // What is applied to a room stays there when its system goes.
    client.as_player(1, Verb::Delete, &format!("/api/systems/{system}"), &Value::Null).await;
    assert_eq!(client.read_by(2, &room).await.json(), after);
    client.stop().await;
}

#[tokio::test]
async fn a_room_that_is_saved_becomes_a_template_that_makes_another_room_like_it() {
    let client = TestClient::start().await;
    let room = client.room_with(1, "The original", &[(2, "player")]).await;
    let state = json!({ "gameState": { "turn": 7 }, "board": { "height": 900 } });
    client.as_player(1, Verb::Patch, &format!("{room}/board"), &state).await;
    let label = json!({
        "name": "Turn seven", "description": "As it was.", "category": "board",
        "complexity": "simple",
    });
    let save = format!("{room}/template");
    assert_eq!(client.as_player(2, Verb::Post, &save, &label).await.status, 403);
    assert_eq!(client.as_player(3, Verb::Post, &save, &label).await.status, 404);
    let template = client.made_by(1, &save, &label).await;
    let other = client.room(1, "The copy").await;
    let number: i64 = other.rsplit('/').next().expect("id").parse().expect("a number");
    let apply = format!("/api/templates/{template}/apply");
    let applied = client.as_player(1, Verb::Post, &apply, &json!({ "roomId": number })).await;
    assert_eq!(applied.status, 200, "{applied:?}");
    let copy = client.read_by(1, &other).await.json();
    assert_eq!((&copy["gameState"]["turn"], &copy["board"]["height"]), (&json!(7), &json!(900)));
    // It is no game system.
    assert_eq!(client.read_by(1, &format!("/api/systems/{template}")).await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn what_is_private_is_in_no_list_but_its_makers_and_cannot_be_used_by_others() {
    let client = TestClient::start().await;
    let private = new_system(json!({ "name": "Unfinished", "public": false }));
    let id = client.made_by(1, "/api/systems", &private).await;
    let room = client.room(2, "Curious").await;
    let number: i64 = room.rsplit('/').next().expect("id").parse().expect("a number");
    let one = format!("/api/systems/{id}");
    for (user, status, own) in [(1, 200, true), (2, 404, false)] {
        let shown = client.read_by(user, "/api/systems?limit=100").await;
        assert!(!shown.text.contains("Unfinished"), "{user}");
        let listed = client.read_by(user, "/api/systems?own=true").await;
        assert_eq!(listed.text.contains("Unfinished"), own, "{user}");
        assert_eq!(client.read_by(user, &one).await.status, status, "{user}");
    }
    let changes = [
        (Verb::Patch, one.clone(), json!({ "name": "Taken over" })),
        (Verb::Delete, one.clone(), Value::Null),
        (Verb::Post, format!("{one}/apply"), json!({ "roomId": number })),
    ];
    for (verb, path, body) in changes {
        assert_eq!(client.as_player(2, verb, &path, &body).await.status, 404, "{path}");
    }
    assert_eq!(client.get(&one, &client.admin()).await.status, 200);
    client.stop().await;
}

#[tokio::test]
async fn only_an_admin_calls_something_official_and_only_its_maker_changes_it() {
    let client = TestClient::start().await;
    let official = new_system(json!({ "official": true }));
    assert_eq!(client.as_player(1, Verb::Post, "/api/systems", &official).await.status, 403);
    let by_admin = client.administer(Verb::Post, "/api/systems", &official).await;
    assert_eq!((by_admin.status.as_u16(), &by_admin.json()["official"]), (201, &json!(true)));
    let one =
        format!("/api/systems/{}", client.made_by(1, "/api/systems", &new_system(json!({}))).await);
    let wish = json!({ "official": true });
    assert_eq!(client.as_player(1, Verb::Patch, &one, &wish).await.status, 403);
    assert_eq!(client.as_player(2, Verb::Patch, &one, &json!({ "minutes": 5 })).await.status, 404);
    // What an admin vouches for, its maker cannot change any more.
    assert_eq!(client.administer(Verb::Patch, &one, &wish).await.status, 200);
    let behind = client.as_player(1, Verb::Patch, &one, &json!({ "minutes": 5 })).await;
    assert_eq!(behind.status, 403, "{behind:?}");
    let no_more = json!({ "official": false });
    assert_eq!(client.administer(Verb::Patch, &one, &no_more).await.status, 200);
    // One bound of two must fit the other.
    let below = client.as_player(1, Verb::Patch, &one, &json!({ "playersMax": 1 })).await;
    assert_eq!(
        (below.status.as_u16(), &below.json()["details"][0]["path"]),
        (400, &json!("playersMax"))
    );
    client.stop().await;
}

#[tokio::test]
async fn what_may_be_stored_can_be_read_and_removed_again() {
    let client = TestClient::start().await;
    let nested = |depth: usize| {
        let text = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let deep = new_system(json!({ "setup": nested(32) }));
    let one = format!("/api/systems/{}", client.made_by(1, "/api/systems", &deep).await);
    assert_eq!(client.as_player(1, Verb::Get, &one, &Value::Null).await.status, 200);
    assert_eq!(client.as_player(1, Verb::Delete, &one, &Value::Null).await.status, 204);
    let deeper = new_system(json!({ "setup": nested(33) }));
    let refused = client.as_player(1, Verb::Post, "/api/systems", &deeper).await;
    assert_eq!(refused.json()["details"][0]["path"], "setup", "{refused:?}");
    client.stop().await;
}

#[tokio::test]
async fn what_many_think_at_once_is_counted_once_each_and_can_be_taken_back() {
    let client = TestClient::start().await;
    let system = client.made_by(1, "/api/systems", &new_system(json!({}))).await;
    let (one, rating) = (format!("/api/systems/{system}"), format!("/api/systems/{system}/rating"));
    let shown = async || client.read_by(2, &one).await.json()["rating"].clone();
    assert_eq!(shown().await, json!({ "hundredths": null, "count": 0 }));
    let rate = async |user: i64, stars: i64| {
        client.as_player(user, Verb::Put, &rating, &json!({ "stars": stars })).await.status.as_u16()
    };
    // Each says it twice, at the same time as all others.
    let mut saying = JoinSet::new();
    for user in (2..18).chain(2..18) {
        let (sender, token, path) = (client.sender(), client.player(user), rating.clone());
        let body = json!({ "stars": 1 + user % 5 }).to_string();
        saying.spawn(async move { sender.send(Verb::Put, &path, Some(&token), &body).await.status });
    }
    assert!(saying.join_all().await.iter().all(|status| *status == 200));
    let stars: i64 = (2..18).map(|user| 1 + user % 5).sum();
    assert_eq!(shown().await, json!({ "hundredths": (stars * 100 + 8) / 16, "count": 16 }));
    // Another opinion replaces the first; user 2 gave three stars.
    assert_eq!(rate(2, 5).await, 200);
    let stars = stars + 2;
    assert_eq!(shown().await, json!({ "hundredths": (stars * 100 + 8) / 16, "count": 16 }));
    for _ in 0..2 {
        let back = client.as_player(2, Verb::Delete, &rating, &Value::Null).await;
        assert_eq!((back.status.as_u16(), &back.json()["rating"]["count"]), (200, &json!(15)));
    }
    assert_eq!(rate(1, 5).await, 403, "its maker has no say");
    assert_eq!(rate(2, 6).await, 400);
    assert_eq!(shown().await["count"], 15);
    client.stop().await;
}
