//! Game systems and templates: what rooms are set up with. What is not public is its maker's own.

mod cache;
mod changes;
mod input;
mod model;
mod ratings;
mod routes;
mod rows;

pub use cache::SystemCaches;
pub use changes::Systems;
pub use model::{
    Applied, Category, Complexity, Content, Rated, Rating, Shelf, System, SystemCard, SystemPage,
};
pub use routes::router;
pub use rows::SystemRows;
