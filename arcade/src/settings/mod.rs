//! Decides what the settings are: defaults, then the file, then the environment. The only module
//! that reads them; the rest of Arcade gets the values and must not know where they came from.

mod problem;
mod profile;
mod sources;
mod table;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use self::sources::Layers;
pub use problem::{Problem, SettingsError};
pub use profile::{Profile, UnknownProfile};
pub use sources::{Environment, Layer};
pub use table::{Fallback, JWT_SECRET_BYTES_MIN, Kind, SETTINGS, Setting};

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where this process runs.
    pub profile: Profile,
    /// Where Arcade keeps its files.
    pub data: PathBuf,
    /// The HTTP server.
    pub http: Http,
    /// The secret that signs tokens. Missing in development only, where the start makes one.
    pub jwt_secret: Option<Secret>,
    /// The database.
    pub database: Database,
    /// The cache.
    pub cache: Cache,
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
    /// How long requests in flight may go on after the signal to stop.
    pub shutdown_timeout: Duration,
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
    /// The most bytes that the memory tier holds.
    pub memory_bytes_max: u64,
    /// The most entries that the memory tier holds.
    pub entries_max: u64,
    /// How long a page of notifications is fresh.
    pub notifications_fresh: Duration,
    /// How long the number of unread notifications is fresh.
    pub unread_count_fresh: Duration,
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

/// A variable that looks like a setting and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The variable as it was set.
    pub variable: String,
    /// The setting's variable that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no setting and has no effect", self.variable)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

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

impl Settings {
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
}

/// The settings being read, with the mistakes found on the way.
struct Reading {
    layers: Layers,
    data: PathBuf,
    problems: Vec<Problem>,
}

impl Reading {
    fn begin(environment: Environment) -> Result<(Self, Profile), SettingsError> {
        let data = environment.path(environment.get(table::DATA_VARIABLE).unwrap_or(".arcade"));
        let mut problems = Vec::new();
        let named = environment.get(table::PROFILE_VARIABLE).map(str::parse);
        // Of an unknown profile the strictest defaults are checked, so that one run names the most.
        let profile = named.unwrap_or(Ok(Profile::Development)).unwrap_or_else(|unknown| {
            let subject = table::PROFILE_VARIABLE.to_owned();
            problems.push(Problem { subject, message: UnknownProfile::to_string(&unknown) });
            Profile::Production
        });
        let layers = Layers::read(environment, profile)?;
        problems.extend(layers.unknown_keys());
        Ok((Reading { layers, data, problems }, profile))
    }

    fn settings(&mut self, profile: Profile) -> Settings {
        Settings {
            profile,
            data: self.data.clone(),
            http: self.http(profile),
            jwt_secret: self.text("auth.jwt_secret", profile).map(Secret),
            database: Database {
                url: self.text("database.url", profile).map(Secret),
                connections_max: self.number("database.connections_max", profile) as u32,
            },
            cache: self.cache(profile),
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
        }
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
            shutdown_timeout: millis(self, "http.shutdown_timeout_ms"),
        }
    }

    fn cache(&mut self, profile: Profile) -> Cache {
        let seconds = |reading: &mut Self, name| Duration::from_secs(reading.number(name, profile));
        Cache {
            memory_bytes_max: self.number("cache.memory_bytes_max", profile),
            entries_max: self.number("cache.entries_max", profile),
            notifications_fresh: seconds(self, "cache.notifications_fresh_s"),
            unread_count_fresh: seconds(self, "cache.unread_count_fresh_s"),
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
                Err(format!("is required in the profile {profile}: {}", wanted(setting.kind)))
            }
        };
        checked.unwrap_or_else(|message| {
            let subject = format!("{} ({name})", setting.variable);
            self.problems.push(Problem { subject, message });
            None
        })
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
    matches!(kind, Kind::Secret { .. } | Kind::DatabaseUrl)
}

/// What a kind of setting takes, in words.
fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Address => "an IP address, such as 127.0.0.1".to_owned(),
        Kind::DatabaseUrl => "the URL of a file that begins with sqlite:".to_owned(),
        Kind::Secret { bytes_min } => format!("at least {bytes_min} bytes"),
        Kind::LogFilter => "a log filter, such as info or arcade=debug,info".to_owned(),
    }
}

fn check(kind: Kind, text: &str) -> Result<(), String> {
    let right = match kind {
        Kind::Number { min, max } => {
            text.parse().is_ok_and(|number: u64| (min..=max).contains(&number))
        }
        Kind::Choice(words) => words.contains(&text),
        Kind::Address => text.parse::<IpAddr>().is_ok(),
        // Each connection to a database in memory would see a database of its own.
        Kind::DatabaseUrl => {
            text.starts_with("sqlite:") && !text.contains(":memory:") && !text.contains("mode=memory")
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
        (false, Kind::DatabaseUrl) => Err(format!("must be {}", wanted(kind))),
        (false, _) => Err(format!("\"{text}\" must be {}", wanted(kind))),
    }
}
