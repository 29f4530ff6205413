//! What a new server process, lost meta or other parameters mean: a new epoch, in which nothing
//! older counts.

use super::scene::{Scene, building, hard, room, soft, tag};
use super::{Broken, Fault, Outcome};
use crate::record::{Mode, Name};
use crate::shard::parameters::Parameters;
use crate::shard::state::{ConnectReply, Part};
use crate::shard::{Appended, FillReply, LeaseReply, TailRequest};

cases!("epochs":
    connections_share_one_epoch,
    another_connection_leaves_the_epoch,
    a_new_shard_has_the_epoch_of_its_first_connection,
    an_empty_restart_begins_an_epoch [Restart],
    an_old_state_begins_an_epoch_for_a_new_connection [Restart],
    an_append_on_a_surviving_connection_begins_an_epoch [Restart],
    a_tail_on_a_surviving_connection_begins_an_epoch [Restart],
    a_write_through_on_a_surviving_connection_begins_an_epoch [Restart],
    an_anchor_on_a_surviving_connection_begins_an_epoch [Restart],
    an_append_after_a_restart_is_in_the_new_epoch_only [Restart],
    a_finish_after_a_restart_is_refused [Restart],
    a_scan_after_a_restart_is_refused [Restart],
    leases_of_an_older_epoch_are_free [Restart],
    values_of_an_older_epoch_are_not_shown [Restart, Values],
    every_restart_begins_another_epoch [Restart],
    lost_meta_begins_an_epoch [Evict],
    a_lost_table_begins_an_epoch [Evict],
    every_loss_begins_another_epoch [Evict],
    a_load_of_an_older_epoch_is_rejected [Evict],
    a_write_through_of_an_older_epoch_is_rejected [Evict],
    a_lease_of_an_older_epoch_cannot_be_renewed [Evict],
    a_value_of_an_older_epoch_does_not_bar_a_lease [Evict, Values],
    the_log_of_a_new_epoch_is_empty [Evict],
    the_table_of_a_new_epoch_is_empty [Evict],
    the_barrier_of_an_older_epoch_is_gone [Evict],
    a_read_never_confirms_lost_meta [Evict, Values],
    equal_parameters_join [Parameters],
    higher_parameters_begin_an_epoch_with_theirs [Parameters],
    lower_parameters_are_told_to_leave [Parameters],
    a_higher_version_outranks_more_slots [Parameters],
);

async fn connections_share_one_epoch(scene: &Scene) -> Outcome {
    let one = scene.head().await?.epoch;
    let two = scene.other.append(Vec::new()).await?.epoch;
    promise!(one == two, "{one:?} and {two:?}");
    Ok(())
}

async fn another_connection_leaves_the_epoch(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let third = scene.stage.connect().await;
    let found = third.append(Vec::new()).await?;
    promise!(found == at, "{found:?} after {at:?}");
    Ok(())
}

async fn a_new_shard_has_the_epoch_of_its_first_connection(scene: &Scene) -> Outcome {
    let reply = scene.read(&room(1)).await?;
    let at = scene.head().await?;
    promise!(reply.epoch == Some(at.epoch) && reply.head == 0, "read {reply:?} at {at:?}");
    Ok(())
}

/// A record in the first epoch, then a server with the state before it.
async fn went_back(scene: &Scene) -> Result<Appended, Broken> {
    scene.stage.remember().await;
    let at = scene.append(vec![hard(Name::key(&room(1)))]).await?;
    scene.stage.strike(Fault::RestartOld).await;
    Ok(at)
}

async fn an_empty_restart_begins_an_epoch(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    scene.stage.strike(Fault::RestartEmpty).await;
    let tail = scene.tail(at).await?;
    promise!(tail.epoch != at.epoch, "the epoch outlived the server");
    promise!(tail.head == 0 && tail.table.is_some(), "{} and {:?}", tail.head, tail.records);
    Ok(())
}

async fn an_old_state_begins_an_epoch_for_a_new_connection(scene: &Scene) -> Outcome {
    let at = went_back(scene).await?;
    let third = scene.stage.connect().await;
    let reply = third.read(vec![room(1)]).await?;
    promise!(reply.epoch != Some(at.epoch), "lost records go unnoticed at connect");
    Ok(())
}

async fn an_append_on_a_surviving_connection_begins_an_epoch(scene: &Scene) -> Outcome {
    let at = went_back(scene).await?;
    let now = scene.append(vec![hard(tag("a"))]).await?;
    promise!(now.epoch != at.epoch, "{now:?} repeats {at:?}");
    promise!(now.position == 1, "the new epoch begins at {}", now.position);
    Ok(())
}

