//! The verbs of a shard as Lua, one script each, so that each is atomic. `docs/protocol.md` §2
//! says what they do. They run on Redis 6.2 and later, and on Valkey.

use std::sync::LazyLock;

/// A script, ready to be called by its digest.
pub(crate) struct Script {
    /// The verb, for errors.
    pub(crate) verb: &'static str,
    /// The whole text.
    pub(crate) text: String,
    /// The SHA-1 of the text, by which a server remembers it.
    pub(crate) digest: String,
}

impl Script {
    pub(crate) fn of(verb: &'static str, parts: &[&str]) -> Self {
        let text = parts.concat();
        let digest = redis::Script::new(&text).get_hash().to_owned();
        Script { verb, text, digest }
    }
}

const PRELUDE: &str = include_str!("prelude.lua");
const RUN: &str = include_str!("run.lua");
const LEASES: &str = include_str!("leases.lua");
const SOFT: &str = include_str!("soft.lua");
const SLOTS: &str = include_str!("slots.lua");
const STORE: &str = include_str!("store.lua");
const LOG: &str = include_str!("log.lua");
const CHANGES: &str = include_str!("changes.lua");

macro_rules! scripts {
    ($($name:ident: $verb:literal, [$($part:ident),*], $file:literal;)+) => {
        $(pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::of($verb, &[PRELUDE, $($part,)* include_str!($file)]));)+
    };
}

scripts! {
    CONNECT: "connect", [RUN], "connect.lua";
    LEASE: "lease", [], "lease.lua";
    RENEW: "renew", [], "renew.lua";
    RELEASE: "release", [LEASES], "release.lua";
    FILL: "fill", [LEASES, SLOTS, STORE], "fill.lua";
    APPEND: "append", [RUN, LEASES, SOFT, SLOTS, LOG, CHANGES], "append.lua";
    WRITE_THROUGH: "write_through", [RUN, LEASES, SOFT, SLOTS, LOG, CHANGES, STORE], "write_through.lua";
    TAIL: "tail", [RUN], "tail.lua";
    ANCHOR: "anchor", [RUN, LOG], "anchor.lua";
    SWEEP: "sweep", [RUN, SOFT], "sweep.lua";
    FINISH: "finish", [RUN, LOG], "finish.lua";
}
