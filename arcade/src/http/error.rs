//! Decides the status and the public text of every failure. What the log says is the source, which
//! the caller never sees.

use std::error::Error;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::{Detail, Problem};
use super::provenance::Provenance;
use crate::auth::TokenError;
use crate::storage::StorageError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The input is wrong; each mistake is named.
    #[error("the request is not valid")]
    BadInput(Vec<Detail>),
    /// No token, or none that is good.
    #[error("a valid bearer token is required")]
    Unauthorized(#[source] TokenError),
    /// The address is unknown or the password wrong; the answer does not say which.
    #[error("the email or the password is wrong")]
    WrongCredentials,
    /// The refresh token is unknown, expired or used, or the session of the access token is over.
    #[error("the session has ended; log in again")]
    SessionEnded,
    /// The token is good, its role is not enough.
    #[error("this needs the role admin")]
    Forbidden,
    /// The caller sees the thing, but their part in it does not allow this; the text says what would.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// The input names a user who is not the token's.
    #[error("the userId is not that of the token")]
    ForeignUser,
    /// There is no such thing, or it is somebody else's: the answer is the same.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The same, as the cache knows it.
    #[error("no such {thing}")]
    Absent {
        /// What there is none of.
        thing: &'static str,
        /// Where the knowledge came from.
        provenance: Provenance,
    },
    /// The request is good, but does not fit what is there; the text says what stands against it.
    #[error("{0}")]
    Conflict(&'static str),
    /// The idempotency key was used before, with another request.
    #[error("the idempotency key stands for another request")]
    KeyOfAnother,
    /// The body is compressed, which the server does not take.
    #[error("the request body must not be compressed")]
    BodyEncoded,
    /// The body is longer than the server takes.
    #[error("the request body is too long")]
    BodyTooLong,
    /// The body broke off.
    #[error("the request body could not be read")]
    BodyUnreadable,
    /// The body took too long to arrive.
    #[error("the request body did not arrive in time")]
    BodySlow,
    /// The source has asked too often.
    #[error("too many requests")]
    TooManyRequests {
        /// When it may ask again.
        retry_after: Duration,
    },
    /// A part that the answer needs is away; the same request may succeed in a moment.
    #[error("the service is not available at the moment")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Our fault.
    #[error("an internal error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            ApiError::BadInput(_) | ApiError::BodyUnreadable => StatusCode::BAD_REQUEST,
            ApiError::BodySlow => StatusCode::REQUEST_TIMEOUT,
            ApiError::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Unauthorized(_) | ApiError::WrongCredentials | ApiError::SessionEnded => {
                StatusCode::UNAUTHORIZED
            }
            ApiError::Forbidden | ApiError::NotAllowed(_) | ApiError::ForeignUser => {
                StatusCode::FORBIDDEN
            }
            ApiError::NotFound(_) | ApiError::Absent { .. } => StatusCode::NOT_FOUND,
            ApiError::Conflict(_) => StatusCode::CONFLICT,
            ApiError::KeyOfAnother => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::BodyEncoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn log(&self) {
        match self {
            ApiError::Unavailable(source) | ApiError::Internal(source) => {
                tracing::error!(error = chain(source.as_ref()), "request failed");
            }
            ApiError::Unauthorized(source) => {
                tracing::debug!(error = chain(source), "token refused");
            }
            _ => {}
        }
    }
}

/// An error with its sources, outermost first, for the log.
fn chain(error: &(dyn Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| (*error).source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let status = self.status();
        let error = self.to_string();
        let mut response = status.into_response();
        let details = match self {
            ApiError::BadInput(details) => details,
            ApiError::Absent { provenance, .. } => {
                provenance.tell(response.headers_mut());
                Vec::new()
            }
            ApiError::TooManyRequests { retry_after } => {
                // Rounded up: who comes at the second that is named must be let in.
                let seconds = HeaderValue::from(retry_after.as_secs() + 1);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                Vec::new()
            }
            _ => Vec::new(),
        };
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(Problem { error, details });
        response
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error.is_transient() {
            true => ApiError::Unavailable(Box::new(error)),
            false => ApiError::Internal(Box::new(error)),
        }
    }
}
