//! Asks running servers about their caches: what the `larder` command says, as text.

mod catalogue;
mod log;
mod refresh;
mod servers;
mod table;
mod warm;

use clap::{Parser, Subcommand};

use self::servers::Servers;

/// Asks running servers about their caches.
///
/// The token of an admin comes from --token, LARDER_TOKEN, or the file `token` that a server in
/// development writes into its data directory (ARCADE_DATA, by default ./.arcade).
#[derive(Debug, Parser)]
#[command(name = "larder", version)]
pub struct Arguments {
    #[command(flatten)]
    servers: Servers,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who invalidated what, when and why. Each server knows what was asked of it: name several to
    /// see a fleet.
    Log(log::Options),
    /// Every cache: its keys, how long its values live, how they are stored.
    Catalogue(catalogue::Options),
    /// Drops all that is cached of one thing, in every domain: for what was changed behind the
    /// server's back.
    Refresh(refresh::Options),
    /// Begins to read warm sets, and says how far they are.
    Warm(warm::Options),
}

/// What the command prints.
///
/// # Errors
/// A server does not answer, or not what was asked for; the message names it.
pub fn told(arguments: &Arguments) -> anyhow::Result<String> {
    let Arguments { servers, command } = arguments;
    match command {
        Command::Log(options) => log::told(servers, options),
        Command::Catalogue(options) => catalogue::told(servers, options),
        Command::Refresh(options) => refresh::told(servers, options),
        Command::Warm(options) => warm::told(servers, options),
    }
}
