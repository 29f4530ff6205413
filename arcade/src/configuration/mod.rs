//! Decides what the settings are: defaults, then the file, then the environment. The only module
//! that reads them; the rest of Arcade gets the values.

mod documented;
mod problem;
mod redis;
mod setting;
mod sources;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use larder_redis::RedisOptions;
use tracing_subscriber::EnvFilter;

use self::sources::Layers;
use crate::settings::{
    Cache, Caching, Database, Demo, Http, Journal, Limits, Log, LogFormat, PASSWORD_MEMORY_KIB_MIN,
    Profile, Secret, Sessions, Settings, UnknownProfile, Warming,
};
pub use documented::documented;
pub use problem::{Problem, SettingsError};
pub use setting::{Fallback, Kind, Setting};
pub use sources::{Environment, Layer, Warning};
pub use table::SETTINGS;

/// One line of the dump of settings.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value, or what stands for a hidden, made or missing one.
    pub value: String,
    /// Where it comes from.
    pub layer: Layer,
}

/// Reads and checks every setting.
///
/// # Errors
/// The settings file cannot be parsed; or values are missing, out of bounds or unknown, which
/// one message lists completely.
pub fn load(environment: Environment) -> Result<Settings, SettingsError> {
    let (mut reading, profile) = Reading::begin(environment)?;
    let settings = reading.settings(profile);
    match reading.problems.is_empty() {
        true => Ok(settings),
        false => Err(SettingsError::Values(reading.problems)),
    }
}

/// Each setting with its value and origin, wrong and missing ones too. Secrets are hidden.
///
/// # Errors
/// The settings file cannot be parsed, or the profile does not exist.
pub fn show(environment: Environment) -> Result<Vec<Shown>, SettingsError> {
    let (reading, profile) = Reading::begin(environment)?;
    Ok(SETTINGS.iter().map(|setting| reading.shown(setting, profile)).collect())
}

/// The settings being read, with the mistakes found on the way.
struct Reading {
    layers: Layers,
    data: PathBuf,
    problems: Vec<Problem>,
}

impl Reading {
    fn begin(environment: Environment) -> Result<(Self, Profile), SettingsError> {
        let data = environment.path(environment.get(sources::DATA_VARIABLE).unwrap_or(".arcade"));
        let mut problems = Vec::new();
        let named = environment.get(sources::PROFILE_VARIABLE).map(str::parse);
        // Of an unknown profile the strictest defaults are checked, so that one run names the most.
        let profile = named.unwrap_or(Ok(Profile::Development)).unwrap_or_else(|unknown| {
            let subject = sources::PROFILE_VARIABLE.to_owned();
            problems.push(Problem { subject, message: UnknownProfile::to_string(&unknown) });
            Profile::Production
        });
        let layers = Layers::read(environment, profile)?;
        problems.extend(layers.unknown_keys());
        Ok((Reading { layers, data, problems }, profile))
    }

    fn settings(&mut self, profile: Profile) -> Settings {
        let mut settings = Settings {
            profile,
            data: self.data.clone(),
            http: self.http(profile),
            limits: self.limits(profile),
            jwt_secret: self.text("auth.jwt_secret", profile).map(Secret::new),
            password_memory_kib: self.password_memory_kib(profile),
            sessions: Sessions {
                access: Duration::from_secs(self.number("auth.access_token_s", profile)),
                refresh: Duration::from_secs(self.number("auth.refresh_token_s", profile)),
                activity_every: Duration::from_secs(self.number("auth.activity_every_s", profile)),
            },
            database: Database {
                url: self.text("database.url", profile).map(Secret::new),
                connections_max: self.number("database.connections_max", profile) as u32,
            },
            cache: self.cache(profile),
            redis: self.redis(profile),
            journal: Journal::Disk,
            log: Log {
                format: match self.text("log.format", profile).as_deref() {
                    Some("json") => LogFormat::Json,
                    _ => LogFormat::Text,
                },
                filter: self.text("log.filter", profile).unwrap_or_default(),
            },
            demo: match self.text("demo.world", profile).as_deref() {
                Some("on") => Demo::On,
                _ => Demo::Off,
            },
        };
        settings.journal = self.journal(&settings.redis, profile);
        settings
    }

