//! Decides which surroundings there are. Knows no setting.

use std::fmt;
use std::str::FromStr;

/// Where this process runs; picks the defaults of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A laptop with nothing installed. The default.
    Development,
    /// Like production, for rehearsals.
    Staging,
    /// Real users.
    Production,
    /// Automatic tests.
    Test,
}

impl Profile {
    /// Each profile, in the order of the documentation.
    pub const ALL: [Profile; 4] =
        [Profile::Development, Profile::Staging, Profile::Production, Profile::Test];

    /// The name, as `ARCADE_PROFILE` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Development => "development",
            Profile::Staging => "staging",
            Profile::Production => "production",
            Profile::Test => "test",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is none of development, staging, production, test")]
pub struct UnknownProfile(pub String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}
