//! A fresh clone: the command itself, with nothing set, in an empty directory.

use std::io::PipeWriter;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use larder_rig::RedisServer;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::support::{HalfSent, on_server};

/// No start of a test may take longer; a hanging one fails instead of blocking the run.
const PATIENCE: Duration = Duration::from_secs(120);

fn arcade(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
    command.current_dir(directory).env_clear().env("PORT", "0").kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    printed: Vec<String>,
}

impl Running {
    /// Starts the server and reads what it prints until it has said how to try it.
    async fn start(directory: &Path) -> Self {
        Self::spawned(arcade(directory)).await
    }

    async fn spawned(mut command: Command) -> Self {
        let mut child = command.spawn().expect("start");
        let stdout = child.stdout.take().expect("its output");
        let mut running =
            Running { child, lines: BufReader::new(stdout).lines(), printed: Vec::new() };
        running.read_until("/api/v1/cache").await;
        running
    }

    async fn read_until(&mut self, mark: &str) {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line());
            let line = line.await.expect("in time").expect("readable").expect("not the end");
            let last = line.contains(mark);
            self.printed.push(line);
            if last {
                return;
            }
        }
    }

    fn after(&self, mark: &str) -> Option<&str> {
        self.printed.iter().find_map(|line| line.trim().strip_prefix(mark))
    }

    /// Sends SIGTERM and gives the exit code.
    async fn terminate(self) -> Option<i32> {
        terminated(self.child).await
    }
}

/// Sends SIGTERM and gives the exit code.
async fn terminated(mut child: Child) -> Option<i32> {
    let pid = child.id().expect("it runs").to_string();
    let killed = Command::new("/bin/kill").args(["-TERM", &pid]).status().await;
    assert!(killed.expect("kill").success());
    let status = timeout(PATIENCE, child.wait()).await;
    status.expect("in time").expect("exit status").code()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

#[tokio::test]
async fn the_first_start_makes_the_demo_world_and_the_second_keeps_it() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let first = Running::start(directory.path()).await;
    let made = first.after("Made the demo world: ").expect("says what it made");
    assert!(
        made.starts_with(
            "10000 users, 500 tournaments, 5000 items, 100000 notifications, seed 20260101"
        ),
        "{made}"
    );
    assert!(first.after("ONE=").is_some() && first.after("TWO=").is_some());
    assert_eq!(first.terminate().await, Some(0));
    let secret = directory.path().join(".arcade/jwt-secret");
    let kept = std::fs::read(&secret).expect("secret");
    let second = Running::start(directory.path()).await;
    assert!(second.after("Made the demo world").is_none());
    assert_eq!(second.terminate().await, Some(0));
    assert_eq!(std::fs::read(&secret).expect("secret"), kept);
}

#[tokio::test]
async fn only_the_owner_can_read_what_the_start_writes_down() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let settings = "[demo]\nworld = 'off'\n";
    std::fs::write(directory.path().join("arcade.toml"), settings).expect("settings");
    assert_eq!(Running::start(directory.path()).await.terminate().await, Some(0));
    let data = directory.path().join(".arcade");
    assert_eq!(mode(&data), 0o700);
    assert_eq!((mode(&data.join("jwt-secret")), mode(&data.join("token"))), (0o600, 0o600));
}

#[tokio::test]
async fn the_start_prints_a_link_to_the_page_with_the_token_that_it_writes_down() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut command = arcade(directory.path());
    command.env("ARCADE_DEMO", "off");
    let running = Running::spawned(command).await;
    let address = running.after("Arcade listens on http://").expect("an address");
    let address = address.split(' ').next().expect("an address").to_owned();
    let kept = std::fs::read_to_string(directory.path().join(".arcade/token")).expect("a token");
    let printed = running.after(&format!("http://{address}/console#token=")).expect("a link");
    assert_eq!(printed, kept.trim());
    assert_eq!(running.terminate().await, Some(0));
}

