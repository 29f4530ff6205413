//! A listener that remembers what it heard.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::clock::BoxFuture;
use crate::key::EncodedKey;
use crate::record::LogRecord;
use crate::shard::{Epoch, Listener};
use crate::sync::Mutex;

#[derive(Default)]
struct Heard {
    woken: Vec<EncodedKey>,
    pushed: Vec<(Epoch, u64)>,
    asleep: Vec<Waker>,
}

/// What one connection heard.
#[derive(Default)]
pub(super) struct Ear(Mutex<Heard>);

impl Ear {
    /// Whether `key` is woken before `patience` ends.
    pub(super) async fn hears_wake(&self, key: &EncodedKey, patience: BoxFuture<'_, ()>) -> bool {
        self.hears(|heard| heard.woken.contains(key), patience).await
    }

    /// Whether the record at `position` is pushed before `patience` ends.
    pub(super) async fn hears_push(&self, at: (Epoch, u64), patience: BoxFuture<'_, ()>) -> bool {
        self.hears(|heard| heard.pushed.contains(&at), patience).await
    }

    async fn hears(&self, awaited: impl Fn(&Heard) -> bool, mut patience: BoxFuture<'_, ()>) -> bool {
        poll_fn(|context| {
            {
                let mut heard = self.0.lock();
                if awaited(&heard) {
                    return Poll::Ready(true);
                }
                heard.asleep.push(context.waker().clone());
            }
            patience.as_mut().poll(context).map(|()| awaited(&self.0.lock()))
        })
        .await
    }

    fn hear(&self, note: impl FnOnce(&mut Heard)) {
        let asleep = {
            let mut heard = self.0.lock();
            note(&mut heard);
            std::mem::take(&mut heard.asleep)
        };
        asleep.into_iter().for_each(Waker::wake);
    }
}

impl Listener for Ear {
    fn pushed(&self, epoch: Epoch, records: Vec<LogRecord>) {
        self.hear(|heard| heard.pushed.extend(records.iter().map(|record| (epoch, record.position))));
    }

    fn woken(&self, key: &EncodedKey) {
        self.hear(|heard| heard.woken.push(key.clone()));
    }
}
