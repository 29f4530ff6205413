//! Decides how the server starts to listen and how it stops: what is in flight ends, what is
//! committed is also invalidated, and nothing outlasts the deadline.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::connections;
use crate::settings::Http;

/// How often the metrics are folded.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// How long closing the cache and the database may take once no request is left.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The server cannot listen or serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error("http.port (PORT): cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    http: Http,
}

impl Server {
    /// Takes the address, so that a taken port is told before any work is done.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn listen(http: &Http) -> Result<Server, ServerError> {
        let failed = |source| ServerError::Listen { address: http.address, source };
        let listener = TcpListener::bind(http.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address, http: http.clone() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled, then drains: requests in flight have
    /// `http.shutdown_timeout_ms` to end, and closing takes at most a second of it.
    pub async fn run(self, app: App, stop: CancellationToken) {
        let router = app.router(&self.http);
        let read_timeout = self.http.read_timeout;
        let serving = connections::answered(self.listener, router, read_timeout, stop.clone());
        let deadline = async {
            stop.cancelled().await;
            tokio::time::sleep(self.http.shutdown_timeout.saturating_sub(CLOSE_TIMEOUT)).await;
        };
        tokio::select! {
            () = serving => {}
            () = deadline => tracing::warn!("requests were cut off at the shutdown deadline"),
            never = folded(&app) => match never {},
        }
        if tokio::time::timeout(CLOSE_TIMEOUT, app.close()).await.is_err() {
            tracing::warn!("the database did not close at the shutdown deadline");
        }
    }
}

/// Folds the metrics until dropped.
async fn folded(app: &App) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        app.upkeep();
    }
}