async fn a_tail_on_a_surviving_connection_begins_an_epoch(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    went_back(scene).await?;
    // A node that had applied nothing of what was lost sees no other sign of it.
    let tail = scene.tail(before).await?;
    promise!(tail.epoch != before.epoch, "a node was confirmed by a server that lost records");
    promise!(tail.table.is_some(), "no table of the new epoch");
    Ok(())
}

async fn a_write_through_on_a_surviving_connection_begins_an_epoch(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.stage.remember().await;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    scene.stage.strike(Fault::RestartOld).await;
    let records = vec![hard(Name::key(&room(1)))];
    let entry = scene.tagged(&granted, &[tag("a")]);
    let (now, reply) = scene.write_through(&granted, entry, records).await?;
    promise!(now.epoch != at.epoch && now.position == 1, "{now:?} after {at:?}");
    promise!(reply == FillReply::Rejected, "stored although the server forgot a tag");
    Ok(())
}

async fn an_anchor_on_a_surviving_connection_begins_an_epoch(scene: &Scene) -> Outcome {
    let at = went_back(scene).await?;
    let anchor = scene.shard.anchor().await?;
    promise!(anchor.epoch != at.epoch && anchor.position == 1, "{anchor:?} after {at:?}");
    Ok(())
}

async fn an_append_after_a_restart_is_in_the_new_epoch_only(scene: &Scene) -> Outcome {
    went_back(scene).await?;
    let now = scene.append(vec![soft(tag("a"))]).await?;
    let tail = scene.tail(Appended { position: 0, ..now }).await?;
    promise!(tail.records.len() == 1 && tail.head == 1, "{tail:?}");
    Ok(())
}

async fn a_finish_after_a_restart_is_refused(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    scene.stage.remember().await;
    scene.stage.strike(Fault::RestartOld).await;
    let reply = scene.shard.finish(super::patterns::building_seven()?, Mode::Hard, anchor).await?;
    promise!(reply.is_none(), "finished at {reply:?} what began at {anchor:?}");
    Ok(())
}

async fn a_scan_after_a_restart_is_refused(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    scene.stage.remember().await;
    scene.stage.strike(Fault::RestartOld).await;
    let scan = super::patterns::scan_under(scene, anchor, Mode::Hard, 10).await;
    promise!(scan.is_err(), "scanned under the anchor of a lost epoch");
    Ok(())
}

async fn leases_of_an_older_epoch_are_free(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    went_back(scene).await?;
    scene.append(Vec::new()).await?;
    promise!(!scene.is_held(&room(1)).await?, "a lease of a lost epoch is held");
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "its fill was stored");
    Ok(())
}

async fn values_of_an_older_epoch_are_not_shown(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    went_back(scene).await?;
    scene.append(Vec::new()).await?;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "a value came back from a lost epoch: {value:?}");
    let reply = scene.ask(&room(1)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn every_restart_begins_another_epoch(scene: &Scene) -> Outcome {
    let mut known = vec![scene.head().await?.epoch];
    for _ in 0..3 {
        scene.stage.strike(Fault::RestartEmpty).await;
        let epoch = scene.head().await?.epoch;
        promise!(!known.contains(&epoch), "{epoch:?} was there before: {known:?}");
        known.push(epoch);
    }
    Ok(())
}

async fn begins_anew_without(scene: &Scene, part: Part) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    scene.evict(part).await;
    let now = scene.append(vec![hard(tag("a"))]).await?;
    promise!(now.epoch != at.epoch && now.position == 1, "{now:?} after {at:?}");
    Ok(())
}

async fn lost_meta_begins_an_epoch(scene: &Scene) -> Outcome {
    begins_anew_without(scene, Part::Meta).await
}

async fn a_lost_table_begins_an_epoch(scene: &Scene) -> Outcome {
    begins_anew_without(scene, Part::Table).await
}

async fn every_loss_begins_another_epoch(scene: &Scene) -> Outcome {
    let mut known = vec![scene.head().await?.epoch];
    for part in [Part::Meta, Part::Table, Part::Meta, Part::Table] {
        scene.evict(part).await;
        let epoch = scene.head().await?.epoch;
        promise!(!known.contains(&epoch), "{epoch:?} was there before: {known:?}");
        known.push(epoch);
    }
    Ok(())
}

async fn a_load_of_an_older_epoch_is_rejected(scene: &Scene) -> Outcome {
    for part in [Part::Meta, Part::Table] {
        let granted = scene.granted(&room(1)).await?;
        scene.append(vec![hard(tag("a"))]).await?;
        scene.evict(part.clone()).await;
        let entry = scene.tagged(&granted, &[tag("a")]);
        let reply = scene.fill_with(&granted, entry).await?;
        promise!(reply == FillReply::Rejected, "stored although {part:?} was lost");
    }
    Ok(())
}

