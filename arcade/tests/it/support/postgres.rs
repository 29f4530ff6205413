//! A real PostgreSQL for the tests of one process: started on a free port, ended with the last test
//! that uses it. Each test gets a database of its own.

use std::io::{self, BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

/// Where Debian keeps its versions of PostgreSQL.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server's superuser.
const USER: &str = "arcade";

/// A part of every URL of a test, and so of what must never be shown.
pub(crate) const PASSWORD: &str = "a-password-of-tests";

/// How often a start is tried.
const STARTS_MAX: u32 = 50;

/// One database on a server.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) server: Arc<Postgres>,
}

impl Database {
    /// A fresh, empty one.
    pub(crate) async fn fresh() -> Self {
        Self::on(Postgres::shared()).await
    }

    /// The same on a server that nobody else uses, and that may therefore be stopped.
    pub(crate) async fn apart() -> Self {
        Self::on(Arc::new(Postgres::new())).await
    }

    async fn on(server: Arc<Postgres>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("arcade_{}_{number}", std::process::id());
        let connected = PgConnection::connect(&server.url("postgres")).await;
        let mut connection = connected.expect("connect");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(create).await.expect("create a database");
        connection.close().await.expect("close");
        Database { url: server.url(&name), server }
    }
}

/// A running server, and who reads its log, so that it can go on writing.
struct Process {
    child: Child,
    reading: JoinHandle<usize>,
}

/// A server of its own folder, port and process.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    /// The server of this process; starts it where none runs.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("no start panicked");
        shared.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Postgres::new());
            *shared = Arc::downgrade(&started);
            started
        })
    }

    fn new() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("arcade-postgres-").tempdir();
        let folder = folder.expect("temporary directory");
        let template = template(&programs, folder.path());
        copy(&template, &folder.path().join("data"));
        own(folder.path());
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let postgres = Postgres { programs, folder, port, process: Mutex::new(None) };
        postgres.start();
        postgres
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts the server on what its folder holds and waits until it answers. After a crash the
    /// parts of the old one can outlive it for a moment, and a new one gives up at once.
    pub(crate) fn start(&self) {
        let mut told = String::new();
        for _ in 0..STARTS_MAX {
            let mut child = self.command().spawn().expect("start PostgreSQL");
            let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
            match until_ready(lines) {
                Ok(reading) => {
                    *self.process.lock().expect("lock") = Some(Process { child, reading });
                    return;
                }
                Err(log) => told = log,
            }
            child.wait().expect("its end");
        }
        panic!("PostgreSQL does not start: {told}");
    }

    fn command(&self) -> Command {
        let mut command = as_owner(&self.programs.join("postgres"));
        command.arg("-D").arg(self.folder.path().join("data")).arg("-F");
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
            command.args(["-c", setting]);
        }
        command.args(["-c", &format!("port={}", self.port)]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(&self) {
        if let Some(mut process) = self.process.lock().expect("lock").take() {
            process.child.kill().expect("kill");
            process.ended();
        }
    }

    /// Lets the server and its connections stand still, as behind a network that has gone silent.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to the server and to all that it has started.
    fn signal(&self, signal: &str) {
        if let Some(process) = &*self.process.lock().expect("lock") {
            let pid = process.child.id();
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.expect("its children");
            let children = children.split_whitespace();
            let mut kill = Command::new("/bin/kill");
            kill.args([signal, &pid.to_string()]).args(children).stderr(Stdio::null());
            // It also fails where a connection has ended meanwhile, which then needs no signal.
            kill.status().expect("kill");
        }
    }
}

impl Process {
    /// Waits for the server and its children, who hold the log open.
    fn ended(mut self) {
        self.child.wait().expect("its end");
        self.reading.join().expect("reading does not panic");
    }
}

/// Reads the log until the server is ready, and the rest apart. Gives the log where it ends before.
fn until_ready(mut lines: Lines<BufReader<ChildStderr>>) -> Result<JoinHandle<usize>, String> {
    let mut log = String::new();
    while let Some(Ok(line)) = lines.next() {
        if line.contains("ready to accept connections") {
            return Ok(std::thread::spawn(move || lines.count()));
        }
        log += &line;
    }
    Err(log)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What stands still does not hear that it is to end.
        self.thaw();
        let process = self.process.lock().ok().and_then(|mut process| process.take());
        if let Some(process) = process {
            // SIGQUIT ends its children too and writes nothing, which nobody would read.
            let pid = process.child.id().to_string();
            ran(Command::new("/bin/kill").args(["-QUIT", &pid]));
            process.ended();
        }
    }
}

fn programs() -> PathBuf {
    let newest = std::fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|programs| programs.join("initdb").exists())
        .max();
    newest.expect("PostgreSQL: `cargo xtask test` installs it, or `apt-get install postgresql`")
}

/// The folder of a new server, made once for all processes, since making it takes seconds.
fn template(programs: &Path, scratch: &Path) -> PathBuf {
    let version = programs.parent().and_then(Path::file_name).expect("a version");
    let name = format!("postgres-{}", version.to_string_lossy());
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if kept.exists() {
        return kept;
    }
    let password = scratch.join("password");
    std::fs::write(&password, PASSWORD).expect("write the password");
    own(scratch);
    let made = scratch.join("made");
    let mut command = as_owner(&programs.join("initdb"));
    command.args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    command.args(["--wal-segsize=1", "--username", USER, "--pwfile"]).arg(&password);
    ran(command.arg("--pgdata").arg(&made).stdout(Stdio::null()));
    // Whoever comes first keeps theirs.
    let mine = kept.with_extension(std::process::id().to_string());
    copy(&made, &mine);
    match std::fs::rename(&mine, &kept) {
        Err(fault) if !kept.exists() => panic!("cannot keep {}: {fault}", kept.display()),
        Err(_) => std::fs::remove_dir_all(&mine).expect("remove the second one"),
        Ok(()) => {}
    }
    kept
}

fn copy(from: &Path, to: &Path) {
    ran(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// PostgreSQL refuses to run as root, so a folder that it works on must belong to another.
fn own(folder: &Path) {
    if let Some(user) = other_user() {
        ran(Command::new("chown").arg("-R").arg(format!("{user}:")).arg(folder));
    }
}

/// The program, run by the owner of its folder.
fn as_owner(program: &Path) -> Command {
    let mut command = match other_user() {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir("/");
    command
}

/// Whom PostgreSQL runs as, if this process is root.
fn other_user() -> Option<&'static str> {
    let id = Command::new("id").arg("-u").output().expect("id");
    (id.stdout == b"0\n").then_some("postgres")
}

fn ran(command: &mut Command) {
    let status: io::Result<_> = command.status();
    let status = status.unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    assert!(status.success(), "{command:?}: {status}");
}
