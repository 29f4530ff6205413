//! The command itself, in processes of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use arcade::auth::{Role, TOKEN_LIFETIME, Tokens, UserId};
use arcade::http::Verb;
use arcade::settings::Secret;
use larder_rig::Stopwatch;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{Answer, SECRET, Sender};

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command in a directory, with these variables and no others.
pub(crate) fn arcade(directory: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
    command.current_dir(directory).env_clear().kill_on_drop(true);
    command.envs([("PORT", "0"), ("ARCADE_PROFILE", "test"), ("JWT_SECRET", SECRET)]);
    command.envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One running process.
pub(crate) struct Process {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) sender: Sender,
    /// Open for as long as it may print.
    printed: Lines<BufReader<ChildStdout>>,
    child: Child,
}

impl Process {
    pub(crate) async fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        // Nobody reads what it logs: a full pipe would stop it.
        let mut child = arcade(directory, variables).stderr(Stdio::null()).spawn().expect("start");
        let stdout = child.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines();
        let listening = async {
            loop {
                let line = lines.next_line().await.expect("readable").expect("not the end");
                if let Some(rest) = line.strip_prefix("Arcade listens on ") {
                    return rest.split_whitespace().next().expect("an address").to_owned();
                }
            }
        };
        let base = tokio::time::timeout(PATIENCE, listening).await.expect("in time");
        let address = base.trim_start_matches("http://").to_owned();
        Process { address, sender: Sender::to(base), printed: lines, child }
    }

    /// What the next line says that begins so.
    pub(crate) async fn prints_after(&mut self, beginning: &str) -> String {
        let told = async {
            loop {
                let line = self.printed.next_line().await.expect("readable").expect("not the end");
                if let Some(rest) = line.strip_prefix(beginning) {
                    return rest.to_owned();
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("in time")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.sender.send(Verb::Get, path, None, "").await
    }

    /// A figure of `/metrics`, named with its labels; `None` where it is not there.
    pub(crate) async fn figure(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics").await.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|number| number.parse().expect("a number"))
    }

    /// The same, once it is there and `is_so`.
    pub(crate) async fn figure_once(&self, name: &str, is_so: impl Fn(f64) -> bool) -> f64 {
        let waiting = Stopwatch::started();
        loop {
            match self.figure(name).await {
                Some(figure) if is_so(figure) => return figure,
                figure => assert!(waiting.elapsed() < PATIENCE, "{name} is {figure:?}"),
            }
        }
    }

    /// Completes once it says of itself that it is `ready` or `degraded`.
    pub(crate) async fn says(&self, status: &str) {
        let waiting = Stopwatch::started();
        while self.get("/readyz").await.json()["status"] != status {
            assert!(waiting.elapsed() < PATIENCE, "not {status}");
        }
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it was alive");
    }
}

/// The token of an admin of every process.
pub(crate) fn admin() -> String {
    let tokens = Tokens::new(&Secret::new(SECRET));
    tokens.issue(UserId(1), Role::Admin, TOKEN_LIFETIME).expect("a token")
}

/// Brings the database of this directory to its form.
pub(crate) async fn migrated(directory: &TempDir) {
    let output = arcade(directory.path(), &[]).arg("migrate").output().await.expect("run");
    assert!(output.status.success(), "{output:?}");
}
