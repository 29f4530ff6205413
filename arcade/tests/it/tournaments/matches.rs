//! What may follow what in the life of a match.

use arcade::http::Verb;
use serde_json::json;

use crate::support::TestClient;

#[tokio::test]
async fn a_match_is_played_to_its_end() {
    let client = TestClient::start().await;
    let (path, [first, _]) = client.begun_tournament().await;
    let before = client.shown(&first).await;
    let (a, b) = (before["playerA"].clone(), before["playerB"].clone());
    let steps = [
        json!({ "status": "READY", "table": 4 }),
        json!({ "status": "ACTIVE" }),
        json!({ "scoreA": 3 }),
        json!({ "status": "PAUSED", "scoreB": 5 }),
        json!({ "status": "ACTIVE" }),
        json!({ "status": "COMPLETED", "scoreB": 7, "winner": b }),
    ];
    for step in steps {
        let answer = client.administer(Verb::Patch, &first, &step).await;
        assert_eq!(answer.status, 200, "{step}: {answer:?}");
        assert_eq!(client.shown(&first).await, answer.json(), "{step}");
    }
    let after = client.shown(&first).await;
    assert_eq!((&after["winner"], &after["loser"]), (&b, &a));
    assert_eq!(
        (&after["scoreA"], &after["scoreB"], &after["table"]),
        (&json!(3), &json!(7), &json!(4))
    );
    assert!(after["endedAtMs"].as_i64() >= after["startedAtMs"].as_i64());
    assert_eq!(client.shown(&format!("{path}/matches")).await["items"][0], after);
    client.stop().await;
}

#[tokio::test]
async fn a_match_is_changed_only_where_it_makes_sense() {
    let client = TestClient::start().await;
    let (_, [first, second]) = client.begun_tournament().await;
    let (a, b) = {
        let shown = client.shown(&first).await;
        (shown["playerA"].clone(), shown["playerB"].clone())
    };
    let cases = [
        (json!({ "scoreA": 1 }), 409),
        (json!({ "status": "PAUSED" }), 409),
        (json!({ "status": "COMPLETED", "winner": a }), 409),
        (json!({ "status": "ACTIVE" }), 200),
        (json!({ "status": "READY" }), 409),
        (json!({ "status": "COMPLETED", "scoreA": 3, "scoreB": 7, "winner": a }), 400),
        (json!({ "status": "COMPLETED", "scoreA": 7, "winner": 19 }), 400),
        (json!({ "status": "FORFEITED", "winner": b }), 200),
        (json!({ "status": "ACTIVE" }), 409),
        (json!({ "table": 2 }), 409),
    ];
    for (change, expected) in cases {
        let before = client.shown(&first).await;
        let answer = client.administer(Verb::Patch, &first, &change).await;
        assert_eq!(answer.status, expected, "{change}: {answer:?}");
        let changed = client.shown(&first).await != before;
        assert_eq!(changed, expected == 200, "{change}");
    }
    let elsewhere = second.replace("/v1/tournaments/", "/v1/tournaments/9");
    assert_eq!(client.send(Verb::Get, &elsewhere, None, "").await.status, 404);
    client.stop().await;
}

#[tokio::test]
async fn the_matches_of_a_cancelled_tournament_end_with_it() {
    let client = TestClient::start().await;
    let (path, [first, second]) = client.begun_tournament().await;
    let won = json!({ "status": "FORFEITED", "winner": client.shown(&first).await["playerA"] });
    assert_eq!(client.administer(Verb::Patch, &first, &won).await.status, 200);
    let cancelled = client.administer(Verb::Patch, &path, &json!({ "status": "CANCELLED" })).await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(client.shown(&first).await["status"], "FORFEITED");
    assert_eq!(client.shown(&second).await["status"], "CANCELLED");
    let late = client.administer(Verb::Patch, &second, &json!({ "table": 1 })).await;
    assert_eq!(
        (late.status.as_u16(), &late.json()["error"]),
        (409, &json!("the tournament is not being played"))
    );
    client.stop().await;
}
