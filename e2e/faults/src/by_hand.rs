//! What people write by hand: memory with a time to live, then GET, then SET; a change deletes
//! both and tells the others over a channel. It shows that the checker can find something.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use larder::clock::{Clock, Moment, SystemClock};
use parking_lot::Mutex;
use redis::aio::ConnectionLike;
use redis::{Client, Cmd, FromRedisValue};
use tokio::task::JoinSet;

use crate::node::{Answer, Node, Told};
use crate::pause;
use crate::source::Source;

const CHANNEL: &str = "by hand";
const LIVES: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_millis(500);

type Memory = Arc<Mutex<HashMap<usize, (u64, Moment)>>>;

/// One process's cache, by hand.
pub struct ByHand {
    client: Client,
    connection: tokio::sync::Mutex<Option<redis::aio::MultiplexedConnection>>,
    memory: Memory,
    _listens: JoinSet<()>,
}

impl ByHand {
    /// On the server at this port.
    ///
    /// # Panics
    /// Never: the URL is one.
    pub fn new(port: u16) -> Self {
        let client = Client::open(format!("redis://127.0.0.1:{port}")).expect("a URL");
        let memory = Memory::default();
        let mut listens = JoinSet::new();
        listens.spawn(listen(client.clone(), Arc::clone(&memory)));
        ByHand { client, connection: tokio::sync::Mutex::default(), memory, _listens: listens }
    }

    /// Whether it was done is nobody's business: who writes this by hand takes it for done.
    async fn tell(&self, command: &Cmd) {
        self.ask::<redis::Value>(command).await;
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let asking = async {
            let mut kept = self.connection.lock().await;
            if kept.is_none() {
                *kept = self.client.get_multiplexed_async_connection().await.ok();
            }
            let mut connection = kept.clone()?;
            drop(kept);
            let answer = connection.req_packed_command(command).await;
            if answer.as_ref().is_err_and(redis::RedisError::is_unrecoverable_error) {
                *self.connection.lock().await = None;
            }
            T::from_redis_value(answer.ok()?).ok()
        };
        tokio::time::timeout(PATIENCE, asking).await.ok().flatten()
    }
}

/// Drops what others say has changed, on a connection that is made again when it ends.
async fn listen(client: Client, memory: Memory) {
    loop {
        if let Ok(mut told) = client.get_async_pubsub().await
            && told.subscribe(CHANNEL).await.is_ok()
        {
            let mut messages = told.on_message();
            while let Some(message) = messages.next().await {
                if let Ok(key) = message.get_payload::<usize>() {
                    memory.lock().remove(&key);
                }
            }
        }
        pause(Duration::from_millis(50)).await;
    }
}

impl Node for ByHand {
    async fn read(&self, key: usize, source: &Source) -> Result<Answer, String> {
        let now = SystemClock.coarse();
        let kept = self.memory.lock().get(&key).copied();
        if let Some((version, _)) = kept.filter(|(_, until)| now < *until) {
            return Ok(Answer { version, origin: "memory" });
        }
        let shared: Option<Option<u64>> = self.ask(redis::cmd("GET").arg(key)).await;
        let (version, origin) = match shared.flatten() {
            Some(version) => (version, "the shared tier"),
            None => {
                let version = source.load(key).await;
                let lives = LIVES.as_secs();
                self.tell(redis::cmd("SET").arg(key).arg(version).arg("EX").arg(lives)).await;
                (version, "the source")
            }
        };
        self.memory.lock().insert(key, (version, now.plus(LIVES)));
        Ok(Answer { version, origin })
    }

    async fn invalidate(&self, key: usize) -> Told {
        self.memory.lock().remove(&key);
        self.tell(redis::cmd("DEL").arg(key)).await;
        self.tell(redis::cmd("PUBLISH").arg(CHANNEL).arg(key)).await;
        Told::Shared
    }
}
