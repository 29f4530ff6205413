//! Decides which tokens are good: HS256 and nothing else, our audience, not expired.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
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

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The token cannot be signed.
    #[error("cannot sign a token")]
    Unsigned(#[source] jsonwebtoken::errors::Error),
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
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

    /// A token that is good for `lifetime` from now.
    ///
    /// # Errors
    /// The claims cannot be signed.
    pub fn issue(&self, user: UserId, role: Role, lifetime: Duration) -> Result<String, TokenError> {
        let iat = jsonwebtoken::get_current_timestamp();
        let exp = iat.saturating_add(lifetime.as_secs());
        let claims = Claims { sub: user.to_string(), role, aud: AUDIENCE.to_owned(), iat, exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.signing)
            .map_err(TokenError::Unsigned)
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// The token is not good.
    pub fn read(&self, token: &str) -> Result<(UserId, Role), TokenError> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.0.reading, &self.0.rules)
            .map_err(TokenError::Invalid)?;
        let user = data.claims.sub.parse().ok().filter(|id| *id > 0).map(UserId);
        Ok((user.ok_or(TokenError::Subject)?, data.claims.role))
    }
}
