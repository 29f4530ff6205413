//! The verbs of a journal as Lua, one script each, so that each is atomic and asks first whether the
//! caller still has the journal.

use std::sync::LazyLock;

use crate::scripts::Script;

const PRELUDE: &str = include_str!("scripts/prelude.lua");

macro_rules! scripts {
    ($($name:ident: $verb:literal, $file:literal;)+) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::of($verb, &[PRELUDE, include_str!($file)]));)+
    };
}

scripts! {
    OPEN: "journal open", "scripts/open.lua";
    APPEND: "journal append", "scripts/append.lua";
    READ: "journal read", "scripts/read.lua";
    FORGET: "journal forget", "scripts/forget.lua";
    PARK: "journal park", "scripts/park.lua";
    RENEW: "journal renew", "scripts/renew.lua";
    RELEASE: "journal release", "scripts/release.lua";
}
