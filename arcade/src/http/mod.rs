//! What every domain needs to speak HTTP: errors, inputs, answers from the cache, routes. Must not
//! know any domain.

mod cached;
mod composed;
mod conditional;
mod cursor;
mod described;
mod envelope;
mod error;
mod failures;
mod fields;
mod format;
mod idempotency;
mod input;
mod limits;
mod observe;
mod page;
mod plan;
mod problem;
mod provenance;
mod routes;
mod slice;

pub use cached::Cached;
pub use composed::{Ids, Object, ids, object};
pub use conditional::conditional;
pub use cursor::{Cursor, Cursors, Stretch, cursors};
pub use described::{AskedBody, Described, Takes};
pub use envelope::Envelope;
pub use error::ApiError;
pub use fields::{Asked, Fields, Input, object_schema};
pub use format::{
    Choice, Format, Given, Integer, Text, choice, flag, id, id_list, integer, line, lines, text,
};
pub use idempotency::{IdempotencyKey, KeyInUse, KeysInUse};
pub use input::{
    IdPath, IdPaths, JsonBody, MaybeBody, NamePath, NoInput, NoQuery, Nothing, Query, ReadTimeout,
};
pub use limits::{Limits, Peer, limited};
pub use observe::observed;
pub use page::{LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX, PAGES_CACHED_MAX, Page, PageQuery};
pub use plan::{Audience, CachePlan};
pub use problem::{Detail, rendered};
pub use provenance::{CacheStatus, Provenance, origin_name};
pub use routes::{Access, Route, Routes, Traffic, Verb};
pub use slice::Slice;
