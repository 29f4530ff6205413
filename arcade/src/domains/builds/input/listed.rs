//! Decides which lists can be asked for.

use crate::auth::UserId;
use crate::http::{Fields, Input, LIMIT_MAX, Slice, flag, id, integer};

/// How many builds a leaderboard has where nobody says how many.
const BOARD_LIMIT: u32 = 10;

/// Which builds of all.
#[derive(Debug, Clone, Copy)]
pub(in crate::domains::builds) struct ListQuery {
    pub(in crate::domains::builds) class: Option<i64>,
    pub(in crate::domains::builds) user: Option<UserId>,
    /// `Some(true)` asks for what only the caller sees.
    pub(in crate::domains::builds) private: Option<bool>,
    pub(in crate::domains::builds) slice: Slice,
}

impl Input for ListQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let class = fields.optional("classId", id());
        let user = fields.optional("userId", id());
        let private = fields.optional("private", flag());
        let slice = Slice::read(fields);
        let user = user?.map(UserId);
        Some(ListQuery { class: class?, user, private: private?, slice: slice? })
    }
}

/// Which builds of the caller.
#[derive(Debug, Clone, Copy)]
pub(in crate::domains::builds) struct OwnQuery {
    pub(in crate::domains::builds) class: Option<i64>,
    pub(in crate::domains::builds) private: Option<bool>,
    pub(in crate::domains::builds) slice: Slice,
}

impl Input for OwnQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let class = fields.optional("classId", id());
        let private = fields.optional("private", flag());
        let slice = Slice::read(fields);
        Some(OwnQuery { class: class?, private: private?, slice: slice? })
    }
}

/// Which of the builds that the caller likes.
#[derive(Debug, Clone, Copy)]
pub(in crate::domains::builds) struct LikedQuery(pub(in crate::domains::builds) Slice);

impl Input for LikedQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        Slice::read(fields).map(LikedQuery)
    }
}

/// Which leaderboard, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(in crate::domains::builds) struct BoardQuery {
    pub(in crate::domains::builds) class: Option<i64>,
    pub(in crate::domains::builds) limit: u32,
}

impl Input for BoardQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let class = fields.optional("classId", id());
        let limit = fields.or("limit", BOARD_LIMIT, integer(1..=LIMIT_MAX));
        Some(BoardQuery { class: class?, limit: limit? })
    }
}
