//! Decides which settings exist: their names, variables, limits and defaults. Reads nothing.

use super::setting::{Fallback, Kind, Setting};
use crate::settings::{JWT_SECRET_BYTES_MIN, Profile};

use Fallback::{Made, Required, Value};

/// The variable that names the profile.
pub(super) const PROFILE_VARIABLE: &str = "ARCADE_PROFILE";
/// The variable that names the data directory.
pub(super) const DATA_VARIABLE: &str = "ARCADE_DATA";
/// The variable that names the settings file.
pub(super) const FILE_VARIABLE: &str = "ARCADE_CONFIG";

/// Variables with a guarded prefix that are no settings of the server: where it finds the others,
/// and what the `larder` command reads.
pub(super) const OTHER_VARIABLES: [&str; 5] =
    [PROFILE_VARIABLE, DATA_VARIABLE, FILE_VARIABLE, "LARDER_URL", "LARDER_TOKEN"];

/// The longest a shutdown may take. A container runtime kills after that time.
pub(super) const SHUTDOWN_MS_MAX: u64 = 10_000;

/// How many of something a source may have within a minute.
const PER_MINUTE: Kind = Kind::Number { min: 0, max: 1_000_000 };

/// Limits are off where one machine is every source.
fn limited(profile: Profile, limit: &'static str) -> Fallback {
    match profile {
        Profile::Development | Profile::Test => Value("0"),
        Profile::Staging | Profile::Production => Value(limit),
    }
}

/// How many keys a warm set has; they are at most what the memory tier holds by default.
const WARM_KEYS: Kind = Kind::Number { min: 0, max: 10_000 };

/// What a test does not ask for would change what its first reads find.
fn outside_tests(profile: Profile) -> Fallback {
    match profile {
        Profile::Test => Value("off"),
        Profile::Development | Profile::Staging | Profile::Production => Value("on"),
    }
}

