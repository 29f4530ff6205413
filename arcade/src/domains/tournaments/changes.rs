//! Decides what a change does: first the database, then the cache, and never one without the
//! other.

use std::sync::Arc;

use larder::Rule;
use sqlx::AnyConnection;

use super::cache::TournamentCaches;
use super::change::{Change, Changed};
use super::rows::{Failure, TournamentRows as Rows};
use crate::bundles::{self, Bundle};
use crate::http::ApiError;
use crate::storage::retried;
use crate::wall;
use crate::writes::Writes;

/// Tournaments: reads through the cache, changes through [`Change`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct Tournaments {
    caches: Arc<TournamentCaches>,
    writes: Writes,
}

impl Tournaments {
    /// Every change goes through `writes`.
    pub fn new(caches: TournamentCaches, writes: Writes) -> Self {
        Tournaments { caches: Arc::new(caches), writes }
    }

    pub(super) fn caches(&self) -> &TournamentCaches {
        &self.caches
    }

    /// The rule by which this domain drops a bundle.
    pub fn rule(&self) -> Rule<Bundle> {
        bundles::rule(&self.caches)
    }

    /// Makes the change that is wished, and drops what the cache shows otherwise.
    ///
    /// # Errors
    /// The change is not allowed, or the database refuses. Nothing has changed then, unless the
    /// database failed at the very end; then nobody knows, and the entries are dropped all the same.
    ///
    /// # Cancel safety
    /// Once polled, the change and its invalidation run to their end even if this future is
    /// dropped: a caller that hangs up between the two must not leave an old entry behind.
    pub async fn apply(&self, wish: Change) -> Result<Changed, ApiError> {
        let Tournaments { caches, writes } = self.clone();
        let applied = async move {
            retried(async || {
                let mut change = writes.begin().await?;
                let changed = match made(&mut change, wish.clone()).await {
                    Ok(changed) => changed,
                    Err(Failure::Refused(refusal)) => return Ok(Err(refusal)),
                    Err(Failure::Storage(fault)) => return Err(fault),
                };
                change.drops(caches.wrong_after(&changed));
                change.commit().await?;
                Ok(Ok(changed))
            })
            .await
        };
        self.writes.to_its_end(applied).await?.map_err(ApiError::from)
    }
}

async fn made(connection: &mut AnyConnection, wish: Change) -> Result<Changed, Failure> {
    let now_ms = wall::now_ms();
    Ok(match wish {
        Change::Create(new) => Changed::Created(Rows::create(connection, new, now_ms).await?),
        Change::Update(id, change) => {
            Changed::Updated(Rows::update(connection, id, change, now_ms).await?)
        }
        Change::Delete(id) => Changed::Deleted(Rows::delete(connection, id).await?),
        Change::Register(id, user) => {
            Changed::Registered(Rows::register(connection, id, user, now_ms).await?)
        }
        Change::Unregister(id, user) => {
            Changed::Unregistered(Rows::unregister(connection, id, user).await?)
        }
        Change::Start(id) => Changed::Started(Rows::start(connection, id, now_ms).await?),
        Change::UpdateMatch { tournament, id, change } => Changed::MatchUpdated(
            Rows::update_match(connection, tournament, id, &change, now_ms).await?,
        ),
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
        let rows = Rows::new(scene.store.clone());
        let caches = TournamentCaches::build(&scene.reads, rows).expect("caches");
        Tournaments::new(caches, scene.writes.clone())
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
        scene.settled().await;
        let after = tournaments.caches().detail(1).await;
        assert!(matches!(after, Err(ApiError::Absent { .. })), "{after:?}");
    }
}
