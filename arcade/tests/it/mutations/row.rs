//! A row of the table.

use std::pin::Pin;

use arcade::http::Verb;

use crate::support::TestClient;

/// A mutation in one situation. A route may have several.
#[derive(Clone)]
pub(crate) struct Mutation {
    /// The route's method.
    pub(crate) verb: Verb,
    /// The route's path, with its parameters in braces.
    pub(crate) path: &'static str,
    /// The situation, in words.
    pub(crate) case: &'static str,
    /// Makes what the mutation needs, and says what is to be true of it.
    pub(crate) prepare: for<'a> fn(&'a TestClient) -> Preparing<'a>,
}

pub(crate) type Preparing<'a> = Pin<Box<dyn Future<Output = Case> + 'a>>;

/// What is sent, and what then is true of the reads. All of them go through the cache.
pub(crate) struct Case {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) body: String,
    /// These show something else at once, and that from the source.
    pub(crate) shows: Vec<Read>,
    /// These are still hits.
    pub(crate) keeps: Vec<Read>,
}

/// A cached read.
pub(crate) struct Read {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
}

/// Reads that anybody may do.
pub(crate) fn public<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Vec<Read> {
    paths.into_iter().map(|path| Read { path: path.into(), token: None }).collect()
}

/// Reads of one user.
pub(crate) fn of_user<P: Into<String>>(token: &str, paths: impl IntoIterator<Item = P>) -> Vec<Read> {
    let read = |path: P| Read { path: path.into(), token: Some(token.to_owned()) };
    paths.into_iter().map(read).collect()
}
