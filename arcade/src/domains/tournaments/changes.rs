//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::cache::TournamentCaches;
use super::change::{Change, Changed};
use super::rows::{Failure, TournamentRows};
use crate::http::ApiError;
use crate::wall;

/// Tournaments: reads through the cache, changes through [`Change`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct Tournaments {
    caches: Arc<TournamentCaches>,
    rows: TournamentRows,
    running: TaskTracker,
}

impl Tournaments {
    /// `running` owns the changes under way; a shutdown waits for them.
    pub fn new(caches: TournamentCaches, rows: TournamentRows, running: TaskTracker) -> Self {
        Tournaments { caches: Arc::new(caches), rows, running }
    }

    pub(super) fn caches(&self) -> &TournamentCaches {
        &self.caches
    }

    /// Commits `change`, then drops what the cache shows otherwise.
    ///
    /// # Errors
    /// The change is not allowed, or the database refuses. Nothing has changed then, unless the
    /// database failed at the very end; then nobody knows, and the whole cache is dropped.
    ///
    /// # Cancel safety
    /// Once polled, the change and its invalidation run to their end even if this future is
    /// dropped: a caller that hangs up between the two must not leave an old entry behind.
    pub async fn apply(&self, change: Change) -> Result<Changed, ApiError> {
        let Tournaments { caches, rows, .. } = self.clone();
        let work = async move {
            let changed = commit(&rows, change).await;
            match &changed {
                Ok(changed) => caches.changed(changed).await,
                Err(Failure::Doubtful(_)) => caches.doubted().await,
                Err(Failure::Refused(_) | Failure::Storage(_)) => {}
            }
            changed
        };
        let ended = self.running.spawn(work).await;
        ended.map_err(|fault| ApiError::Internal(Box::new(fault)))?.map_err(ApiError::from)
    }
}

async fn commit(rows: &TournamentRows, change: Change) -> Result<Changed, Failure> {
    let now_ms = wall::now_ms();
    Ok(match change {
        Change::Create(new) => Changed::Created(rows.create(new, now_ms).await?),
        Change::Update(id, change) => Changed::Updated(rows.update(id, change, now_ms).await?),
        Change::Delete(id) => Changed::Deleted(rows.delete(id).await?),
        Change::Register(id, user) => Changed::Registered(rows.register(id, user, now_ms).await?),
        Change::Unregister(id, user) => Changed::Unregistered(rows.unregister(id, user).await?),
        Change::Start(id) => Changed::Started(rows.start(id, now_ms).await?),
        Change::UpdateMatch { tournament, id, change } => {
            Changed::MatchUpdated(rows.update_match(tournament, id, &change, now_ms).await?)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::demo::World;
    use crate::scene::Scene;

    const WORLD: World = World { seed: 7, users: 2, tournaments: 1, items: 0, notifications: 0 };

    fn tournaments(scene: &Scene) -> Tournaments {
        let rows = TournamentRows::new(scene.store.clone());
        let caches = TournamentCaches::build(&scene.reads, rows.clone()).expect("caches");
        Tournaments::new(caches, rows, TaskTracker::new())
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_leaves_no_removed_tournament_behind() {
        let scene = Scene::of(WORLD).await;
        let tournaments = tournaments(&scene);
        tournaments.caches().detail(1).await.expect("a tournament");
        let mut applied = Box::pin(tournaments.apply(Change::Delete(1)));
        let polled = applied.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(applied);
        tournaments.running.close();
        tournaments.running.wait().await;
        let after = tournaments.caches().detail(1).await;
        assert!(matches!(after, Err(ApiError::Absent { .. })), "{after:?}");
    }
}
