//! Decides which of a cache's journals a process takes: one that another has left something in, else the first
//! that nobody has. Knows neither records nor who reads them.

use std::sync::Arc;
use std::time::Duration;

use larder::behind::JournalError;

use super::holding::Holding;
use super::keys::Keys;
use super::options::JournalOptions;
use super::refusal::Refusal;
use super::scripts::OPEN;
use super::verbs::{RENEWALS, Verbs};

/// A journal, and the largest sequence that it ever held.
type Taken = (u64, Holding);

/// Which journals of a cache will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    /// One with records, whose holder is gone.
    Left,
}

impl Verbs {
    /// Takes a journal of a cache of which this process has none yet.
    pub(super) async fn take(&self, cache: &str) -> Result<(u64, Arc<Holding>), JournalError> {
        if self.held.lock().contains_key(cache) {
            let holder = format!("a cache `{cache}` of this process has it");
            return Err(JournalError::InUse { holder });
        }
        let taken = match self.left_behind(cache).await {
            Ok(None) => self.free(cache).await,
            Ok(Some(taken)) => Ok(taken),
            Err(refusal) => Err(refusal),
        };
        let (last, holding) = taken.map_err(|no| self.error(no))?;
        let holding = Arc::new(holding);
        self.held.lock().insert(cache.to_owned(), Arc::clone(&holding));
        Ok((last, holding))
    }

    /// What a process that is gone has left, also if it died just now: it is waited for its lease. A holder
    /// that lives renews meanwhile. An empty journal is nobody's loss, and not waited for.
    async fn left_behind(&self, cache: &str) -> Result<Option<Taken>, Refusal> {
        let JournalOptions { redis, processes_max, .. } = &self.options;
        if *processes_max == 1 {
            return Ok(None);
        }
        let renewed_within = redis.lease_ttl / RENEWALS + Duration::from_millis(1);
        let mut doubtful: Vec<(u32, Option<u64>)> =
            (1..=*processes_max).map(|number| (number, None)).collect();
        // The last look is after the lease.
        for _ in 0..=RENEWALS {
            let (mut wait, mut still) = (renewed_within, Vec::new());
            for (number, before_us) in doubtful {
                match self.claim(cache, number, Wanted::Left).await {
                    Ok(taken) => return Ok(Some(taken)),
                    Err(Refusal::Taken { left_ms, until_us, has_records: true, .. })
                        if before_us.is_none_or(|before_us| before_us == until_us) =>
                    {
                        wait = wait.min(Duration::from_millis(left_ms.saturating_add(1)));
                        still.push((number, Some(until_us)));
                    }
                    Err(Refusal::Taken { .. } | Refusal::Empty) => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            if still.is_empty() {
                break;
            }
            self.pass(wait).await;
            doubtful = still;
        }
        Ok(None)
    }

    /// The first that nobody has, or whose holder has died: one that lives has renewed its lease by the time at
    /// which it would have ended.
    async fn free(&self, cache: &str) -> Result<Taken, Refusal> {
        match self.first_free(cache).await {
            Err(Refusal::Taken { left_ms, .. }) => {
                let left = Duration::from_millis(left_ms.saturating_add(1));
                self.pass(left.min(self.options.redis.lease_ttl)).await;
                self.first_free(cache).await
            }
            claimed => claimed,
        }
    }

    async fn first_free(&self, cache: &str) -> Result<Taken, Refusal> {
        let mut claimed = self.claim(cache, 1, Wanted::Any).await;
        for number in 2..=self.options.processes_max {
            if !matches!(claimed, Err(Refusal::Taken { .. })) {
                break;
            }
            claimed = self.claim(cache, number, Wanted::Any).await;
        }
        claimed
    }

    async fn claim(&self, cache: &str, number: u32, wanted: Wanted) -> Result<Taken, Refusal> {
        let holding = Holding::new(Keys::new(&self.namespace, cache, number), self.token());
        let asked = self.now();
        let holder = self.options.holder.clone().into_bytes();
        let only_left = if wanted == Wanted::Left { b"1".to_vec() } else { b"0".to_vec() };
        let mut answer = self.ask(&holding, &OPEN, [holder, self.lease_ms(), only_left]).await?;
        holding.confirm(asked);
        Ok((answer.number()?, holding))
    }

    async fn pass(&self, span: Duration) {
        let clock = &self.options.redis.clock;
        clock.sleep_until(clock.precise().plus(span)).await;
    }
}
