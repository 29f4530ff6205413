//! `larder warm`: begins warm sets, waits for them if it is told to, and shows how far they are.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use clap::Args;
use larder_console::{WARM_PATH, WarmRequest, WarmRow};
use serde::Serialize;

use crate::servers::Servers;
use crate::table;

/// How often a server is asked how far it is.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A set; give it again to name several. Without, all.
    #[arg(long = "set", value_name = "NAME")]
    sets: Vec<String>,
    /// Wait until they are read. Fails if one of them could not be.
    #[arg(long)]
    wait: bool,
    /// Begin nothing: only say how far they are.
    #[arg(long, conflicts_with_all = ["sets", "wait"])]
    status: bool,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Whether this set was asked for.
    fn names(&self, row: &WarmRow) -> bool {
        self.sets.is_empty() || self.sets.contains(&row.set)
    }

    /// Whether a set that was asked for is still to be read.
    fn is_under_way(&self, progress: &Progress<'_>) -> bool {
        let mut rows = progress.iter().flat_map(|(_, rows)| rows);
        rows.any(|row| self.names(row) && row.is_under_way())
    }

    /// Whether a set that was asked for could not be read.
    fn has_failed(&self, progress: &Progress<'_>) -> bool {
        let failed = |row: &WarmRow| matches!(row.state.as_str(), "failed" | "stopped");
        progress.iter().flat_map(|(_, rows)| rows).any(|row| self.names(row) && failed(row))
    }
}

/// The sets of each server.
type Progress<'a> = Vec<(&'a str, Vec<WarmRow>)>;

/// The sets of a server, and whose they are.
#[derive(Debug, Serialize)]
struct Told<'a> {
    node: &'a str,
    sets: &'a [WarmRow],
}

/// How far the sets of every server are.
///
/// # Errors
/// A server does not answer, has no such set, or could not read one that was waited for.
pub(crate) fn told(servers: &Servers, options: &Options) -> anyhow::Result<String> {
    let sets = (!options.sets.is_empty()).then(|| options.sets.clone());
    let mut progress: Progress<'_> = match options.status {
        true => servers.ask(WARM_PATH, &[])?,
        false => servers.post(WARM_PATH, &WarmRequest { sets })?,
    };
    if options.wait {
        while options.is_under_way(&progress) {
            show(&progress);
            pause();
            progress = servers.ask(WARM_PATH, &[])?;
        }
        show(&progress);
    }
    let told = match options.json {
        true => {
            let nodes = progress.iter().map(|(node, sets)| Told { node, sets });
            serde_json::to_string_pretty(&nodes.collect::<Vec<_>>())? + "\n"
        }
        false => as_table(&progress),
    };
    match options.wait && options.has_failed(&progress) {
        true => anyhow::bail!("{told}not every set could be read"),
        false => Ok(told),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command has one thread, and nothing else to do")]
fn pause() {
    thread::sleep(POLL_INTERVAL);
}

/// One line that replaces itself, for people who wait.
fn show(progress: &Progress<'_>) {
    let mut terminal = io::stderr();
    if !terminal.is_terminal() {
        return;
    }
    let line = as_line(progress);
    let end = match line.is_empty() {
        true => "",
        false => " …",
    };
    // Who cannot be shown how far it is waits all the same.
    write!(terminal, "\r\x1b[K{line}{end}").and_then(|()| terminal.flush()).unwrap_or_default();
}

/// The sets that are being read, with their part in percent.
fn as_line(progress: &Progress<'_>) -> String {
    let rows = progress.iter().flat_map(|(_, rows)| rows).filter(|row| row.state == "running");
    let part = |row: &WarmRow| (100 * row.read()).checked_div(row.listed).unwrap_or(0);
    let shown = rows.map(|row| format!("{} {} %", row.set, part(row)));
    shown.collect::<Vec<_>>().join(", ")
}

fn as_table(progress: &Progress<'_>) -> String {
    let heads =
        ["NODE", "SET", "STATE", "KEYS", "IN MEMORY", "SHARED", "LOADED", "FAILED", "TOOK", "ERROR"];
    let cells = |node: &str, row: &WarmRow| {
        [
            node.to_owned(),
            row.set.clone(),
            row.state.clone(),
            row.listed.to_string(),
            row.present.to_string(),
            row.shared.to_string(),
            row.loaded.to_string(),
            row.failed.to_string(),
            format!("{:.1} s", row.elapsed_ms as f64 / 1e3),
            row.error.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let rows = progress.iter().flat_map(|(node, rows)| rows.iter().map(|row| cells(node, row)));
    table::text(heads, &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(set: &str, state: &str, loaded: u64) -> WarmRow {
        WarmRow {
            set: set.to_owned(),
            state: state.to_owned(),
            listed: 8,
            left_out: 0,
            present: 1,
            shared: 0,
            loaded,
            failed: 1,
            elapsed_ms: 1_250,
            error: Some("the source failed".to_owned()),
        }
    }

    #[test]
    fn whoever_names_sets_waits_for_these_alone() {
        let of = |sets: &[&str]| Options {
            sets: sets.iter().map(|set| (*set).to_owned()).collect(),
            wait: true,
            status: false,
            json: false,
        };
        let rows =
            vec![row("rooms", "running", 4), row("users", "done", 7), row("maps", "failed", 0)];
        let progress = vec![("http://a", rows)];
        let told = |sets: &[&str]| {
            let options = of(sets);
            (options.is_under_way(&progress), options.has_failed(&progress))
        };
        assert_eq!(told(&[]), (true, true));
        assert_eq!(told(&["users"]), (false, false));
        assert_eq!(told(&["users", "rooms"]), (true, false));
        assert_eq!(told(&["maps"]), (false, true));
    }

    #[test]
    fn whoever_waits_sees_what_is_being_read_and_how_far_it_is() {
        let rows = vec![row("rooms", "running", 4), row("users", "waiting", 0)];
        let progress = vec![("http://a", rows)];
        assert_eq!(as_line(&progress), "rooms 75 %");
        let table = as_table(&progress);
        let line = table.lines().nth(1).expect("a row");
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[..8], ["http://a", "rooms", "running", "8", "1", "0", "4", "1"]);
        assert!(line.ends_with("1.2 s  the source failed"), "{line}");
    }
}
