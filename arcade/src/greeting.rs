//! What the command prints for people.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use arcade::configuration::{Layer, Shown};
use arcade::demo::{DEMO_PASSWORD, DEMO_WORLD};

/// Writes a line, or several, to standard output.
///
/// # Errors
/// Nobody reads it any more.
pub(crate) fn tell(text: impl fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write to standard output")
}

/// Writes a line to standard error. Where that is closed, nobody is left to be told of it.
pub(crate) fn tell_apart(text: impl fmt::Display) {
    writeln!(io::stderr(), "arcade: {text}").unwrap_or_default();
}

/// How to try a server that has just started, ready to paste.
pub(crate) struct Greeting {
    pub(crate) address: SocketAddr,
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) admin: String,
    pub(crate) admin_file: PathBuf,
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Greeting { address, first, second, admin, admin_file } = self;
        let page = larder_console::link(&format!("http://{address}"), admin);
        let admin = admin_file.display();
        let users = DEMO_WORLD.users;
        write!(
            f,
            "
Watch the caches while you try:

  {page}

Try, twice, and see X-Cache go from MISS to HIT (tokens are good for an hour):

  curl -i 'http://{address}/v1/tournaments?limit=3'
  curl -i 'http://{address}/marketplace/items?limit=3'
  ONE={first}
  TWO={second}
  curl -i -H \"Authorization: Bearer $ONE\" 'http://{address}/notifications?limit=3'
  curl -i -H \"Authorization: Bearer $ONE\" http://{address}/notifications/unread-count
  curl -i -H \"Authorization: Bearer $ONE\" -X POST http://{address}/notifications/read-all
  curl -i -H \"Authorization: Bearer $TWO\" http://{address}/notifications/unread-count
  curl -i -H \"Authorization: Bearer $(cat {admin})\" http://{address}/api/v1/cache

Every route: http://{address}/docs. Demo users are user1@arcade.example to user{users}@arcade.example, the last an admin; the password
of each is \"{DEMO_PASSWORD}\".
"
        )
    }
}

/// Every setting as a table.
pub(crate) fn settings(shown: &[Shown]) -> String {
    let name_width = shown.iter().map(|shown| shown.setting.name.len()).max().unwrap_or(0);
    let line = |shown: &Shown| {
        let Shown { setting, value, layer } = shown;
        let layer = match layer {
            Layer::Default => "default",
            Layer::File => "file",
            Layer::Environment => "environment",
        };
        let (name, variable) = (setting.name, setting.variable);
        format!("{name:name_width$} = {value}  [{layer}; {variable}]\n")
    };
    shown.iter().map(line).collect()
}
