//! What records of many do to loads that began before them, and what the table says.

use super::scene::{ROOMS, Scene, building, hard, room, soft, tag};
use super::{Broken, Outcome};
use crate::record::{Name, Record};
use crate::shard::table::{Positions, Slots};
use crate::shard::{FillReply, TAGS_MAX, TailReply};

cases!("tags":
    a_hard_tag_rejects_older_loads_of_it,
    a_hard_prefix_rejects_older_loads_below_it,
    a_hard_cache_record_rejects_its_older_loads,
    a_hard_root_record_rejects_every_older_load,
    a_tag_rejects_wherever_it_stands_among_many,
    a_load_that_began_after_the_record_is_stored,
    a_record_of_another_tag_rejects_nothing,
    a_record_of_another_cache_rejects_nothing,
    a_tag_with_the_text_of_a_cache_is_not_the_cache,
    soft_records_reject_no_fill,
    soft_after_hard_does_not_forget_the_hard_position,
    soft_after_hard_does_not_move_the_hard_position,
    the_table_has_hard_and_soft_positions_of_every_name,
    positions_in_the_table_only_grow,
    key_records_leave_the_table_alone,
    the_table_has_as_many_slots_as_agreed,
);

/// A load of room 1 with tag `a` in building 7, met by `records` before its fill.
async fn met_by(scene: &Scene, records: Vec<Record>) -> Result<FillReply, Broken> {
    let granted = scene.granted(&room(1)).await?;
    scene.append(records).await?;
    let entry = scene.tagged(&granted, &[building(), tag("a")]);
    scene.fill_with(&granted, entry).await
}

async fn rejects(scene: &Scene, name: Name) -> Outcome {
    let reply = met_by(scene, vec![hard(name.clone())]).await?;
    promise!(reply == FillReply::Rejected, "{name:?} did not reject an older load");
    Ok(())
}

async fn a_hard_tag_rejects_older_loads_of_it(scene: &Scene) -> Outcome {
    rejects(scene, tag("a")).await
}

async fn a_hard_prefix_rejects_older_loads_below_it(scene: &Scene) -> Outcome {
    rejects(scene, building()).await
}

async fn a_hard_cache_record_rejects_its_older_loads(scene: &Scene) -> Outcome {
    rejects(scene, Name::cache(ROOMS)).await
}

async fn a_hard_root_record_rejects_every_older_load(scene: &Scene) -> Outcome {
    rejects(scene, Name::root()).await
}

async fn a_tag_rejects_wherever_it_stands_among_many(scene: &Scene) -> Outcome {
    let tags: Vec<Name> = (0..TAGS_MAX).map(|index| tag(&format!("many {index}"))).collect();
    for named in [0, TAGS_MAX / 2, TAGS_MAX - 1] {
        let granted = scene.granted(&room(1)).await?;
        scene.append(vec![hard(tags[named].clone())]).await?;
        let reply = scene.fill_with(&granted, scene.tagged(&granted, &tags)).await?;
        promise!(reply == FillReply::Rejected, "tag {named} of {TAGS_MAX} was overlooked");
    }
    Ok(())
}

async fn a_load_that_began_after_the_record_is_stored(scene: &Scene) -> Outcome {
    let names = [tag("a"), building(), Name::cache(ROOMS), Name::root()];
    scene.append(names.into_iter().map(hard).collect()).await?;
    let reply = met_by(scene, Vec::new()).await?;
    promise!(reply == FillReply::Stored, "older records reject it");
    Ok(())
}

async fn a_record_of_another_tag_rejects_nothing(scene: &Scene) -> Outcome {
    let reply = met_by(scene, vec![hard(tag("b"))]).await?;
    promise!(reply == FillReply::Stored, "tag b rejects what has tag a");
    Ok(())
}

async fn a_record_of_another_cache_rejects_nothing(scene: &Scene) -> Outcome {
    let reply = met_by(scene, vec![hard(Name::cache("halls"))]).await?;
    promise!(reply == FillReply::Stored, "a record of halls rejects a room");
    Ok(())
}

