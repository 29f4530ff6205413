//! Who is told what a server says unasked. Channels are those of the shards.

use std::sync::{Arc, OnceLock};

use larder::key::EncodedKey;
use larder::shard::Listener;
use redis::{PushInfo, PushKind, Value};

use crate::wire::record::{Message, decode_message};

/// The longest message that is looked at, in bytes: an append carries at most 1,000 records.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// The channel of one shard, and who listens to it.
#[derive(Default)]
pub(crate) struct Ear {
    channel: Vec<u8>,
    listener: OnceLock<Arc<dyn Listener>>,
}

impl Ear {
    pub(crate) fn on(channel: Vec<u8>) -> Self {
        Ear { channel, listener: OnceLock::new() }
    }

    /// The first to listen is told from now on.
    pub(crate) fn listen(&self, listener: Arc<dyn Listener>) {
        self.listener.get_or_init(|| listener);
    }

    fn hear(&self, payload: &[u8]) {
        let Some(listener) = self.listener.get() else { return };
        match decode_message(payload) {
            Some(Message::Woken(key)) => listener.woken(&EncodedKey::from_encoded(key)),
            Some(Message::Pushed(epoch, records)) => listener.pushed(epoch, records),
            // Pushed records are hints: what is forged or of a later version is left to the log.
            None => {}
        }
    }
}

/// Passes a push on to the ear of its channel. Runs on the connection's own task, so that nothing
/// is queued: a server drops a listener that is too slow, and the log tells it what it missed.
pub(crate) fn pass_on(ears: &[Arc<Ear>], push: &PushInfo) {
    if push.kind != PushKind::Message {
        return;
    }
    let [Value::BulkString(channel), Value::BulkString(payload)] = push.data.as_slice() else {
        return;
    };
    if payload.len() > MESSAGE_BYTES_MAX {
        return;
    }
    if let Some(ear) = ears.iter().find(|ear| ear.channel == *channel) {
        ear.hear(payload);
    }
}
