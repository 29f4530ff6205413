//! A proxy that does to a connection what a network can do to it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the proxy does to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Passes them on.
    None,
    /// Passes them on later; their order and their rate stay.
    Delay(Duration),
    /// Accepts them, and passes nothing on.
    BlackHole,
    /// Passes requests on, but no answers: a connection that is open by half.
    NoAnswers,
    /// Passes on one byte at a time, with this wait after each.
    Trickle(Duration),
    /// Ends every connection and takes no new one.
    Cut,
}

/// A proxy in front of a server on loopback. Dropping it ends all of its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port, in front of `port`.
    ///
    /// # Panics
    /// Loopback has no free port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (fault, faults) = watch::channel(Fault::None);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, port, faults));
        Proxy { address, fault, _accepting: accepting }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Does this from now on, to connections that are open too.
    pub fn inflict(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn accept(listener: TcpListener, port: u16, faults: watch::Receiver<Fault>) {
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        if *faults.borrow() == Fault::Cut {
            continue;
        }
        let faults = faults.clone();
        open.spawn(async move {
            if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                join(client, server, faults).await;
            }
        });
    }
}

async fn join(client: TcpStream, server: TcpStream, faults: watch::Receiver<Fault>) {
    // Small packets at once: the proxy shall add nothing of its own.
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let cut = cut(faults.clone());
    tokio::select! {
        () = pass(from_client, to_server, faults.clone(), Way::Requests) => {}
        () = pass(from_server, to_client, faults, Way::Answers) => {}
        () = cut => {}
    }
}

async fn cut(mut faults: watch::Receiver<Fault>) {
    // The sender is gone with the proxy: that cuts, too.
    drop(faults.wait_for(|fault| *fault == Fault::Cut).await);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Requests,
    Answers,
}

#[expect(clippy::disallowed_methods, reason = "the network of a test is on the system's clock")]
async fn pass(mut from: OwnedReadHalf, to: OwnedWriteHalf, faults: watch::Receiver<Fault>, way: Way) {
    let (later, due) = mpsc::channel(1024);
    let writing = write(to, due, faults.clone(), way);
    let reading = async move {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count) = from.read(&mut bytes).await {
            let delay = match *faults.borrow() {
                Fault::Delay(delay) => delay,
                _ => Duration::ZERO,
            };
            let at = Instant::now() + delay;
            if count == 0 || later.send((at, bytes[..count].to_vec())).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
}

async fn write(
    mut to: OwnedWriteHalf,
    mut due: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut faults: watch::Receiver<Fault>,
    way: Way,
) {
    while let Some((at, bytes)) = due.recv().await {
        tokio::time::sleep_until(at).await;
        let stopped = |fault: &Fault| {
            *fault == Fault::BlackHole || (*fault == Fault::NoAnswers && way == Way::Answers)
        };
        // What a black hole swallowed comes out when it is over, as TCP does it.
        if faults.wait_for(|fault| !stopped(fault)).await.is_err() {
            return;
        }
        let trickle = match *faults.borrow() {
            Fault::Trickle(wait) => Some(wait),
            _ => None,
        };
        let sent = match trickle {
            Some(wait) => trickled(&mut to, &bytes, wait, &faults).await,
            None => to.write_all(&bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn trickled(
    to: &mut OwnedWriteHalf,
    bytes: &[u8],
    wait: Duration,
    faults: &watch::Receiver<Fault>,
) -> std::io::Result<()> {
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(*faults.borrow(), Fault::Trickle(_)) {
            return to.write_all(&bytes[at..]).await;
        }
        to.write_all(&[*byte]).await?;
        tokio::time::sleep(wait).await;
    }
    Ok(())
}
