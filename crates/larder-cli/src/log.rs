//! `larder log`: the audit trails of one or more servers, as one.

use std::time::{Duration, SystemTime};

use clap::Args;
use humantime::{format_rfc3339_millis, parse_duration};
use larder_console::{LOG_PATH, LogRow};
use serde::Serialize;

use crate::servers::Servers;
use crate::table;

/// The end of the year 9999, the last that RFC 3339 can write.
const LAST_MS: i64 = 253_402_300_799_999;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many at most, the newest; 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    last: u16,
    /// None older than this, such as `10m`, `2h 30m` or `1day`.
    #[arg(long, value_parser = parse_duration, value_name = "AGE")]
    since: Option<Duration>,
    /// None newer than this.
    #[arg(long, value_parser = parse_duration, value_name = "AGE")]
    until: Option<Duration>,
    /// One JSON document a line instead of a table.
    #[arg(long)]
    json: bool,
}

/// A row, and whose it is.
#[derive(Debug, Serialize)]
struct Told<'a> {
    node: &'a str,
    #[serde(flatten)]
    row: LogRow,
}

/// The newest rows of all servers together, newest first.
///
/// # Errors
/// A server does not answer.
pub(crate) fn told(servers: &Servers, options: &Options) -> anyhow::Result<String> {
    let answers: Vec<(&str, Vec<LogRow>)> = servers.ask(LOG_PATH, &query(options, now_ms()))?;
    let of_node =
        |(node, rows): (_, Vec<LogRow>)| rows.into_iter().map(move |row| Told { node, row });
    let mut all: Vec<Told<'_>> = answers.into_iter().flat_map(of_node).collect();
    all.sort_by_key(|told| (std::cmp::Reverse(told.row.at_ms), std::cmp::Reverse(told.row.number)));
    all.truncate(usize::from(options.last));
    match options.json {
        true => {
            let lines = all.iter().map(|told| Ok(serde_json::to_string(told)? + "\n"));
            lines.collect()
        }
        false => Ok(as_table(&all)),
    }
}

fn query(options: &Options, now_ms: i64) -> Vec<(&'static str, String)> {
    let before = |age: Duration| {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        now_ms.saturating_sub(age).max(0).to_string()
    };
    let last = ("last", options.last.to_string());
    let from = options.since.map(|age| ("from", before(age)));
    let to = options.until.map(|age| ("to", before(age)));
    [Some(last), from, to].into_iter().flatten().collect()
}

fn as_table(all: &[Told<'_>]) -> String {
    let heads = ["TIME", "NODE", "WHO", "WHY", "COUNT", "POSITION", "WHAT"];
    let cells = |told: &Told<'_>| {
        let row = &told.row;
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        [
            time(row.at_ms),
            told.node.to_owned(),
            or_dash(&row.by),
            or_dash(&row.because),
            row.matched.unwrap_or(row.names_count).to_string(),
            row.position.clone().unwrap_or_else(|| "not shared".to_owned()),
            what(row),
        ]
    };
    table::text(heads, &all.iter().map(cells).collect::<Vec<_>>())
}

fn what(row: &LogRow) -> String {
    let more = row.names_count.saturating_sub(row.names.len() as u64);
    let mut text = row.names.join(", ");
    if more > 0 {
        text.push_str(&format!(", and {more} more"));
    }
    if row.soft {
        text.push_str(" (stale only)");
    }
    text
}

fn time(at_ms: i64) -> String {
    let since = Duration::from_millis(at_ms.clamp(0, LAST_MS).unsigned_abs());
    format_rfc3339_millis(SystemTime::UNIX_EPOCH + since).to_string()
}

#[expect(clippy::disallowed_methods, reason = "ages are counted back from the clock on the wall")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> LogRow {
        LogRow {
            number: 1,
            at_ms: 1_764_482_400_123,
            by: Some("user 7".to_owned()),
            because: None,
            names: vec!["tag red".to_owned()],
            names_count: 3,
            soft: true,
            matched: None,
            position: None,
        }
    }

    #[test]
    fn a_row_says_when_where_who_and_what() {
        let told = as_table(&[Told { node: "http://a", row: row() }]);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines,
            [
                "TIME                      NODE      WHO     WHY  COUNT  POSITION    WHAT",
                "2025-11-30T06:00:00.123Z  http://a  user 7  -    3      not shared  tag red, and 2 more (stale only)",
            ]
        );
    }

    #[test]
    fn ages_become_times() {
        let options = Options {
            last: 10,
            since: Some(Duration::from_secs(60)),
            until: Some(Duration::MAX),
            json: false,
        };
        let query = query(&options, 100_000);
        let expected = [("last", "10"), ("from", "40000"), ("to", "0")];
        assert_eq!(query, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
