//! Decides which tokens are good: HS256 and nothing else, our audience, not expired.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use larder::Entry;
use serde::{Deserialize, Serialize};

use crate::settings::Secret;

/// How long a token of the command line and of the demo is good.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);

/// Tokens made for another service are refused, even when it shares the secret.
const AUDIENCE: &str = "arcade";

/// How far the clocks of two machines may be apart.
const CLOCK_SKEW_S: u64 = 5;

/// The number of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub i64);

/// What a good token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is.
    pub user: UserId,
    /// What that user might do when it was made.
    pub role: Role,
    /// The session that it is of. Tokens of the command line are of none.
    pub session: Option<SessionId>,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees and changes what is their own.
    Player,
    /// Also sees the inside of the server.
    Admin,
}

impl Role {
    /// The name, as tokens and tables write it.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Player => "player",
            Role::Admin => "admin",
        }
    }

    /// What it allows, in words: what is `own`, what is of `all`, and the inside of the `server`.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Role::Player => &["own"],
            Role::Admin => &["own", "all", "server"],
        }
    }
}

/// A text that names no role.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is none of player, admin")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = [Role::Player, Role::Admin].into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A token is not good, or cannot be made. The answer never says why; the log does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The request carries no bearer token.
    #[error("no bearer token")]
    Missing,
    /// The token is malformed, forged, expired or made for somebody else.
    #[error("the token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    /// The subject is no user number.
    #[error("the token's subject is no user number")]
    Subject,
    /// The session is no session number.
    #[error("the token's session is no session number")]
    Session,
    /// The token cannot be signed.
    #[error("cannot sign a token")]
    Unsigned(#[source] jsonwebtoken::errors::Error),
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    /// As OpenID Connect names a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    aud: String,
    iat: u64,
    exp: u64,
}

/// Signs and reads tokens. Clones share the keys.
#[derive(Clone)]
pub struct Tokens(Arc<Keys>);

struct Keys {
    signing: EncodingKey,
    reading: DecodingKey,
    rules: Validation,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Tokens signed with `secret`.
    pub fn new(secret: &Secret) -> Self {
        // The header's algorithm is compared with this one, so a token cannot choose its own.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["aud", "exp", "sub"]);
        rules.validate_nbf = true;
        rules.leeway = CLOCK_SKEW_S;
        let bytes = secret.reveal().as_bytes();
        Tokens(Arc::new(Keys {
            signing: EncodingKey::from_secret(bytes),
            reading: DecodingKey::from_secret(bytes),
            rules,
        }))
    }

    /// A token that is good for `lifetime` from now, and of no session.
    ///
    /// # Errors
    /// The claims cannot be signed.
    pub fn issue(&self, user: UserId, role: Role, lifetime: Duration) -> Result<String, TokenError> {
        self.issue_for(Claimed { user, role, session: None }, lifetime)
    }

    /// A token that says this, and is good for `lifetime` from now, or until its session ends.
    ///
    /// # Errors
    /// The claims cannot be signed.
    pub fn issue_for(&self, claimed: Claimed, lifetime: Duration) -> Result<String, TokenError> {
        let Claimed { user, role, session } = claimed;
        let iat = jsonwebtoken::get_current_timestamp();
        let exp = iat.saturating_add(lifetime.as_secs());
        let sid = session.map(|session| session.0.to_string());
        let (sub, aud) = (user.to_string(), AUDIENCE.to_owned());
        let claims = Claims { sub, role, sid, aud, iat, exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.signing)
            .map_err(TokenError::Unsigned)
    }

    /// What this token says.
    ///
    /// # Errors
    /// The token is not good.
    pub fn read(&self, token: &str) -> Result<Claimed, TokenError> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.0.reading, &self.0.rules)
            .map_err(TokenError::Invalid)?;
        let Claims { sub, role, sid, .. } = data.claims;
        let number = |text: String| text.parse().ok().filter(|id| *id > 0);
        let user = UserId(number(sub).ok_or(TokenError::Subject)?);
        let session = sid.map(|sid| number(sid).map(SessionId).ok_or(TokenError::Session));
        Ok(Claimed { user, role, session: session.transpose()? })
    }
}