/// Every setting of the server.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "http.host",
        variable: "ARCADE_HOST",
        kind: Kind::Address,
        fallback: |_| Value("127.0.0.1"),
        about: "The address to listen on.",
        requirement: "F-2",
    },
    Setting {
        name: "http.port",
        variable: "PORT",
        kind: Kind::Number { min: 0, max: 65_535 },
        fallback: |_| Value("3000"),
        about: "The port to listen on; 0 takes a free one.",
        requirement: "0-48",
    },
    Setting {
        name: "http.body_bytes_max",
        variable: "ARCADE_BODY_BYTES_MAX",
        kind: Kind::Number { min: 1_024, max: 16 << 20 },
        fallback: |_| Value("65536"),
        about: "The longest request body; a longer one is answered with 413.",
        requirement: "H-1",
    },
    Setting {
        name: "http.request_timeout_ms",
        variable: "ARCADE_REQUEST_TIMEOUT_MS",
        kind: Kind::Number { min: 10, max: 120_000 },
        fallback: |_| Value("10000"),
        about: "The longest a request may take; a slower one is answered with 503.",
        requirement: "E-1",
    },
    Setting {
        name: "http.read_timeout_ms",
        variable: "ARCADE_READ_TIMEOUT_MS",
        kind: Kind::Number { min: 10, max: 10_000 },
        fallback: |_| Value("5000"),
        about: "How long the head of a request, and then its body, may take to arrive.",
        requirement: "H-1",
    },
    Setting {
        name: "http.shutdown_timeout_ms",
        variable: "ARCADE_SHUTDOWN_TIMEOUT_MS",
        kind: Kind::Number { min: 0, max: SHUTDOWN_MS_MAX },
        fallback: |_| Value("10000"),
        about: "How long requests in flight may go on after SIGTERM.",
        requirement: "E-6",
    },
    Setting {
        name: "limits.requests_per_minute",
        variable: "ARCADE_REQUESTS_PER_MINUTE",
        kind: PER_MINUTE,
        fallback: |profile| limited(profile, "100"),
        about: "How often one source may ask within a minute; 0 is no limit.",
        requirement: "H-7",
    },
    Setting {
        name: "limits.logins_per_minute",
        variable: "ARCADE_LOGINS_PER_MINUTE",
        kind: PER_MINUTE,
        fallback: |profile| limited(profile, "10"),
        about: "How often one source may log in or register within a minute; 0 is no limit.",
        requirement: "H-7",
    },
    Setting {
        name: "limits.refreshes_per_minute",
        variable: "ARCADE_REFRESHES_PER_MINUTE",
        kind: PER_MINUTE,
        fallback: |profile| limited(profile, "30"),
        about: "How often one source may refresh a token within a minute; 0 is no limit.",
        requirement: "H-7",
    },
    Setting {
        name: "limits.bad_tokens_per_minute",
        variable: "ARCADE_BAD_TOKENS_PER_MINUTE",
        kind: PER_MINUTE,
        fallback: |profile| limited(profile, "10"),
        about: "After how many refused tokens within a minute a source must wait; 0 is no limit.",
        requirement: "H-7",
    },
    Setting {
        name: "auth.jwt_secret",
        variable: "JWT_SECRET",
        kind: Kind::Secret { bytes_min: JWT_SECRET_BYTES_MIN },
        fallback: |profile| match profile {
            Profile::Development => Made("made once and kept in the data directory"),
            Profile::Staging | Profile::Production | Profile::Test => Required,
        },
        about: "The secret that signs tokens (HS256).",
        requirement: "0-48",
    },
    Setting {
        name: "auth.password_memory_kib",
        variable: "ARCADE_PASSWORD_MEMORY_KIB",
        kind: Kind::Number { min: 8, max: 1 << 20 },
        fallback: |profile| match profile {
            Profile::Development | Profile::Staging | Profile::Production => Value("19456"),
            Profile::Test => Value("8"),
        },
        about: "The memory that hashing a password takes, in KiB; below 19456 in tests only.",
        requirement: "0-48",
    },
    Setting {
        name: "auth.access_token_s",
        variable: "ARCADE_ACCESS_TOKEN_S",
        kind: Kind::Number { min: 60, max: 3_600 },
        fallback: |_| Value("900"),
        about: "How long the access token of a login is good.",
        requirement: "F-4",
    },
    Setting {
        name: "auth.refresh_token_s",
        variable: "ARCADE_REFRESH_TOKEN_S",
        kind: Kind::Number { min: 60, max: 31_536_000 },
        fallback: |_| Value("2592000"),
        about: "How long a session can rest before it ends.",
        requirement: "F-4",
    },
    Setting {
        name: "auth.activity_every_s",
        variable: "ARCADE_ACTIVITY_EVERY_S",
        kind: Kind::Number { min: 0, max: 3_600 },
        fallback: |_| Value("30"),
        about: "How often at most it is noted that a session is used; 0 notes each request.",
        requirement: "W-2",
    },
    Setting {
        name: "database.url",
        variable: "DATABASE_URL",
        kind: Kind::DatabaseUrl,
        fallback: |profile| match profile {
            Profile::Development | Profile::Test => Made("arcade.db in the data directory"),
            Profile::Staging | Profile::Production => Required,
        },
        about: "The database.",
        requirement: "0-48",
    },
    Setting {
        name: "database.connections_max",
        variable: "DATABASE_CONNECTIONS_MAX",
        kind: Kind::Number { min: 1, max: 256 },
        fallback: |_| Value("8"),
        about: "The most connections to the database.",
        requirement: "0-48",
    },
    Setting {
        name: "cache.enabled",
        variable: "CACHE_ENABLED",
        kind: Kind::Choice(&["on", "off"]),
        fallback: |_| Value("on"),
        about: "Whether reads go through the cache; off, each asks the database.",
        requirement: "E-7",
    },
    Setting {
        name: "cache.probe",
        variable: "CACHE_PROBE",
        kind: Kind::Choice(&["on", "off"]),
        fallback: |_| Value("off"),
        about: "Whether the consistency probe writes and watches registers of its own.",
        requirement: "O-9",
    },
    Setting {
        name: "cache.memory_bytes_max",
        variable: "CACHE_MEMORY_BYTES_MAX",
        kind: Kind::Number { min: 1 << 20, max: 1 << 40 },
        fallback: |_| Value("268435456"),
        about: "The most bytes that the memory tier holds.",
        requirement: "F-4",
    },
    Setting {
        name: "cache.entries_max",
        variable: "CACHE_ENTRIES_MAX",
        kind: Kind::Number { min: 1, max: 100_000_000 },
        fallback: |_| Value("10000"),
        about: "The most entries that the memory tier holds.",
        requirement: "F-4",
    },
    Setting {
        name: "cache.warming",
        variable: "CACHE_WARMING",
        kind: Kind::Choice(&["on", "off"]),
        fallback: outside_tests,
        about: "Whether the warm sets are read after a start; on demand they are in any case.",
        requirement: "Z-2",
    },
    Setting {
        name: "cache.warm_keys_per_second",
        variable: "CACHE_WARM_KEYS_PER_SECOND",
        kind: Kind::Number { min: 1, max: 100_000 },
        fallback: |_| Value("500"),
        about: "How many keys of the warm sets are read in a second.",
        requirement: "Z-2",
    },
    Setting {
        name: "cache.warm_popular_rooms",
        variable: "CACHE_WARM_POPULAR_ROOMS",
        kind: WARM_KEYS,
        fallback: |_| Value("100"),
        about: "How many rooms are a warm set, those in which most users sit; 0 is no set.",
        requirement: "1-72",
    },
    Setting {
        name: "cache.warm_active_users",
        variable: "CACHE_WARM_ACTIVE_USERS",
        kind: WARM_KEYS,
        fallback: |_| Value("100"),
        about: "The same for accounts, of those users who were here last.",
        requirement: "1-72",
    },
    Setting {
        name: "cache.warm_systems",
        variable: "CACHE_WARM_SYSTEMS",
        kind: WARM_KEYS,
        fallback: |_| Value("100"),
        about: "The same for public game systems and templates, those that are used most.",
        requirement: "1-72",
    },
    Setting {
        name: "cache.warm_recent_assets",
        variable: "CACHE_WARM_RECENT_ASSETS",
        kind: WARM_KEYS,
        fallback: |_| Value("100"),
        about: "The same for assets, the newest.",
        requirement: "1-72",
    },
    Setting {
        name: "cache.hot_keys",
        variable: "CACHE_HOT_KEYS",
        kind: Kind::Choice(&["on", "off"]),
        fallback: outside_tests,
        about: "Whether a start reads again what was in memory when the process before ended.",
        requirement: "Z-2",
    },
    Setting {
        name: "cache.market_items_fresh_s",
        variable: "CACHE_MARKET_ITEMS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "How long a page of the marketplace is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.market_item_fresh_s",
        variable: "CACHE_MARKET_ITEM_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "How long an item of the marketplace is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.inventory_fresh_s",
        variable: "CACHE_INVENTORY_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("60"),
        about: "How long a page of a user's inventory is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.balance_fresh_s",
        variable: "CACHE_BALANCE_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("60"),
        about: "How long a user's balance is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.account_fresh_s",
        variable: "CACHE_ACCOUNT_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("1800"),
        about: "How long a user's own account is fresh.",
        requirement: "K-5",
    },
    Setting {
        name: "cache.user_session_fresh_s",
        variable: "CACHE_USER_SESSION_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("3600"),
        about: "How long a session is fresh after each use, and the list of a user's sessions.",
        requirement: "2-1",
    },
    Setting {
        name: "cache.notifications_fresh_s",
        variable: "CACHE_NOTIFICATIONS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("60"),
        about: "How long a page of notifications is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.unread_count_fresh_s",
        variable: "CACHE_UNREAD_COUNT_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("30"),
        about: "How long the number of unread notifications is fresh.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.tournaments_fresh_s",
        variable: "CACHE_TOURNAMENTS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "How long a page of tournaments is fresh; as long again it may be served stale while it is loaded.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.tournaments_by_venue_fresh_s",
        variable: "CACHE_TOURNAMENTS_BY_VENUE_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "The same for a page of a venue's tournaments.",
        requirement: "0-22",
    },
    Setting {
        name: "cache.tournament_fresh_s",
        variable: "CACHE_TOURNAMENT_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("600"),
        about: "The same for a tournament with its players.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.matches_fresh_s",
        variable: "CACHE_MATCHES_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("120"),
        about: "The same for the matches of a tournament.",
        requirement: "0-22",
    },
    Setting {
        name: "cache.match_fresh_s",
        variable: "CACHE_MATCH_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("60"),
        about: "The same for a match.",
        requirement: "0-22",
    },
    Setting {
        name: "cache.room_state_fresh_s",
        variable: "CACHE_ROOM_STATE_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |profile| match profile {
            Profile::Development => Value("300"),
            Profile::Staging | Profile::Production | Profile::Test => Value("1800"),
        },
        about: "How long the state of a room is fresh.",
        requirement: "2-2",
    },
    Setting {
        name: "cache.room_players_fresh_s",
        variable: "CACHE_ROOM_PLAYERS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("60"),
        about: "How long the list of a room's players is fresh.",
        requirement: "1-34",
    },
    Setting {
        name: "cache.user_rooms_fresh_s",
        variable: "CACHE_USER_ROOMS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "How long a page of a user's rooms is fresh.",
        requirement: "1-34",
    },
    Setting {
        name: "cache.asset_meta_fresh_s",
        variable: "CACHE_ASSET_META_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("3600"),
        about: "How long what is known of an asset is fresh.",
        requirement: "2-3",
    },
    Setting {
        name: "cache.batch_assets_fresh_s",
        variable: "CACHE_BATCH_ASSETS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("3600"),
        about: "How long a page of a room's assets is fresh.",
        requirement: "1-34",
    },
    Setting {
        name: "cache.system_template_fresh_s",
        variable: "CACHE_SYSTEM_TEMPLATE_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("7200"),
        about: "How long a game system or template is fresh.",
        requirement: "2-4",
    },
    Setting {
        name: "cache.query_fresh_s",
        variable: "CACHE_QUERY_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("600"),
        about: "How long the result of a query is fresh: a page of game systems or templates.",
        requirement: "1-34",
    },
    Setting {
        name: "cache.classes_fresh_s",
        variable: "CACHE_CLASSES_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("600"),
        about: "The same for a class and for the list of classes.",
        requirement: "K-6",
    },
    Setting {
        name: "cache.builds_fresh_s",
        variable: "CACHE_BUILDS_FRESH_S",
        kind: Kind::Number { min: 1, max: 86_400 },
        fallback: |_| Value("300"),
        about: "The same for builds, their lists and likes; what only one user sees is never stale.",
        requirement: "K-6",
    },
    Setting {
        name: "redis.mode",
        variable: "ARCADE_REDIS",
        kind: Kind::Choice(&["required", "optional", "off"]),
        fallback: |profile| match profile {
            Profile::Development | Profile::Test => Made("optional with a URL or host, else off"),
            Profile::Staging | Profile::Production => Value("required"),
        },
        about: "Whether processes share the cache through Redis; required, the start fails without.",
        requirement: "F-1",
    },
    Setting {
        name: "redis.url",
        variable: "REDIS_URL",
        kind: Kind::RedisUrl,
        fallback: |_| Made("made of the host and what goes with it"),
        about: "The Redis of the cache; empty, the cache is this process's own.",
        requirement: "L2-1",
    },
    Setting {
        name: "redis.host",
        variable: "REDIS_HOST",
        kind: Kind::Host,
        fallback: |_| Made("none"),
        about: "The same in parts, in place of the URL: the host.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.port",
        variable: "REDIS_PORT",
        kind: Kind::Number { min: 1, max: 65_535 },
        fallback: |_| Value("6379"),
        about: "The port, where there is a host.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.username",
        variable: "REDIS_USERNAME",
        kind: Kind::Secret { bytes_min: 1 },
        fallback: |_| Made("the default user"),
        about: "The ACL user, where there is a host.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.password",
        variable: "REDIS_PASSWORD",
        kind: Kind::Secret { bytes_min: 1 },
        fallback: |_| Made("none"),
        about: "The password, where there is a host.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.database",
        variable: "REDIS_DB",
        kind: Kind::Number { min: 0, max: 65_535 },
        fallback: |_| Value("0"),
        about: "The number of the database, where there is a host.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.tls",
        variable: "REDIS_TLS_ENABLED",
        kind: Kind::Choice(&["true", "false", "on", "off"]),
        fallback: |_| Value("off"),
        about: "Whether connections are encrypted, where there is a host.",
        requirement: "4-30",
    },
    Setting {
        name: "redis.tls_authorities",
        variable: "REDIS_TLS_CA_FILE",
        kind: Kind::File,
        fallback: |_| Made("those of the system"),
        about: "The certificates, in PEM, that vouch for the server's.",
        requirement: "4-30",
    },
    Setting {
        name: "redis.namespace",
        variable: "REDIS_KEY_PREFIX",
        kind: Kind::Namespace { bytes_max: 64 },
        fallback: |_| Value("arcade"),
        about: "What every key of this platform begins with; processes with one name share.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.connect_timeout_ms",
        variable: "REDIS_CONNECT_TIMEOUT",
        kind: Kind::Number { min: 10, max: 60_000 },
        fallback: |_| Value("1000"),
        about: "How long a connection may take.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.command_timeout_ms",
        variable: "REDIS_COMMAND_TIMEOUT",
        kind: Kind::Number { min: 10, max: 10_000 },
        fallback: |_| Value("500"),
        about: "How long an answer may take.",
        requirement: "2-25",
    },
    Setting {
        name: "redis.keepalive_ms",
        variable: "REDIS_KEEPALIVE",
        kind: Kind::Number { min: 1_000, max: 600_000 },
        fallback: |_| Value("10000"),
        about: "How often the connection that listens is asked whether it is still heard.",
        requirement: "2-12",
    },
    Setting {
        name: "log.format",
        variable: "ARCADE_LOG_FORMAT",
        kind: Kind::Choice(&["text", "json"]),
        fallback: |profile| match profile {
            Profile::Development => Value("text"),
            Profile::Staging | Profile::Production | Profile::Test => Value("json"),
        },
        about: "How log lines look on standard error.",
        requirement: "O-8",
    },
    Setting {
        name: "log.filter",
        variable: "ARCADE_LOG",
        kind: Kind::LogFilter,
        fallback: |_| Value("info"),
        about: "Which log lines are written.",
        requirement: "O-8",
    },
    Setting {
        name: "demo.world",
        variable: "ARCADE_DEMO",
        kind: Kind::Choice(&["on", "off"]),
        fallback: |profile| match profile {
            Profile::Development => Value("on"),
            Profile::Staging | Profile::Production | Profile::Test => Value("off"),
        },
        about: "Whether the start fills an empty database with the demo world.",
        requirement: "F-2",
    },
];

/// The known name nearest to `wrong`, if one is near enough to be what was meant.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Below this similarity (Jaro-Winkler) a suggestion misleads more often than it helps.
    const SIMILARITY_MIN: f64 = 0.8;
    known
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}
