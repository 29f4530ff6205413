//! Places are taken once and paid for once, however many want them.

use std::collections::BTreeMap;

use arcade::auth::UserId;
use arcade::balances;
use arcade::http::Verb;
use arcade::ledger::{self, Audit, Reason};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, TestClient, WORLD};

const FEE: i64 = 2_500_000;

async fn register(client: &TestClient, path: &str, user: i64) -> Answer {
    client.send(Verb::Post, &format!("{path}/register"), Some(&client.player(user)), "").await
}

async fn unregister(client: &TestClient, verb: Verb, path: &str, user: i64) -> Answer {
    client.send(verb, &format!("{path}/unregister"), Some(&client.player(user)), "").await
}

async fn balance(client: &TestClient, user: i64) -> i64 {
    let mut transaction = client.store.begin_write().await.expect("begin");
    let balance = balances::balance(&mut transaction, UserId(user)).await.expect("balance");
    balance.expect("the user exists")
}

/// Brings the balance of a user to `minor` units.
async fn endow(client: &TestClient, user: i64, minor: i64) {
    let has = balance(client, user).await;
    let mut transaction = client.store.begin_write().await.expect("begin");
    let (user, reason) = (UserId(user), Reason::Opening);
    if has > minor {
        balances::charge(&mut transaction, user, has - minor, reason).await.expect("charge");
    } else {
        balances::pay(&mut transaction, user, minor - has, reason).await.expect("pay");
    }
    transaction.commit().await.expect("commit");
}

async fn assert_books_are_right(client: &TestClient) {
    assert_eq!(ledger::audit(&client.store).await.expect("audit"), Audit::default());
}

async fn open(client: &TestClient, max_players: u32) -> String {
    let terms = json!({ "status": "REGISTRATION", "maxPlayers": max_players, "entryFeeMinor": FEE });
    client.tournament(terms).await
}

#[tokio::test]
async fn a_place_costs_the_entry_fee_and_is_paid_back_when_given_free() {
    let client = TestClient::start().await;
    let path = open(&client, 2).await;
    for verb in [Verb::Post, Verb::Delete] {
        endow(&client, 1, FEE + 1).await;
        let taken = register(&client, &path, 1).await;
        assert_eq!((taken.status.as_u16(), &taken.json()["entryFeeMinor"]), (200, &json!(FEE)));
        assert_eq!(balance(&client, 1).await, 1);
        assert_eq!(client.shown(&path).await["participants"][0]["userId"], 1);
        let freed = unregister(&client, verb, &path, 1).await;
        assert_eq!((freed.status.as_u16(), &freed.json()["entryFeeMinor"]), (200, &json!(FEE)));
        assert_eq!(balance(&client, 1).await, FEE + 1);
        assert_eq!(client.shown(&path).await["players"], 0);
    }
    assert_books_are_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn a_place_that_cannot_be_had_costs_nothing_and_says_why() {
    let client = TestClient::start().await;
    let path = open(&client, 2).await;
    for (user, minor) in [(1, FEE), (2, FEE), (3, FEE), (4, FEE - 1)] {
        endow(&client, user, minor).await;
    }
    let refused = async |user: i64, path: &str, error: &str| {
        let before = balance(&client, user).await;
        let answer = register(&client, path, user).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (409, &json!(error)));
        assert_eq!(balance(&client, user).await, before);
    };
    refused(4, &path, "the balance is below the entry fee").await;
    assert_eq!(register(&client, &path, 1).await.status, 200);
    refused(1, &path, "the user has registered for this tournament already").await;
    assert_eq!(register(&client, &path, 2).await.status, 200);
    refused(3, &path, "the tournament is full").await;
    let upcoming = client.tournament(json!({})).await;
    let (begun, _) = client.begun_tournament().await;
    for path in [upcoming, begun] {
        refused(5, &path, "the tournament is not open for registration").await;
        assert_eq!(unregister(&client, Verb::Post, &path, 1).await.status, 409);
    }
    let never = unregister(&client, Verb::Post, &path, 3).await;
    assert_eq!(never.json()["error"], "the user has not registered for this tournament");
    let nobody = register(&client, &path.replace(&path, &open(&client, 2).await), 999_999).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["error"]), (404, &json!("no such user")));
    assert_books_are_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn sixty_four_users_at_once_take_exactly_the_places_there_are_and_pay_once_each() {
    const USERS: i64 = 64;
    const PLACES: u32 = 24;
    let client = TestClient::start_in(arcade::demo::World { users: 64, ..WORLD }, &[]).await;
    let path = open(&client, PLACES).await;
    for user in 1..=USERS {
        endow(&client, user, 2 * FEE).await;
    }
    let mut asking = JoinSet::new();
    // Each asks twice at once, as an impatient finger does.
    for user in (1..=USERS).chain(1..=USERS) {
        let (sender, path, token) =
            (client.sender(), format!("{path}/register"), client.player(user));
        asking.spawn(async move { (user, sender.send(Verb::Post, &path, Some(&token), "").await) });
    }
    let mut taken: BTreeMap<i64, u32> = BTreeMap::new();
    for (user, answer) in asking.join_all().await {
        assert!(matches!(answer.status.as_u16(), 200 | 409), "{user}: {answer:?}");
        *taken.entry(user).or_default() += u32::from(answer.status == 200);
    }
    assert_eq!(taken.values().sum::<u32>(), PLACES);
    let detail = client.shown(&path).await;
    let participants = detail["participants"].as_array().expect("participants");
    let mut registered: Vec<i64> =
        participants.iter().filter_map(|one| one["userId"].as_i64()).collect();
    registered.sort_unstable();
    let winners: Vec<i64> =
        taken.iter().filter(|(_, times)| **times > 0).map(|(user, _)| *user).collect();
    assert_eq!(registered, winners);
    for (user, times) in taken {
        assert!(times <= 1);
        assert_eq!(balance(&client, user).await, 2 * FEE - FEE * i64::from(times), "{user}");
    }
    assert_books_are_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn one_user_at_two_tournaments_at_once_never_pays_more_than_the_balance() {
    let client = TestClient::start().await;
    let mut paths = Vec::new();
    for _ in 0..8 {
        paths.push(open(&client, 4).await);
    }
    endow(&client, 1, 3 * FEE).await;
    let mut asking = JoinSet::new();
    for path in paths {
        let (sender, token) = (client.sender(), client.player(1));
        asking.spawn(async move {
            sender.send(Verb::Post, &format!("{path}/register"), Some(&token), "").await.status
        });
    }
    let told = asking.join_all().await;
    let good = told.iter().filter(|status| **status == 200).count();
    assert_eq!((good, balance(&client, 1).await), (3, 0), "{told:?}");
    assert_books_are_right(&client).await;
    client.stop().await;
}

#[tokio::test]
async fn a_cancelled_tournament_pays_everybody_back_once() {
    let client = TestClient::start().await;
    let path = open(&client, 4).await;
    for user in 1..=3 {
        endow(&client, user, FEE).await;
        assert_eq!(register(&client, &path, user).await.status, 200);
    }
    assert_eq!(
        client.administer(Verb::Post, &format!("{path}/start"), &Value::Null).await.status,
        200
    );
    for expected in [200, 409] {
        let answer = client.administer(Verb::Patch, &path, &json!({ "status": "CANCELLED" })).await;
        assert_eq!(answer.status, expected);
        for user in 1..=3 {
            assert_eq!(balance(&client, user).await, FEE);
        }
    }
    assert_books_are_right(&client).await;
    client.stop().await;
}
