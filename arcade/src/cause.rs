//! Decides whom and what a change is put down to in the audit trail: the user and the route of the
//! request that makes it. Handlers need not say it.

use std::cell::Cell;

use axum::extract::MatchedPath;
use larder::Invalidation;

use crate::auth::UserId;

tokio::task_local! {
    static CAUSE: Cause;
}

/// What is known of the request so far. Only a change makes words of it.
#[derive(Debug, Clone)]
struct Cause {
    method: &'static str,
    route: Option<MatchedPath>,
    by: Cell<Option<UserId>>,
}

/// Answers a request, to which its changes are put down.
pub(crate) async fn of_request<T>(
    method: &'static str,
    route: Option<MatchedPath>,
    answering: impl Future<Output = T>,
) -> T {
    CAUSE.scope(Cause { method, route, by: Cell::new(None) }, answering).await
}

/// Puts what follows in this request down to a user.
pub(crate) fn is_asked_by(user: UserId) {
    match CAUSE.try_with(|cause| cause.by.set(Some(user))) {
        Ok(()) => {}
        Err(_) => tracing::trace!("a token was read outside of a request: nobody is named"),
    }
}

/// `work` for a task of its own, put down to the request of this one.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let cause = CAUSE.try_with(Cause::clone);
    async move {
        match cause {
            Ok(cause) => CAUSE.scope(cause, work).await,
            Err(_) => work.await,
        }
    }
}

/// What a change makes wrong, put down to its request.
pub(crate) fn put_down(wrong: Invalidation) -> Invalidation {
    let Ok(Cause { method, route, by }) = CAUSE.try_with(Cause::clone) else { return wrong };
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let wrong = wrong.because(format!("{method} {route}"));
    match by.get() {
        Some(user) => wrong.by(format!("user {}", user.0)),
        None => wrong,
    }
}
