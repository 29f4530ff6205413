//! A redis-server of one's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use redis::{Client, Cmd, Connection, FromRedisValue};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::ports::free_port;
use crate::process::Process;
use crate::stopwatch::Stopwatch;

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is asked whether it does.
const ASKED_EVERY: Duration = Duration::from_millis(5);

/// A running redis-server, without persistence unless asked for.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    settings: Vec<String>,
    directory: TempDir,
    /// Kept for as long as it may be started again.
    certificates: Option<TempDir>,
    process: Option<Process>,
}

impl RedisServer {
    /// Starts a server with every default.
    pub fn start() -> Self {
        RedisServer::start_with(&[])
    }

    /// Starts a server with these settings on its command line, such as `["--maxmemory", "50mb"]`.
    ///
    /// # Panics
    /// redis-server is not installed, or does not answer within 20 s: with its log.
    pub fn start_with(settings: &[&str]) -> Self {
        RedisServer::start_on(free_port(), settings)
    }

    /// As [`start_with`](Self::start_with), on a port to which 10,000 can be added: there, servers of
    /// a cluster speak with each other.
    pub(crate) fn start_on_low_port(settings: &[&str]) -> Self {
        let port = std::iter::repeat_with(free_port).find(|port| *port < 55_000);
        RedisServer::start_on(port.expect("there is always another port"), settings)
    }

    fn start_on(port: u16, settings: &[&str]) -> Self {
        let mut server = RedisServer {
            port,
            settings: settings.iter().map(ToString::to_string).collect(),
            directory: tempfile::tempdir().expect("a temporary directory can be made"),
            certificates: None,
            process: None,
        };
        server.run();
        server
    }

    /// Starts a server that speaks TLS only, on another port, with a certificate of `authority` for
    /// `localhost`. This value asks it on a port without TLS all the same.
    pub fn start_with_tls(authority: &Authority) -> (Self, u16) {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let files = authority.files_for_localhost(directory.path());
        let port = free_port();
        let shown = |path: &PathBuf| path.to_string_lossy().into_owned();
        let settings = [
            ["--tls-port".to_owned(), port.to_string()],
            ["--tls-cert-file".to_owned(), shown(&files.certificate)],
            ["--tls-key-file".to_owned(), shown(&files.key)],
            ["--tls-ca-cert-file".to_owned(), shown(&files.authority)],
            ["--tls-auth-clients".to_owned(), "no".to_owned()],
        ];
        let settings: Vec<&str> = settings.iter().flatten().map(String::as_str).collect();
        let mut server = RedisServer::start_with(&settings);
        server.certificates = Some(directory);
        (server, port)
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, as `kill -9` does. Its files stay.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port, with the files that are there.
    pub fn run(&mut self) {
        let mut command = Command::new(program());
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(self.directory.path())
            .args(&self.settings);
        let log = self.directory.path().join("log");
        let mut process = Process::start(&mut command, &log);
        await_answer(self.port, &mut process, &log);
        self.process = Some(process);
    }

    /// Kills it and starts it again, empty.
    pub fn restart_empty(&mut self) {
        self.kill();
        drop(fs::remove_file(self.dump()));
        self.run();
    }

    /// What it stores now, as a file of its own format.
    pub fn snapshot(&self) -> Vec<u8> {
        self.ask::<()>(&redis::cmd("SAVE"));
        fs::read(self.dump()).expect("it was just saved")
    }

    /// Kills it and starts it again with what it stored at `snapshot`.
    pub fn restart_with(&mut self, snapshot: &[u8]) {
        self.kill();
        fs::write(self.dump(), snapshot).expect("the directory can be written");
        self.run();
    }

    /// Whether it follows this primary and the primary knows. A replica says so first: until the primary has
    /// reaped the child that wrote the snapshot, it counts the replica for nothing.
    pub fn follows(&self, primary: &RedisServer) -> bool {
        let replication =
            |server: &RedisServer| -> String { server.ask(redis::cmd("INFO").arg("replication")) };
        let (said, port) = (replication(self), primary.port().to_string());
        let is_of = |line: &str| line.strip_prefix("master_port:") == Some(port.as_str());
        said.lines().any(is_of)
            && said.contains("master_link_status:up")
            && replication(primary).contains("state=online")
    }

    /// Asks it one command on a connection of its own.
    ///
    /// # Panics
    /// It does not answer, or with an error.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut connection = connection(self.port).expect("it is running");
        command.query(&mut connection).expect("the command is answered")
    }

    fn dump(&self) -> PathBuf {
        self.directory.path().join("dump.rdb")
    }
}

/// The program that servers run: `LARDER_REDIS_SERVER` names another one than `redis-server`, seen from
/// the root of the repository.
#[expect(clippy::disallowed_methods, reason = "the environment says what a test run is about")]
pub(crate) fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("LARDER_REDIS_SERVER").map(|path| root.join(path));
    named.unwrap_or_else(|| PathBuf::from("redis-server"))
}

/// Waits until a server answers on this port.
///
/// # Panics
/// It has ended, or does not answer in time: with its log.
#[expect(clippy::disallowed_methods, reason = "a process has no clock to be turned")]
pub(crate) fn await_answer(port: u16, process: &mut Process, log: &Path) {
    let waiting = Stopwatch::started();
    loop {
        let answer =
            connection(port).and_then(|mut asked| redis::cmd("PING").query::<()>(&mut asked));
        let Err(error) = answer else { return };
        // With a password it answers, too: that it wants one.
        if error.code().is_some_and(|code| code == "NOAUTH") {
            return;
        }
        if !process.is_running() || waiting.elapsed() > PATIENCE {
            let log = fs::read_to_string(log).unwrap_or_default();
            panic!("the server on port {port} does not answer: {error}\n{log}");
        }
        thread::sleep(ASKED_EVERY);
    }
}

fn connection(port: u16) -> redis::RedisResult<Connection> {
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    client.get_connection_with_timeout(Duration::from_secs(2))
}
