//! What a fleet keeps of a change whose writer, server or network dies.

mod crashes;
mod outages;
mod support;
