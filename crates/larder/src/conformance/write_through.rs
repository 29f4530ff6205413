//! Appending and storing in one step: order comes from the lease.

use super::scene::{Granted, ROOMS, Scene, building, hard, room, soft, tag};
use super::{Broken, Outcome};
use crate::record::{Mode, Name, Record};
use crate::shard::{Appended, FillReply, LeaseReply, StoredEntry};

cases!("write_through":
    a_write_through_is_stored_at_its_own_position [Values],
    a_write_through_under_its_lease_is_stored,
    its_own_records_do_not_reject_it,
    several_records_end_at_its_position [Values],
    without_a_lease_it_only_appends,
    under_the_lease_of_another_it_only_appends,
    a_key_record_since_the_lease_rejects_it,
    a_hard_tag_since_the_lease_rejects_it,
    a_soft_tag_since_the_lease_rejects_it,
    records_before_the_lease_do_not_reject_it,
    an_anchor_since_the_lease_rejects_it,
    without_records_it_is_rejected,
    a_claimed_as_of_rejects_it,
    too_many_tags_reject_it,
    a_rejected_one_appends_all_the_same,
    a_rejected_one_deletes_the_older_value [Values],
    it_ends_its_lease,
    a_rejected_one_ends_its_lease,
    it_voids_the_lease_of_another_that_its_records_name,
    its_value_is_fresh_after_a_soft_record_of_its_own [Values],
    older_loads_are_rejected_after_it,
);

fn of_key() -> Vec<Record> {
    vec![hard(Name::key(&room(1)))]
}

async fn written(scene: &Scene, granted: &Granted) -> Result<(Appended, FillReply), Broken> {
    let entry = scene.tagged(granted, &[building(), tag("a")]);
    scene.write_through(granted, entry, of_key()).await
}

async fn rejected(scene: &Scene, granted: &Granted) -> Outcome {
    let (at, reply) = written(scene, granted).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?}");
    let value = scene.value(&room(1)).await?;
    promise!(value.is_none(), "rejected, but readable: {value:?}");
    Ok(())
}

async fn a_write_through_is_stored_at_its_own_position(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("other"))]).await?;
    let entry = scene.entry(&granted);
    let (at, reply) = scene.write_through(&granted, entry.clone(), of_key()).await?;
    promise!(reply == FillReply::Stored, "rejected");
    let Some(found) = scene.value(&room(1)).await? else {
        return Err(Broken::new("stored, but not readable".into()));
    };
    promise!((found.epoch, found.as_of) == (at.epoch, at.position), "{found:?} after {at:?}");
    promise!(found.payload == entry.payload && found.id == entry.id, "{found:?}, not {entry:?}");
    Ok(())
}

async fn a_write_through_under_its_lease_is_stored(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let (at, reply) = written(scene, &granted).await?;
    promise!(reply == FillReply::Stored, "rejected at {at:?}");
    promise!(at.position == granted.as_of + 1, "{at:?} after {granted:?}");
    Ok(())
}

async fn its_own_records_do_not_reject_it(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.tagged(&granted, &[building(), tag("a")]);
    let records = vec![hard(tag("a")), soft(building()), hard(Name::key(&room(1)))];
    let (_, reply) = scene.write_through(&granted, entry, records).await?;
    promise!(reply == FillReply::Stored, "rejected by its own records");
    Ok(())
}

async fn several_records_end_at_its_position(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let records = vec![hard(Name::key(&room(1))), hard(tag("a")), hard(tag("b"))];
    let entry = scene.tagged(&granted, &[tag("a"), tag("b")]);
    let (at, _) = scene.write_through(&granted, entry, records).await?;
    promise!(at.position == granted.as_of + 3, "{at:?} after {granted:?}");
    let as_of = scene.value(&room(1)).await?.map(|found| found.as_of);
    promise!(as_of == Some(at.position), "stored as of {as_of:?}, not {at:?}");
    Ok(())
}

async fn without_a_lease_it_only_appends(scene: &Scene) -> Outcome {
    let at = scene.head().await?;
    let token = scene.token();
    rejected(scene, &Granted { key: room(1), token, epoch: at.epoch, as_of: at.position }).await
}

async fn under_the_lease_of_another_it_only_appends(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    rejected(scene, &Granted { token: scene.token(), ..granted }).await
}

async fn a_key_record_since_the_lease_rejects_it(scene: &Scene) -> Outcome {
    for mode in [Mode::Hard, Mode::Soft] {
        let granted = scene.granted(&room(1)).await?;
        scene.append(vec![Record { name: Name::key(&room(1)), mode }]).await?;
        rejected(scene, &granted).await?;
    }
    Ok(())
}

