//! What happens to builds, their likes and their classes.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, Read, of_shared, of_user, public};
use crate::support::TestClient;
use crate::support::builds::{BOARD, BUILDS, LIKED, OWN, new_build, new_class};

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
    Put "/api/v1/classes/{name}", "a new one": class_made,
    Put "/api/v1/classes/{name}", "one that is there": class_replaced,
    Post "/api/v1/builds", "a private one": made_private,
    Post "/api/v1/builds", "a public one": made_public,
    Patch "/api/v1/builds/{id}", "the name of a public one": renamed,
    Patch "/api/v1/builds/{id}", "the name of a private one": renamed_private,
    Patch "/api/v1/builds/{id}", "a public one that others like hides": hidden,
    Patch "/api/v1/builds/{id}", "a private one is shown": shown,
    Patch "/api/v1/builds/{id}", "its class": moved,
    Put "/api/v1/builds/{id}/daevanion", "a public one": daevanion,
    Delete "/api/v1/builds/{id}", "one that others like": removed,
    Post "/api/v1/builds/{id}/like", "one that is not liked yet": liked,
    Post "/api/v1/builds/{id}/like", "one that is liked": unliked,
}

/// The owner of the builds that are changed, one who looks on, and one who has nothing to do with
/// them.
const OWNER: i64 = 1;
const FAN: i64 = 2;
const STRANGER: i64 = 3;

const CLASSES: &str = "/api/v1/classes";

/// The classes of the builds, and one of which none is changed.
const CLASS: i64 = 1;
const OTHER_CLASS: i64 = 2;
const NEITHER: i64 = 8;

fn of_class(path: &str, class: i64) -> String {
    format!("{path}?classId={class}")
}

/// Every list of public builds of `class` that shows those of the owner.
fn lists(class: i64) -> Vec<String> {
    let (of_class, of_owner) = (of_class(BUILDS, class), format!("{BUILDS}?userId={OWNER}"));
    let both = format!("{of_owner}&classId={class}");
    vec![BUILDS.to_owned(), of_class, of_owner, both]
}

/// Long ones: whatever has a like is on them.
fn boards(class: i64) -> Vec<String> {
    vec![format!("{BOARD}?limit=100"), format!("{}&limit=100", of_class(BOARD, class))]
}

/// Reads that show neither a build of the owner nor one of these classes.
async fn elsewhere(client: &TestClient) -> Vec<Read> {
    let another = client.build(STRANGER, json!({ "classId": NEITHER, "private": false })).await;
    assert_eq!(client.like(STRANGER, &another).await.status, 200);
    let of_stranger = format!("{BUILDS}?userId={STRANGER}");
    let lists = [of_class(BUILDS, NEITHER), of_class(BOARD, NEITHER), of_stranger, another.clone()];
    let mut reads = public(lists);
    reads.extend(of_user(&client.player(STRANGER), [OWN, LIKED, another.as_str()]));
    reads.extend(public([CLASSES, "/api/v1/classes/templar", "/api/v1/classes/templar/tags"]));
    reads.extend(public(["/v1/tournaments", "/marketplace/items"]));
    reads
}

async fn by_owner(client: &TestClient, path: String, body: Value) -> Case {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let token = Some(client.player(OWNER));
    Case { path, token, body, shows: Vec::new(), keeps: elsewhere(client).await }
}

async fn class_made(client: &TestClient) -> Case {
    let mut keeps = elsewhere(client).await;
    keeps.retain(|read| read.path != CLASSES);
    keeps.extend(public(lists(CLASS).split_off(1)));
    let shows = public(
        ["/api/v1/classes/bard", "/api/v1/classes/Bard/tags", CLASSES, BUILDS].map(str::to_owned),
    );
    let body = new_class(json!({})).to_string();
    Case { path: "/api/v1/classes/Bard".into(), token: Some(client.admin()), body, shows, keeps }
}

async fn class_replaced(client: &TestClient) -> Case {
    let mut keeps = elsewhere(client).await;
    keeps.retain(|read| read.path != CLASSES);
    keeps.extend(public(lists(CLASS)));
    let shows =
        public(["/api/v1/classes/ranger", "/api/v1/classes/ranger/tags", CLASSES].map(str::to_owned));
    let body = new_class(json!({})).to_string();
    Case { path: "/api/v1/classes/Ranger".into(), token: Some(client.admin()), body, shows, keeps }
}

async fn made_private(client: &TestClient) -> Case {
    let mut case = by_owner(client, BUILDS.to_owned(), new_build(json!({}))).await;
    let own = [OWN.to_owned(), of_class(OWN, CLASS), format!("{BUILDS}?private=true")];
    case.shows = of_user(&client.player(OWNER), own);
    case.keeps.extend(public(lists(CLASS).into_iter().chain(boards(CLASS))));
    case.keeps.extend(of_user(&client.player(FAN), [OWN, LIKED]));
    case
}

async fn made_public(client: &TestClient) -> Case {
    let mut case = by_owner(client, BUILDS.to_owned(), new_build(json!({ "private": false }))).await;
    case.shows = public(lists(CLASS));
    case.shows.extend(of_user(&client.player(OWNER), [OWN]));
    // Nobody likes it yet.
    case.keeps.extend(public(boards(CLASS).into_iter().chain([of_class(BUILDS, OTHER_CLASS)])));
    case
}

