//! What must stay secret stays so: the command itself, logging all it can.

use std::path::Path;
use std::process::Stdio;

use larder_rig::Postgres;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

use crate::support::{PATIENCE, on_server};

const SECRET: &str = "canary-secret-canary-secret-canary-secret";
const TOKEN: &str = "canary-token";
const PASSWORD: &str = "canary-password";

fn arcade(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcade"));
    command.current_dir(directory).env_clear().kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs([
        ("PORT", "0"),
        ("ARCADE_PROFILE", "test"),
        ("JWT_SECRET", SECRET),
        ("DATABASE_URL", "postgres://canary:canary-password@127.0.0.1:1/canary"),
        ("ARCADE_LOG", "trace"),
    ]);
    command
}

/// Where it listens. Its output must stay open for as long as it runs.
async fn address_of(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    loop {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time");
        let line = line.expect("readable").expect("not the end");
        if let Some(rest) = line.strip_prefix("Arcade listens on http://") {
            return rest.split(' ').next().expect("an address").to_owned();
        }
    }
}

async fn exchanged(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(request.as_bytes()).await.expect("send");
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("in time").expect("readable");
    String::from_utf8_lossy(&answer).into_owned()
}

fn requests() -> Vec<String> {
    let body = format!(r#"{{"name": "x", "email": "x", "password": "{PASSWORD}"}}"#);
    let with_body = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/json\r\n\r\n{body}",
            body.len()
        )
    };
    let get = |path: &str, header: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\nconnection: close\r\n\r\n")
    };
    vec![
        get("/notifications", &format!("authorization: Bearer {TOKEN}")),
        get("/notifications", &format!("authorization: Basic {TOKEN}")),
        get("/api/v1/cache", &format!("cookie: session={TOKEN}")),
        get("/metrics", "x: y"),
        get("/api/health", "x: y"),
        get("/nowhere%0D%0Aforged", "x-request-id: forged%0d%0aline"),
        with_body("/auth/register"),
        with_body("/auth/login"),
        with_body("/notifications/read-all"),
    ]
}

#[tokio::test]
async fn no_secret_is_logged_answered_or_counted_and_each_request_is_one_line() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let database = on_server();
    let file = "sqlite:canary-password.db?mode=rwc";
    let url = database.as_ref().map_or(file, |database| &database.url);
    let mut child = arcade(directory.path()).env("DATABASE_URL", url).spawn().expect("start");
    let mut stderr = child.stderr.take().expect("its log");
    let log = tokio_util::task::TaskTracker::new().spawn(async move {
        let mut log = String::new();
        stderr.read_to_string(&mut log).await.map(|_| log)
    });
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let address = address_of(&mut lines).await;
    let requests = requests();
    for request in &requests {
        let answer = exchanged(&address, request).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        assert!(!answer.contains("canary"), "{request}: {answer}");
    }
    let pid = child.id().expect("it runs").to_string();
    assert!(Command::new("/bin/kill").args(["-TERM", &pid]).status().await.expect("kill").success());
    timeout(PATIENCE, child.wait()).await.expect("in time").expect("status");
    let log = log.await.expect("no panic").expect("readable");
    let tells = |line: &&str| line.contains("canary") || line.contains(Postgres::PASSWORD);
    let told: Vec<&str> = log.lines().filter(tells).collect();
    assert!(told.is_empty(), "{told:#?}");
    let parsed = log.lines().map(serde_json::from_str::<serde_json::Value>);
    let parsed: Vec<_> = parsed.map(|line| line.expect("each line is an object")).collect();
    let answered = parsed.iter().filter(|line| line["fields"]["message"] == "answered").count();
    assert_eq!(answered, requests.len());
}

#[tokio::test]
async fn no_command_that_meets_the_settings_shows_a_secret_of_theirs() {
    let directory = tempfile::tempdir().expect("temporary directory");
    // There is no such server, so a start fails and says why.
    let cases: [(&[&str], bool); 3] =
        [(&["config", "show"], true), (&["config", "check"], true), (&["serve"], false)];
    for (arguments, succeeds) in cases {
        let output = arcade(directory.path()).args(arguments).output().await.expect("run");
        assert_eq!(output.status.success(), succeeds, "{arguments:?}");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains("canary"), "{arguments:?}: {told}");
        assert!(succeeds || told.contains("cannot open the database"), "{arguments:?}: {told}");
    }
}
