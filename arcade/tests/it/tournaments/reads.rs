//! What readers see, and where it comes from.

use arcade::configuration::{self, Environment};
use arcade::http::Verb;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::tournaments::new_tournament;
use crate::support::{Answer, PATIENCE, TestClient};

async fn public(client: &TestClient, path: &str) -> Answer {
    client.send(Verb::Get, path, None, "").await
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("name")).collect()
}

#[tokio::test]
async fn a_second_list_is_a_hit_and_the_first_after_a_post_is_a_miss_that_shows_it() {
    let client = TestClient::start().await;
    let first = public(&client, "/v1/tournaments").await;
    let second = public(&client, "/v1/tournaments").await;
    assert_eq!((first.header("x-cache"), second.header("x-cache")), ("MISS", "HIT"));
    assert_eq!(first.text, second.text);
    assert!(second.header("cache-control").starts_with("public"));
    client.tournament(json!({ "name": "Newest of all" })).await;
    let after = public(&client, "/v1/tournaments").await;
    assert_eq!(after.header("x-cache"), "MISS");
    assert_eq!(names(&after.json())[0], "Newest of all");
    client.stop().await;
}

#[tokio::test]
async fn a_patched_tournament_shows_the_change_at_once() {
    let client = TestClient::start().await;
    let path = client.tournament(json!({})).await;
    for expected in ["MISS", "HIT"] {
        assert_eq!(public(&client, &path).await.header("x-cache"), expected);
    }
    let change = json!({ "name": "Another name", "prizePoolMinor": 5_000_000 });
    let patched = client.administer(Verb::Patch, &path, &change).await;
    assert_eq!((patched.status.as_u16(), &patched.json()["name"]), (200, &json!("Another name")));
    let after = public(&client, &path).await;
    assert_eq!(after.header("x-cache"), "MISS");
    assert_eq!(after.json()["name"], "Another name");
    assert_eq!(after.json()["prizePoolMinor"], 5_000_000);
    client.stop().await;
}

#[test]
fn each_read_is_fresh_for_the_time_that_the_requirements_name() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let settings = configuration::load(Environment::of(directory.path(), [])).expect("settings");
    let cache = settings.cache;
    let seconds = [
        cache.tournaments_fresh,
        cache.tournament_fresh,
        cache.matches_fresh,
        cache.match_fresh,
        cache.tournaments_by_venue_fresh,
    ]
    .map(|time| time.as_secs());
    assert_eq!(seconds, [300, 600, 120, 60, 300]);
}

#[tokio::test]
async fn a_list_past_its_fresh_time_is_served_stale_and_loaded_behind_the_answer() {
    let client = TestClient::start_with(&[("CACHE_TOURNAMENTS_FRESH_S", "1")]).await;
    let first = public(&client, "/v1/tournaments").await;
    let until = async |status: &str| loop {
        let answer = public(&client, "/v1/tournaments").await;
        if answer.header("x-cache") == status {
            return answer;
        }
        assert_ne!(answer.header("x-cache"), "MISS", "nobody had to wait");
    };
    let stale = timeout(PATIENCE, until("STALE")).await.expect("stale in time");
    assert_eq!(stale.text, first.text);
    timeout(PATIENCE, until("HIT")).await.expect("fresh again in time");
    client.stop().await;
}

