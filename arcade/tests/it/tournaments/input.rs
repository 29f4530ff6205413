//! Bad input is named field by field before anything is read.

use arcade::http::Verb;
use serde_json::{Value, json};

use crate::support::TestClient;
use crate::support::tournaments::new_tournament;

const AMOUNT: &str = "0 to 1000000000000";
const TIME: &str = "0 to 253402300799999";
const ID: &str = "1 to 9223372036854775807";

/// Fields with their limits.
type Named<'a> = &'a [(&'a str, &'a str)];

async fn check(client: &TestClient, verb: Verb, path: &str, body: &str, expected: Named<'_>) {
    let answer = client.send(verb, path, Some(&client.admin()), body).await;
    assert_eq!(answer.status, 400, "{path} {body}: {answer:?}");
    let problem = answer.json();
    let details = problem["details"].as_array().expect("details");
    let text = |detail: &Value, name: &str| detail[name].as_str().expect("text").to_owned();
    let named: Vec<_> = details.iter().map(|one| (text(one, "path"), text(one, "limit"))).collect();
    let named: Vec<_> = named.iter().map(|(path, limit)| (path.as_str(), limit.as_str())).collect();
    assert_eq!(named, expected, "{path} {body}");
}

#[tokio::test]
async fn every_mistake_in_a_new_tournament_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let before = client.shown("/v1/tournaments").await["total"].clone();
    let cases: Vec<(Value, Vec<(&str, &str)>)> = vec![
        (json!({ "name": "ab" }), vec![("name", "3 to 120 characters")]),
        (json!({ "name": "x".repeat(121) }), vec![("name", "3 to 120 characters")]),
        (json!({ "name": "two\nlines" }), vec![("name", "3 to 120 characters")]),
        (json!({ "venueId": 0 }), vec![("venueId", ID)]),
        (json!({ "venueId": "7" }), vec![("venueId", ID)]),
        (json!({ "status": "ACTIVE" }), vec![("status", "UPCOMING, REGISTRATION")]),
        (json!({ "format": "SWISS" }), vec![("format", "SINGLE_ELIMINATION, DOUBLE_ELIMINATION")]),
        (json!({ "gameType": "nine_ball" }), vec![("gameType", "EIGHT_BALL, NINE_BALL, TEN_BALL")]),
        (json!({ "startsAtMs": -1 }), vec![("startsAtMs", TIME)]),
        (json!({ "endsAtMs": 253_402_300_800_000_i64 }), vec![("endsAtMs", TIME)]),
        (
            json!({ "endsAtMs": 1_800_000_000_000_i64 }),
            vec![("endsAtMs", "startsAtMs + 1 to 253402300799999")],
        ),
        (json!({ "maxPlayers": 1 }), vec![("maxPlayers", "2 to 256")]),
        (json!({ "maxPlayers": 257 }), vec![("maxPlayers", "2 to 256")]),
        (json!({ "rewards": "x".repeat(1_001) }), vec![("rewards", "0 to 1000 characters")]),
        (json!({ "sponsored": "yes" }), vec![("sponsored", "true, false")]),
        (json!({ "sponsored": true }), vec![("sponsorName", "1 to 80 characters")]),
        (json!({ "sponsorName": "Chalk & Co" }), vec![("sponsored", "true")]),
        (
            json!({ "sponsored": true, "sponsorName": "x", "sponsorBannerUrl": "javascript:alert(1)" }),
            vec![("sponsorBannerUrl", "https://…")],
        ),
        (
            json!({ "id": 1, "createdAtMs": 1, "players": 2 }),
            ["createdAtMs", "id", "players"].map(|name| (name, KNOWN)).to_vec(),
        ),
        (
            json!({ "name": "ab", "maxPlayers": 1 }),
            vec![("name", "3 to 120 characters"), ("maxPlayers", "2 to 256")],
        ),
    ];
    for (changes, expected) in cases {
        let body = new_tournament(changes).to_string();
        check(&client, Verb::Post, "/v1/tournaments", &body, &expected).await;
    }
    assert_eq!(client.shown("/v1/tournaments").await["total"], before);
    client.stop().await;
}

const KNOWN: &str = "name, venueId, status, format, gameType, startsAtMs, endsAtMs, maxPlayers, \
    entryFeeMinor, prizePoolMinor, rewards, sponsored, sponsorName, sponsorBannerUrl";

