//! Redis's own way from one process to another, for comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder_rig::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, PushInfo, PushKind, Value};

/// All of them publish and hear here.
const CHANNEL: &str = "bare";

/// A publisher and a subscriber without anything between.
pub(crate) struct Bare {
    publisher: MultiplexedConnection,
    received: Arc<AtomicU64>,
    _subscriber: MultiplexedConnection,
}

impl Bare {
    /// One on this server.
    ///
    /// # Errors
    /// It does not connect.
    pub(crate) async fn on(server: &RedisServer) -> anyhow::Result<Self> {
        let client = redis::Client::open(format!("{}?protocol=resp3", server.url()))?;
        let received = Arc::new(AtomicU64::new(0));
        let hears = Arc::clone(&received);
        let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
            if let (PushKind::Message, [_, Value::BulkString(number)]) = (&push.kind, &push.data[..])
                && let Some(number) =
                    std::str::from_utf8(number).ok().and_then(|text| text.parse().ok())
            {
                hears.store(number, Ordering::SeqCst);
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let mut subscriber = client.get_multiplexed_async_connection_with_config(&config).await?;
        subscriber.subscribe(CHANNEL).await?;
        let publisher = client.get_multiplexed_async_connection().await?;
        Ok(Bare { publisher, received, _subscriber: subscriber })
    }

    /// Sends a number to all.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) async fn publish(&self, number: u64) -> anyhow::Result<()> {
        Ok(self.publisher.clone().publish::<_, _, ()>(CHANNEL, number).await?)
    }

    /// Whether this number was the last that was received.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.received.load(Ordering::SeqCst) == number
    }
}
