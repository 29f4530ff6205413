//! Decides with which statuses a route may fail: those that its access, its input and its method
//! bring with them, and those that it names itself.

use axum::http::StatusCode;

use super::routes::{Access, Route, Traffic, Verb};

impl Route {
    /// Every status of a failure, in order, with its reason.
    pub fn failures(&self) -> Vec<(StatusCode, &'static str)> {
        let names_a_thing = self.parameters().next().is_some();
        let changes = self.verb != Verb::Get;
        let limited = self.traffic != Traffic::Probe;
        let possible = [
            (true, StatusCode::BAD_REQUEST, "The input is wrong; details name each field."),
            (self.access != Access::Public, StatusCode::UNAUTHORIZED, "No token, or a bad one."),
            (self.access == Access::Admin, StatusCode::FORBIDDEN, "The role is not enough."),
            (names_a_thing, StatusCode::NOT_FOUND, "No such thing, or somebody else's."),
            (changes, StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."),
            (changes, StatusCode::CONFLICT, "It does not fit what is there."),
            (changes, StatusCode::PAYLOAD_TOO_LARGE, "The body is too long."),
            (changes, StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is compressed."),
            (limited, StatusCode::TOO_MANY_REQUESTS, "Too many requests."),
            (true, StatusCode::INTERNAL_SERVER_ERROR, "A fault of the server's own."),
            (true, StatusCode::SERVICE_UNAVAILABLE, "A part is away; try again."),
        ];
        // What the route says itself is more exact.
        let named = |status| self.refusals.iter().any(|(own, _)| *own == status);
        let common = possible.into_iter().filter(|(applies, status, _)| *applies && !named(*status));
        let common = common.map(|(_, status, why)| (status, why));
        let mut failures: Vec<_> = common.chain(self.refusals.iter().copied()).collect();
        failures.sort_by_key(|(status, _)| *status);
        failures
    }

    /// Whether its description says that it may answer with `status`.
    pub fn tells_of(&self, status: StatusCode) -> bool {
        let unchanged = status == StatusCode::NOT_MODIFIED && !self.cached.is_empty();
        let fails = || self.failures().iter().any(|(failure, _)| *failure == status);
        status == self.status || Some(status) == self.status_of_new || unchanged || fails()
    }
}
