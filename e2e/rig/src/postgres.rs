//! A real PostgreSQL for the tests of one process: started on a free port, ended with the last test
//! that uses it. Each test gets a database of its own.

use std::io::{self, BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::ports::free_port;

/// Where Debian keeps its versions of PostgreSQL.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server's superuser.
const USER: &str = "tests";

/// How often a start is tried.
const STARTS_MAX: u32 = 50;

/// One database on a server.
#[derive(Debug)]
pub struct PostgresDatabase {
    /// Where it is, with the password.
    pub url: String,
    /// Its server.
    pub server: Arc<Postgres>,
}

impl PostgresDatabase {
    /// A fresh, empty one, on the server that all of this process share.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start: with its log.
    pub fn fresh() -> Self {
        Self::on(Postgres::shared())
    }

    /// The same on a server that nobody else uses, and that may therefore be stopped.
    ///
    /// # Panics
    /// As [`fresh`](Self::fresh).
    pub fn apart() -> Self {
        Self::on(Arc::new(Postgres::new()))
    }

    fn on(server: Arc<Postgres>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tests_{}_{number}", std::process::id());
        let port = server.port.to_string();
        let mut create = Command::new(server.programs.join("createdb"));
        create.args(["--host=127.0.0.1", "--username", USER, "--port", &port, &name]);
        ran(create.env("PGPASSWORD", Postgres::PASSWORD).current_dir("/"));
        PostgresDatabase { url: server.url(&name), server }
    }
}

/// A running server, and who reads its log, so that it can go on writing.
#[derive(Debug)]
struct Process {
    child: Child,
    reading: JoinHandle<usize>,
}

/// A server of its own folder, port and process.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    /// A part of every URL, and so of what must never be shown.
    pub const PASSWORD: &'static str = "a-password-of-tests";

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
        let folder = tempfile::Builder::new().prefix("larder-postgres-").tempdir();
        let folder = folder.expect("temporary directory");
        let template = template(&programs, folder.path());
        copy(&template, &folder.path().join("data"));
        own(folder.path());
        let postgres = Postgres { programs, folder, port: free_port(), process: Mutex::new(None) };
        postgres.start();
        postgres
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", Self::PASSWORD, self.port)
    }

    /// Starts the server on what its folder holds and waits until it answers. After a crash the
    /// parts of the old one can outlive it for a moment, and a new one gives up at once.
    ///
    /// # Panics
    /// It does not start: with its log.
    pub fn start(&self) {
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
    ///
    /// # Panics
    /// The signal cannot be sent.
    pub fn kill(&self) {
        if let Some(mut process) = self.process.lock().expect("lock").take() {
            process.child.kill().expect("kill");
            process.ended();
        }
    }

    /// Lets the server and its connections stand still, as behind a network that has gone silent.
    ///
    /// # Panics
    /// The signal cannot be sent.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    ///
    /// # Panics
    /// The signal cannot be sent.
    pub fn thaw(&self) {
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
    // Beside the folder of this program, so that it goes with `cargo clean`.
    let program = std::env::current_exe().expect("this program's path");
    let kept = program.ancestors().nth(2).expect("a build's folder").join(name);
    if kept.exists() {
        return kept;
    }
    let password = scratch.join("password");
    std::fs::write(&password, Postgres::PASSWORD).expect("write the password");
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
