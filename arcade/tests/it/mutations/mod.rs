//! What each mutation makes wrong in the cache, and what it leaves alone. A route that changes
//! something and has no row here fails the test.

mod assets;
mod builds;
mod market;
mod notifications;
mod rooms;
mod row;
mod system;
mod systems;
mod tournaments;
mod users;

use std::collections::BTreeSet;

use arcade::app::route_table;
use arcade::http::Verb;

use self::row::{Case, Made, Mutation, Read};
use crate::support::{Answer, TestClient};

/// Every row; a domain has a file.
fn table() -> Vec<Mutation> {
    let platform = [system::ROWS, notifications::ROWS, tournaments::ROWS, market::ROWS, users::ROWS];
    let tabletop = [rooms::ROWS, assets::ROWS, systems::ROWS];
    [platform.concat(), tabletop.concat(), builds::ROWS.to_vec()].concat()
}

#[test]
fn every_route_that_changes_something_has_a_row() {
    let named = |verb: Verb, path: &str| format!("{} {path}", verb.name());
    let changing: BTreeSet<String> = route_table()
        .iter()
        .filter(|route| route.verb != Verb::Get)
        .map(|route| named(route.verb, route.path))
        .collect();
    let rows: BTreeSet<String> = table().iter().map(|row| named(row.verb, row.path)).collect();
    assert_eq!(changing, rows);
}

#[tokio::test]
async fn every_change_shows_at_once_and_drops_nothing_else() {
    let client = TestClient::start().await;
    note_what_the_outbox_is_given(&client).await;
    for row in table() {
        check(&client, &row).await;
    }
    client.stop().await;
}

/// Rows of the outbox are soon gone; the table `noted` keeps a copy of each that was committed.
async fn note_what_the_outbox_is_given(client: &TestClient) {
    client.execute("CREATE TABLE noted (names TEXT NOT NULL)".to_owned()).await;
    let copied = "INSERT INTO noted VALUES (NEW.names)";
    let noting = match &client.database {
        Some(_) => format!("CREATE RULE noting AS ON INSERT TO larder_outbox DO ALSO {copied}"),
        None => {
            format!("CREATE TRIGGER noting AFTER INSERT ON larder_outbox BEGIN {copied}; END")
        }
    };
    client.execute(noting).await;
}

async fn check(client: &TestClient, row: &Mutation) {
    let name = format!("{} {}, {}", row.verb.name(), row.path, row.case);
    let Case { path, token, body, shows, keeps } = (row.prepare)(client).await;
    let mut before = Vec::new();
    for read in shows.iter().chain(&keeps) {
        asked(client, read).await;
        let answer = asked(client, read).await;
        assert_eq!(answer.header("x-cache"), "HIT", "{name}: {} before", read.path);
        before.push(answer);
    }
    let (shown, kept) = before.split_at(shows.len());
    let noted = client.count("noted").await;
    let changed = client.send(row.verb, &path, token.as_deref(), &body).await;
    assert!(changed.status.is_success(), "{name}: {changed:?}");
    // What survives a crash right after the commit: one row for all that the change makes wrong.
    let noted = client.count("noted").await - noted;
    assert_eq!(noted, i64::from(!shows.is_empty()), "{name}: rows of the outbox");
    for (read, before) in shows.iter().zip(shown) {
        let after = asked(client, read).await;
        let fresh: &[&str] = match read.made {
            Made::OfItsOwn => &["MISS"],
            Made::OfShared => &["MISS", "HIT"],
            Made::LoadedBefore => &["HIT"],
        };
        assert!(fresh.contains(&after.header("x-cache")), "{name}: {}: {after:?}", read.path);
        let changed = (after.status, &after.text) != (before.status, &before.text);
        assert!(changed, "{name}: {} still shows {}", read.path, after.text);
    }
    for (read, before) in keeps.iter().zip(kept) {
        let after = asked(client, read).await;
        assert_eq!(after.header("x-cache"), "HIT", "{name}: {}", read.path);
        assert_eq!(after.text, before.text, "{name}: {}", read.path);
    }
}

async fn asked(client: &TestClient, read: &Read) -> Answer {
    client.send(Verb::Get, &read.path, read.token.as_deref(), "").await
}
