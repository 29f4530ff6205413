//! What a rule is. Knows none of them.

use super::tree::Tree;

/// One rule: its name, what it demands, and the check.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) demand: &'static str,
    pub(super) check: fn(&Tree) -> Vec<Violation>,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// What an allow-list calls it: stays the same when lines move.
    pub(super) subject: String,
    pub(super) message: String,
}

impl Violation {
    pub(super) fn new(
        path: &str,
        line: usize,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Violation { path: path.into(), line, subject: subject.into(), message: message.into() }
    }
}
