//! The start: what is told, in which order, until the server answers.

use std::fmt::Display;

use anyhow::{Context, anyhow};
use arcade::app::App;
use arcade::auth::{self, Passwords, Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::demo::{DEMO_WORLD, Filled, World};
use arcade::server::Server;
use arcade::settings::{Demo, Log, LogFormat, Profile, Settings};
use arcade::shared_tier::SharedTier;
use arcade::storage::Store;
use larder::clock::{Clock, SystemClock};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::greeting::{self, Greeting};
use crate::progress;
use crate::standing::Standing;

/// Serves until SIGTERM or ctrl-c.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    log_to_stderr(&settings.log)?;
    let server = Server::listen(&settings.http).await?;
    let secret = auth::secret_of(&settings)?;
    let tier = SharedTier::open(&settings.redis)?;
    tier.warn_of_mode(settings.profile);
    let store = parts_that_must_be_there(&settings, &tier).await?;
    let migration = store.migrate().await?;
    if settings.demo == Demo::On {
        fill(&settings, &store).await?;
    }
    let stop = CancellationToken::new();
    let app = App::build(&settings, &secret, store, tier.clone(), stop.clone()).await?;
    // Before the address is told: whoever reads it may send one at once.
    let signals = Signals::caught()?;
    let (address, profile) = (server.address(), settings.profile);
    announce(format_args!("Arcade listens on http://{address} (profile {profile})."));
    announce(Standing { settings: &settings, address, migration, system: app.system() });
    if profile == Profile::Development {
        announce(invitation(&settings, &Tokens::new(&secret), &server)?);
    }
    let (told, watched) = (tier.clone().tell(stop.clone()), tier.watch(stop.clone()));
    let probed = app.probing();
    tokio::join!(until_signalled(signals, server, app, stop), told, watched, probed);
    announce("Arcade has stopped.");
    Ok(())
}

/// Waits for what the server cannot start without, and names all of it that is missing.
async fn parts_that_must_be_there(settings: &Settings, tier: &SharedTier) -> anyhow::Result<Store> {
    match tokio::join!(crate::opened(settings), tier.ready()) {
        (Ok(store), Ok(())) => Ok(store),
        (Err(error), Ok(())) => Err(error),
        (Ok(store), Err(error)) => {
            store.close().await;
            Err(error.into())
        }
        (Err(database), Err(redis)) => Err(anyhow!("{database:#}; and {redis}")),
    }
}

/// A server serves on when nobody reads what it says.
fn announce(text: impl Display) {
    if let Err(fault) = greeting::tell(text) {
        tracing::warn!(error = format!("{fault:#}"), "nobody reads the announcements");
    }
}

/// Fills an empty database with the demo world and says so.
pub(crate) async fn fill(settings: &Settings, store: &Store) -> anyhow::Result<Filled> {
    let begun = SystemClock.precise();
    let passwords = Passwords::new(settings.password_memory_kib)?;
    let filled = DEMO_WORLD.fill(store, &passwords, progress::shown().as_mut()).await?;
    if filled == Filled::Now {
        let World { seed, users, tournaments, items, notifications } = DEMO_WORLD;
        let took_ms = SystemClock.precise().since(begun).as_millis();
        announce(format_args!(
            "Made the demo world: {users} users, {tournaments} tournaments, {items} items, \
             {notifications} notifications, seed {seed}, in {took_ms} ms."
        ));
    }
    Ok(filled)
}

fn invitation(settings: &Settings, tokens: &Tokens, server: &Server) -> anyhow::Result<Greeting> {
    let issue = |user, role| tokens.issue(user, role, TOKEN_LIFETIME);
    let admin = issue(DEMO_WORLD.admin(), Role::Admin)?;
    let path = settings.data.join("token");
    auth::write_private(&path, &admin)
        .with_context(|| format!("ARCADE_DATA: cannot write {}", path.display()))?;
    Ok(Greeting {
        address: server.address(),
        first: issue(UserId(1), Role::Player)?,
        second: issue(UserId(2), Role::Player)?,
        admin,
        admin_file: path,
    })
}

fn log_to_stderr(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter (ARCADE_LOG)")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// The signals that end the server. From here on they no longer end the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn caught() -> anyhow::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot wait for ctrl-c")?,
        })
    }
}

/// Serves until a signal comes, then drains.
async fn until_signalled(mut signals: Signals, server: Server, app: App, stop: CancellationToken) {
    let mut serving = std::pin::pin!(server.run(app, stop.clone()));
    tokio::select! {
        () = &mut serving => return,
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
    stop.cancel();
    serving.await;
}
