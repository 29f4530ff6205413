//! `larder refresh`: drops all that is cached of one thing.

use std::fmt::Write as _;

use clap::Args;
use larder_console::{REFRESH_PATH, RefreshRequest, RefreshRow};

use crate::servers::Servers;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kind of thing, such as `user`, `room` or `classes`; a wrong word is answered with the list.
    bundle: String,
    /// Which one, where there are several.
    id: Option<i64>,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: Option<String>,
}

/// Drops it on each server. Those that share a log need only one of them.
///
/// # Errors
/// A server does not answer, or does not know such a thing.
pub(crate) fn told(servers: &Servers, options: &Options) -> anyhow::Result<String> {
    let Options { bundle, id, why } = options;
    let request = RefreshRequest { bundle: bundle.clone(), id: *id, why: why.clone() };
    let answers: Vec<(&str, RefreshRow)> = servers.tell(REFRESH_PATH, &request)?;
    let mut text = String::new();
    for (url, RefreshRow { position }) in answers {
        match position {
            Some(position) => writeln!(text, "{url}: dropped everywhere, at {position}")?,
            None => writeln!(text, "{url}: dropped there; the others are told as soon as it can")?,
        }
    }
    Ok(text)
}
