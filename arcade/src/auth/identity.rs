//! Decides what a handler learns of the caller. Identity is an argument type: a handler that
//! takes none is public, and no body or query can name another user.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Claimed, Role, SessionId, TokenError, Tokens, UserId};
use crate::cause;
use crate::http::{ApiError, Cached, Described, Takes};
use crate::sessions::{Session, Sessions};

/// Knows who asks. Clones share everything.
#[derive(Debug, Clone)]
pub struct Identities {
    tokens: Tokens,
    sessions: Sessions,
}

/// The user whose token the request carries.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUser {
    /// The user's number.
    pub id: UserId,
    /// What the user may do.
    pub role: Role,
    /// The session in which the user asks, if the token is of one.
    pub session: Option<SessionId>,
}

/// The session of the token that the request carries, as it was read to know that it is open; `None`
/// of a token that is of none.
#[derive(Debug)]
pub struct CurrentSession(pub Option<Cached<Session>>);

/// Who asks where everybody may: a user, or nobody in particular.
#[derive(Debug, Clone, Copy)]
pub struct Viewer(pub Option<CurrentUser>);

/// A user who may see the inside of the server.
#[derive(Debug, Clone, Copy)]
pub struct Admin(pub CurrentUser);

impl Identities {
    /// Those who bring a token of `tokens`, which is of an open session if it is of one.
    pub fn new(tokens: Tokens, sessions: Sessions) -> Self {
        Identities { tokens, sessions }
    }

    /// The one whose token the request carries, and the session that it is of.
    async fn identified(
        &self,
        parts: &Parts,
    ) -> Result<(CurrentUser, Option<Cached<Session>>), ApiError> {
        let token = bearer(parts).ok_or(TokenError::Missing);
        let claimed = token.and_then(|token| self.tokens.read(token));
        let Claimed { user: id, role, session } = claimed.map_err(ApiError::Unauthorized)?;
        let open = match session {
            Some(session) => Some(self.sessions.asked_in(id, session).await?),
            None => None,
        };
        cause::is_asked_by(id);
        // A role that was changed since holds at once where there is a session to look it up in.
        let role = open.as_ref().map_or(role, |open| open.value.role());
        Ok((CurrentUser { id, role, session }, open))
    }
}

impl<S> FromRequestParts<S> for CurrentUser
where
    S: Send + Sync,
    Identities: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Identities::from_ref(state).identified(parts).await.map(|(user, _)| user)
    }
}

impl<S> FromRequestParts<S> for CurrentSession
where
    S: Send + Sync,
    Identities: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Identities::from_ref(state).identified(parts).await.map(|(_, open)| CurrentSession(open))
    }
}

impl<S> FromRequestParts<S> for Viewer
where
    S: Send + Sync,
    Identities: FromRef<S>,
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
    Identities: FromRef<S>,
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

impl Described for CurrentSession {
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
