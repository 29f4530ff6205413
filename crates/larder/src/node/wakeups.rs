//! Wake-ups of those who wait for another node's lease.

use std::collections::HashMap;
use std::sync::Arc;

use crate::key::EncodedKey;
use crate::sync::Mutex;
use crate::wait::Signal;

/// Who waits for which key.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    waiting: Mutex<HashMap<EncodedKey, Arc<Signal<()>>>>,
}

/// A place among those who wait for a key. Taken before the lease is asked for, so that no
/// wake-up can be missed.
#[derive(Debug)]
pub(crate) struct Wakeup {
    wakeups: Arc<Wakeups>,
    key: EncodedKey,
    signal: Arc<Signal<()>>,
}

impl Wakeups {
    pub(crate) fn listen(self: &Arc<Self>, key: &EncodedKey) -> Wakeup {
        let signal = Arc::clone(self.waiting.lock().entry(key.clone()).or_default());
        Wakeup { wakeups: Arc::clone(self), key: key.clone(), signal }
    }

    pub(crate) fn wake(&self, key: &EncodedKey) {
        let signal = self.waiting.lock().remove(key);
        if let Some(signal) = signal {
            signal.set(());
        }
    }
}

impl Wakeup {
    pub(crate) async fn woken(&self) {
        self.signal.wait().await;
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        let mut waiting = self.wakeups.waiting.lock();
        // Two hold it, the table and this: nobody else waits.
        if waiting.get(&self.key).is_some_and(|signal| Arc::ptr_eq(signal, &self.signal))
            && Arc::strong_count(&self.signal) == 2
        {
            waiting.remove(&self.key);
        }
    }
}
