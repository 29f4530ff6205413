//! What users change about themselves and their sessions. User 1 changes something; user 2 and the
//! other sessions of user 1 notice nothing.

use arcade::http::Verb;
use serde_json::{Value, json};

use super::row::{Case, Mutation, Read, of_user};
use crate::support::TestClient;
use crate::support::sessions::{LoggedIn, credentials};

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
    Post "/auth/register", "a new user": register,
    Post "/auth/login", "a known user": log_in,
    Post "/auth/refresh", "a session that has begun": refresh,
    Delete "/api/auth/session", "one of two": log_out,
    Delete "/api/auth/sessions/{id}", "another one than that of the request": end,
    Patch "/users/me", "the picture": change_picture,
    Put "/users/{id}/role", "one with two sessions": change_role,
}

const OWN: &str = "/api/auth/sessions";
const CURRENT: &str = "/api/auth/session";
const ME: &str = "/users/me";

/// Two sessions of user 1, and one of user 2.
struct Begun {
    session: LoggedIn,
    other: LoggedIn,
    theirs: LoggedIn,
}

async fn begun(client: &TestClient) -> Begun {
    Begun {
        session: client.logged_in(1).await,
        other: client.logged_in(1).await,
        theirs: client.logged_in(2).await,
    }
}

impl Begun {
    /// What no change of user 1 makes wrong.
    fn untouched(&self, client: &TestClient) -> Vec<Read> {
        let theirs = of_user(&self.theirs.access, [CURRENT, OWN, ME]);
        let one = of_user(&client.player(1), ["/marketplace/balance", "/notifications"]);
        [theirs, one].into_iter().flatten().collect()
    }
}

fn case(path: &str, token: Option<String>, body: Value, reads: [Vec<Read>; 2]) -> Case {
    let [shows, keeps] = reads;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Case { path: path.to_owned(), token, body, shows, keeps }
}

async fn register(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&begun.session.access, [CURRENT, OWN, ME]));
    let body = json!({ "name": "Ada", "email": "ada@example.org", "password": "12345678" });
    case("/auth/register", None, body, [Vec::new(), keeps])
}

async fn log_in(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&begun.session.access, [CURRENT, ME]));
    let shows = of_user(&client.player(1), [OWN]);
    let body = serde_json::from_str(&credentials(1)).expect("an object");
    case("/auth/login", None, body, [shows, keeps])
}

async fn refresh(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&begun.other.access, [CURRENT, ME]));
    let mut shows = of_user(&begun.session.access, [CURRENT]);
    shows.extend(of_user(&client.player(1), [OWN]));
    case("/auth/refresh", None, json!({ "refreshToken": begun.session.refresh }), [shows, keeps])
}

async fn log_out(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&begun.other.access, [CURRENT, ME]));
    let shows = of_user(&client.player(1), [OWN]);
    case(CURRENT, Some(begun.session.access), Value::Null, [shows, keeps])
}

async fn end(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&begun.session.access, [CURRENT, ME]));
    let path = format!("{OWN}/{}", client.session_of(&begun.other).await);
    let shows = of_user(&client.player(1), [OWN]);
    case(&path, Some(begun.session.access), Value::Null, [shows, keeps])
}

async fn change_picture(client: &TestClient) -> Case {
    let begun = begun(client).await;
    let image = json!({ "image": "/pictures/of-the-table.png" });
    changed(client, begun, (ME, client.player(1), image))
}

async fn change_role(client: &TestClient) -> Case {
    let begun = begun(client).await;
    changed(client, begun, ("/users/1/role", client.admin(), json!({ "role": "admin" })))
}

/// Who the user is shows in every session of the user, and in no list of sessions.
fn changed(client: &TestClient, begun: Begun, (path, token, body): (&str, String, Value)) -> Case {
    let mut keeps = begun.untouched(client);
    keeps.extend(of_user(&client.player(1), [OWN]));
    let mut shows = of_user(&begun.session.access, [CURRENT]);
    shows.extend(of_user(&begun.other.access, [CURRENT]));
    shows.extend(of_user(&client.player(1), [ME]));
    case(path, Some(token), body, [shows, keeps])
}
