//! When a loaded value is stored, and what comes back.

use std::time::Duration;

use bytes::Bytes;

use super::scene::{Granted, Scene, hard, room, tag};
use super::{Broken, Outcome};
use crate::record::{Name, NameHash};
use crate::shard::{Epoch, FillReply, LeaseReply, Payload, StoredEntry, TAGS_MAX};

cases!("fills":
    a_fill_under_its_lease_is_stored,
    a_stored_entry_comes_back_as_it_was [Values],
    the_end_of_an_entry_comes_back_with_it [Values],
    an_empty_payload_is_not_a_negative_entry [Values],
    a_negative_entry_comes_back_without_a_payload [Values],
    a_large_payload_comes_back_whole [Values],
    one_read_answers_for_many_keys_in_order [Values],
    a_value_is_readable_on_every_connection [Values],
    a_fill_without_a_lease_is_rejected,
    a_fill_with_another_token_is_rejected_and_leaves_the_lease,
    a_fill_with_the_lease_of_another_key_is_rejected,
    a_fill_ends_its_lease,
    a_fill_happens_once,
    a_rejected_fill_ends_its_lease,
    a_fill_after_its_release_is_rejected,
    a_fill_that_claims_a_later_as_of_is_rejected,
    a_fill_that_claims_another_epoch_is_rejected,
    an_entry_with_as_many_tags_as_allowed_is_stored,
    an_entry_with_more_tags_than_allowed_is_rejected,
    a_refresh_replaces_the_value [Values],
    a_rejected_fill_leaves_the_value_that_is_there [Values],
    a_record_of_another_key_does_not_reject_a_fill,
);

async fn rejected(scene: &Scene, granted: &Granted, entry: StoredEntry) -> Outcome {
    let key = &granted.key;
    promise!(scene.fill_with(granted, entry).await? == FillReply::Rejected, "{key} was stored");
    let value = scene.value(key).await?;
    promise!(value.is_none(), "rejected, but readable: {value:?}");
    Ok(())
}

async fn a_fill_under_its_lease_is_stored(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    Ok(())
}

async fn comes_back(scene: &Scene, granted: &Granted, entry: StoredEntry) -> Outcome {
    let stored = scene.fill_with(granted, entry.clone()).await?;
    promise!(stored == FillReply::Stored, "{entry:?} was rejected");
    let Some(found) = scene.value(&granted.key).await? else {
        return Err(Broken::new(format!("{entry:?} is not there")));
    };
    // Every field is named, so that a new one cannot be forgotten here.
    let StoredEntry { id, epoch, as_of, soft, tags, .. } = &entry;
    let same = (*id, *epoch, *as_of, *soft) == (found.id, found.epoch, found.as_of, found.soft)
        && *tags == found.tags
        && entry.payload == found.payload
        && (entry.fresh_until, entry.expires_at) == (found.fresh_until, found.expires_at)
        && (entry.load_cost, entry.loaded_at) == (found.load_cost, found.loaded_at)
        && entry.ends_at == found.ends_at;
    promise!(same, "{found:?} came back for {entry:?}");
    Ok(())
}

async fn a_stored_entry_comes_back_as_it_was(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("other"))]).await?;
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.tagged(&granted, &[tag("a"), tag("b")]);
    comes_back(scene, &granted, entry).await
}

async fn the_end_of_an_entry_comes_back_with_it(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.tagged(&granted, &[tag("a")]);
    let ends_at = Some(entry.loaded_at.plus(Duration::from_secs(90)));
    comes_back(scene, &granted, StoredEntry { ends_at, ..entry }).await
}

async fn an_empty_payload_is_not_a_negative_entry(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = StoredEntry {
        payload: Some(Payload { form: 1, bytes: Bytes::new() }),
        ..scene.entry(&granted)
    };
    comes_back(scene, &granted, entry).await
}

async fn a_negative_entry_comes_back_without_a_payload(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = StoredEntry { payload: None, ..scene.entry(&granted) };
    comes_back(scene, &granted, entry).await
}

async fn a_large_payload_comes_back_whole(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    // All byte values, so that none is taken for an end or for text.
    let payload: Vec<u8> = (0..300_000_u32).map(|index| index as u8).collect();
    let payload = Some(Payload { form: 0xFE, bytes: payload.into() });
    let entry = StoredEntry { payload, ..scene.entry(&granted) };
    comes_back(scene, &granted, entry).await
}

