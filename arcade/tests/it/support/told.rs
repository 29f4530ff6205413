//! Holds every answer that a test gets to what the table of routes says of it.

use std::sync::LazyLock;

use arcade::app::route_table;
use arcade::http::{Route, Verb};
use axum::http::StatusCode;

static TABLE: LazyLock<Vec<Route>> = LazyLock::new(route_table);

/// Fails where the route of this request answers with a status that its description does not name.
/// What no route takes is nobody's to describe.
pub(super) fn must_be_told(verb: Verb, path: &str, status: StatusCode) {
    let path = path.split('?').next().unwrap_or_default();
    let fitting = TABLE.iter().filter(|route| route.verb == verb && fits(route.path, path));
    // Of two, that which names more of the path takes the request.
    if let Some(route) = fitting.min_by_key(|route| route.parameters().count()) {
        let name = format!("{} {}", verb.name(), route.path);
        assert!(route.tells_of(status), "{name}: nobody is told that it may answer {status}");
    }
}

fn fits(described: &str, path: &str) -> bool {
    let (described, path) = (described.split('/'), path.split('/'));
    let parts = |(part, given): (&str, &str)| match part.starts_with('{') {
        true => !given.is_empty(),
        false => part == given,
    };
    described.clone().count() == path.clone().count() && described.zip(path).all(parts)
}
