//! A Redis Sentinel of one's own.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use redis::{Cmd, FromRedisValue};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::ports::free_port;
use crate::process::Process;
use crate::redis_server::{RedisServer, await_answer, program};

const DIRECTORY: &str = "a temporary directory can be made";

/// A running sentinel, which decides alone.
#[derive(Debug)]
pub struct Sentinel {
    port: u16,
    /// Who may ask it; empty where anybody may.
    user: String,
    _directory: TempDir,
    _process: Process,
}

impl Sentinel {
    /// Starts one that watches nobody.
    ///
    /// # Panics
    /// redis-server is not installed, or does not answer within 20 s: with its log.
    pub fn start() -> Self {
        Sentinel::start_in(TempDir::new().expect(DIRECTORY), "", String::new())
    }

    /// As [`start`](Self::start), and answers nobody but this user, who has this password.
    pub fn start_for(user: &str, password: &str) -> Self {
        let settings = format!("user default off\nuser {user} on >{password} ~* &* +@all\n");
        let user = format!("{user}:{password}@");
        Sentinel::start_in(TempDir::new().expect(DIRECTORY), &settings, user)
    }

    /// As [`start`](Self::start), and speaks TLS on another port, with a certificate of `authority` for
    /// `localhost`; so do the servers that it watches.
    pub fn start_with_tls(authority: &Authority) -> (Self, u16) {
        let (directory, port) = (TempDir::new().expect(DIRECTORY), free_port());
        let files = authority.files_for_localhost(directory.path());
        let settings = format!(
            "tls-port {port}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\n\
             tls-auth-clients no\ntls-replication yes\n",
            files.certificate.display(),
            files.key.display(),
            files.authority.display(),
        );
        (Sentinel::start_in(directory, &settings, String::new()), port)
    }

    fn start_in(directory: TempDir, settings: &str, user: String) -> Self {
        let more = settings;
        let (port, settings) = (free_port(), directory.path().join("sentinel.conf"));
        let path = directory.path().display();
        let text = format!("port {port}\nbind 127.0.0.1\ndir {path}\nprotected-mode no\n{more}");
        fs::write(&settings, text).expect("the directory can be written");
        let log = directory.path().join("log");
        let mut process =
            Process::start(Command::new(program()).arg(&settings).arg("--sentinel"), &log);
        await_answer(port, &mut process, &log);
        Sentinel { port, user, _directory: directory, _process: process }
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Watches a master from now on, under this name; silent for half a second, it is down.
    pub fn watch(&self, name: &str, master: &RedisServer) {
        self.watch_on(name, master.port());
    }

    /// As [`watch`](Self::watch), for a master that is to be found on this port.
    pub fn watch_on(&self, name: &str, port: u16) {
        let mut command = redis::cmd("SENTINEL");
        self.ask::<()>(command.arg("MONITOR").arg(name).arg("127.0.0.1").arg(port).arg(1));
        for (what, value) in [("down-after-milliseconds", 500), ("failover-timeout", 3_000)] {
            self.ask::<()>(redis::cmd("SENTINEL").arg("SET").arg(name).arg(what).arg(value));
        }
    }

    /// Whether it can promote somebody if this master dies. It learns of a replica by asking the master, and
    /// never, where the two have parted before.
    pub fn has_replica(&self, name: &str) -> bool {
        let known: Vec<HashMap<String, String>> =
            self.ask(redis::cmd("SENTINEL").arg("REPLICAS").arg(name));
        let is = |replica: &HashMap<String, String>, what: &str, value: &str| {
            replica.get(what).is_some_and(|found| found == value)
        };
        known.iter().any(|one| is(one, "flags", "slave") && is(one, "master-link-status", "ok"))
    }

    /// Watches this master no more.
    pub fn forget(&self, name: &str) {
        self.ask::<()>(redis::cmd("SENTINEL").arg("REMOVE").arg(name));
    }

    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let client = redis::Client::open(format!("redis://{}127.0.0.1:{}", self.user, self.port));
        let mut connection = client.and_then(|client| client.get_connection()).expect("it runs");
        command.query(&mut connection).expect("the sentinel takes it")
    }
}
