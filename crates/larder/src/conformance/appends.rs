//! What an invalidation does to values, leases and positions.

use super::Outcome;
use super::scene::{Scene, hard, room, soft, tag};
use crate::record::Name;
use crate::shard::FillReply;

cases!("appends":
    the_first_record_has_position_one,
    records_count_up_by_one,
    a_batch_ends_at_its_position,
    an_empty_batch_says_where_the_log_stands,
    connections_count_in_one_log,
    a_hard_key_record_deletes_the_value [Values],
    a_hard_key_record_voids_the_lease,
    a_hard_key_record_acts_also_without_a_value,
    a_soft_key_record_voids_the_lease,
    a_soft_key_record_flags_the_value_and_keeps_it [Values],
    a_soft_key_record_creates_no_value [Values],
    a_refresh_clears_the_flag [Values],
    hard_after_soft_in_one_batch_deletes [Values],
    a_key_record_leaves_other_keys_alone [Values],
    every_record_of_a_batch_acts,
    the_next_load_begins_after_the_record,
);

async fn the_first_record_has_position_one(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    promise!(at.position == 1, "the log of a new shard begins at {}", at.position);
    Ok(())
}

async fn records_count_up_by_one(scene: &Scene) -> Outcome {
    let names = [Name::root(), Name::cache("rooms"), tag("a"), Name::key(&room(1))];
    let mut last = scene.head().await?;
    for name in names {
        for record in [hard(name.clone()), soft(name)] {
            let at = scene.append(vec![record]).await?;
            promise!(at.epoch == last.epoch, "{at:?} after {last:?}");
            promise!(at.position == last.position + 1, "{at:?} after {last:?}");
            last = at;
        }
    }
    Ok(())
}

async fn a_batch_ends_at_its_position(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let records = vec![hard(tag("a")), soft(tag("a")), hard(Name::key(&room(1)))];
    let at = scene.append(records).await?;
    promise!(at.position == before.position + 3, "{at:?} after {before:?}");
    Ok(())
}

async fn an_empty_batch_says_where_the_log_stands(scene: &Scene) -> Outcome {
    let before = scene.append(vec![hard(tag("a"))]).await?;
    let at = scene.append(Vec::new()).await?;
    promise!(at == before, "{at:?} after {before:?}");
    Ok(())
}

async fn connections_count_in_one_log(scene: &Scene) -> Outcome {
    let one = scene.append(vec![hard(tag("a"))]).await?;
    let two = scene.other.append(vec![hard(tag("a"))]).await?;
    promise!((two.epoch, two.position) == (one.epoch, one.position + 1), "{two:?} after {one:?}");
    Ok(())
}

async fn a_hard_key_record_deletes_the_value(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.append(vec![hard(Name::key(&room(1)))]).await?;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "{value:?} is still there");
    Ok(())
}

async fn a_hard_key_record_voids_the_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(Name::key(&room(1)))]).await?;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "an older load was stored");
    promise!(!scene.is_held(&room(1)).await?, "the lease is still held");
    Ok(())
}

async fn a_hard_key_record_acts_also_without_a_value(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let at = scene.append(vec![hard(Name::key(&room(1)))]).await?;
    promise!(at.position == before.position + 1, "{at:?} after {before:?}");
    let tail = scene.tail(before).await?;
    promise!(tail.records.len() == 1, "{tail:?}");
    Ok(())
}

async fn a_soft_key_record_voids_the_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "an older load was stored");
    promise!(!scene.is_held(&room(1)).await?, "the lease is still held");
    Ok(())
}

async fn a_soft_key_record_flags_the_value_and_keeps_it(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    let found = scene.value(&room(1)).await?;
    let flagged = found.as_ref().is_some_and(|found| {
        found.soft
            && (found.id, found.as_of) == (entry.id, entry.as_of)
            && found.payload == entry.payload
    });
    promise!(flagged, "{found:?} instead of a flagged {entry:?}");
    Ok(())
}

async fn a_soft_key_record_creates_no_value(scene: &Scene) -> Outcome {
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    let reply = scene.read(&room(1)).await?;
    promise!(reply.entries.iter().all(Option::is_none), "{reply:?}");
    Ok(())
}

async fn a_refresh_clears_the_flag(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.append(vec![soft(Name::key(&room(1)))]).await?;
    scene.stored(&room(1)).await?;
    let found = scene.value(&room(1)).await?;
    promise!(found.as_ref().is_some_and(|found| !found.soft), "{found:?}");
    Ok(())
}

async fn hard_after_soft_in_one_batch_deletes(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    let key = Name::key(&room(1));
    scene.append(vec![soft(key.clone()), hard(key.clone()), soft(key)]).await?;
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "{value:?} is still there");
    Ok(())
}

async fn a_key_record_leaves_other_keys_alone(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.append(vec![hard(Name::key(&room(2))), soft(Name::key(&room(3)))]).await?;
    let found = scene.value(&room(1)).await?;
    promise!(found.as_ref().is_some_and(|found| !found.soft), "{found:?}");
    Ok(())
}

async fn every_record_of_a_batch_acts(scene: &Scene) -> Outcome {
    let first = scene.granted(&room(1)).await?;
    let second = scene.granted(&room(2)).await?;
    let third = scene.granted(&room(3)).await?;
    let records = vec![hard(Name::key(&room(1))), hard(tag("a")), soft(Name::key(&room(3)))];
    scene.append(records).await?;
    promise!(scene.fill(&first).await? == FillReply::Rejected, "the first record did nothing");
    let entry = scene.tagged(&second, &[tag("a")]);
    let reply = scene.fill_with(&second, entry).await?;
    promise!(reply == FillReply::Rejected, "the second record did nothing");
    promise!(scene.fill(&third).await? == FillReply::Rejected, "the third record did nothing");
    Ok(())
}

async fn the_next_load_begins_after_the_record(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(Name::key(&room(1)))]).await?;
    let granted = scene.granted(&room(1)).await?;
    promise!(granted.as_of == at.position, "it begins at {}, not {at:?}", granted.as_of);
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected");
    Ok(())
}
