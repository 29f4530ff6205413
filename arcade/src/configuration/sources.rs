//! Decides where a value comes from: defaults, then the file, then the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat, Value, ValueKind};

use super::problem::{Problem, SettingsError};
use super::setting::{Fallback, Setting};
use super::table::SETTINGS;
use crate::settings::Profile;

/// The variable that names the profile.
pub(super) const PROFILE_VARIABLE: &str = "ARCADE_PROFILE";
/// The variable that names the data directory.
pub(super) const DATA_VARIABLE: &str = "ARCADE_DATA";
/// The variable that names the settings file.
const FILE_VARIABLE: &str = "ARCADE_CONFIG";

/// Variables with a guarded prefix that are no settings of the server: where it finds the others,
/// and what the `larder` command reads.
const OTHER_VARIABLES: [&str; 5] =
    [PROFILE_VARIABLE, DATA_VARIABLE, FILE_VARIABLE, "LARDER_URL", "LARDER_TOKEN"];

/// Prefixes of variables that nobody else uses: an unknown one is a slip of the pen.
const GUARDED_PREFIXES: [&str; 3] = ["ARCADE_", "CACHE_", "LARDER_"];

/// What other servers of this kind are set with, and this one is not: its connections to Redis are
/// two, whatever the load.
const WITHOUT_EFFECT: [&str; 2] = ["REDIS_MAX_CLIENTS", "REDIS_ACQUIRE_TIMEOUT"];

/// The settings file that is read if it exists and no other is named.
const FILE_DEFAULT: &str = "arcade.toml";

/// The environment of a process, as it was at the start.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Environment {
    /// The variables and the working directory of this process.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment {
            variables: std::env::vars_os().filter_map(text).collect(),
            directory: PathBuf::new(),
        }
    }

    /// An environment with just these variables, and files relative to `directory`.
    pub fn of<'a>(
        directory: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Environment {
            variables: variables.into_iter().map(owned).collect(),
            directory: directory.into(),
        }
    }

    /// A variable's value. An empty one counts as not set, as in a compose file.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path as this environment means it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// A warning for each variable that looks like ours and is not.
    pub fn warnings(&self) -> Vec<Warning> {
        let known = || SETTINGS.iter().map(|setting| setting.variable).chain(OTHER_VARIABLES);
        let ours = |name: &&String| {
            GUARDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || WITHOUT_EFFECT.contains(&name.as_str())
        };
        self.variables
            .keys()
            .filter(ours)
            .filter(|name| known().all(|other| other != name.as_str()))
            .map(|name| Warning {
                variable: name.clone(),
                nearest: nearest(name, known()).map(str::to_owned),
            })
            .collect()
    }

    fn file(&self) -> Option<PathBuf> {
        if let Some(named) = self.get(FILE_VARIABLE) {
            return Some(self.path(named));
        }
        Some(self.path(FILE_DEFAULT)).filter(|path| path.exists())
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

/// Which layer gave a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The default of the profile.
    Default,
    /// The settings file.
    File,
    /// An environment variable.
    Environment,
}

/// The layers, laid over each other.
pub(super) struct Layers {
    config: Config,
    file: BTreeMap<String, Value>,
    environment: Environment,
}

impl Layers {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// The file cannot be read or is no TOML.
    pub(super) fn read(environment: Environment, profile: Profile) -> Result<Self, SettingsError> {
        let file = match environment.file() {
            Some(path) => parsed(&path)?,
            None => Config::default(),
        };
        let config = overlaid(&file, &environment, profile).map_err(|fault| SettingsError::File {
            path: PathBuf::from(FILE_DEFAULT),
            reason: fault.to_string(),
        })?;
        let mut keys = BTreeMap::new();
        flatten(String::new(), &file.cache, &mut keys);
        Ok(Layers { config, file: keys, environment })
    }

    /// The text of a setting and where it comes from.
    pub(super) fn text(&self, setting: &Setting) -> Option<(String, Layer)> {
        let layer = if self.environment.get(setting.variable).is_some() {
            Layer::Environment
        } else if self.file.contains_key(setting.name) {
            Layer::File
        } else {
            Layer::Default
        };
        self.config.get_string(setting.name).ok().map(|text| (text, layer))
    }

    /// A problem for each key of the file that is no setting.
    pub(super) fn unknown_keys(&self) -> Vec<Problem> {
        let known = || SETTINGS.iter().map(|setting| setting.name);
        self.file
            .keys()
            .filter(|key| known().all(|name| name != key.as_str()))
            .map(|key| Problem {
                subject: key.clone(),
                message: match nearest(key, known()) {
                    Some(name) => format!("no such setting; did you mean {name}?"),
                    None => "no such setting".to_owned(),
                },
            })
            .collect()
    }
}

fn parsed(path: &Path) -> Result<Config, SettingsError> {
    Config::builder()
        .add_source(File::from(path).format(FileFormat::Toml).required(true))
        .build()
        .map_err(|fault| SettingsError::File { path: path.to_owned(), reason: fault.to_string() })
}

fn overlaid(
    file: &Config,
    environment: &Environment,
    profile: Profile,
) -> Result<Config, config::ConfigError> {
    let mut builder = Config::builder().add_source(file.clone());
    for setting in SETTINGS {
        if let Fallback::Value(value) = (setting.fallback)(profile) {
            builder = builder.set_default(setting.name, value)?;
        }
        if let Some(value) = environment.get(setting.variable) {
            builder = builder.set_override(setting.name, value)?;
        }
    }
    builder.build()
}

/// Collects the leaves of a parsed file under their dotted names.
fn flatten(prefix: String, value: &Value, keys: &mut BTreeMap<String, Value>) {
    let ValueKind::Table(table) = &value.kind else {
        keys.insert(prefix, value.clone());
        return;
    };
    for (name, inner) in table {
        let dotted = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        flatten(dotted, inner, keys);
    }
}

/// The known name nearest to `wrong`, if one is near enough to be what was meant.
fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Below this similarity (Jaro-Winkler) a suggestion misleads more often than it helps.
    const SIMILARITY_MIN: f64 = 0.8;
    known
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}
