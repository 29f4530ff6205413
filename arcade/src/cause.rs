//! Decides whom and what a change is put down to in the audit trail: the user and the route of the
//! request that makes it. Handlers need not say it.

use std::sync::Arc;

use larder::Invalidation;
use parking_lot::Mutex;

use crate::auth::UserId;

tokio::task_local! {
    static CAUSE: Arc<Mutex<Cause>>;
}

/// What is known of the request so far.
#[derive(Debug)]
struct Cause {
    because: Arc<str>,
    by: Option<Arc<str>>,
}

/// Answers a request whose changes are put down to `route`.
pub(crate) async fn of_request<T>(route: String, answering: impl Future<Output = T>) -> T {
    let cause = Cause { because: route.into(), by: None };
    CAUSE.scope(Arc::new(Mutex::new(cause)), answering).await
}

/// Puts what follows in this request down to a user.
pub(crate) fn is_asked_by(user: UserId) {
    let noted = CAUSE.try_with(|cause| cause.lock().by = Some(format!("user {}", user.0).into()));
    // Outside of a request nobody is to be named.
    noted.unwrap_or_default();
}

/// `work` for a task of its own, put down to the request of this one.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let cause = CAUSE.try_with(Arc::clone);
    async move {
        match cause {
            Ok(cause) => CAUSE.scope(cause, work).await,
            Err(_) => work.await,
        }
    }
}

/// What a change makes wrong, put down to its request.
pub(crate) fn put_down(wrong: Invalidation) -> Invalidation {
    let known = CAUSE.try_with(|cause| {
        let Cause { because, by } = &*cause.lock();
        (Arc::clone(because), by.clone())
    });
    match known {
        Ok((because, Some(by))) => wrong.because(because).by(by),
        Ok((because, None)) => wrong.because(because),
        Err(_) => wrong,
    }
}