    fn http(&mut self, profile: Profile) -> Http {
        // A text that is no address is already a problem, so the stand-in is never listened on.
        let host = self.text("http.host", profile).and_then(|host| host.parse().ok());
        let host: IpAddr = host.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        let millis = |reading: &mut Self, name| Duration::from_millis(reading.number(name, profile));
        Http {
            address: SocketAddr::new(host, self.number("http.port", profile) as u16),
            body_bytes_max: self.number("http.body_bytes_max", profile) as usize,
            request_timeout: millis(self, "http.request_timeout_ms"),
            read_timeout: millis(self, "http.read_timeout_ms"),
            shutdown_timeout: millis(self, "http.shutdown_timeout_ms"),
        }
    }

    /// Only tests may hash cheaply: they wait for many logins, and no password of theirs is secret.
    fn password_memory_kib(&mut self, profile: Profile) -> u32 {
        let memory_kib = self.number("auth.password_memory_kib", profile) as u32;
        let least = match profile {
            Profile::Test => 0,
            _ => PASSWORD_MEMORY_KIB_MIN,
        };
        if (1..least).contains(&memory_kib) {
            self.problems.push(Problem {
                subject: "ARCADE_PASSWORD_MEMORY_KIB (auth.password_memory_kib)".to_owned(),
                message: format!("must be at least {least} in the profile {profile}"),
            });
        }
        memory_kib
    }

    fn limits(&mut self, profile: Profile) -> Limits {
        Limits {
            requests_per_minute: self.number("limits.requests_per_minute", profile),
            logins_per_minute: self.number("limits.logins_per_minute", profile),
            refreshes_per_minute: self.number("limits.refreshes_per_minute", profile),
            bad_tokens_per_minute: self.number("limits.bad_tokens_per_minute", profile),
        }
    }

    fn cache(&mut self, profile: Profile) -> Cache {
        let seconds = |reading: &mut Self, name| Duration::from_secs(reading.number(name, profile));
        Cache {
            caching: match self.text("cache.enabled", profile).as_deref() {
                Some("off") => Caching::Off,
                _ => Caching::On,
            },
            probe: self.text("cache.probe", profile).as_deref() == Some("on"),
            warming: self.warming(profile),
            memory_bytes_max: self.number("cache.memory_bytes_max", profile),
            entries_max: self.number("cache.entries_max", profile),
            market_items_fresh: seconds(self, "cache.market_items_fresh_s"),
            market_item_fresh: seconds(self, "cache.market_item_fresh_s"),
            inventory_fresh: seconds(self, "cache.inventory_fresh_s"),
            balance_fresh: seconds(self, "cache.balance_fresh_s"),
            account_fresh: seconds(self, "cache.account_fresh_s"),
            user_session_fresh: seconds(self, "cache.user_session_fresh_s"),
            notifications_fresh: seconds(self, "cache.notifications_fresh_s"),
            unread_count_fresh: seconds(self, "cache.unread_count_fresh_s"),
            tournaments_fresh: seconds(self, "cache.tournaments_fresh_s"),
            tournaments_by_venue_fresh: seconds(self, "cache.tournaments_by_venue_fresh_s"),
            tournament_fresh: seconds(self, "cache.tournament_fresh_s"),
            matches_fresh: seconds(self, "cache.matches_fresh_s"),
            match_fresh: seconds(self, "cache.match_fresh_s"),
            room_state_fresh: seconds(self, "cache.room_state_fresh_s"),
            room_players_fresh: seconds(self, "cache.room_players_fresh_s"),
            user_rooms_fresh: seconds(self, "cache.user_rooms_fresh_s"),
            asset_meta_fresh: seconds(self, "cache.asset_meta_fresh_s"),
            batch_assets_fresh: seconds(self, "cache.batch_assets_fresh_s"),
            system_template_fresh: seconds(self, "cache.system_template_fresh_s"),
            query_fresh: seconds(self, "cache.query_fresh_s"),
            classes_fresh: seconds(self, "cache.classes_fresh_s"),
            builds_fresh: seconds(self, "cache.builds_fresh_s"),
        }
    }

