//! One server on a real socket with a database of its own, and one client.

pub(crate) mod builds;
mod half_sent;
pub(crate) mod market;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod requests;
mod sender;
pub(crate) mod sessions;
pub(crate) mod tabletop;
mod told;
pub(crate) mod tournaments;

use arcade::app::App;
use arcade::auth::{Passwords, Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::configuration::{self, Environment};
use arcade::demo::{Unwatched, World};
use arcade::http::{Access, Route, Verb};
use arcade::server::Server;
use arcade::settings::Secret;
use arcade::shared_tier::SharedTier;
use arcade::storage::Store;
use axum::http::{HeaderMap, StatusCode};
use larder_rig::PostgresDatabase;
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use half_sent::HalfSent;
pub(crate) use sender::Sender;

/// The secret of every test server.
pub(crate) const SECRET: &str = "a secret of tests, with more than 32 bytes";

/// What takes longer hangs. It is shorter than the default deadline of a shutdown, so a server
/// that ends only by that deadline fails the test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// A world small enough to make for each test, in which users 1 and 2 have several pages.
pub(crate) const WORLD: World =
    World { seed: 7, users: 20, tournaments: 10, items: 30, notifications: 400 };

/// The store of every test of this process: `postgres` for a server, else a file for each.
const DATABASE_VARIABLE: &str = "ARCADE_TEST_DATABASE";

/// Whether the tests are to run on a server.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the server")]
fn is_on_server() -> bool {
    match std::env::var(DATABASE_VARIABLE).as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("{DATABASE_VARIABLE}: {other} is neither postgres nor sqlite"),
    }
}

/// A database on a server, where the tests are to run on one.
pub(crate) fn on_server() -> Option<PostgresDatabase> {
    match is_on_server() {
        true => Some(PostgresDatabase::fresh()),
        false => None,
    }
}

/// A number that the caller of the tests asks for: how long they are, or which seed to repeat.
#[expect(clippy::disallowed_methods, reason = "the long form and a replay are asked for by variable")]
pub(crate) fn asked(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, but must be a number")))
}

/// The path of a route with `id` in place of each parameter.
pub(crate) fn with_ids(path: &str, id: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// A running server and a client of it.
pub(crate) struct TestClient {
    sender: Sender,
    pub(crate) tokens: Tokens,
    world: World,
    pub(crate) store: Store,
    /// Tells the parts that the server drains, without draining it.
    pub(crate) draining: CancellationToken,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    /// What the server stores in, unless that is a file in its directory.
    pub(crate) database: Option<PostgresDatabase>,
    directory: TempDir,
}

/// What a server left behind when it ended.
pub(crate) struct Left {
    world: World,
    database: Option<PostgresDatabase>,
    pub(crate) directory: TempDir,
}

impl Left {
    /// Changes the database while no server runs.
    pub(crate) async fn execute(&self, sql: String) {
        let mut connection = behind(self.database.as_ref(), &self.directory).await;
        connection.execute(AssertSqlSafe(sql)).await.expect("execute");
        connection.close().await.expect("close");
    }

    /// Starts another server on it.
    pub(crate) async fn start_with(self, variables: &[(&str, &str)]) -> TestClient {
        TestClient::serve(self, variables).await
    }
}

/// A connection of nobody's to what a server stores in.
async fn behind(database: Option<&PostgresDatabase>, directory: &TempDir) -> AnyConnection {
    let file = || format!("sqlite://{}/arcade.db", directory.path().display());
    let url = database.map_or_else(file, |database| database.url.clone());
    AnyConnection::connect(&url).await.expect("connect")
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("plain header"))
    }

    pub(crate) fn unread(&self) -> u64 {
        self.json()["unread"].as_u64().expect("unread is a number")
    }
}

