//! What an evicting or full store may cost: misses, never staleness.

use super::scene::{Scene, hard, room, tag};
use super::{Fault, Outcome};
use crate::record::{Mode, Name};
use crate::shard::state::Part;
use crate::shard::{Appended, FillReply, LeaseReply};

cases!("eviction":
    an_evicted_value_can_be_loaded_anew [Evict, Values],
    an_evicted_lease_is_free [Evict],
    a_fill_after_its_lease_was_evicted_is_rejected [Evict],
    the_holder_before_the_eviction_cannot_fill_for_the_next [Evict],
    an_evicted_lease_rejects_a_write_through [Evict],
    an_evicted_log_is_a_gap [Evict],
    an_evicted_log_goes_on_counting [Evict],
    an_evicted_log_is_no_gap_for_who_has_everything [Evict],
    records_after_an_evicted_log_stay_behind_its_gap [Evict],
    an_evicted_log_leaves_the_table [Evict],
    a_full_store_appends [FillMemory],
    a_full_store_still_deletes [FillMemory, Values],
    a_full_store_is_tailed [FillMemory],
    a_full_store_takes_leases_back [FillMemory],
    a_full_store_runs_scans [FillMemory],
);

async fn an_evicted_value_can_be_loaded_anew(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.evict(Part::Value(room(1))).await;
    let reply = scene.ask(&room(1)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn an_evicted_lease_is_free(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    scene.evict(Part::Lease(room(1))).await;
    promise!(!scene.is_held(&room(1)).await?, "it is still held");
    Ok(())
}

async fn a_fill_after_its_lease_was_evicted_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.evict(Part::Lease(room(1))).await;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "absence did not mean no");
    Ok(())
}

async fn the_holder_before_the_eviction_cannot_fill_for_the_next(scene: &Scene) -> Outcome {
    let old = scene.granted(&room(1)).await?;
    scene.evict(Part::Lease(room(1))).await;
    let next = scene.granted(&room(1)).await?;
    promise!(scene.fill(&old).await? == FillReply::Rejected, "the older load was stored");
    promise!(scene.fill(&next).await? == FillReply::Stored, "the next load was rejected");
    Ok(())
}

async fn an_evicted_lease_rejects_a_write_through(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.evict(Part::Lease(room(1))).await;
    let records = vec![hard(Name::key(&room(1)))];
    let (at, reply) = scene.write_through(&granted, scene.entry(&granted), records).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?}");
    Ok(())
}

async fn an_evicted_log_is_a_gap(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    scene.evict(Part::Log).await;
    let tail = scene.tail(before).await?;
    promise!((tail.epoch, tail.head) == (at.epoch, at.position), "{tail:?} after {at:?}");
    promise!(tail.table.is_some(), "the missing record went unnoticed");
    Ok(())
}

async fn an_evicted_log_goes_on_counting(scene: &Scene) -> Outcome {
    let before = scene.append(vec![hard(tag("a"))]).await?;
    scene.evict(Part::Log).await;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    promise!((at.epoch, at.position) == (before.epoch, before.position + 1), "{at:?}");
    let tail = scene.tail(before).await?;
    promise!(tail.records.len() == 1 && tail.table.is_none(), "{:?}", tail.records);
    Ok(())
}

async fn an_evicted_log_is_no_gap_for_who_has_everything(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    scene.evict(Part::Log).await;
    let tail = scene.tail(at).await?;
    promise!(tail.epoch == at.epoch && tail.table.is_none(), "nothing is missing above {at:?}");
    Ok(())
}

async fn records_after_an_evicted_log_stay_behind_its_gap(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    scene.evict(Part::Log).await;
    scene.append(vec![hard(tag("c"))]).await?;
    let tail = scene.tail(before).await?;
    promise!(tail.table.is_some(), "two missing records went unnoticed: {:?}", tail.records);
    Ok(())
}

async fn an_evicted_log_leaves_the_table(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    scene.evict(Part::Log).await;
    let reply = scene.fill_with(&granted, scene.tagged(&granted, &[tag("a")])).await?;
    promise!(reply == FillReply::Rejected, "the tag was forgotten with the log");
    Ok(())
}

async fn a_full_store_appends(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let before = scene.head().await?;
    scene.stage.strike(Fault::FillMemory).await;
    let at = scene.append(vec![hard(Name::key(&room(1))), hard(tag("a"))]).await?;
    let expected = Appended { position: before.position + 2, ..before };
    promise!(at == expected, "{at:?} instead of {expected:?}");
    promise!(!scene.shard.renew(room(1), granted.token).await?, "the lease outlived the record");
    Ok(())
}

async fn a_full_store_still_deletes(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.stage.strike(Fault::FillMemory).await;
    scene.append(vec![hard(Name::key(&room(1)))]).await?;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "{value:?} is still there");
    Ok(())
}

async fn a_full_store_is_tailed(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    scene.stage.strike(Fault::FillMemory).await;
    scene.append(vec![hard(tag("a"))]).await?;
    let tail = scene.tail(before).await?;
    promise!(tail.records.len() == 1, "{tail:?}");
    Ok(())
}

async fn a_full_store_takes_leases_back(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.strike(Fault::FillMemory).await;
    scene.shard.release(room(1), granted.token).await?;
    promise!(!scene.shard.renew(room(1), granted.token).await?, "it was renewed after its release");
    Ok(())
}

async fn a_full_store_runs_scans(scene: &Scene) -> Outcome {
    scene.stage.strike(Fault::FillMemory).await;
    let anchor = scene.shard.anchor().await?;
    super::patterns::scan_under(scene, anchor, Mode::Hard, 10).await?;
    let pattern = super::patterns::building_seven()?;
    let finish = scene.shard.finish(pattern, Mode::Hard, anchor).await?;
    promise!(finish.is_some_and(|at| at.position > anchor.position), "{finish:?}");
    Ok(())
}
