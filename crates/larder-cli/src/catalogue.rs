//! `larder catalogue`: the caches of a server as a table.

use clap::Args;
use larder_console::{CATALOGUE_PATH, CacheRow};

use crate::servers::Servers;
use crate::table;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

/// The catalogue of the first server that differs from none before it: a fleet has one.
///
/// # Errors
/// A server does not answer, or two of them have different catalogues.
pub(crate) fn told(servers: &Servers, options: &Options) -> anyhow::Result<String> {
    let answers: Vec<(&str, Vec<CacheRow>)> = servers.ask(CATALOGUE_PATH, &[])?;
    let mut answers = answers.into_iter();
    let Some((first, rows)) = answers.next() else {
        anyhow::bail!("no server is named");
    };
    if let Some((other, _)) = answers.find(|(_, others)| *others != rows) {
        anyhow::bail!("{first} and {other} have different catalogues: ask one at a time");
    }
    match options.json {
        true => Ok(serde_json::to_string_pretty(&rows)? + "\n"),
        false => Ok(as_table(&rows)),
    }
}

fn as_table(rows: &[CacheRow]) -> String {
    let heads = ["KEY", "VALUE", "FRESH", "STALE", "FAIL-SAFE", "ABSENT", "SLIDING", "STORED AS"];
    let cells = |row: &CacheRow| {
        let CacheRow { codec, compression, compress_from_bytes, .. } = row;
        [
            row.key.clone(),
            row.value.clone(),
            seconds(row.fresh_seconds),
            seconds(row.stale_seconds),
            seconds(row.fail_safe_seconds),
            seconds(row.negative_seconds),
            if row.sliding { "yes" } else { "-" }.to_owned(),
            format!("{codec}, {compression} from {compress_from_bytes} bytes"),
        ]
    };
    table::text(heads, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Whole seconds without a point; nothing as a dash.
fn seconds(seconds: f64) -> String {
    if seconds == 0.0 { "-".to_owned() } else { format!("{seconds} s") }
}