impl TestClient {
    /// Starts a server in the test profile.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server in the test profile with further variables.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_in(WORLD, variables).await
    }

    /// The same with another world in its database.
    pub(crate) async fn start_in(world: World, variables: &[(&str, &str)]) -> Self {
        Self::start_on(on_server(), world, variables).await
    }

    /// Starts a server on a database server that the test may stop; `None` where the tests run
    /// without one.
    pub(crate) async fn start_apart() -> Option<Self> {
        match is_on_server() {
            true => Some(Self::start_on(Some(PostgresDatabase::apart()), WORLD, &[]).await),
            false => None,
        }
    }

    async fn start_on(
        database: Option<PostgresDatabase>,
        world: World,
        variables: &[(&str, &str)],
    ) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        Self::serve(Left { world, database, directory }, variables).await
    }

    async fn serve(left: Left, variables: &[(&str, &str)]) -> Self {
        let Left { world, database, directory } = left;
        let fixed =
            [("ARCADE_PROFILE", "test"), ("ARCADE_DATA", "."), ("JWT_SECRET", SECRET), ("PORT", "0")];
        let url = database.as_ref().map(|database| ("DATABASE_URL", database.url.as_str()));
        let all = fixed.into_iter().chain(url).chain(variables.iter().copied());
        let environment = Environment::of(directory.path(), all);
        let settings = configuration::load(environment).expect("good settings");
        let store = Store::open(&settings.database, &settings.data).await.expect("open");
        store.migrate().await.expect("migrate");
        let passwords = Passwords::new(settings.password_memory_kib).expect("passwords");
        world.fill(&store, &passwords, &mut Unwatched).await.expect("fill");
        let stop = CancellationToken::new();
        let secret = Secret::new(SECRET);
        let draining = stop.child_token();
        let tier = SharedTier::open(&settings.redis).expect("a tier");
        let app = App::build(&settings, &secret, store.clone(), tier, draining.clone());
        let app = app.await.expect("app");
        let server = Server::listen(&settings.http).await.expect("listen");
        TestClient {
            sender: Sender::to(format!("http://{}", server.address())),
            tokens: Tokens::new(&secret),
            world,
            store,
            draining,
            stop: stop.clone(),
            serving: TaskTracker::new().spawn(server.run(app, stop)),
            database,
            directory,
        }
    }

    /// Starts the command as another process on the same database.
    #[cfg(unix)]
    pub(crate) async fn beside(&self, variables: &[(&str, &str)]) -> process::Process {
        let url = self.database.as_ref().map(|database| ("DATABASE_URL", database.url.as_str()));
        let same = [("ARCADE_DATA", ".")].into_iter().chain(url);
        let all: Vec<_> = same.chain(variables.iter().copied()).collect();
        process::Process::start(self.directory.path(), &all).await
    }

    /// A good token of a player.
    pub(crate) fn player(&self, id: i64) -> String {
        self.tokens.issue(UserId(id), Role::Player, TOKEN_LIFETIME).expect("token")
    }

    /// A good token of the admin.
    pub(crate) fn admin(&self) -> String {
        self.tokens.issue(self.world.admin(), Role::Admin, TOKEN_LIFETIME).expect("token")
    }

    /// The token that a route asks for, on behalf of user 1.
    pub(crate) fn fitting(&self, route: &Route) -> Option<String> {
        match route.access {
            Access::Public => None,
            Access::User => Some(self.player(1)),
            Access::Admin => Some(self.admin()),
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Verb::Get, path, Some(token), "").await
    }

    /// A client that can be handed to a task of its own.
    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    pub(crate) async fn send(
        &self,
        verb: Verb,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Answer {
        self.sender.send(verb, path, token, body).await
    }

    pub(crate) async fn send_with(
        &self,
        verb: Verb,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.sender.send_with(verb, path, headers, body).await
    }

    /// Sends bytes as they are and reads what comes back until the server closes.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connected().await;
        // A server that has refused early may have closed already.
        stream.write_all(request).await.unwrap_or_default();
        HalfSent { stream }.answer().await
    }

    pub(crate) async fn connected(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.expect("connect")
    }

    fn address(&self) -> &str {
        self.sender.base.trim_start_matches("http://")
    }

    /// Changes the database behind the server's back, as an operator might.
    pub(crate) async fn execute(&self, sql: String) {
        let mut connection = self.behind().await;
        connection.execute(AssertSqlSafe(sql)).await.expect("execute");
        connection.close().await.expect("close");
    }

    /// A number in the database.
    pub(crate) async fn number(&self, sql: String) -> i64 {
        let mut connection = self.behind().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
        connection.close().await.expect("close");
        number.expect("a number")
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        self.number(format!("SELECT COUNT(*) FROM {table}")).await
    }

    async fn behind(&self) -> AnyConnection {
        behind(self.database.as_ref(), &self.directory).await
    }

    /// Begins user 1's request to `path` and holds its two-byte body back.
    pub(crate) async fn half_sent(&self, path: &str) -> HalfSent {
        HalfSent::begin(self.address(), &self.player(1), path).await
    }

    /// The id of an unread notification of a user.
    pub(crate) async fn unread_of(&self, user: i64) -> i64 {
        let page = self.get("/notifications?limit=100", &self.player(user)).await.json();
        let items = page["items"].as_array().expect("items");
        let unread = items.iter().find(|item| item["read"] == false).expect("an unread one");
        unread["id"].as_i64().expect("id")
    }

    /// Tells the server to drain, as a signal would.
    pub(crate) fn drain(&self) {
        self.stop.cancel();
    }

    /// Drains the server and waits for its end.
    pub(crate) async fn stop(self) {
        self.stopped().await;
    }

    /// The same, and keeps what it has left behind.
    pub(crate) async fn stopped(self) -> Left {
        // An idle connection of the client would be waited for.
        drop(self.sender);
        self.stop.cancel();
        let ended = timeout(PATIENCE, self.serving).await.expect("the server ends in time");
        ended.expect("the server does not panic");
        Left { world: self.world, database: self.database, directory: self.directory }
    }
}