async fn a_hard_tag_since_the_lease_rejects_it(scene: &Scene) -> Outcome {
    for name in [tag("a"), building(), Name::cache(ROOMS), Name::root()] {
        let granted = scene.granted(&room(1)).await?;
        scene.append(vec![hard(name)]).await?;
        rejected(scene, &granted).await?;
    }
    Ok(())
}

async fn a_soft_tag_since_the_lease_rejects_it(scene: &Scene) -> Outcome {
    for name in [tag("a"), building(), Name::cache(ROOMS), Name::root()] {
        let granted = scene.granted(&room(1)).await?;
        scene.append(vec![soft(name)]).await?;
        rejected(scene, &granted).await?;
    }
    Ok(())
}

async fn records_before_the_lease_do_not_reject_it(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a")), soft(building()), hard(Name::key(&room(1)))]).await?;
    let granted = scene.granted(&room(1)).await?;
    let (_, reply) = written(scene, &granted).await?;
    promise!(reply == FillReply::Stored, "rejected");
    Ok(())
}

async fn an_anchor_since_the_lease_rejects_it(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.shard.anchor().await?;
    rejected(scene, &granted).await
}

async fn without_records_it_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.entry(&granted);
    let (at, reply) = scene.write_through(&granted, entry, Vec::new()).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?}, where older copies stay alive");
    Ok(())
}

async fn a_claimed_as_of_rejects_it(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let entry = StoredEntry { as_of: at.position, ..scene.entry(&granted) };
    let (at, reply) = scene.write_through(&granted, entry, of_key()).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?} although it claims a later lease");
    Ok(())
}

async fn too_many_tags_reject_it(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let tags: Vec<Name> =
        (0..=crate::shard::TAGS_MAX).map(|index| tag(&format!("many {index}"))).collect();
    let (at, reply) = scene.write_through(&granted, scene.tagged(&granted, &tags), of_key()).await?;
    promise!(reply == FillReply::Rejected, "stored at {at:?}");
    Ok(())
}

async fn a_rejected_one_appends_all_the_same(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let token = scene.token();
    let granted = Granted { key: room(1), token, epoch: before.epoch, as_of: before.position };
    let (at, _) = written(scene, &granted).await?;
    promise!(at.position == before.position + 1, "{at:?} after {before:?}");
    let tail = scene.tail(before).await?;
    promise!(tail.head == at.position && tail.records.len() == 1, "{tail:?}");
    Ok(())
}

async fn a_rejected_one_deletes_the_older_value(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    let token = scene.token();
    let granted = Granted { key: room(1), token, epoch: entry.epoch, as_of: entry.as_of };
    rejected(scene, &granted).await
}

async fn it_ends_its_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    // The records name no key, so that they cannot end it.
    let entry = scene.entry(&granted);
    scene.write_through(&granted, entry, vec![hard(tag("a"))]).await?;
    promise!(!scene.shard.renew(room(1), granted.token).await?, "its lease can be renewed");
    Ok(())
}

async fn a_rejected_one_ends_its_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    let entry = scene.tagged(&granted, &[tag("a")]);
    scene.write_through(&granted, entry, vec![hard(tag("b"))]).await?;
    promise!(!scene.is_held(&room(1)).await?, "its lease is still held");
    Ok(())
}

async fn it_voids_the_lease_of_another_that_its_records_name(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    rejected(scene, &Granted { token: scene.token(), ..granted.clone() }).await?;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "an older load was stored");
    Ok(())
}

async fn its_value_is_fresh_after_a_soft_record_of_its_own(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    let granted = scene.granted(&room(1)).await?;
    let entry = StoredEntry { soft: true, ..scene.entry(&granted) };
    let records = vec![soft(Name::key(&room(1)))];
    let (_, reply) = scene.write_through(&granted, entry, records).await?;
    promise!(reply == FillReply::Stored, "rejected");
    let found = scene.value(&room(1)).await?;
    promise!(found.as_ref().is_some_and(|found| !found.soft), "{found:?}");
    Ok(())
}

async fn older_loads_are_rejected_after_it(scene: &Scene) -> Outcome {
    let older = scene.granted(&room(2)).await?;
    let granted = scene.granted(&room(1)).await?;
    let records = vec![hard(Name::key(&room(1))), hard(building())];
    let entry = scene.entry(&granted);
    scene.write_through(&granted, entry, records).await?;
    let entry = scene.tagged(&older, &[building()]);
    let reply = scene.fill_with(&older, entry).await?;
    promise!(reply == FillReply::Rejected, "its record of the building did nothing");
    let reply = scene.ask(&room(2)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}
