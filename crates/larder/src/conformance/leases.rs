//! Who may load a key.

use super::Outcome;
use super::scene::{Scene, hard, room, tag};
use crate::shard::{FillReply, LeaseReply};

cases!("leases":
    the_first_to_ask_is_granted_at_the_head,
    the_second_to_ask_is_held,
    another_connection_is_held_too,
    a_retry_of_the_holder_is_granted_as_stored,
    a_retry_is_granted_although_a_value_came_meanwhile [Values],
    leases_of_different_keys_do_not_meet,
    a_tag_record_leaves_leases_with_their_holders,
    a_renewed_lease_keeps_its_as_of,
    a_stranger_cannot_renew,
    a_lease_that_nobody_holds_cannot_be_renewed,
    a_released_lease_is_free,
    a_stranger_cannot_release,
    a_late_release_leaves_the_next_holder_alone,
    an_unseen_value_is_shown_instead_of_a_lease [Values],
    a_value_is_shown_also_while_its_refresh_is_leased [Values],
    a_refresher_who_saw_the_value_is_granted [Values],
    a_refresher_is_shown_a_value_that_is_not_the_one_it_saw [Values],
    two_refreshers_of_one_value_share_one_lease [Values],
);

async fn the_first_to_ask_is_granted_at_the_head(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    let granted = scene.granted(&room(1)).await?;
    promise!(granted.epoch == at.epoch, "granted in {:?}, not {:?}", granted.epoch, at.epoch);
    promise!(granted.as_of == at.position, "granted at {}, not {}", granted.as_of, at.position);
    Ok(())
}

async fn the_second_to_ask_is_held(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    for _ in 0..2 {
        let reply = scene.ask(&room(1)).await?;
        promise!(matches!(reply, LeaseReply::Held), "{reply:?}");
    }
    Ok(())
}

async fn another_connection_is_held_too(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    let reply = scene.other.lease(room(1), scene.token(), None).await?;
    promise!(matches!(reply, LeaseReply::Held), "{reply:?}");
    Ok(())
}

async fn a_retry_of_the_holder_is_granted_as_stored(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    let reply = scene.shard.lease(room(1), granted.token, None).await?;
    let LeaseReply::Granted { epoch, as_of } = reply else {
        return Err(super::Broken::new(format!("{reply:?}")));
    };
    let found = (epoch, as_of);
    promise!(found == (granted.epoch, granted.as_of), "{found:?} after {granted:?}");
    Ok(())
}

async fn a_retry_is_granted_although_a_value_came_meanwhile(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    let granted = scene.granted(&room(1)).await?;
    let reply = scene.shard.lease(room(1), granted.token, None).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn leases_of_different_keys_do_not_meet(scene: &Scene) -> Outcome {
    let (one, two) = (scene.granted(&room(1)).await?, scene.granted(&room(2)).await?);
    promise!(scene.fill(&one).await? == FillReply::Stored, "the first was rejected");
    promise!(scene.is_held(&room(2)).await?, "the fill of one key freed the lease of another");
    promise!(scene.fill(&two).await? == FillReply::Stored, "the second was rejected");
    Ok(())
}

async fn a_tag_record_leaves_leases_with_their_holders(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    promise!(scene.is_held(&room(1)).await?, "the record of a tag freed a lease");
    Ok(())
}

async fn a_renewed_lease_keeps_its_as_of(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    promise!(scene.shard.renew(room(1), granted.token).await?, "its holder cannot renew it");
    let reply = scene.shard.lease(room(1), granted.token, None).await?;
    let kept = matches!(reply, LeaseReply::Granted { as_of, .. } if as_of == granted.as_of);
    promise!(kept, "{granted:?} was renewed to {reply:?}");
    let entry = scene.tagged(&granted, &[tag("a")]);
    let reply = scene.fill_with(&granted, entry).await?;
    promise!(reply == FillReply::Rejected, "a renewal made the load younger than a record");
    let again = scene.granted(&room(2)).await?;
    promise!(scene.shard.renew(room(2), again.token).await?, "its holder cannot renew it");
    promise!(scene.fill(&again).await? == FillReply::Stored, "a renewed lease cannot fill");
    Ok(())
}

async fn a_stranger_cannot_renew(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    promise!(!scene.shard.renew(room(1), scene.token()).await?, "a stranger renewed the lease");
    Ok(())
}

async fn a_lease_that_nobody_holds_cannot_be_renewed(scene: &Scene) -> Outcome {
    promise!(!scene.shard.renew(room(1), scene.token()).await?, "a missing lease was renewed");
    promise!(!scene.is_held(&room(1)).await?, "the renewal of a missing lease left one");
    Ok(())
}

async fn a_released_lease_is_free(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.shard.release(room(1), granted.token).await?;
    promise!(!scene.is_held(&room(1)).await?, "it is still held");
    promise!(!scene.shard.renew(room(1), granted.token).await?, "it was renewed after its release");
    Ok(())
}

async fn a_stranger_cannot_release(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    scene.shard.release(room(1), scene.token()).await?;
    promise!(scene.is_held(&room(1)).await?, "a stranger released it");
    Ok(())
}

async fn a_late_release_leaves_the_next_holder_alone(scene: &Scene) -> Outcome {
    let granted = scene.granted(&room(1)).await?;
    scene.shard.release(room(1), granted.token).await?;
    let next = scene.granted(&room(1)).await?;
    scene.shard.release(room(1), granted.token).await?;
    promise!(scene.fill(&next).await? == FillReply::Stored, "a doubled release took another's lease");
    Ok(())
}

async fn an_unseen_value_is_shown_instead_of_a_lease(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let reply = scene.ask(&room(1)).await?;
    let LeaseReply::Filled { entry: found, epoch, head } = reply else {
        return Err(super::Broken::new(format!("{reply:?}")));
    };
    promise!(found.id == entry.id, "shown {found:?}, not {entry:?}");
    promise!((epoch, head) == (at.epoch, at.position), "shown with {epoch:?} {head}, not {at:?}");
    Ok(())
}

async fn a_value_is_shown_also_while_its_refresh_is_leased(scene: &Scene) -> Outcome {
    scene.stored(&room(1)).await?;
    scene.granted(&room(1)).await?;
    let reply = scene.ask(&room(1)).await?;
    promise!(matches!(reply, LeaseReply::Filled { .. }), "{reply:?}");
    Ok(())
}

async fn a_refresher_who_saw_the_value_is_granted(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    let reply = scene.shard.lease(room(1), scene.token(), Some(entry.id)).await?;
    promise!(matches!(reply, LeaseReply::Granted { .. }), "{reply:?}");
    Ok(())
}

async fn a_refresher_is_shown_a_value_that_is_not_the_one_it_saw(scene: &Scene) -> Outcome {
    let old = scene.stored(&room(1)).await?;
    let new = scene.stored(&room(1)).await?;
    let reply = scene.shard.lease(room(1), scene.token(), Some(old.id)).await?;
    let shown = matches!(&reply, LeaseReply::Filled { entry, .. } if entry.id == new.id);
    promise!(shown, "{reply:?}");
    Ok(())
}

async fn two_refreshers_of_one_value_share_one_lease(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    scene.granted(&room(1)).await?;
    let reply = scene.shard.lease(room(1), scene.token(), Some(entry.id)).await?;
    promise!(matches!(reply, LeaseReply::Held), "{reply:?}");
    Ok(())
}
