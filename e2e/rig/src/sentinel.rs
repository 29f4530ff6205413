//! A Redis Sentinel of one's own.

use std::fs;
use std::process::Command;

use redis::Cmd;
use tempfile::TempDir;

use crate::ports::free_port;
use crate::process::Process;
use crate::redis_server::{RedisServer, await_answer, program};

/// A running sentinel, which decides alone.
#[derive(Debug)]
pub struct Sentinel {
    port: u16,
    _directory: TempDir,
    _process: Process,
}

impl Sentinel {
    /// Starts one that watches nobody.
    ///
    /// # Panics
    /// redis-server is not installed, or does not answer within 20 s: with its log.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (port, settings) = (free_port(), directory.path().join("sentinel.conf"));
        let path = directory.path().display();
        let text = format!("port {port}\nbind 127.0.0.1\ndir {path}\nprotected-mode no\n");
        fs::write(&settings, text).expect("the directory can be written");
        let log = directory.path().join("log");
        let mut process =
            Process::start(Command::new(program()).arg(&settings).arg("--sentinel"), &log);
        await_answer(port, &mut process, &log);
        Sentinel { port, _directory: directory, _process: process }
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Watches a master from now on, under this name; silent for half a second, it is down.
    pub fn watch(&self, name: &str, master: &RedisServer) {
        let mut command = redis::cmd("SENTINEL");
        self.ask(command.arg("MONITOR").arg(name).arg("127.0.0.1").arg(master.port()).arg(1));
        for (what, value) in [("down-after-milliseconds", 500), ("failover-timeout", 3_000)] {
            self.ask(redis::cmd("SENTINEL").arg("SET").arg(name).arg(what).arg(value));
        }
    }

    /// Watches this master no more.
    pub fn forget(&self, name: &str) {
        self.ask(redis::cmd("SENTINEL").arg("REMOVE").arg(name));
    }

    fn ask(&self, command: &Cmd) {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port));
        let mut connection = client.and_then(|client| client.get_connection()).expect("it runs");
        command.query::<()>(&mut connection).expect("the sentinel takes it");
    }
}