#[tokio::test]
async fn lists_can_be_narrowed_by_status_and_venue() {
    let client = TestClient::start().await;
    for (name, venue, status) in
        [("A1", 71, "UPCOMING"), ("A2", 71, "REGISTRATION"), ("B1", 72, "UPCOMING")]
    {
        let name = format!("Narrow {name}");
        client.tournament(json!({ "name": name, "venueId": venue, "status": status })).await;
    }
    let cases: [(&str, &[&str]); 5] = [
        ("/v1/tournaments?venueId=71", &["Narrow A2", "Narrow A1"]),
        ("/v1/tournaments/venue/71", &["Narrow A2", "Narrow A1"]),
        ("/v1/tournaments/venue/71?status=UPCOMING", &["Narrow A1"]),
        ("/v1/tournaments?venueId=72&status=UPCOMING", &["Narrow B1"]),
        ("/v1/tournaments?venueId=72&status=LIVE", &[]),
    ];
    for (path, expected) in cases {
        let page = client.shown(path).await;
        assert_eq!(names(&page), expected, "{path}");
        assert_eq!(page["total"], expected.len(), "{path}");
    }
    let page = client.shown("/v1/tournaments?status=REGISTRATION&limit=100").await;
    let items = page["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.iter().all(|item| item["status"] == "REGISTRATION"));
    client.stop().await;
}

#[tokio::test]
async fn the_filter_and_the_path_of_a_venue_share_their_entries() {
    let client = TestClient::start().await;
    let by_filter = public(&client, "/v1/tournaments?venueId=71").await;
    let by_path = public(&client, "/v1/tournaments/venue/71").await;
    assert_eq!((by_filter.header("x-cache"), by_path.header("x-cache")), ("MISS", "HIT"));
    client.stop().await;
}

#[tokio::test]
async fn a_list_has_twenty_items_unless_told_otherwise_and_pages_that_fit_together() {
    let client = TestClient::start().await;
    for number in 0..25 {
        client.tournament(json!({ "name": format!("Number {number}"), "venueId": 73 })).await;
    }
    let whole = client.shown("/v1/tournaments/venue/73?limit=100").await;
    let first = client.shown("/v1/tournaments/venue/73").await;
    assert_eq!(
        (&first["limit"], &first["total"], &first["pages"]),
        (&json!(20), &json!(25), &json!(2))
    );
    let second = client.shown("/v1/tournaments/venue/73?page=2").await;
    assert_eq!([names(&first), names(&second)].concat(), names(&whole));
    let beyond = client.shown("/v1/tournaments/venue/73?page=3").await;
    assert_eq!((names(&beyond).len(), &beyond["total"]), (0, &json!(25)));
    client.stop().await;
}

#[tokio::test]
async fn pages_of_tournaments_above_the_third_bypass_the_cache() {
    let client = TestClient::start().await;
    for (page, twice) in [(3, ["MISS", "HIT"]), (4, ["BYPASS", "BYPASS"])] {
        for list in ["/v1/tournaments?", "/v1/tournaments/venue/7?"] {
            for expected in twice {
                let answer = public(&client, &format!("{list}limit=1&page={page}")).await;
                assert_eq!(answer.header("x-cache"), expected, "{list} {page}");
            }
        }
    }
    client.stop().await;
}

#[tokio::test]
async fn that_there_is_no_such_thing_is_remembered_until_it_is_made() {
    let client = TestClient::start().await;
    let last = client.tournament(json!({})).await;
    let number: i64 = last.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
    let next = format!("/v1/tournaments/{}", number + 1);
    for path in [next.clone(), format!("{next}/matches"), format!("{next}/matches/1")] {
        for expected in ["MISS", "HIT"] {
            let answer = public(&client, &path).await;
            assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (404, expected), "{path}");
        }
    }
    assert_eq!(client.tournament(json!({})).await, next);
    let made = public(&client, &next).await;
    assert_eq!((made.status.as_u16(), made.header("x-cache")), (200, "MISS"));
    assert_eq!(public(&client, &format!("{next}/matches")).await.json()["total"], 0);
    client.stop().await;
}

#[tokio::test]
async fn a_made_tournament_holds_what_was_asked_for_and_the_documented_defaults() {
    let client = TestClient::start().await;
    let body =
        new_tournament(json!({ "sponsored": true, "sponsorName": "Chalk & Co", "rewards": "A cue" }));
    let path = client.tournament(body.clone()).await;
    let shown = client.shown(&path).await;
    for (field, value) in body.as_object().expect("an object") {
        assert_eq!(&shown[field], value, "{field}");
    }
    let defaults = json!({
        "status": "UPCOMING", "maxPlayers": 8, "entryFeeMinor": 0, "prizePoolMinor": 0,
        "sponsorBannerUrl": null, "players": 0, "participants": [],
    });
    for (field, value) in defaults.as_object().expect("an object") {
        assert_eq!(&shown[field], value, "{field}");
    }
    client.stop().await;
}
