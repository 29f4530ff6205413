//! What the server tells of its parts when it starts, a line each: as they are then.

use std::fmt;
use std::net::SocketAddr;

use arcade::journal::Journals;
use arcade::settings::{Caching, Limits, Settings};
use arcade::shared_tier::SharedTier;
use arcade::system::System;
use larder::warm::WarmProgress;
use larder_redis::{RedisOptions, ServerHealth, Topology};

/// Every part of a server that has just started.
pub(crate) struct Standing<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) address: SocketAddr,
    /// The last migration that the database has seen.
    pub(crate) migration: i64,
    pub(crate) system: &'a System,
}

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Standing { settings, address, migration, system } = self;
        writeln!(f, "Database: {}, at migration {migration}.", database(settings))?;
        writeln!(f, "Cache: {}.", memory(settings))?;
        writeln!(f, "Redis: {}.", redis(settings, &system.tier))?;
        writeln!(f, "Outbox: {}.", outbox(system))?;
        writeln!(f, "Journal: {}.", journal(settings, system))?;
        writeln!(f, "Warming: {}.", warming(&system.warmer.progress()))?;
        let probe = if system.probe.is_some() { "runs" } else { "off" };
        writeln!(f, "Consistency probe: {probe}.")?;
        writeln!(f, "Limits: {}.", limits(settings.limits))?;
        write!(f, "Page: http://{address}/console. Metrics: http://{address}/metrics.")
    }
}

fn database(settings: &Settings) -> String {
    match &settings.database.url {
        Some(url) if url.reveal().starts_with("postgres") => "PostgreSQL".to_owned(),
        Some(_) => "SQLite, as database.url says".to_owned(),
        None => format!("SQLite in {}", settings.data.display()),
    }
}

fn memory(settings: &Settings) -> String {
    let cache = &settings.cache;
    if cache.caching == Caching::Off {
        return "off (cache.enabled): each read asks the database".to_owned();
    }
    let mebibytes = cache.memory_bytes_max >> 20;
    format!("memory, up to {} entries and {mebibytes} MiB", cache.entries_max)
}

fn redis(settings: &Settings, tier: &SharedTier) -> String {
    let (Some(options), Some(health)) = (&settings.redis.server, tier.health()) else {
        return "off, the cache is this process's own".to_owned();
    };
    let RedisOptions { tls, credentials, topology, .. } = options;
    let topology = match topology {
        Topology::Single(_) => "one server",
        Topology::Sentinel { .. } => "the master that Sentinel names",
        Topology::Cluster(_) => "a cluster",
    };
    let tls = if tls.is_some() { "with TLS" } else { "without TLS" };
    let user = credentials.username.as_deref().unwrap_or("the default user");
    let mut servers: Vec<String> = health.servers.iter().map(server).collect();
    if servers.is_empty() {
        servers.push("not found yet".to_owned());
    }
    let (mode, servers) = (tier.mode().name(), servers.join(", "));
    format!("{mode}, {topology}, {tls}, as {user}: {servers}")
}

fn server(server: &ServerHealth) -> String {
    let state = if server.connected { "connected" } else { "not connected yet" };
    match &server.address {
        Some(address) => format!("{address} {state}"),
        None => state.to_owned(),
    }
}

fn outbox(system: &System) -> String {
    let stats = system.outbox.stats();
    match stats.looks {
        0 => "relayed, not looked at yet".to_owned(),
        _ => {
            format!("relayed, {} invalidations wait, {} are unreadable", stats.waiting, stats.parked)
        }
    }
}

fn journal(settings: &Settings, system: &System) -> String {
    let (place, figures) = (Journals::of(settings), system.sessions.figures());
    if let Some(problem) = figures.problem {
        return format!("{place}, {problem}");
    }
    let (found, waiting, parked) =
        (figures.writes.replayed, figures.writes.pending, figures.writes.parked);
    format!(
        "{place}, {found} acknowledged writes found in it, {waiting} wait for the database, {parked} are parked"
    )
}

fn warming(sets: &[WarmProgress]) -> String {
    let set =
        |set: &WarmProgress| format!("{} {}", set.set, format!("{:?}", set.state).to_lowercase());
    match sets {
        [] => "off".to_owned(),
        sets => sets.iter().map(set).collect::<Vec<_>>().join(", "),
    }
}

fn limits(limits: Limits) -> String {
    let named = [
        (limits.requests_per_minute, "requests"),
        (limits.logins_per_minute, "logins"),
        (limits.refreshes_per_minute, "refreshed tokens"),
        (limits.bad_tokens_per_minute, "bad tokens"),
    ];
    let set = named.iter().filter(|(limit, _)| *limit > 0);
    let set: Vec<String> = set.map(|(limit, what)| format!("{limit} {what}")).collect();
    match set.as_slice() {
        [] => "none".to_owned(),
        set => format!("{} in a minute, of one source", set.join(", ")),
    }
}