    fn warming(&mut self, profile: Profile) -> Warming {
        let on = |reading: &mut Self, name| reading.text(name, profile).as_deref() == Some("on");
        let count = |reading: &mut Self, name| reading.number(name, profile) as u32;
        Warming {
            after_start: on(self, "cache.warming"),
            hot_keys: on(self, "cache.hot_keys"),
            // A rate that is wrong is a problem already, and nobody is warmed by the stand-in.
            keys_per_second: count(self, "cache.warm_keys_per_second").max(1),
            popular_rooms: count(self, "cache.warm_popular_rooms"),
            active_users: count(self, "cache.warm_active_users"),
            systems: count(self, "cache.warm_systems"),
            recent_assets: count(self, "cache.warm_recent_assets"),
        }
    }

    /// The checked number of a setting; its lower bound where it is wrong, which is then a problem.
    fn number(&mut self, name: &'static str, profile: Profile) -> u64 {
        let text = self.text(name, profile);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The checked text of a setting. Notes a problem and gives `None` where it is wrong.
    fn text(&mut self, name: &'static str, profile: Profile) -> Option<String> {
        let setting = SETTINGS.iter().find(|setting| setting.name == name)?;
        let checked = match (self.layers.text(setting), (setting.fallback)(profile)) {
            (Some((text, _)), _) => check(setting.kind, &text).map(|()| Some(text)),
            (None, Fallback::Made(_)) => Ok(None),
            (None, Fallback::Value(_)) => Err("must be a single value".to_owned()),
            (None, Fallback::Required) => {
                Err(format!("is required in the profile {profile}: {}", setting.kind))
            }
        };
        checked.unwrap_or_else(|message| {
            let subject = format!("{} ({name})", setting.variable);
            self.problems.push(Problem { subject, message });
            None
        })
    }

    /// Whether somebody has set it, to whatever.
    fn is_given(&self, name: &str) -> bool {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let found = setting.and_then(|setting| self.layers.text(setting));
        found.is_some_and(|(_, layer)| layer != Layer::Default)
    }

    fn shown(&self, setting: &'static Setting, profile: Profile) -> Shown {
        let (value, layer) = match (self.layers.text(setting), (setting.fallback)(profile)) {
            (Some((_, layer)), _) if hidden(setting.kind) => ("(hidden)".to_owned(), layer),
            (Some((text, layer)), _) => (text, layer),
            (None, Fallback::Made(how)) => (format!("({how})"), Layer::Default),
            (None, _) => ("(missing)".to_owned(), Layer::Default),
        };
        Shown { setting, value, layer }
    }
}

/// Whether a value may carry a password.
fn hidden(kind: Kind) -> bool {
    matches!(kind, Kind::Secret { .. } | Kind::DatabaseUrl | Kind::RedisUrl)
}

fn check(kind: Kind, text: &str) -> Result<(), String> {
    let right = match kind {
        Kind::Number { min, max } => {
            text.parse().is_ok_and(|number: u64| (min..=max).contains(&number))
        }
        Kind::Choice(words) => words.contains(&text),
        Kind::Address => text.parse::<IpAddr>().is_ok(),
        Kind::DatabaseUrl => is_database_url(text),
        Kind::RedisUrl => RedisOptions::from_url(text).is_ok(),
        Kind::Host => !text.is_empty() && !text.contains(['/', '@', ' ']),
        Kind::File => Path::new(text).is_file(),
        Kind::Namespace { bytes_max } => {
            let reserved = |c: char| matches!(c, '{' | '}') || c.is_control();
            (1..=bytes_max).contains(&text.len()) && !text.contains(reserved)
        }
        Kind::Secret { bytes_min } => text.len() >= bytes_min,
        Kind::LogFilter => EnvFilter::try_new(text).is_ok(),
    };
    match (right, kind) {
        (true, _) => Ok(()),
        (false, Kind::Secret { bytes_min }) => {
            Err(format!("has {} bytes, must have at least {bytes_min}", text.len()))
        }
        // A URL can carry a password, so a wrong one is not repeated.
        (false, Kind::DatabaseUrl | Kind::RedisUrl) => Err(format!("must be {}", kind)),
        (false, _) => Err(format!("\"{text}\" must be {}", kind)),
    }
}

fn is_database_url(text: &str) -> bool {
    // Each connection to a database in memory would see a database of its own.
    let in_file = !text.contains(":memory:") && !text.contains("mode=memory");
    let names = |scheme: &str| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
    let on_server = ["postgres://", "postgresql://"].into_iter().any(names);
    (names("sqlite:") && in_file) || on_server
}
