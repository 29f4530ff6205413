//! Decides what an `Idempotency-Key` is and that no two requests with the same one run at a time.
//! What was answered under a key is for its domain to remember.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use parking_lot::Mutex;
use serde_json::json;

use super::described::{Described, Takes};
use super::error::ApiError;
use super::fields::{Asked, detail};
use crate::auth::UserId;

const HEADER: &str = "idempotency-key";

/// The same, as people write it.
const HEADER_SHOWN: &str = "Idempotency-Key";

/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 64;

/// The key of a request, if it has one. A caller that does not know whether a request arrived
/// sends it again with the same key.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let (first, second) = (given.next(), given.next());
        let Some(first) = first else {
            return Ok(IdempotencyKey(None));
        };
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let key = first.to_str().ok().filter(|key| {
            second.is_none()
                && (1..=KEY_BYTES_MAX).contains(&key.len())
                && key.as_bytes().iter().all(plain)
        });
        let Some(key) = key else {
            let limit = format!("once, 1 to {KEY_BYTES_MAX} letters, digits, -, _ or .");
            return Err(ApiError::BadInput(vec![detail(HEADER, "must be a plain word", &limit)]));
        };
        Ok(IdempotencyKey(Some(key.to_owned())))
    }
}

impl Described for IdempotencyKey {
    fn describe(takes: &mut Takes) {
        let schema = json!({
            "type": "string",
            "description": "Names the request: sent again with the same key, it gets the same answer.",
            "minLength": 1,
            "maxLength": KEY_BYTES_MAX,
            "pattern": "^[A-Za-z0-9._-]+$",
        });
        takes.headers.push(Asked { name: HEADER_SHOWN, required: false, schema });
    }
}

/// The keys of the requests in flight. Each user has keys of their own. Clones share the table,
/// which holds no more keys than there are requests.
#[derive(Debug, Clone, Default)]
pub struct KeysInUse {
    keys: Arc<Mutex<HashSet<(UserId, String)>>>,
}

/// A key in use; dropping it gives it back.
#[derive(Debug)]
pub struct KeyInUse {
    keys: KeysInUse,
    key: (UserId, String),
}

impl KeysInUse {
    /// Takes a key of `user` for one request.
    ///
    /// # Errors
    /// A request with it is in flight.
    pub fn take(&self, user: UserId, key: &str) -> Result<KeyInUse, ApiError> {
        let key = (user, key.to_owned());
        match self.keys.lock().insert(key.clone()) {
            true => Ok(KeyInUse { keys: self.clone(), key }),
            false => Err(ApiError::Conflict("a request with this idempotency key is in flight")),
        }
    }
}

impl Drop for KeyInUse {
    fn drop(&mut self) {
        self.keys.keys.lock().remove(&self.key);
    }
}
