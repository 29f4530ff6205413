//! What every domain needs to speak HTTP: errors, inputs, answers from the cache, routes. Must not
//! know any domain.

mod cached;
mod error;
mod input;
mod observe;
mod problem;
mod routes;

pub use cached::{CacheStatus, Cached};
pub use error::ApiError;
pub use input::{IdPath, LIMIT_MAX, NoInput, NoQuery, PAGE_MAX, Page, PageQuery};
pub use observe::observed;
pub use problem::{Detail, rendered};
pub use routes::{Access, Route, Routes, Verb};