#[tokio::test]
async fn the_start_tells_how_each_part_is() {
    let (directory, redis) =
        (tempfile::tempdir().expect("temporary directory"), RedisServer::start());
    let url = redis.url();
    let settings: [&[(&str, &str)]; 2] = [
        &[],
        &[
            ("REDIS_URL", &url),
            ("ARCADE_REDIS", "required"),
            ("CACHE_PROBE", "on"),
            ("CACHE_WARMING", "off"),
            ("CACHE_HOT_KEYS", "off"),
            ("ARCADE_LOGINS_PER_MINUTE", "10"),
        ],
    ];
    let address = url.trim_start_matches("redis://");
    let shared =
        format!("required, one server, without TLS, as the default user: {address} connected.");
    let expected = [
        [
            ("Database: ", "SQLite in "),
            ("Cache: ", "memory, up to 10000 entries and 256 MiB."),
            ("Redis: ", "off"),
            ("Outbox: ", "relayed, "),
            ("Journal: ", "a file in .arcade, 0 acknowledged writes found in it, 0 wait "),
            ("Warming: ", "hot-keys "),
            ("Consistency probe: ", "off."),
            ("Limits: ", "none."),
            ("Page: ", "http://127.0.0.1:"),
        ],
        [
            ("Database: ", "SQLite in "),
            ("Cache: ", "memory, up to 10000 entries and 256 MiB."),
            ("Redis: ", &shared),
            ("Outbox: ", "relayed, "),
            ("Journal: ", "a file in .arcade, 0 acknowledged writes found in it, 0 wait "),
            ("Warming: ", "active-users idle, "),
            ("Consistency probe: ", "runs."),
            ("Limits: ", "10 logins in a minute, of one source."),
            ("Page: ", "http://127.0.0.1:"),
        ],
    ];
    for (settings, expected) in settings.into_iter().zip(expected) {
        let mut command = arcade(directory.path());
        command.env("ARCADE_DEMO", "off").envs(settings.iter().copied());
        let running = Running::spawned(command).await;
        for (part, state) in expected {
            let told = running.after(part).unwrap_or_else(|| panic!("nothing of {part}"));
            assert!(told.starts_with(state), "{part}{told}");
        }
        assert_eq!(running.terminate().await, Some(0));
    }
}

#[tokio::test]
async fn a_signal_lets_a_request_in_flight_end_and_the_server_exit_well() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let database = on_server();
    let mut command = arcade(directory.path());
    command.env("ARCADE_DEMO", "off");
    command.envs(database.as_ref().map(|database| ("DATABASE_URL", &database.url)));
    let mut running = Running::spawned(command).await;
    let address = running.after("Arcade listens on http://").expect("an address");
    let address = address.split(' ').next().expect("an address").to_owned();
    let token = running.after("ONE=").expect("a token").to_owned();
    let on = if database.is_some() { "Database: PostgreSQL" } else { "Database: SQLite" };
    running.after(on).expect("says what it runs on");
    let half_sent = HalfSent::begin(&address, &token, "/notifications/read-all").await;
    // Connections are accepted in order: once this one is answered, the other is known.
    HalfSent::begin(&address, &token, "/notifications/read-all").await.finish().await;
    let ended = TaskTracker::new().spawn(terminated(running.child));
    let drains = async { while TcpStream::connect(&address).await.is_ok() {} };
    timeout(PATIENCE, drains).await.expect("it takes nobody new");
    let answer = half_sent.finish().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(ended.await.expect("no panic"), Some(0));
    let mut last = String::new();
    while let Some(line) = running.lines.next_line().await.expect("readable") {
        last = line;
    }
    assert_eq!(last, "Arcade has stopped.");
}

/// Where a program writes to nobody.
fn unread() -> PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[tokio::test]
async fn a_reader_that_stops_reading_makes_no_start_and_no_end_fail() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut command = arcade(directory.path());
    let mut child = command.env("ARCADE_DEMO", "off").stdout(unread()).spawn().expect("start");
    let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
    let told = async {
        loop {
            let line = log.next_line().await.expect("readable").expect("not the end");
            if line.contains("nobody reads the announcements") {
                return;
            }
        }
    };
    timeout(PATIENCE, told).await.expect("in time");
    assert_eq!(terminated(child).await, Some(0));
    while let Some(line) = log.next_line().await.expect("readable") {
        assert!(!line.contains("panicked"), "{line}");
    }
}

#[tokio::test]
async fn a_command_whose_output_nobody_reads_fails_and_says_so() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut command = arcade(directory.path());
    let child = command.args(["config", "table"]).stdout(unread()).spawn().expect("start");
    let output = child.wait_with_output().await.expect("its end");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), told.contains("panicked")), (Some(1), false), "{told}");
    assert!(told.contains("cannot write to standard output"), "{told}");
}

#[tokio::test]
async fn bad_settings_fail_the_start_with_one_message() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut command = arcade(directory.path());
    let output = command.env("ARCADE_PROFILE", "production").env("PORT", "x").output().await;
    let output = output.expect("run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for name in ["PORT", "JWT_SECRET", "DATABASE_URL"] {
        assert!(message.contains(name), "{message}");
    }
    assert!(!directory.path().join(".arcade").exists(), "a failed start must write nothing");
}

#[tokio::test]
async fn the_commands_before_the_server_work_without_it() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let cases: [(&[&str], &str); 6] = [
        (&["config", "check"], "good for the profile development"),
        (&["config", "show"], "auth.jwt_secret"),
        (&["migrate"], "The database is at migration "),
        (&["seed"], "Made the demo world"),
        (&["seed"], "holds 10000 users already"),
        (&["token", "--user", "7", "--role", "admin"], "eyJ"),
    ];
    for (arguments, expected) in cases {
        let output = arcade(directory.path()).args(arguments).output().await.expect("run");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains(expected), "{arguments:?}: {output:?}");
    }
}
