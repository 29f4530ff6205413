//! A read of the shared tier is two commands in one pipeline: first the values, then epoch and head. A server
//! runs them one after the other, and here something happens in between.

use std::sync::Arc;

use larder_faults::{LarderNode, Node, STALENESS_MAX, Source, Told, pause};
use larder_redis::{RedisOptions, Topology};
use larder_rig::RedisServer;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::support::millis;

/// What is told once the second half of a read is held back, and what lets it go.
type Halt = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// A proxy that holds back the second half of one read.
struct Gate {
    port: u16,
    next: Arc<Mutex<Option<Halt>>>,
    _accepting: JoinSet<()>,
}

impl Gate {
    async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let next = Arc::<Mutex<Option<Halt>>>::default();
        let (mut accepting, halts) = (JoinSet::new(), Arc::clone(&next));
        accepting.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let to = TcpStream::connect(("127.0.0.1", server)).await.expect("it is running");
                let ((from_client, mut to_client), (mut from_server, to_server)) =
                    (client.into_split(), to.into_split());
                open.spawn(requests(from_client, to_server, Arc::clone(&halts)));
                open.spawn(async move {
                    tokio::io::copy(&mut from_server, &mut to_client).await.map(drop)
                });
            }
        });
        Gate { port, next, _accepting: accepting }
    }

    /// Of the next read. Completes once its first half is on its way; the second follows when the
    /// sender is used.
    fn halve(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((halt, halted), (go_on, goes_on)) = (oneshot::channel(), oneshot::channel());
        *self.next.lock() = Some((halt, goes_on));
        (halted, go_on)
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    next: Arc<Mutex<Option<Halt>>>,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        let mut rest = &bytes[..count];
        if let Some(at) = second_half(rest)
            && let Some((halt, goes_on)) = { next.lock().take() }
        {
            to.write_all(&rest[..at]).await?;
            halt.send(()).expect("the test waits for it");
            goes_on.await.map_err(std::io::Error::other)?;
            rest = &rest[at..];
        }
        to.write_all(rest).await?;
    }
}

/// Where the later of both commands begins.
fn second_half(bytes: &[u8]) -> Option<usize> {
    let first = |name: &[u8]| bytes.windows(name.len()).position(|window| window == name);
    let (values, meta) = (first(b"\r\n$4\r\nMGET\r\n")?, first(b"\r\n$5\r\nHMGET\r\n")?);
    bytes[..values.max(meta)].iter().rposition(|byte| *byte == b'*')
}

/// All keys of a server, as an operator keeps them.
struct Backup(Vec<(Vec<u8>, Vec<u8>)>);

impl Backup {
    fn of(server: &RedisServer) -> Self {
        let keys: Vec<Vec<u8>> = server.ask(redis::cmd("KEYS").arg("*"));
        let kept = |key: Vec<u8>| {
            let value = server.ask(redis::cmd("DUMP").arg(&key));
            (key, value)
        };
        Backup(keys.into_iter().map(kept).collect())
    }

    /// Into the running server: no connection ends, and its run id stays.
    fn put_back(&self, server: &RedisServer) {
        for (key, value) in &self.0 {
            server.ask::<()>(redis::cmd("RESTORE").arg(key).arg(0).arg(value).arg("REPLACE"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_put_back_between_value_and_head_shows_nothing_from_before() {
    let (server, source) = (RedisServer::start(), Source::new(millis(0)));
    let gate = Gate::before(server.port()).await;
    let on = |port| LarderNode::new(RedisOptions::new(Topology::single("127.0.0.1", port)));
    let (node, other) = (on(gate.port), on(server.port()));
    // Nothing is kept before the log was asked once.
    node.share(8, &source).await;
    other.share(6, &source).await;
    let backup = Backup::of(&server);
    let changed = source.change(6);
    assert!(matches!(other.invalidate(6).await, Told::Shared));
    pause(STALENESS_MAX).await;
    let (halted, go_on) = gate.halve();
    let restoring = async {
        halted.await.expect("the node reads");
        backup.put_back(&server);
        go_on.send(()).expect("the second half waits");
    };
    let (answer, ()) = tokio::join!(node.read(6, &source), restoring);
    let answer = answer.expect("the source is healthy");
    assert_eq!(answer.version, changed, "{} held what was invalidated", answer.origin);
}
