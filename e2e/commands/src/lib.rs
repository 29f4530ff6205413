//! An Arcade in this process, for tests that ask it from outside: by the `larder` command, by a browser.

use arcade::app::App;
use arcade::auth::{Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::configuration::{self, Environment};
use arcade::server::Server;
use arcade::settings::Secret;
use arcade::shared_tier::SharedTier;
use arcade::storage::Store;
use clap::Parser;
use larder_cli::{Arguments, told};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const SECRET: &str = "a secret of tests, with more than 32 bytes";

const ITEM: &str = r#"{"name": "Cue", "description": "A cue.", "price": 100, "category": "cue",
    "image": "/cue.png", "available": true, "stock": 3, "communityItem": false}"#;

/// A server with an empty database.
#[derive(Debug)]
pub struct Arcade {
    /// Where it is, such as `http://127.0.0.1:3000`.
    pub url: String,
    /// The token of an admin.
    pub token: String,
    /// The token of a player.
    pub player: String,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _directory: TempDir,
}

impl Arcade {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// It cannot start.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let variables =
            [("ARCADE_PROFILE", "test"), ("ARCADE_DATA", "."), ("JWT_SECRET", SECRET), ("PORT", "0")];
        let environment = Environment::of(directory.path(), variables);
        let settings = configuration::load(environment).expect("good settings");
        let store = Store::open(&settings.database, &settings.data).await.expect("open");
        store.migrate().await.expect("migrate");
        let secret = Secret::new(SECRET);
        let stop = CancellationToken::new();
        let tier = SharedTier::open(&settings.redis).expect("a tier");
        let app = App::build(&settings, &secret, store, tier, stop.child_token());
        let app = app.await.expect("app");
        let server = Server::listen(&settings.http).await.expect("listen");
        let tokens = Tokens::new(&secret);
        let issue = |role| tokens.issue(UserId(1), role, TOKEN_LIFETIME).expect("a token");
        Arcade {
            url: format!("http://{}", server.address()),
            token: issue(Role::Admin),
            player: issue(Role::Player),
            stop: stop.clone(),
            serving: TaskTracker::new().spawn(server.run(app, stop)),
            _directory: directory,
        }
    }

    /// Puts an item on the marketplace.
    ///
    /// # Panics
    /// It is refused.
    pub async fn change(&self) {
        let url = format!("{}/marketplace/items", self.url);
        let bearer = format!("Bearer {}", self.token);
        let posted = tokio::task::spawn_blocking(move || {
            let request = ureq::post(url).header("authorization", bearer);
            request.header("content-type", "application/json").send(ITEM)
        });
        assert_eq!(posted.await.expect("it ran").expect("answered").status().as_u16(), 201);
    }

    /// What the command says with these words, asked with an admin's token.
    ///
    /// # Errors
    /// The words are no command, or it fails.
    pub async fn told(&self, words: &[&str]) -> anyhow::Result<String> {
        let token = self.token.clone();
        self.told_with(&token, words).await
    }

    /// The same with another token.
    ///
    /// # Errors
    /// The words are no command, or it fails.
    pub async fn told_with(&self, token: &str, words: &[&str]) -> anyhow::Result<String> {
        let all = ["larder", "--url", &self.url, "--token", token];
        let arguments = Arguments::try_parse_from(all.iter().chain(words))?;
        tokio::task::spawn_blocking(move || told(&arguments)).await?
    }

    /// Ends it.
    ///
    /// # Panics
    /// It has panicked.
    pub async fn end(self) {
        self.stop.cancel();
        self.serving.await.expect("it ends");
    }
}
