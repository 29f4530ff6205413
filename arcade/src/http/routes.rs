//! Decides how routes are declared, so that one table of them exists that cannot lie: a route is
//! in the table because it is served, and served because it is in the table.

use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodFilter, on};

use super::described::{Described, Takes};
use super::plan::CachePlan;
use crate::settings;

/// A method that Arcade serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Does.
    Post,
    /// Puts in place of what is there.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Verb {
    /// The method's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Patch => MethodFilter::PATCH,
            Verb::Delete => MethodFilter::DELETE,
        }
    }
}

/// Who gets an answer. The handlers enforce it; the tests hold every route to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Everybody with a token, each about their own things.
    User,
    /// Admins only.
    Admin,
}

/// How often a route may be asked; the numbers are settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// As often as the rest.
    Usual,
    /// Where passwords can be guessed: logging in, registering.
    Login,
    /// Where tokens are made anew.
    Refresh,
    /// What machines ask all the time; not limited.
    Probe,
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who gets an answer.
    pub access: Access,
    /// What it is for, as one sentence.
    pub about: &'static str,
    /// The status of a good answer.
    pub status: StatusCode,
    /// The status of a good answer where something came of it that was not there.
    pub status_of_new: Option<StatusCode>,
    /// How often it may be asked.
    pub traffic: Traffic,
    /// The caches that its answer comes from.
    pub cached: &'static [&'static CachePlan],
    /// The caches of which it drops entries.
    pub drops: &'static [&'static CachePlan],
    /// What it refuses of itself, with the reason: neither its access nor its input tells of it.
    pub refusals: Vec<(StatusCode, &'static str)>,
    /// What its handler takes.
    pub takes: Takes,
}

impl Route {
    fn new(verb: Verb, path: &'static str, access: Access, about: &'static str) -> Self {
        Route {
            verb,
            path,
            access,
            about,
            status: StatusCode::OK,
            status_of_new: None,
            traffic: Traffic::Usual,
            cached: &[],
            drops: &[],
            refusals: Vec::new(),
            takes: Takes::default(),
        }
    }

    /// A route that reads.
    pub fn get(path: &'static str, access: Access, about: &'static str) -> Self {
        Route::new(Verb::Get, path, access, about)
    }

    /// A route that does something.
    pub fn post(path: &'static str, access: Access, about: &'static str) -> Self {
        Route::new(Verb::Post, path, access, about)
    }

    /// A route that puts something in place of what is there.
    pub fn put(path: &'static str, access: Access, about: &'static str) -> Self {
        Route::new(Verb::Put, path, access, about)
    }

    /// A route that changes something.
    pub fn patch(path: &'static str, access: Access, about: &'static str) -> Self {
        Route::new(Verb::Patch, path, access, about)
    }

    /// A route that removes something.
    pub fn delete(path: &'static str, access: Access, about: &'static str) -> Self {
        Route::new(Verb::Delete, path, access, about)
    }

    /// The names of the parameters in its path.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// How long its answer is fresh: as long as all that it is made of. `None` if it is not cached.
    pub fn fresh_for(&self, settings: &settings::Cache) -> Option<Duration> {
        self.cached.iter().map(|plan| (plan.fresh)(settings)).min()
    }

    /// What an invalidation names to drop its answer.
    pub fn tags(&self) -> Vec<&'static str> {
        self.cached.iter().flat_map(|plan| plan.tags).copied().collect()
    }

    /// A good answer has this status; without it, 200.
    #[must_use]
    pub fn answers(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A good answer has the status 201 where something came of it that was not there.
    #[must_use]
    pub fn may_create(mut self) -> Self {
        self.status_of_new = Some(StatusCode::CREATED);
        self
    }

    /// It may refuse with this status what its access and its input let in, and why.
    #[must_use]
    pub fn refuses(mut self, status: StatusCode, why: &'static str) -> Self {
        self.refusals.push((status, why));
        self
    }

    /// It is asked this often.
    #[must_use]
    pub fn traffic(mut self, traffic: Traffic) -> Self {
        self.traffic = traffic;
        self
    }

    /// The answer comes from these caches.
    #[must_use]
    pub fn cached(mut self, plans: &'static [&'static CachePlan]) -> Self {
        self.cached = plans;
        self
    }

    /// A change drops entries of these caches.
    #[must_use]
    pub fn drops(mut self, plans: &'static [&'static CachePlan]) -> Self {
        self.drops = plans;
        self
    }
}

/// Routes with their table.
#[derive(Debug)]
pub struct Routes<S> {
    router: Router<S>,
    table: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Routes { router: Router::new(), table: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Routes { router: Router::new(), table: Vec::new() }
    }

    /// Adds a route that `handler` answers.
    #[must_use]
    pub fn route<H, T>(mut self, mut route: Route, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Described + 'static,
    {
        T::describe(&mut route.takes);
        self.router = self.router.route(route.path, on(route.verb.filter(), handler));
        self.table.push(route);
        self
    }

    /// Adds the routes of `other`.
    #[must_use]
    pub fn merge(mut self, other: Routes<S>) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// The router and its table.
    pub fn into_parts(self) -> (Router<S>, Vec<Route>) {
        (self.router, self.table)
    }
}
