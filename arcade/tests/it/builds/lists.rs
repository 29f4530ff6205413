//! How lists are narrowed and cut.

use serde_json::json;

use crate::support::TestClient;
use crate::support::builds::{BUILDS, OWN, names};

#[tokio::test]
async fn lists_can_be_narrowed_by_class_user_and_visibility() {
    let client = TestClient::start().await;
    for (user, class, private) in [(1, 5, false), (1, 6, false), (2, 5, false), (1, 5, true)] {
        let name = format!("Of {user} in {class}, {private}");
        client.build(user, json!({ "name": name, "classId": class, "private": private })).await;
    }
    let listed = async |user, path: String| {
        let names = names(&client.seen(user, &format!("{path}&limit=100")).await);
        names.into_iter().filter(|name| name.starts_with("Of ")).collect::<Vec<_>>()
    };
    let cases: [(Option<i64>, String, &[&str]); 7] = [
        (None, format!("{BUILDS}?classId=5"), &["Of 2 in 5, false", "Of 1 in 5, false"]),
        (None, format!("{BUILDS}?userId=1"), &["Of 1 in 6, false", "Of 1 in 5, false"]),
        (None, format!("{BUILDS}?userId=1&classId=6"), &["Of 1 in 6, false"]),
        (Some(1), format!("{BUILDS}?private=true"), &["Of 1 in 5, true"]),
        (Some(1), format!("{BUILDS}?private=true&classId=6"), &[]),
        (Some(1), format!("{OWN}?classId=5"), &["Of 1 in 5, true", "Of 1 in 5, false"]),
        (Some(1), format!("{OWN}?private=false"), &["Of 1 in 6, false", "Of 1 in 5, false"]),
    ];
    for (user, path, expected) in cases {
        assert_eq!(listed(user, path.clone()).await, expected, "{path}");
    }
    client.stop().await;
}

#[tokio::test]
async fn a_list_has_twenty_builds_unless_told_otherwise_and_parts_that_fit_together() {
    let client = TestClient::start().await;
    for number in 0..25 {
        let name = format!("Number {number}");
        client.build(1, json!({ "name": name, "classId": 7, "private": false })).await;
    }
    let list = format!("{BUILDS}?classId=7");
    let whole = client.seen(None, &format!("{list}&limit=100")).await;
    let first = client.seen(None, &list).await;
    assert_eq!((names(&first).len(), names(&first)[0].as_str()), (20, "Number 24"));
    assert_eq!(first.json()["count"], names(&whole).len());
    let mut parts = Vec::new();
    for offset in (0..names(&whole).len()).step_by(5) {
        let part = client.seen(None, &format!("{list}&limit=5&offset={offset}")).await;
        assert_eq!(part.header("x-cache") == "BYPASS", offset > 10, "{offset}");
        parts.extend(names(&part));
    }
    assert_eq!(parts, names(&whole));
    // A part that begins between two pages is nobody's next one.
    let between = client.seen(None, &format!("{list}&limit=5&offset=3")).await;
    assert_eq!((between.header("x-cache"), &names(&between)[..]), ("BYPASS", &names(&whole)[3..8]));
    let behind = client.seen(None, &format!("{list}&offset=1000")).await.json();
    assert_eq!((&behind["data"], &behind["count"]), (&json!([]), &first.json()["count"]));
    client.stop().await;
}

#[tokio::test]
async fn a_limit_or_an_offset_out_of_bounds_is_refused() {
    let client = TestClient::start().await;
    for query in ["limit=0", "limit=101", "offset=-1", "offset=1000001", "private=yes", "page=1"] {
        let answer = client.seen(Some(1), &format!("{BUILDS}?{query}")).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["success"]), (400, &json!(false)), "{query}");
        assert!(query.starts_with(problem["details"][0]["path"].as_str().expect("a path")));
    }
    client.stop().await;
}
