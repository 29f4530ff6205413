//! Decides what a handler learns of the caller. Identity is an argument type: a handler that
//! takes none is public, and no body or query can name another user.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Role, TokenError, Tokens, UserId};
use crate::cause;
use crate::http::{ApiError, Described, Takes};

/// The user whose token the request carries.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUser {
    /// The user's number.
    pub id: UserId,
    /// What the user may do.
    pub role: Role,
}

/// Who asks where everybody may: a user, or nobody in particular.
#[derive(Debug, Clone, Copy)]
pub struct Viewer(pub Option<CurrentUser>);

/// A user who may see the inside of the server.
#[derive(Debug, Clone, Copy)]
pub struct Admin(pub CurrentUser);

impl<S> FromRequestParts<S> for CurrentUser
where
    S: Send + Sync,
    Tokens: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let tokens = Tokens::from_ref(state);
        let (id, role) = bearer(parts)
            .ok_or(TokenError::Missing)
            .and_then(|token| tokens.read(token))
            .map_err(ApiError::Unauthorized)?;
        cause::is_asked_by(id);
        Ok(CurrentUser { id, role })
    }
}

impl<S> FromRequestParts<S> for Viewer
where
    S: Send + Sync,
    Tokens: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // A token that is sent must be good: who believes to be known must not be shown less.
        match parts.headers.contains_key(AUTHORIZATION) {
            true => CurrentUser::from_request_parts(parts, state).await.map(Some).map(Viewer),
            false => Ok(Viewer(None)),
        }
    }
}

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    Tokens: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let user = CurrentUser::from_request_parts(parts, state).await?;
        match user.role {
            Role::Admin => Ok(Admin(user)),
            Role::Player => Err(ApiError::Forbidden),
        }
    }
}

impl Described for CurrentUser {
    fn describe(_: &mut Takes) {}
}

impl Described for Viewer {
    fn describe(_: &mut Takes) {}
}

impl Described for Admin {
    fn describe(_: &mut Takes) {}
}

fn bearer(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
