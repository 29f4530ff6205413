//! The bytes that a shard's server keeps and sends: frozen, because nodes of many versions read
//! them. Knows no connection.

pub(crate) mod bytes;
pub(crate) mod envelope;
pub(crate) mod record;
pub(crate) mod table;
