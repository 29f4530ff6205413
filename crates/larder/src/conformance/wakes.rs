//! Who waits for a lease is woken, and appended records are told to everybody.

use super::Outcome;
use super::scene::{Scene, hard, room, soft, tag};
use crate::record::Name;
use crate::shard::FillReply;

cases!("wakes":
    a_fill_wakes_who_waits,
    a_rejected_fill_wakes_who_waits,
    a_release_wakes_who_waits,
    a_hard_key_record_wakes_who_waits,
    a_soft_key_record_wakes_who_waits,
    a_write_through_wakes_who_waits,
    a_rejected_write_through_wakes_who_waits,
    a_renewal_forgets_nobody_who_waits,
    every_connection_hears_the_wake,
    appended_records_are_pushed_to_the_others,
    anchor_and_finish_are_pushed_to_the_others,
    a_write_through_is_pushed_to_the_others,
);

async fn woken(scene: &Scene) -> Outcome {
    promise!(scene.is_woken(&room(1)).await, "who waited for {} sleeps on", room(1));
    Ok(())
}

async fn a_fill_wakes_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.fill(&granted).await?;
    woken(scene).await
}

async fn a_rejected_fill_wakes_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.append(vec![hard(tag("a"))]).await?;
    let reply = scene.fill_with(&granted, scene.tagged(&granted, &[tag("a")])).await?;
    promise!(reply == FillReply::Rejected, "stored");
    woken(scene).await
}

async fn a_release_wakes_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.shard.release(room(1), granted.token).await?;
    woken(scene).await
}

async fn a_hard_key_record_wakes_who_waits(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.append(vec![hard(Name::key(&room(1)))]).await?;
    woken(scene).await
}

async fn a_soft_key_record_wakes_who_waits(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    woken(scene).await
}

async fn a_write_through_wakes_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    // The record names no key, so that the end of the lease is what wakes.
    scene.write_through(&granted, scene.entry(&granted), vec![hard(tag("a"))]).await?;
    woken(scene).await
}

async fn a_rejected_write_through_wakes_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.shard.anchor().await?;
    scene.write_through(&granted, scene.entry(&granted), vec![hard(tag("a"))]).await?;
    woken(scene).await
}

async fn a_renewal_forgets_nobody_who_waits(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.is_held(&room(1)).await?, "not held");
    scene.shard.renew(room(1), granted.token).await?;
    scene.shard.lease(room(1), granted.token, None).await?;
    scene.fill(&granted).await?;
    woken(scene).await
}

async fn every_connection_hears_the_wake(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.other.lease(room(1), scene.token(), None).await?;
    scene.fill(&granted).await?;
    woken(scene).await?;
    let heard = scene.other_ear.hears_wake(&room(1), scene.stage.patience()).await;
    promise!(heard, "the other connection sleeps on");
    Ok(())
}

async fn appended_records_are_pushed_to_the_others(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a")), hard(Name::key(&room(1)))]).await?;
    for position in [at.position - 1, at.position] {
        let pushed = scene.other_ear.hears_push((at.epoch, position), scene.stage.patience()).await;
        promise!(pushed, "the record at {position} was not pushed");
    }
    Ok(())
}

async fn anchor_and_finish_are_pushed_to_the_others(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    let pattern = super::patterns::building_seven()?;
    let finish = scene.shard.finish(pattern, crate::record::Mode::Hard, anchor).await?;
    for at in [Some(anchor), finish].into_iter().flatten() {
        let patience = scene.stage.patience();
        let pushed = scene.other_ear.hears_push((at.epoch, at.position), patience).await;
        promise!(pushed, "the record at {at:?} was not pushed");
    }
    Ok(())
}

async fn a_write_through_is_pushed_to_the_others(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let records = vec![hard(Name::key(&room(1)))];
    let (at, _) = scene.write_through(&granted, scene.entry(&granted), records).await?;
    let patience = scene.stage.patience();
    let pushed = scene.other_ear.hears_push((at.epoch, at.position), patience).await;
    promise!(pushed, "the record at {at:?} was not pushed");
    Ok(())
}
