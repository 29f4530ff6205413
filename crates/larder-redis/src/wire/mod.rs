//! The bytes that a shard's server keeps and sends: frozen, because nodes of many versions read
//! them. Knows no connection.

pub(crate) mod envelope;
pub(crate) mod parameters;
mod reader;
pub(crate) mod record;
pub(crate) mod table;
