//! Decides when sessions and refresh tokens that have expired leave the database. Nothing that is
//! cached changes by that: an entry ends with its session.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{families, rows};
use crate::storage::StorageError;
use crate::wall;
use crate::writes::Writes;

/// How long a process runs before its first sweep: processes that are started again and again
/// sweep, too.
const FIRST_AFTER: Duration = Duration::from_secs(30);

/// How often one sweeps.
const EVERY: Duration = Duration::from_secs(600);

/// The most rows of a table that go in one transaction: others wait for it.
const BATCH: i64 = 500;

/// The most transactions of a sweep.
const BATCHES_MAX: u32 = 200;

/// The sweep at work. Clones share it.
#[derive(Debug, Clone)]
pub struct Sweeping {
    task: TaskTracker,
    stop: CancellationToken,
}

impl Sweeping {
    /// Sweeps from now on, again and again.
    pub fn begin(writes: Writes) -> Self {
        let (task, stop) = (TaskTracker::new(), CancellationToken::new());
        let stopped = stop.clone();
        task.spawn(async move { stopped.run_until_cancelled(again_and_again(&writes)).await });
        Sweeping { task, stop }
    }

    /// Ends it.
    pub async fn end(&self) {
        self.stop.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

async fn again_and_again(writes: &Writes) -> std::convert::Infallible {
    let mut pause = FIRST_AFTER;
    loop {
        sleep(pause).await;
        pause = EVERY;
        match swept(writes, wall::now_ms()).await {
            Ok(0) => {}
            Ok(rows) => info!(rows, "removed sessions and tokens that had expired"),
            Err(fault) => warn!(%fault, "what has expired stays for now"),
        }
    }
}

/// Removes what has expired, and says how many rows that were.
async fn swept(writes: &Writes, now_ms: i64) -> Result<u64, StorageError> {
    let mut removed = 0;
    for _ in 0..BATCHES_MAX {
        let mut change = writes.begin().await?;
        let tokens = families::sweep(&mut change, now_ms, BATCH).await?;
        let sessions = rows::sweep(&mut change, now_ms, BATCH).await?;
        change.commit().await?;
        removed += tokens + sessions;
        if tokens + sessions == 0 {
            break;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use crate::auth::{RefreshToken, SessionId, UserId};
    use crate::demo::World;
    use crate::scene::Scene;
    use crate::sessions::families::Lifetime;

    use super::*;

    const WORLD: World = World { seed: 7, users: 2, tournaments: 0, items: 0, notifications: 0 };

    #[tokio::test]
    async fn a_sweep_removes_what_has_expired_and_nothing_else() {
        let scene = Scene::of(WORLD).await;
        let over = 2 * BATCH + 1;
        let mut change = scene.writes.begin().await.expect("a turn");
        for number in 1..=over + 1 {
            // All but the last have expired.
            let lifetime = Lifetime { now_ms: number / (over + 1), refresh: Duration::from_secs(1) };
            let session = (UserId(1), SessionId(number));
            let token = RefreshToken::brought(number.to_string());
            let ends = lifetime.end_ms();
            rows::begin(&mut change, session, lifetime.now_ms, ends).await.expect("begun");
            families::keep(&mut change, session, &token, lifetime).await.expect("kept");
        }
        change.commit().await.expect("committed");
        let removed = swept(&scene.writes, 1_000).await.expect("swept");
        assert_eq!(removed, 2 * over.unsigned_abs());
        for table in ["sessions", "refresh_tokens"] {
            let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let left: i64 =
                sqlx::query_scalar(count).fetch_one(scene.store.pool()).await.expect("a count");
            assert_eq!(left, 1, "{table}");
        }
    }
}
