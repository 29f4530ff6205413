//! Why the shared tier or a journal could not be opened. That a server cannot be reached is no error: it is
//! dialled again until it can.

use std::fmt;

/// One thing that is wrong with the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The option.
    pub field: &'static str,
    /// What is wrong with it, and what it may be.
    pub problem: String,
}

impl Mistake {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Mistake { field, problem: problem.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.problem)
    }
}

/// Options that cannot be used: every mistake at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct OpenError {
    /// The mistakes, at least one.
    pub mistakes: Vec<Mistake>,
}

impl OpenError {
    pub(crate) fn unless_empty(mistakes: Vec<Mistake>) -> Result<(), Self> {
        if mistakes.is_empty() { Ok(()) } else { Err(OpenError { mistakes }) }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes: Vec<String> = self.mistakes.iter().map(Mistake::to_string).collect();
        write!(f, "Redis cannot be used with these options: {}", mistakes.join("; "))
    }
}

/// A text that is no URL of a server that this crate can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be redis://[user[:password]@]host[:port][/database], redis+unix:// and the path of a \
     socket, redis-sentinel:// with several hosts and ?master=name, or redis-cluster:// with several \
     hosts; with rediss at its beginning it is encrypted, and the server always verified"
)]
pub struct InvalidUrl;