async fn a_tag_with_the_text_of_a_cache_is_not_the_cache(scene: &Scene) -> Outcome {
    let reply = met_by(scene, vec![hard(tag(ROOMS))]).await?;
    promise!(reply == FillReply::Stored, "the tag called {ROOMS} rejects the cache of that name");
    Ok(())
}

async fn soft_records_reject_no_fill(scene: &Scene) -> Outcome {
    let names = [tag("a"), building(), Name::cache(ROOMS), Name::root()];
    let reply = met_by(scene, names.into_iter().map(soft).collect()).await?;
    promise!(reply == FillReply::Stored, "a soft record rejected a fill");
    Ok(())
}

async fn soft_after_hard_does_not_forget_the_hard_position(scene: &Scene) -> Outcome {
    let reply = met_by(scene, vec![hard(tag("a")), soft(tag("a"))]).await?;
    promise!(reply == FillReply::Rejected, "a soft record took a hard one back");
    Ok(())
}

async fn soft_after_hard_does_not_move_the_hard_position(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a"))]).await?;
    let reply = met_by(scene, vec![soft(tag("a"))]).await?;
    promise!(reply == FillReply::Stored, "a soft record moved the hard position");
    Ok(())
}

fn positions(tail: &TailReply, name: &Name) -> Result<Positions, Broken> {
    let table = tail.table.as_ref();
    let table =
        table.ok_or_else(|| Broken::new("the tail of an unknown epoch has no table".into()))?;
    let slots = Slots::of(name, table.tag_slots());
    slots
        .map(|slots| table.positions(slots))
        .ok_or_else(|| Broken::new(format!("{name:?} has no slots")))
}

async fn the_table_has_hard_and_soft_positions_of_every_name(scene: &Scene) -> Outcome {
    let names = [tag("a"), building(), Name::cache(ROOMS), Name::root()];
    let records = names.iter().flat_map(|name| [hard(name.clone()), soft(name.clone())]);
    let before = scene.head().await?.position;
    scene.append(records.collect()).await?;
    let tail = scene.tail_anew().await?;
    for (index, name) in names.iter().enumerate() {
        let first = before + 2 * index as u64 + 1;
        let found = positions(&tail, name)?;
        let expected = Positions { hard: first, soft: first + 1 };
        promise!(found == expected, "{name:?} has {found:?}, not {expected:?}");
    }
    let found = positions(&tail, &tag("never named"))?;
    promise!(found == Positions::default(), "a tag that nobody named has {found:?}");
    Ok(())
}

async fn positions_in_the_table_only_grow(scene: &Scene) -> Outcome {
    let mut before = Positions::default();
    for record in [hard(tag("a")), soft(tag("a")), hard(tag("b")), hard(tag("a"))] {
        let at = scene.append(vec![record.clone()]).await?.position;
        let found = positions(&scene.tail_anew().await?, &tag("a"))?;
        let mut expected = before;
        if record.name == tag("a") {
            expected.raise(at, record.mode);
        }
        promise!(found == expected, "{record:?} at {at} made {before:?} {found:?}");
        before = found;
    }
    Ok(())
}

async fn key_records_leave_the_table_alone(scene: &Scene) -> Outcome {
    scene.append(vec![hard(tag("a"))]).await?;
    let before = scene.tail_anew().await?.table;
    let key = Name::key(&room(1));
    scene.append(vec![hard(key.clone()), soft(key)]).await?;
    let after = scene.tail_anew().await?.table;
    promise!(before.is_some() && before == after, "the record of a key raised slots of tags");
    Ok(())
}

async fn the_table_has_as_many_slots_as_agreed(scene: &Scene) -> Outcome {
    let agreed = scene.stage.parameters().tag_slots();
    let found = scene.tail_anew().await?.table.map(|table| table.tag_slots());
    promise!(found == Some(agreed), "{found:?} slots, not {agreed}");
    Ok(())
}
