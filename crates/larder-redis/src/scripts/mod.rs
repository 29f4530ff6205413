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
const LOG: &str = include_str!("log.lua");
const STORE: &str = include_str!("store.lua");

macro_rules! scripts {
    ($($name:ident: $verb:literal, [$($part:ident),*], $file:literal;)+) => {
        $(pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::of($verb, &[PRELUDE, $($part,)* include_str!($file)]));)+
    };
}

scripts! {
    CONNECT: "connect", [], "connect.lua";
    LEASE: "lease", [], "lease.lua";
    RENEW: "renew", [], "renew.lua";
    RELEASE: "release", [], "release.lua";
    FILL: "fill", [STORE], "fill.lua";
    APPEND: "append", [LOG], "append.lua";
    WRITE_THROUGH: "write_through", [LOG, STORE], "write_through.lua";
    TAIL: "tail", [], "tail.lua";
    ANCHOR: "anchor", [LOG], "anchor.lua";
    SWEEP: "sweep", [], "sweep.lua";
    FINISH: "finish", [LOG], "finish.lua";
}
