//! The server's side: what runs in a process of its own, so that its processor time is its own.

use std::path::Path;

use arcade::app::App;
use arcade::auth::{Passwords, UserId};
use arcade::configuration::{self, Environment};
use arcade::demo::{Unwatched, World};
use arcade::server::Server;
use arcade::settings::{Secret, Settings};
use arcade::shared_tier::SharedTier;
use arcade::storage::Store;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

/// The secret that signs the tokens of both sides.
pub(crate) const SECRET: &str = "a secret of benchmarks, with more than 32 bytes";

/// Large enough that no side holds the whole of it by accident.
pub(crate) const WORLD: World =
    World { seed: 20_261_129, users: 1_000, tournaments: 200, items: 1_000, notifications: 20_000 };

pub(crate) fn admin() -> UserId {
    WORLD.admin()
}

/// The settings of a server whose files are in `directory`.
///
/// # Errors
/// A setting is wrong.
pub(crate) fn settings(directory: &Path, cache: &str) -> anyhow::Result<Settings> {
    let variables = [
        ("ARCADE_PROFILE", "test"),
        ("ARCADE_DATA", "."),
        ("JWT_SECRET", SECRET),
        ("PORT", "0"),
        ("CACHE_ENABLED", cache),
        ("CACHE_ENTRIES_MAX", "100000"),
    ];
    Ok(configuration::load(Environment::of(directory, variables))?)
}

/// Fills an empty database, serves until standard input ends, and tells the address on standard
/// output.
///
/// # Errors
/// The server cannot start.
pub(crate) async fn serve(directory: &Path, cache: &str) -> anyhow::Result<()> {
    let settings = settings(directory, cache)?;
    let store = Store::open(&settings.database, &settings.data).await?;
    store.migrate().await?;
    let passwords = Passwords::new(settings.password_memory_kib)?;
    WORLD.fill(&store, &passwords, &mut Unwatched).await?;
    let stop = CancellationToken::new();
    let secret = Secret::new(SECRET);
    let app = App::build(&settings, &secret, store, SharedTier::none(), stop.clone()).await?;
    let server = Server::listen(&settings.http).await?;
    println!("{}", server.address());
    let until_closed = async {
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await
    };
    let mut serving = std::pin::pin!(server.run(app, stop.clone()));
    tokio::select! {
        () = &mut serving => return Ok(()),
        closed = until_closed => drop(closed?),
    }
    stop.cancel();
    serving.await;
    Ok(())
}
