//! A proxy that does to a connection what a network can do to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    plan: Arc<Mutex<Plan>>,
    _accepting: JoinSet<()>,
}

/// What is done to whom.
#[derive(Debug)]
struct Plan {
    /// To connections that come from now on.
    next: Fault,
    /// To each that was taken, in that order.
    taken: Vec<watch::Sender<Fault>>,
    watched: Option<Watched>,
}

/// Requests that are looked for.
#[derive(Debug)]
struct Watched {
    mark: Vec<u8>,
    cuts_left: usize,
    seen: usize,
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    // A test that panicked has failed already.
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plan {
    /// Whether the connection of this request is to end.
    fn cuts(&mut self, request: &[u8]) -> bool {
        let Some(watched) = &mut self.watched else { return false };
        if !request.windows(watched.mark.len()).any(|bytes| bytes == watched.mark) {
            return false;
        }
        watched.seen += 1;
        let cuts = watched.cuts_left > 0;
        watched.cuts_left = watched.cuts_left.saturating_sub(1);
        cuts
    }
}

impl Proxy {
    /// Listens on a free port, in front of `port`.
    ///
    /// # Panics
    /// Loopback has no free port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let plan = Plan { next: Fault::None, taken: Vec::new(), watched: None };
        let plan = Arc::new(Mutex::new(plan));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, port, Arc::clone(&plan)));
        Proxy { address, plan, _accepting: accepting }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Does this from now on, to connections that are open too.
    pub fn inflict(&self, fault: Fault) {
        let mut plan = lock(&self.plan);
        plan.next = fault;
        for taken in &plan.taken {
            taken.send_replace(fault);
        }
    }

    /// Does this from now on to one connection, counted from 0 in the order in which they came.
    ///
    /// # Panics
    /// So many did not come yet.
    pub fn inflict_on(&self, connection: usize, fault: Fault) {
        lock(&self.plan).taken[connection].send_replace(fault);
    }

    /// From now on counts requests that hold these bytes. The first `cuts` of them end their connection: the
    /// server gets the request, and its sender no answer.
    pub fn cut_at(&self, mark: &[u8], cuts: usize) {
        let watched = Watched { mark: mark.to_vec(), cuts_left: cuts, seen: 0 };
        lock(&self.plan).watched = Some(watched);
    }

    /// How many requests came that [`cut_at`](Self::cut_at) looks for.
    pub fn seen(&self) -> usize {
        lock(&self.plan).watched.as_ref().map_or(0, |watched| watched.seen)
    }
}

async fn accept(listener: TcpListener, port: u16, plan: Arc<Mutex<Plan>>) {
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let faults = {
            let mut planned = lock(&plan);
            if planned.next == Fault::Cut {
                continue;
            }
            let (fault, faults) = watch::channel(planned.next);
            planned.taken.push(fault);
            faults
        };
        let plan = Arc::clone(&plan);
        open.spawn(async move {
            if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                join(client, server, faults, plan).await;
            }
        });
    }
}

async fn join(
    client: TcpStream,
    server: TcpStream,
    faults: watch::Receiver<Fault>,
    plan: Arc<Mutex<Plan>>,
) {
    // Small packets at once: the proxy shall add nothing of its own.
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let cut = cut(faults.clone());
    let requests = Way::Requests(plan);
    tokio::select! {
        () = pass(from_client, to_server, faults.clone(), requests) => {}
        () = pass(from_server, to_client, faults, Way::Answers) => {}
        () = cut => {}
    }
}

async fn cut(mut faults: watch::Receiver<Fault>) {
    // The sender is gone with the proxy: that cuts, too.
    drop(faults.wait_for(|fault| *fault == Fault::Cut).await);
}

enum Way {
    Requests(Arc<Mutex<Plan>>),
    Answers,
}

impl Way {
    fn stops_at(&self, fault: Fault) -> bool {
        match self {
            // What was held back is lost when the connection is cut.
            _ if fault == Fault::Cut => true,
            Way::Requests(_) => fault == Fault::BlackHole,
            Way::Answers => matches!(fault, Fault::BlackHole | Fault::NoAnswers),
        }
    }

    /// Whether what was just passed on is the last that this connection passes on.
    fn ends_with(&self, bytes: &[u8]) -> bool {
        match self {
            Way::Requests(plan) => lock(plan).cuts(bytes),
            Way::Answers => false,
        }
    }
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
        // What a black hole swallowed comes out when it is over, as TCP does it.
        if faults.wait_for(|fault| !way.stops_at(*fault)).await.is_err() {
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
        if sent.is_err() || way.ends_with(&bytes) {
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