#[tokio::test]
async fn an_amount_that_is_no_whole_number_of_minor_units_is_refused() {
    let client = TestClient::start().await;
    let digits = "9".repeat(10_000);
    let amounts = [
        "-1",
        "0.1",
        "1e3",
        "1e999",
        "NaN",
        "\"1\"",
        "\"1 \"",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "1000000000001",
        "null",
        "true",
        &digits,
    ];
    for field in ["entryFeeMinor", "prizePoolMinor"] {
        for amount in amounts {
            let body = new_tournament(json!({ field: "amount" })).to_string();
            let body = body.replace("\"amount\"", amount);
            let answer =
                client.send(Verb::Post, "/v1/tournaments", Some(&client.admin()), &body).await;
            assert_eq!(answer.status, 400, "{field} {amount}");
            if amount != "NaN" {
                check(&client, Verb::Post, "/v1/tournaments", &body, &[(field, AMOUNT)]).await;
            }
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn the_limits_of_a_tournament_themselves_are_good_input() {
    let client = TestClient::start().await;
    for changes in [
        json!({ "name": "abc", "maxPlayers": 2, "entryFeeMinor": 0, "rewards": "" }),
        json!({ "name": "x".repeat(120), "maxPlayers": 256, "entryFeeMinor": 1_000_000_000_000_i64 }),
        json!({ "startsAtMs": 0, "endsAtMs": 1, "venueId": i64::MAX }),
        json!({ "sponsored": true, "sponsorName": "x", "sponsorBannerUrl": "https://a" }),
    ] {
        client.tournament(changes).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn every_mistake_in_a_change_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let (path, [first, _]) = client.begun_tournament().await;
    let words = "SCHEDULED, READY, ACTIVE, PAUSED, COMPLETED, FORFEITED, CANCELLED";
    let cases: [(&str, &str, Named<'_>); 12] = [
        (&path, "{}", &[("", "at least one field")]),
        (&path, r#"{"maxPlayers": 257}"#, &[("maxPlayers", "2 to 256")]),
        (
            &path,
            r#"{"startsAtMs": 2, "endsAtMs": 2}"#,
            &[("endsAtMs", "startsAtMs + 1 to 253402300799999")],
        ),
        (&path, r#"{"endsAtMs": 1}"#, &[("endsAtMs", "startsAtMs + 1 to 253402300799999")]),
        (&path, r#"{"sponsorName": "x"}"#, &[("sponsored", "true")]),
        (&path, r#"{"name": "abc", "name": "abd"}"#, &[("name", "once")]),
        (&first, "{}", &[("", "at least one field")]),
        (&first, r#"{"status": "WON"}"#, &[("status", words)]),
        (&first, r#"{"scoreA": 1000, "table": 0}"#, &[("scoreA", "0 to 999"), ("table", "1 to 999")]),
        (&first, r#"{"status": "COMPLETED"}"#, &[("winner", "one of its players")]),
        (&first, r#"{"winner": 1}"#, &[("winner", "COMPLETED, FORFEITED")]),
        (
            &first,
            r#"{"loser": 1, "table": 1}"#,
            &[("loser", "status, scoreA, scoreB, winner, table")],
        ),
    ];
    for (path, body, expected) in cases {
        check(&client, Verb::Patch, path, body, expected).await;
    }
    for path in ["/v1/tournaments/0", "/v1/tournaments/x"] {
        check(&client, Verb::Get, path, "", &[("id", ID)]).await;
    }
    check(&client, Verb::Get, "/v1/tournaments/venue/x", "", &[("venueId", ID)]).await;
    check(&client, Verb::Get, "/v1/tournaments/1/matches/x", "", &[("matchId", ID)]).await;
    client.stop().await;
}

#[tokio::test]
async fn every_mistake_in_the_query_of_a_list_is_named_with_its_limit() {
    let client = TestClient::start().await;
    let words = "UPCOMING, REGISTRATION, ACTIVE, LIVE, COMPLETED, CANCELLED";
    let cases: [(&str, Named<'_>); 5] = [
        ("/v1/tournaments?limit=101", &[("limit", "1 to 100")]),
        ("/v1/tournaments?status=OPEN", &[("status", words)]),
        ("/v1/tournaments?venueId=-1&page=0", &[("venueId", ID), ("page", "1 to 100000")]),
        ("/v1/tournaments?venue=7", &[("venue", "status, venueId, page, limit")]),
        ("/v1/tournaments/venue/7?venueId=8", &[("venueId", "status, page, limit")]),
    ];
    for (path, expected) in cases {
        check(&client, Verb::Get, path, "", expected).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn nobody_can_be_registered_by_somebody_else() {
    let client = TestClient::start().await;
    let path = client.open_tournament(2..=3).await;
    let body = r#"{"userId": 3}"#;
    for action in ["register", "unregister"] {
        let answer =
            client.send(Verb::Post, &format!("{path}/{action}"), Some(&client.player(1)), body).await;
        assert_eq!(answer.status, 400, "{action}");
    }
    assert_eq!(client.shown(&path).await["players"], 2);
    client.stop().await;
}