/// A public build of the owner that the fan likes.
async fn liked_build(client: &TestClient) -> String {
    let path = client.build(OWNER, json!({ "classId": CLASS, "private": false })).await;
    assert_eq!(client.like(FAN, &path).await.status, 200);
    path
}

/// Every list with a public build of the owner that the fan likes.
fn listing(client: &TestClient) -> Vec<Read> {
    let mut reads = public(lists(CLASS));
    reads.extend(of_user(&client.player(OWNER), [OWN]));
    reads.extend(of_user(&client.player(FAN), [LIKED]));
    reads
}

/// The build itself, as each of them sees it.
fn itself(client: &TestClient, path: &str) -> Vec<Read> {
    let mut reads = public([path]);
    reads.extend([OWNER, FAN].into_iter().flat_map(|user| of_user(&client.player(user), [path])));
    of_shared(reads)
}

async fn renamed(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    let mut case = by_owner(client, path.clone(), json!({ "name": "Renamed" })).await;
    case.shows = itself(client, &path);
    case.shows.extend(of_shared(listing(client)));
    let behind = client.build(FAN, json!({ "classId": OTHER_CLASS, "private": false })).await;
    // The newest of all is another one.
    case.keeps.extend(public([behind, format!("{BUILDS}?limit=1"), of_class(BUILDS, OTHER_CLASS)]));
    case
}

async fn renamed_private(client: &TestClient) -> Case {
    let path = client.build(OWNER, json!({ "name": "Hidden" })).await;
    let mut case = by_owner(client, path.clone(), json!({ "name": "Renamed, hidden" })).await;
    case.shows = of_shared(of_user(&client.player(OWNER), [OWN, path.as_str()]));
    case.shows.extend(of_user(&client.admin(), [path.as_str()]));
    case.keeps.extend(public(lists(CLASS).into_iter().chain(boards(CLASS))));
    case
}

async fn hidden(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    let mut case = by_owner(client, path.clone(), json!({ "private": true })).await;
    case.shows = listing(client);
    case.shows.extend(public(boards(CLASS)));
    case.shows.extend(itself(client, &path));
    case.keeps.extend(public([of_class(BUILDS, OTHER_CLASS), of_class(BOARD, OTHER_CLASS)]));
    case
}

async fn shown(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    assert_eq!(client.rebuild(OWNER, &path, json!({ "private": true })).await.status, 200);
    let mut case = by_owner(client, path.clone(), json!({ "private": false })).await;
    case.shows = listing(client);
    case.shows.extend(public(boards(CLASS)));
    case.shows.extend(itself(client, &path));
    case.keeps.extend(public([of_class(BUILDS, OTHER_CLASS), of_class(BOARD, OTHER_CLASS)]));
    case
}

async fn moved(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    let mut case = by_owner(client, path.clone(), json!({ "classId": OTHER_CLASS })).await;
    case.shows = public(lists(CLASS).into_iter().chain(boards(CLASS)));
    case.shows.extend(public([of_class(BUILDS, OTHER_CLASS), of_class(BOARD, OTHER_CLASS)]));
    case.shows.extend(of_user(&client.player(OWNER), [OWN]));
    case.shows.extend(of_shared(of_user(&client.player(FAN), [LIKED])));
    case.shows.extend(itself(client, &path));
    case
}

async fn daevanion(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    let nodes = json!({ "vaizel": [4, 5] });
    let mut case = by_owner(client, format!("{path}/daevanion"), nodes).await;
    case.shows = itself(client, &path);
    case
}

async fn removed(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    let mut case = by_owner(client, path.clone(), Value::Null).await;
    case.shows = listing(client);
    case.shows.extend(public(boards(CLASS)));
    case.shows.extend(itself(client, &path));
    case.keeps.extend(public([of_class(BUILDS, OTHER_CLASS), of_class(BOARD, OTHER_CLASS)]));
    case
}

async fn liked(client: &TestClient) -> Case {
    let path = client.build(OWNER, json!({ "classId": CLASS, "private": false })).await;
    by_fan(client, path).await
}

async fn unliked(client: &TestClient) -> Case {
    let path = liked_build(client).await;
    by_fan(client, path).await
}

async fn by_fan(client: &TestClient, path: String) -> Case {
    let mut case = by_owner(client, format!("{path}/like"), Value::Null).await;
    case.token = Some(client.player(FAN));
    case.shows = of_user(&client.player(FAN), [LIKED]);
    case.shows.extend(public(boards(CLASS)));
    case.shows.extend(of_shared(public(lists(CLASS))));
    case.shows.extend(of_shared(of_user(&client.player(OWNER), [OWN])));
    case.shows.extend(itself(client, &path));
    case.keeps.extend(of_user(&client.player(OWNER), [LIKED]));
    case.keeps.extend(public([of_class(BUILDS, OTHER_CLASS), of_class(BOARD, OTHER_CLASS)]));
    case
}
