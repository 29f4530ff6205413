//! The points at which a writer dies, and what is certain of each.

use std::fmt;
use std::str::FromStr;

/// Where a writer dies, in the order of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// It has done nothing yet.
    BeforeBegin,
    /// The transaction has begun.
    AfterBegin,
    /// The price is another one, for the transaction.
    AfterStatement,
    /// The outbox has its row, and COMMIT is the next that would be sent.
    AfterRow,
    /// COMMIT was sent, and nobody waited for the answer.
    CommitOnItsWay,
    /// The commit was answered.
    AfterCommit,
    /// The writer's node honours the invalidation, and nothing was sent.
    Hidden,
    /// The log has the invalidation.
    Appended,
    /// And the row of the outbox is gone.
    Deleted,
    /// The transaction was rolled back instead, and the writer has said so.
    RolledBack,
}

/// There is no point of this name.
#[derive(Debug)]
pub struct NoSuchPoint;

impl Point {
    /// All of them.
    pub const ALL: [Point; 10] = [
        Point::BeforeBegin,
        Point::AfterBegin,
        Point::AfterStatement,
        Point::AfterRow,
        Point::CommitOnItsWay,
        Point::AfterCommit,
        Point::Hidden,
        Point::Appended,
        Point::Deleted,
        Point::RolledBack,
    ];

    /// Whether the change is there afterwards; `None` where it may be.
    pub fn commits(self) -> Option<bool> {
        match self {
            Point::BeforeBegin
            | Point::AfterBegin
            | Point::AfterStatement
            | Point::AfterRow
            | Point::RolledBack => Some(false),
            Point::CommitOnItsWay => None,
            Point::AfterCommit | Point::Hidden | Point::Appended | Point::Deleted => Some(true),
        }
    }

    /// Whether the others know of it without a relay.
    pub fn is_sent(self) -> bool {
        matches!(self, Point::Appended | Point::Deleted)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Point {
    type Err = NoSuchPoint;

    fn from_str(name: &str) -> Result<Self, NoSuchPoint> {
        Point::ALL.into_iter().find(|point| point.to_string() == name).ok_or(NoSuchPoint)
    }
}
