//! Decides how connections are taken and given up: how many at a time, how long a head may take to
//! arrive, and that a drain lets what was begun end. Knows no route.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::http::Peer;

/// The most connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 10_000;

/// How long accepting pauses when the operating system has no more of what a connection needs.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers what comes in at `listener` with `router` until `stop` is cancelled, then ends once
/// every request in flight has its answer. A head that takes longer than `read_timeout` to arrive
/// ends its connection.
///
/// # Cancel safety
/// Dropping the future cuts every connection off.
pub(crate) async fn answered(
    listener: TcpListener,
    router: Router,
    read_timeout: Duration,
    stop: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(read_timeout);
    let draining = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let (stream, permit) = tokio::select! {
            accepted = accepted(&listener, &permits) => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        let Ok(peer) = stream.peer_addr().map(|address| Peer(address.ip())) else { continue };
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = draining.watch(connection);
        connections.spawn(async move {
            if let Err(fault) = connection.await {
                tracing::debug!(error = %fault, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    draining.shutdown().await;
}

async fn answer(
    mut router: Router,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(peer);
    router.call(request).await
}

/// The next connection, once there is room for one.
async fn accepted(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
            unreachable!("nobody closes the semaphore")
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(fault) if is_of_the_peer(&fault) => {}
            Err(fault) => {
                tracing::error!(error = %fault, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_peer(fault: &io::Error) -> bool {
    let kinds =
        [ErrorKind::ConnectionRefused, ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset];
    kinds.contains(&fault.kind())
}
