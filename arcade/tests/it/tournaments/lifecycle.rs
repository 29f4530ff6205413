//! What may follow what in the life of a tournament.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;

/// Takes a tournament of four players as far as `status`.
async fn as_far_as(client: &TestClient, status: &str) -> String {
    let path = match status {
        "UPCOMING" | "CANCELLED" => client.tournament(json!({})).await,
        "REGISTRATION" => client.open_tournament(1..=4).await,
        _ => client.begun_tournament().await.0,
    };
    if status == "COMPLETED" {
        for one in client.shown(&format!("{path}/matches")).await["items"].as_array().expect("items")
        {
            let change = json!({ "status": "FORFEITED", "winner": one["playerA"] });
            let one = format!("{path}/matches/{}", one["id"]);
            assert_eq!(client.administer(Verb::Patch, &one, &change).await.status, 200);
        }
    }
    if matches!(status, "LIVE" | "COMPLETED" | "CANCELLED") {
        let change = json!({ "status": status });
        assert_eq!(client.administer(Verb::Patch, &path, &change).await.status, 200);
    }
    path
}

#[tokio::test]
async fn a_status_follows_only_where_it_makes_sense() {
    let client = TestClient::start().await;
    let statuses = ["UPCOMING", "REGISTRATION", "ACTIVE", "LIVE", "COMPLETED", "CANCELLED"];
    let allowed = [
        ("UPCOMING", "REGISTRATION"),
        ("UPCOMING", "CANCELLED"),
        ("REGISTRATION", "CANCELLED"),
        ("ACTIVE", "LIVE"),
        ("ACTIVE", "CANCELLED"),
        ("LIVE", "CANCELLED"),
    ];
    for from in statuses {
        for to in statuses {
            // The matches of these are not over yet; that is another promise.
            if to == "COMPLETED" && matches!(from, "ACTIVE" | "LIVE") {
                continue;
            }
            let path = as_far_as(&client, from).await;
            let answer = client.administer(Verb::Patch, &path, &json!({ "status": to })).await;
            let over = matches!(from, "COMPLETED" | "CANCELLED");
            let expected =
                if allowed.contains(&(from, to)) || (from == to && !over) { 200 } else { 409 };
            assert_eq!(answer.status, expected, "{from} to {to}: {answer:?}");
            let shown = if expected == 200 { to } else { from };
            assert_eq!(client.shown(&path).await["status"], shown, "{from} to {to}");
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn a_tournament_is_completed_when_its_matches_are_over_and_not_before() {
    let client = TestClient::start().await;
    let (path, _) = client.begun_tournament().await;
    let early = client.administer(Verb::Patch, &path, &json!({ "status": "COMPLETED" })).await;
    assert_eq!(early.status, 409);
    assert_eq!(early.json()["error"], "the tournament has matches that are not over");
    let over = as_far_as(&client, "COMPLETED").await;
    assert_eq!(client.shown(&over).await["status"], "COMPLETED");
    client.stop().await;
}

#[tokio::test]
async fn what_players_rely_on_is_fixed_in_time() {
    let client = TestClient::start().await;
    let open = client.open_tournament(1..=4).await;
    let (begun, _) = client.begun_tournament().await;
    let cases = [
        (&open, json!({ "entryFeeMinor": 1 }), 409),
        (&open, json!({ "maxPlayers": 3 }), 409),
        (&open, json!({ "maxPlayers": 4 }), 200),
        (&open, json!({ "gameType": "TEN_BALL" }), 200),
        (&begun, json!({ "gameType": "TEN_BALL" }), 409),
        (&begun, json!({ "format": "DOUBLE_ELIMINATION" }), 409),
        (&begun, json!({ "maxPlayers": 16 }), 409),
        (&begun, json!({ "rewards": "A cue" }), 200),
    ];
    for (path, change, expected) in cases {
        let answer = client.administer(Verb::Patch, path, &change).await;
        assert_eq!(answer.status, expected, "{change}: {answer:?}");
    }
    client.stop().await;
}

#[tokio::test]
async fn who_is_no_longer_sponsored_keeps_no_sponsor() {
    let client = TestClient::start().await;
    let sponsor = json!({
        "sponsored": true, "sponsorName": "Chalk & Co", "sponsorBannerUrl": "https://chalk.example/b.png",
    });
    let path = client.tournament(sponsor).await;
    let answer = client.administer(Verb::Patch, &path, &json!({ "sponsored": false })).await;
    assert_eq!(answer.status, 200);
    let shown = client.shown(&path).await;
    assert_eq!(
        (&shown["sponsored"], &shown["sponsorName"], &shown["sponsorBannerUrl"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    client.stop().await;
}

#[tokio::test]
async fn the_start_draws_the_first_round_by_the_order_of_registration() {
    let client = TestClient::start().await;
    for format in ["SINGLE_ELIMINATION", "DOUBLE_ELIMINATION"] {
        let path = client.tournament(json!({ "status": "REGISTRATION", "format": format })).await;
        for player in [9, 4, 7, 2, 5] {
            let path = format!("{path}/register");
            let answer = client.send(Verb::Post, &path, Some(&client.player(player)), "").await;
            assert_eq!(answer.status, 200);
        }
        let begun = client.administer(Verb::Post, &format!("{path}/start"), &Value::Null).await;
        assert_eq!(
            (begun.status.as_u16(), &begun.json()["tournament"]["status"]),
            (200, &json!("ACTIVE"))
        );
        let detail = client.shown(&path).await;
        let seeds: Vec<Value> = (1..)
            .zip([9, 4, 7, 2, 5])
            .map(|(seed, user)| json!({ "userId": user, "seed": seed, "finalRank": null }))
            .collect();
        assert_eq!(detail["participants"], json!(seeds));
        let list = client.shown(&format!("{path}/matches")).await;
        assert_eq!(list["items"], begun.json()["matches"]);
        let drawn: Vec<Value> =
            list["items"].as_array().expect("items").iter().map(pairing).collect();
        // The best three seeds of five have a bye.
        let expected = [
            json!([1, 1, 9, null, 9, "COMPLETED"]),
            json!([1, 2, 2, 5, null, "SCHEDULED"]),
            json!([1, 3, 4, null, 4, "COMPLETED"]),
            json!([1, 4, 7, null, 7, "COMPLETED"]),
        ];
        assert_eq!(drawn, expected, "{format}");
    }
    client.stop().await;
}

fn pairing(one: &Value) -> Value {
    json!([one["round"], one["place"], one["playerA"], one["playerB"], one["winner"], one["status"]])
}

#[tokio::test]
async fn a_tournament_starts_once_with_two_players_at_least() {
    let client = TestClient::start().await;
    let cases = [
        (client.tournament(json!({})).await, "the tournament is not open for registration"),
        (client.open_tournament(1..=1).await, "a tournament needs two players to be started"),
        (client.begun_tournament().await.0, "the tournament is not open for registration"),
    ];
    for (path, error) in cases {
        let before = client.shown(&format!("{path}/matches")).await;
        let answer = client.administer(Verb::Post, &format!("{path}/start"), &Value::Null).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (409, &json!(error)));
        assert_eq!(client.shown(&format!("{path}/matches")).await, before);
    }
    client.stop().await;
}

#[tokio::test]
async fn a_tournament_with_players_is_cancelled_before_it_is_removed() {
    let client = TestClient::start().await;
    let path = client.open_tournament(1..=2).await;
    assert_eq!(client.administer(Verb::Delete, &path, &Value::Null).await.status, 409);
    let cancelled = client.administer(Verb::Patch, &path, &json!({ "status": "CANCELLED" })).await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(client.administer(Verb::Delete, &path, &Value::Null).await.status, 204);
    assert_eq!(client.administer(Verb::Delete, &path, &Value::Null).await.status, 404);
    assert_eq!(client.send(Verb::Get, &path, None, "").await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn changes_of_what_is_not_there_are_not_found() {
    let client = TestClient::start().await;
    let (path, _) = client.begun_tournament().await;
    let gone = "/v1/tournaments/999999";
    let cases = [
        (Verb::Patch, gone.to_owned(), json!({ "name": "abc" }), "no such tournament"),
        (Verb::Delete, gone.to_owned(), Value::Null, "no such tournament"),
        (Verb::Post, format!("{gone}/start"), Value::Null, "no such tournament"),
        (Verb::Post, format!("{gone}/register"), Value::Null, "no such tournament"),
        (Verb::Patch, format!("{gone}/matches/1"), json!({ "table": 1 }), "no such tournament"),
        (Verb::Patch, format!("{path}/matches/999999"), json!({ "table": 1 }), "no such match"),
    ];
    for (verb, path, body, error) in cases {
        let answer = client.administer(verb, &path, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (404, &json!(error)), "{path}");
    }
    client.stop().await;
}
