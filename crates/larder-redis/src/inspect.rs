//! What a server says about itself: figures for operators, and what `doctor` looks at.

use std::collections::BTreeMap;
use std::time::Duration;

use larder::shard::Unreachable;
use redis::Value;

use crate::address::Address;
use crate::fault::Fault;
use crate::rights::NEEDS_INFO;
use crate::server::line::Line;
use crate::server::{Need, Server};

/// What a server says about itself. What it does not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerReport {
    /// Where it is.
    pub address: Option<Address>,
    /// The version of Redis, or the version of Redis that Valkey is compatible with.
    pub version: Option<String>,
    /// Whether it is Valkey.
    pub is_valkey: bool,
    /// The process, until it restarts.
    pub run_id: Option<String>,
    /// `master` or `slave`, as it says.
    pub role: Option<String>,
    /// Bytes that it uses for data and buffers.
    pub used_memory_bytes: Option<u64>,
    /// The most bytes that it may use; 0 is no limit.
    pub memory_bytes_max: Option<u64>,
    /// What it drops when it is full.
    pub eviction_policy: Option<String>,
    /// Connections of everybody.
    pub connections: Option<u64>,
    /// The most connections that it takes.
    pub connections_max: Option<u64>,
    /// Keys in this database, of everybody.
    pub keys: u64,
    /// Whether it appends each write to a file.
    pub appends_to_file: Option<bool>,
    /// Whether it could not save what it has, in either of its files. It may refuse every write then.
    pub saving_failed: Option<bool>,
    /// How many replicas follow it.
    pub replicas: Option<u64>,
    /// How many of them follow closely enough for a write; `None` where it takes writes without any
    /// (`min-replicas-to-write 0`).
    pub replicas_in_time: Option<u64>,
    /// Calls, and the microseconds that they took in all, by command.
    pub commands: BTreeMap<String, CommandFigures>,
    /// How long the question took.
    pub latency: Duration,
    /// The server's wall clock, in milliseconds since 1970.
    pub time_ms: u64,
}

/// The figures of one command since the server's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandFigures {
    /// How often it was called.
    pub calls: u64,
    /// How long all calls took on the server, in microseconds.
    pub took_us: u64,
}

pub(crate) async fn report(
    server: &Server,
    limit: Duration,
    database: u32,
) -> Result<ServerReport, Unreachable> {
    let asking = async {
        let line = server.line(Need::Essential)?;
        let began = server.now();
        let time = line.command("time", &redis::cmd("TIME")).await?;
        let latency = server.now().since(began);
        let said = said(&line, "all", database).await?;
        let address = server.health().address;
        Ok::<_, Fault>(ServerReport { address, latency, time_ms: millis(&time), ..said })
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(report) => Ok(report?),
        Err(_) => Err(Unreachable::new(format!("no answer within {limit:?}"))),
    }
}

/// What the server at the end of this line says about itself, without what it does not say of its own
/// accord: how long it takes and its time.
pub(crate) async fn said(line: &Line, sections: &str, database: u32) -> Result<ServerReport, Fault> {
    let answer = line.command("info", redis::cmd("INFO").arg(sections)).await;
    let answer = answer.map_err(|fault| fault.advised(NEEDS_INFO))?;
    Ok(parsed(&text_of(answer)?, database))
}

fn text_of(answer: Value) -> Result<String, Fault> {
    match answer {
        Value::BulkString(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Value::VerbatimString { text, .. } => Ok(text),
        other => Err(Fault::unexpected("info", &other)),
    }
}

fn millis(time: &Value) -> u64 {
    let Value::Array(parts) = time else { return 0 };
    let number = |at: usize| match parts.get(at) {
        Some(Value::BulkString(digits)) => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
        }
        _ => 0_u64,
    };
    number(0) * 1_000 + number(1) / 1_000
}

fn parsed(info: &str, database: u32) -> ServerReport {
    let mut report = ServerReport::default();
    let keyspace = format!("db{database}");
    for (name, value) in info.lines().filter_map(|line| line.trim_end().split_once(':')) {
        let number = value.parse::<u64>().ok();
        match name {
            "redis_version" => report.version = Some(value.to_owned()),
            "server_name" => report.is_valkey = value == "valkey",
            "run_id" => report.run_id = Some(value.to_owned()),
            "role" => report.role = Some(value.to_owned()),
            "used_memory" => report.used_memory_bytes = number,
            "maxmemory" => report.memory_bytes_max = number,
            "maxmemory_policy" => report.eviction_policy = Some(value.to_owned()),
            "connected_clients" => report.connections = number,
            "maxclients" => report.connections_max = number,
            "rdb_last_bgsave_status" | "aof_last_write_status" => {
                *report.saving_failed.get_or_insert(false) |= value != "ok";
            }
            "connected_slaves" => report.replicas = number,
            "min_slaves_good_slaves" => report.replicas_in_time = number,
            "aof_enabled" => report.appends_to_file = Some(value == "1"),
            _ if name == keyspace => report.keys = field(value, "keys").unwrap_or(0),
            _ => {
                if let Some(command) = name.strip_prefix("cmdstat_") {
                    let figures = CommandFigures {
                        calls: field(value, "calls").unwrap_or(0),
                        took_us: field(value, "usec").unwrap_or(0),
                    };
                    report.commands.insert(command.to_owned(), figures);
                }
            }
        }
    }
    report
}

/// The number of a field in `keys=3,expires=0`.
fn field(value: &str, name: &str) -> Option<u64> {
    let fields = value.split(',').filter_map(|field| field.split_once('='));
    fields.into_iter().find(|(found, _)| *found == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_read_line_by_line() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nrole:master\r\n\
            used_memory:1024\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n\
            connected_clients:3\r\nmaxclients:10000\r\naof_enabled:0\r\n\
            rdb_last_bgsave_status:err\r\naof_last_write_status:ok\r\n\
            connected_slaves:2\r\nmin_slaves_good_slaves:1\r\n\
            cmdstat_get:calls=12,usec=34,usec_per_call=2.83\r\ndb1:keys=5,expires=2\r\n";
        let report = parsed(info, 1);
        assert_eq!(report.version.as_deref(), Some("7.0.15"));
        assert_eq!((report.keys, report.connections), (5, Some(3)));
        assert_eq!(report.commands["get"], CommandFigures { calls: 12, took_us: 34 });
        assert_eq!((report.appends_to_file, report.saving_failed), (Some(false), Some(true)));
        assert_eq!((report.replicas, report.replicas_in_time), (Some(2), Some(1)));
    }

    #[test]
    fn what_a_server_does_not_say_is_left_out() {
        assert_eq!(parsed("nothing of use\r\n", 0), ServerReport::default());
    }
}
