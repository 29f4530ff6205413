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
    /// These show something else at once, and that from the source unless another of them has just
    /// loaded the entries that they are [made of](Made).
    pub(crate) shows: Vec<Read>,
    /// These are still hits.
    pub(crate) keeps: Vec<Read>,
}

/// A cached read.
pub(crate) struct Read {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) made: Made,
}

/// Which entries a read is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The change drops one of its own.
    OfItsOwn,
    /// The change drops only entries that other reads are made of, too: the first who asks loads
    /// them for all.
    OfShared,
    /// The change drops only entries that the reads before it are made of, and so have loaded.
    LoadedBefore,
}

/// The same reads, made of shared entries.
pub(crate) fn of_shared(reads: Vec<Read>) -> Vec<Read> {
    reads.into_iter().map(|read| Read { made: Made::OfShared, ..read }).collect()
}

/// The same reads, made of what those before them have loaded, and of what the change leaves alone.
pub(crate) fn loaded_before(reads: Vec<Read>) -> Vec<Read> {
    reads.into_iter().map(|read| Read { made: Made::LoadedBefore, ..read }).collect()
}

/// Reads that anybody may do.
pub(crate) fn public<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Vec<Read> {
    let read = |path: P| Read { path: path.into(), token: None, made: Made::OfItsOwn };
    paths.into_iter().map(read).collect()
}

/// Reads of one user.
pub(crate) fn of_user<P: Into<String>>(token: &str, paths: impl IntoIterator<Item = P>) -> Vec<Read> {
    let read =
        |path: P| Read { path: path.into(), token: Some(token.to_owned()), made: Made::OfItsOwn };
    paths.into_iter().map(read).collect()
}
