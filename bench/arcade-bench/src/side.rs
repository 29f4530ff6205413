//! One server in a process of its own, as the benchmark sees it: its address, its processor time
//! and its counts.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use arcade::auth::{Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::settings::Secret;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::serving;

/// Ticks of `/proc` in a second, on every Linux that Rust runs on.
const TICKS_A_SECOND: u32 = 100;

pub(crate) struct Side {
    child: Child,
    directory: TempDir,
    pub(crate) address: String,
    pub(crate) client: Client,
    tokens: Tokens,
}

impl Side {
    /// Starts a server with the cache `on` or `off`.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn start(cache: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &directory.path().to_string_lossy(), cache])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let told = child.stdout.take().context("the server has no output")?;
        let address = BufReader::new(told).lines().next_line().await?;
        let address = address.context("the server did not start")?;
        Ok(Side {
            client: Client::of(&address),
            child,
            directory,
            address,
            tokens: Tokens::new(&Secret::new(serving::SECRET)),
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn player(&self, user: i64) -> anyhow::Result<String> {
        Ok(self.tokens.issue(UserId(user), Role::Player, TOKEN_LIFETIME)?)
    }

    pub(crate) fn admin(&self) -> anyhow::Result<String> {
        Ok(self.tokens.issue(serving::admin(), Role::Admin, TOKEN_LIFETIME)?)
    }

    /// The processor time that the server has used so far.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("the server has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name in brackets may hold spaces; what follows it does not. The times in user and
        // kernel mode are fields 14 and 15 of proc(5).
        let (_, rest) = stat.rsplit_once(')').context("no name in /proc/stat")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks: u32 = fields[11].parse::<u32>()? + fields[12].parse::<u32>()?;
        Ok(Duration::from_secs(1) * ticks / TICKS_A_SECOND)
    }

    /// Ends the server and waits for it.
    ///
    /// # Errors
    /// It did not end well.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.client);
        drop(self.child.stdin.take());
        let ended = self.child.wait().await?;
        anyhow::ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}