async fn a_write_through_of_an_older_epoch_is_rejected(scene: &Scene) -> Outcome {
    for part in [Part::Meta, Part::Table] {
        let granted = scene.granted(&room(1)).await?;
        scene.evict(part.clone()).await;
        let records = vec![hard(Name::key(&room(1)))];
        let entry = scene.entry(&granted);
        let (at, reply) = scene.write_through(&granted, entry, records).await?;
        promise!(reply == FillReply::Rejected, "stored although {part:?} was lost");
        promise!(at.epoch != granted.epoch && at.position == 1, "{at:?} after {granted:?}");
    }
    Ok(())
}

async fn a_lease_of_an_older_epoch_cannot_be_renewed(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.evict(Part::Meta).await;
    promise!(!scene.shard.renew(room(1), granted.token).await?, "renewed");
    Ok(())
}

async fn a_value_of_an_older_epoch_does_not_bar_a_lease(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.evict(Part::Meta).await;
    let reply = scene.ask(&room(1)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn the_log_of_a_new_epoch_is_empty(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    scene.evict(Part::Meta).await;
    let now = scene.append(vec![hard(tag("c"))]).await?;
    let tail = scene.tail(Appended { position: 0, ..now }).await?;
    let positions: Vec<u64> = tail.records.iter().map(|record| record.position).collect();
    promise!(positions == [1], "the log has {positions:?}");
    Ok(())
}

async fn the_table_of_a_new_epoch_is_empty(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a")), hard(Name::root()), hard(building())]).await?;
    scene.evict(Part::Meta).await;
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.tagged(&granted, &[tag("a"), building()]);
    let reply = scene.fill_with(&granted, entry).await?;
    promise!(reply == FillReply::Stored, "positions of an older epoch reject loads of this one");
    Ok(())
}

async fn the_barrier_of_an_older_epoch_is_gone(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a"))]).await?;
    scene.shard.anchor().await?;
    scene.evict(Part::Meta).await;
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.fill(&granted).await? == FillReply::Stored, "an older barrier rejects it");
    Ok(())
}

async fn a_read_never_confirms_lost_meta(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    scene.evict(Part::Meta).await;
    let reply = scene.read(&room(1)).await?;
    promise!(reply.epoch != Some(entry.epoch), "read {reply:?} without meta");
    Ok(())
}

async fn equal_parameters_join(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let reply = scene.stage.join(scene.stage.parameters()).await;
    let joined = matches!(reply, ConnectReply::Joined { epoch, .. } if epoch == at.epoch);
    promise!(joined, "{reply:?} in {at:?}");
    Ok(())
}

/// Not with more shards: another number of them is another namespace to some implementations.
fn with_more_slots(scene: &Scene) -> Result<Parameters, Broken> {
    let ours = scene.stage.parameters();
    let more = Parameters::new(ours.shards(), 2 * ours.tag_slots());
    more.map_err(|error| Broken::new(error.to_string()))
}

async fn higher_parameters_begin_an_epoch_with_theirs(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let higher = with_more_slots(scene)?;
    let reply = scene.stage.join(higher).await;
    let ConnectReply::Joined { epoch, .. } = reply else {
        return Err(Broken::new(format!("{reply:?}")));
    };
    promise!(epoch != granted.epoch, "the epoch outlived its parameters");
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "an older load was stored");
    let again = scene.stage.join(higher).await;
    let joined = matches!(again, ConnectReply::Joined { epoch: found, .. } if found == epoch);
    promise!(joined, "{again:?} after {reply:?}");
    Ok(())
}

async fn lower_parameters_are_told_to_leave(scene: &Scene) -> Outcome {
    let higher = with_more_slots(scene)?;
    scene.stage.join(higher).await;
    let before = scene.head().await?;
    let reply = scene.stage.join(scene.stage.parameters()).await;
    promise!(reply == ConnectReply::Outranked { parameters: higher }, "{reply:?}");
    // It goes on to append: the format of records is frozen.
    let request = TailRequest { epoch: Some(before.epoch), from: before.position, records_max: 9 };
    scene.append(vec![hard(tag("a"))]).await?;
    let tail = scene.other.tail(request).await?;
    promise!(tail.epoch == before.epoch && tail.records.len() == 1, "{tail:?}");
    Ok(())
}

async fn a_higher_version_outranks_more_slots(scene: &Scene) -> Outcome {
    let wide = with_more_slots(scene)?;
    scene.stage.join(wide).await;
    let ours = scene.stage.parameters();
    let newer = ours.of_versions(ours.version() + 1, ours.encoding());
    let reply = scene.stage.join(newer).await;
    promise!(matches!(reply, ConnectReply::Joined { .. }), "{reply:?}");
    let reply = scene.stage.join(wide).await;
    promise!(reply == ConnectReply::Outranked { parameters: newer }, "{reply:?}");
    Ok(())
}
