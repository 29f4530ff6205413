//! Decides how mistakes in the settings are told: all of them, in one message.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with the settings. Every mistake that could be found is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The settings file cannot be read or is no TOML.
    #[error("settings file {path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// Values are missing, wrong or unknown.
    #[error("{}", listed(.0))]
    Values(Vec<Problem>),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable and the name in the file, or the unknown key.
    pub subject: String,
    /// What is wrong, with the limit.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}

fn listed(problems: &[Problem]) -> String {
    let noun = if problems.len() == 1 { "problem" } else { "problems" };
    let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
    format!("{} {noun} in the settings:{lines}", problems.len())
}