async fn one_read_answers_for_many_keys_in_order(scene: &Scene) -> Outcome {
    let (one, three) = (scene.stored(&room(1)).await?, scene.stored(&room(3)).await?);
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let reply = scene.shard.read(vec![room(3), room(2), room(1)]).await?;
    let found: Vec<Option<u128>> =
        reply.entries.iter().map(|entry| entry.as_ref().map(|entry| entry.id)).collect();
    promise!(found == [Some(three.id), None, Some(one.id)], "{found:?}");
    let head = (reply.epoch, reply.head);
    promise!(head == (Some(at.epoch), at.position), "read at {head:?}, not {at:?}");
    Ok(())
}

async fn a_value_is_readable_on_every_connection(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    let found = scene.other.read(vec![room(1)]).await?.entries;
    promise!(matches!(&found[..], [Some(found)] if found.id == entry.id), "{found:?}");
    Ok(())
}

async fn a_fill_without_a_lease_is_rejected(scene: &Scene) -> Outcome {
    let at = scene.head().await?;
    let token = scene.token();
    let granted = Granted { key: room(1), token, epoch: at.epoch, as_of: at.position };
    rejected(scene, &granted, scene.entry(&granted)).await
}

async fn a_fill_with_another_token_is_rejected_and_leaves_the_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let stranger = Granted { token: scene.token(), ..granted.clone() };
    rejected(scene, &stranger, scene.entry(&stranger)).await?;
    promise!(scene.is_held(&room(1)).await?, "the lease of another was freed");
    promise!(scene.fill(&granted).await? == FillReply::Stored, "the holder was rejected");
    Ok(())
}

async fn a_fill_with_the_lease_of_another_key_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let elsewhere = Granted { key: room(2), ..granted };
    rejected(scene, &elsewhere, scene.entry(&elsewhere)).await
}

async fn a_fill_ends_its_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.fill(&granted).await?;
    promise!(!scene.shard.renew(room(1), granted.token).await?, "it can be renewed");
    let reply = scene.shard.lease(room(1), scene.token(), Some(granted.token.0)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn a_fill_happens_once(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected");
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "a doubled fill was stored");
    Ok(())
}

async fn a_rejected_fill_ends_its_lease(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    let entry = scene.tagged(&granted, &[tag("a")]);
    rejected(scene, &granted, entry).await?;
    let next = scene.granted(&room(1)).await?;
    promise!(next.as_of > granted.as_of, "the next load begins at {}", next.as_of);
    Ok(())
}

async fn a_fill_after_its_release_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.shard.release(room(1), granted.token).await?;
    rejected(scene, &granted, scene.entry(&granted)).await
}

async fn a_fill_that_claims_a_later_as_of_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let entry = StoredEntry { as_of: at.position, ..scene.tagged(&granted, &[tag("a")]) };
    rejected(scene, &granted, entry).await
}

async fn a_fill_that_claims_another_epoch_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = StoredEntry { epoch: Epoch(scene.draw()), ..scene.entry(&granted) };
    rejected(scene, &granted, entry).await
}

fn many_tags(count: usize) -> Vec<Name> {
    (0..count).map(|index| tag(&format!("many {index}"))).collect()
}

async fn an_entry_with_as_many_tags_as_allowed_is_stored(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let entry = scene.tagged(&granted, &many_tags(TAGS_MAX));
    promise!(scene.fill_with(&granted, entry).await? == FillReply::Stored, "rejected");
    Ok(())
}

async fn an_entry_with_more_tags_than_allowed_is_rejected(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    let tags: Vec<NameHash> = many_tags(TAGS_MAX + 1).iter().map(Name::hash).collect();
    let entry = StoredEntry { tags: tags.into(), ..scene.entry(&granted) };
    rejected(scene, &granted, entry).await
}

async fn a_refresh_replaces_the_value(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    let new = scene.stored(&room(1)).await?;
    let found = scene.value(&room(1)).await?;
    promise!(found.as_ref().map(|found| found.id) == Some(new.id), "{found:?} instead of {new:?}");
    Ok(())
}

async fn a_rejected_fill_leaves_the_value_that_is_there(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    let granted =
        Granted { key: room(1), token: scene.token(), epoch: entry.epoch, as_of: entry.as_of };
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "stored without a lease");
    let found = scene.value(&room(1)).await?;
    promise!(found.is_some_and(|found| found.id == entry.id), "the value that was there is gone");
    Ok(())
}

async fn a_record_of_another_key_does_not_reject_a_fill(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(Name::key(&room(2)))]).await?;
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected");
    Ok(())
}
