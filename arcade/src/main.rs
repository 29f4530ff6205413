//! The `arcade` command: what is done before the server runs, and running it.
// The macros panic where nobody reads, and whoever reads may stop at any time.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod diagnosis;
mod greeting;
mod progress;
mod serve;
mod standing;

use std::process::ExitCode;

use anyhow::Context;
use arcade::auth::{self, Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::configuration::{self, Environment};
use arcade::demo::Filled;
use arcade::settings::Settings;
use arcade::storage::Store;
use clap::{Parser, Subcommand};

use self::greeting::{tell, tell_apart};

/// The reference game platform that runs on larder.
///
/// Settings come from defaults, then arcade.toml (or the file that ARCADE_CONFIG names), then the
/// environment; `arcade config show` lists them. ARCADE_PROFILE is development, staging,
/// production or test. ARCADE_DATA is the data directory, ./.arcade by default.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or ctrl-c. The default.
    Serve,
    /// Look at the settings without starting anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Fill an empty database with the demo world.
    Seed,
    /// Print a token that is good for an hour.
    Token {
        /// The user's number.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
        user: i64,
        /// player or admin.
        #[arg(long, default_value = "player")]
        role: Role,
    },
    /// Bring the database's tables to the current form.
    Migrate,
    /// Look at the database and the Redis that the settings name, as an operator would.
    Doctor,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every setting with its value and where it comes from. Secrets are hidden.
    Show,
    /// Check every setting and name all mistakes at once.
    Check,
    /// Print the documentation of every setting, in Markdown.
    Table,
}

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_apart(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    for warning in environment.warnings() {
        tell_apart(format_args!("warning: {warning}"));
    }
    match command {
        Command::Serve => on_runtime(serve::run(configuration::load(environment)?)),
        Command::Config(ConfigCommand::Show) => {
            tell(greeting::settings(&configuration::show(environment)?).trim_end())
        }
        Command::Config(ConfigCommand::Check) => {
            let settings = configuration::load(environment)?;
            tell(format_args!("The settings are good for the profile {}.", settings.profile))
        }
        Command::Config(ConfigCommand::Table) => tell(configuration::documented().trim_end()),
        Command::Seed => on_runtime(seed(configuration::load(environment)?)),
        Command::Token { user, role } => {
            let secret = auth::secret_of(&configuration::load(environment)?)?;
            tell(Tokens::new(&secret).issue(UserId(user), role, TOKEN_LIFETIME)?)
        }
        Command::Migrate => on_runtime(migrate(configuration::load(environment)?)),
        Command::Doctor => on_runtime(diagnosis::run(configuration::load(environment)?)),
    }
}

fn on_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(work)
}

async fn migrate(settings: Settings) -> anyhow::Result<()> {
    let store = opened(&settings).await?;
    let newest = store.migrate().await?;
    store.close().await;
    tell(format_args!("The database is at migration {newest}."))
}

async fn seed(settings: Settings) -> anyhow::Result<()> {
    let store = opened(&settings).await?;
    store.migrate().await?;
    let filled = serve::fill(&settings, &store).await?;
    store.close().await;
    match filled {
        Filled::Now => Ok(()),
        Filled::Before { users } => {
            tell(format_args!("The database holds {users} users already and stays as it is."))
        }
    }
}

/// Opens the database, in a data directory that only its owner can enter.
async fn opened(settings: &Settings) -> anyhow::Result<Store> {
    auth::private_directory(&settings.data)
        .with_context(|| format!("ARCADE_DATA: cannot make {}", settings.data.display()))?;
    Ok(Store::open(&settings.database, &settings.data).await?)
}
