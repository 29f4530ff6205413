//! What the settings are, once they are read and checked. Must not know where they came from.

mod profile;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use larder_redis::RedisOptions;

pub use profile::{Profile, UnknownProfile};

/// The shortest secret that may sign tokens: the output size of the hash (RFC 7518 §3.2).
pub const JWT_SECRET_BYTES_MIN: usize = 32;

/// The least memory of a password's hash outside of tests, in KiB: what OWASP asks for.
pub const PASSWORD_MEMORY_KIB_MIN: u32 = 19_456;

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where this process runs.
    pub profile: Profile,
    /// Where Arcade keeps its files.
    pub data: PathBuf,
    /// The HTTP server.
    pub http: Http,
    /// How often a source may ask.
    pub limits: Limits,
    /// The secret that signs tokens. Missing in development only, where the start makes one.
    pub jwt_secret: Option<Secret>,
    /// The memory that hashing a password takes, in KiB.
    pub password_memory_kib: u32,
    /// How long sessions last.
    pub sessions: Sessions,
    /// The database.
    pub database: Database,
    /// The cache.
    pub cache: Cache,
    /// What the cache shares with other processes.
    pub redis: Redis,
    /// Where acknowledged writes wait for the database.
    pub journal: Journal,
    /// Log lines.
    pub log: Log,
    /// The demo world.
    pub demo: Demo,
}

/// How the server listens and what it bears.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address to listen on.
    pub address: SocketAddr,
    /// The longest request body.
    pub body_bytes_max: usize,
    /// The longest a request may take.
    pub request_timeout: Duration,
    /// How long the head of a request, and then its body, may take to arrive.
    pub read_timeout: Duration,
    /// How long requests in flight may go on after the signal to stop.
    pub shutdown_timeout: Duration,
}

/// How often a source may ask within a minute; zero is as often as it likes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of any kind.
    pub requests_per_minute: u64,
    /// Logging in and registering.
    pub logins_per_minute: u64,
    /// Making a token anew.
    pub refreshes_per_minute: u64,
    /// Requests with a token that is refused.
    pub bad_tokens_per_minute: u64,
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct Sessions {
    /// How long an access token is good, unless its session ends before.
    pub access: Duration,
    /// How long a session can rest before it ends.
    pub refresh: Duration,
    /// How often it is noted at most that somebody asks in a session.
    pub activity_every: Duration,
}

/// Which database, and how much of it.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its URL. `None` is the file in the data directory.
    pub url: Option<Secret>,
    /// The most connections to it.
    pub connections_max: u32,
}

/// The bounds of the cache and the lifetimes of what is in it.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Whether reads go through it at all.
    pub caching: Caching,
    /// Whether the consistency probe runs.
    pub probe: bool,
    /// What is read before somebody asks.
    pub warming: Warming,
    /// The most bytes that the memory tier holds.
    pub memory_bytes_max: u64,
    /// The most entries that the memory tier holds.
    pub entries_max: u64,
    /// How long a page of the marketplace is fresh.
    pub market_items_fresh: Duration,
    /// How long an item of the marketplace is fresh.
    pub market_item_fresh: Duration,
    /// How long a page of a user's inventory is fresh.
    pub inventory_fresh: Duration,
    /// How long a user's balance is fresh.
    pub balance_fresh: Duration,
    /// How long an account is fresh.
    pub account_fresh: Duration,
    /// How long a session is fresh after it was used, and the list of a user's sessions.
    pub user_session_fresh: Duration,
    /// How long a page of notifications is fresh.
    pub notifications_fresh: Duration,
    /// How long the number of unread notifications is fresh.
    pub unread_count_fresh: Duration,
    /// How long a page of tournaments is fresh.
    pub tournaments_fresh: Duration,
    /// How long a page of a venue's tournaments is fresh.
    pub tournaments_by_venue_fresh: Duration,
    /// How long a tournament with its players is fresh.
    pub tournament_fresh: Duration,
    /// How long the matches of a tournament are fresh.
    pub matches_fresh: Duration,
    /// How long a match is fresh.
    pub match_fresh: Duration,
    /// How long the state of a room is fresh.
    pub room_state_fresh: Duration,
    /// How long the list of a room's players is fresh.
    pub room_players_fresh: Duration,
    /// How long a page of a user's rooms is fresh.
    pub user_rooms_fresh: Duration,
    /// How long what is known of an asset is fresh.
    pub asset_meta_fresh: Duration,
    /// How long a page of a room's assets is fresh.
    pub batch_assets_fresh: Duration,
    /// How long a game system or template is fresh.
    pub system_template_fresh: Duration,
    /// How long the result of a query is fresh.
    pub query_fresh: Duration,
    /// How long a class and the list of classes are fresh.
    pub classes_fresh: Duration,
    /// How long builds, lists of them and counts of their likes are fresh.
    pub builds_fresh: Duration,
}

/// What is read before somebody asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Warming {
    /// Whether the sets are read after a start; on demand they are in any case.
    pub after_start: bool,
    /// Whether a start reads again what was hot when the process before ended.
    pub hot_keys: bool,
    /// How many keys of the sets are read in a second.
    pub keys_per_second: u32,
    /// How many rooms, those in which most users sit; of none there is no set.
    pub popular_rooms: u32,
    /// How many accounts, those whose users were here last.
    pub active_users: u32,
    /// How many game systems and templates, those that are used most.
    pub systems: u32,
    /// How many assets, the newest.
    pub recent_assets: u32,
}

/// Whether reads go through the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// They do.
    On,
    /// Each asks the source, so that the difference can be seen.
    Off,
}

/// Which Redis the cache shares its values and invalidations through.
#[derive(Debug, Clone)]
pub struct Redis {
    /// What the server does without it.
    pub mode: RedisMode,
    /// Where and how it is reached. Missing when the mode is off.
    pub server: Option<RedisOptions>,
    /// What every key of this platform begins with.
    pub namespace: String,
    /// More values of the namespace than this are told; 0 counts none.
    pub values_max: u64,
}

/// What the server does without Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisMode {
    /// It does not start. Once started, it goes on without.
    Required,
    /// It starts, and uses it when it is there.
    Optional,
    /// It asks no Redis: the cache is this process's own.
    Off,
}

impl RedisMode {
    /// Its word in the settings.
    pub fn name(self) -> &'static str {
        match self {
            RedisMode::Required => "required",
            RedisMode::Optional => "optional",
            RedisMode::Off => "off",
        }
    }
}

/// Where acknowledged writes wait for the database.
#[derive(Debug, Clone)]
pub enum Journal {
    /// In a file of the data directory.
    Disk,
    /// In the Redis that the cache is shared through.
    Redis {
        /// Where and how it is reached.
        server: Box<RedisOptions>,
        /// What its keys begin with.
        namespace: String,
        /// What the server does without it.
        mode: RedisMode,
    },
}

/// Which log lines are written, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Which lines are written, in the syntax of `tracing_subscriber`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether the start fills an empty database with the demo world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    /// It does.
    On,
    /// It leaves the database as it is.
    Off,
}

/// Text that no log line and no dump may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
