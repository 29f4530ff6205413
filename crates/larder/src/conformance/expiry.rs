//! What ends by itself: leases of holders that died, and values.

use std::time::Duration;

use super::Outcome;
use super::scene::{Scene, hard, room, soft};
use crate::record::Name;
use crate::shard::{FillReply, LeaseReply, StoredEntry};

cases!("expiry":
    a_lease_that_nobody_renews_ends [Time],
    a_lease_lasts_its_whole_time [Time],
    a_renewed_lease_lasts_on [Time],
    a_retry_does_not_lengthen_a_lease [Time],
    a_fill_after_its_lease_ended_is_rejected [Time],
    a_write_through_after_its_lease_ended_is_rejected [Time],
    an_ended_lease_cannot_be_renewed [Time],
    a_late_holder_cannot_fill_for_the_next [Time],
    an_expired_value_is_gone [Time, Values],
    a_value_is_there_until_it_expires [Time, Values],
    an_expired_value_bars_no_lease [Time, Values],
    a_soft_flag_does_not_keep_a_value_alive [Time, Values],
    an_entry_that_has_expired_is_not_stored [Time],
);

const TICK: Duration = Duration::from_millis(1);

async fn a_lease_that_nobody_renews_ends(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl()).await;
    promise!(!scene.is_held(&room(1)).await?, "a dead holder blocks others");
    Ok(())
}

async fn a_lease_lasts_its_whole_time(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl() - TICK).await;
    promise!(scene.is_held(&room(1)).await?, "the lease ended early");
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected in time");
    Ok(())
}

async fn a_renewed_lease_lasts_on(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl() - TICK).await;
    promise!(scene.shard.renew(room(1), granted.token).await?, "not renewed in time");
    scene.stage.pass(scene.stage.lease_ttl() - TICK).await;
    promise!(scene.is_held(&room(1)).await?, "the renewed lease ended early");
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected in time");
    Ok(())
}

async fn a_retry_does_not_lengthen_a_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl() - TICK).await;
    scene.shard.lease(room(1), granted.token, None).await?;
    scene.stage.pass(TICK).await;
    promise!(!scene.is_held(&room(1)).await?, "asking twice lengthened the lease");
    Ok(())
}

async fn a_fill_after_its_lease_ended_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl()).await;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "stored");
    Ok(())
}

async fn a_write_through_after_its_lease_ended_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl()).await;
    let records = vec![hard(Name::key(&room(1)))];
    let (at, reply) = scene.write_through(&granted, scene.entry(&granted), records).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?}");
    Ok(())
}

async fn an_ended_lease_cannot_be_renewed(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl()).await;
    promise!(!scene.shard.renew(room(1), granted.token).await?, "renewed after its end");
    Ok(())
}

async fn a_late_holder_cannot_fill_for_the_next(scene: &Scene) -> Outcome {
    let late = scene.granted(&room(1)).await?;
    scene.stage.pass(scene.stage.lease_ttl()).await;
    let next = scene.granted(&room(1)).await?;
    promise!(scene.fill(&late).await? == FillReply::Rejected, "the late load was stored");
    promise!(scene.fill(&next).await? == FillReply::Stored, "the next load was rejected");
    Ok(())
}

/// Stores room 1 for one second.
async fn short_lived(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.entry(&granted);
    let expires_at = entry.loaded_at.plus(Duration::from_secs(1));
    let entry = StoredEntry { fresh_until: expires_at, expires_at, ..entry };
    promise!(scene.fill_with(&granted, entry).await? == FillReply::Stored, "rejected");
    Ok(())
}

async fn an_expired_value_is_gone(scene: &Scene) -> Outcome {
    short_lived(scene).await?;
    scene.stage.pass(Duration::from_secs(1)).await;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "{value:?} outlived its time");
    Ok(())
}

async fn a_value_is_there_until_it_expires(scene: &Scene) -> Outcome {
    short_lived(scene).await?;
    scene.stage.pass(Duration::from_secs(1) - TICK).await;
    promise!(scene.value(&room(1)).await?.is_some(), "it went early");
    Ok(())
}

async fn an_expired_value_bars_no_lease(scene: &Scene) -> Outcome {
    short_lived(scene).await?;
    scene.stage.pass(Duration::from_secs(1)).await;
    let reply = scene.ask(&room(1)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn a_soft_flag_does_not_keep_a_value_alive(scene: &Scene) -> Outcome {
    short_lived(scene).await?;
    scene.stage.pass(Duration::from_secs(1) - TICK).await;
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    scene.stage.pass(TICK).await;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "{value:?} outlived its time");
    Ok(())
}

async fn an_entry_that_has_expired_is_not_stored(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.entry(&granted);
    let expired = StoredEntry { expires_at: entry.loaded_at, ..entry };
    promise!(scene.fill_with(&granted, expired).await? == FillReply::Rejected, "stored");
    promise!(scene.value(&room(1)).await?.is_none(), "readable after its time");
    Ok(())
}
