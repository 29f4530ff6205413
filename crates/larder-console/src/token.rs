//! Decides which token opens a console, and whether one was shown.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

/// A token of fewer bytes could be guessed.
pub const TOKEN_BYTES_MIN: usize = 16;

/// What a token may hold besides letters and digits (RFC 6750 §2.1). All of it can stand in a header
/// and in an address as it is.
const MARKS: &[u8] = b"-._~+/=";

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It could be guessed.
    #[error("the token has {bytes} bytes; it must have at least {TOKEN_BYTES_MIN}")]
    Short {
        /// How many it has.
        bytes: usize,
    },
    /// It cannot be sent as it is.
    #[error("the token holds more than letters, digits and `-._~+/=`")]
    Letters,
}

/// What opens a console.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// One that nobody can guess.
    pub(crate) fn random() -> Self {
        let [one, two]: [u64; 2] = rand::random();
        Token(format!("{one:016x}{two:016x}").into())
    }

    pub(crate) fn given(text: &str) -> Result<Self, TokenError> {
        if text.len() < TOKEN_BYTES_MIN {
            return Err(TokenError::Short { bytes: text.len() });
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || MARKS.contains(&byte);
        if !text.bytes().all(fits) {
            return Err(TokenError::Letters);
        }
        Ok(Token(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request with these headers shows it, as `Authorization: Bearer …`.
    pub(crate) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = shown.and_then(|shown| shown.split_once(' ')) else {
            return false;
        };
        let same = token.trim().as_bytes().ct_eq(self.0.as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && bool::from(same)
    }
}
