//! What a node is told of the log, and when it must hear that records are missing.

use super::scene::{Scene, hard, room, soft, tag};
use super::{Broken, Outcome};
use crate::record::{Change, Name, Record};
use crate::shard::{Appended, Epoch, TailReply, TailRequest};

cases!("tails":
    a_node_that_knows_nothing_gets_epoch_head_and_table,
    a_node_of_another_epoch_gets_the_table_and_no_records,
    records_come_in_order_with_name_and_mode,
    a_node_that_has_everything_gets_nothing,
    a_node_in_the_middle_gets_the_rest,
    a_tail_that_is_cut_short_goes_on,
    a_tail_that_is_cut_short_says_the_whole_head,
    both_connections_see_one_log,
    records_of_a_write_through_are_in_the_log,
    as_many_records_as_the_log_keeps_are_no_gap,
    one_record_more_than_the_log_keeps_is_a_gap,
    the_table_of_a_gap_has_what_the_log_forgot,
    a_node_ahead_of_the_head_proves_a_loss,
    a_node_of_another_epoch_proves_nothing,
    server_time_moves_with_the_server [Time],
);

fn names_in(tail: &TailReply) -> Vec<(u64, Record)> {
    let record = |change: &Change| match change {
        Change::Invalidated(record) => Some(record.clone()),
        _ => None,
    };
    tail.records.iter().filter_map(|log| Some((log.position, record(&log.change)?))).collect()
}

async fn a_node_that_knows_nothing_gets_epoch_head_and_table(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    let tail = scene.tail_anew().await?;
    promise!((tail.epoch, tail.head) == (at.epoch, at.position), "{:?} {}", tail.epoch, tail.head);
    promise!(tail.table.is_some(), "no table");
    promise!(tail.records.is_empty(), "records without a place to begin: {:?}", tail.records);
    Ok(())
}

async fn a_node_of_another_epoch_gets_the_table_and_no_records(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    let elsewhere = Appended { epoch: Epoch(scene.draw()), position: 1 };
    let tail = scene.tail(elsewhere).await?;
    promise!((tail.epoch, tail.head) == (at.epoch, at.position), "{:?} {}", tail.epoch, tail.head);
    promise!(tail.table.is_some(), "no table");
    promise!(tail.records.is_empty(), "positions of two epochs were compared: {:?}", tail.records);
    Ok(())
}

async fn records_come_in_order_with_name_and_mode(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let names = [tag("ä"), Name::root(), Name::cache("rooms"), super::scene::building()];
    let mut records: Vec<Record> = names.into_iter().map(hard).collect();
    records.extend([soft(tag("a")), hard(Name::key(&room(1))), soft(Name::key(&room(2)))]);
    scene.append(records.clone()).await?;
    let tail = scene.tail(before).await?;
    let expected: Vec<(u64, Record)> = (before.position + 1..).zip(records).collect();
    promise!(names_in(&tail) == expected, "{:?} instead of {expected:?}", tail.records);
    promise!(tail.table.is_none(), "a table although nothing is missing");
    Ok(())
}

async fn a_node_that_has_everything_gets_nothing(scene: &Scene) -> Outcome {
    for records in [Vec::new(), vec![hard(tag("a"))]] {
        let at = scene.append(records).await?;
        let tail = scene.tail(at).await?;
        promise!((tail.epoch, tail.head) == (at.epoch, at.position), "{tail:?} at {at:?}");
        let nothing = tail.records.is_empty() && tail.table.is_none();
        promise!(nothing, "at {at:?}: {:?}, table: {}", tail.records, tail.table.is_some());
    }
    Ok(())
}

async fn a_node_in_the_middle_gets_the_rest(scene: &Scene) -> Outcome {
    let middle = scene.append(vec![hard(tag("a")), hard(tag("b"))]).await?;
    scene.append(vec![hard(tag("c"))]).await?;
    let tail = scene.tail(middle).await?;
    let expected = [(middle.position + 1, hard(tag("c")))];
    promise!(names_in(&tail) == expected, "{:?} above {middle:?}", tail.records);
    Ok(())
}

async fn a_tail_that_is_cut_short_goes_on(scene: &Scene) -> Outcome {
    let mut at = scene.head().await?;
    let records: Vec<Record> = ["a", "b", "c", "d", "e"].into_iter().map(tag).map(hard).collect();
    let end = scene.append(records.clone()).await?;
    let mut found = Vec::new();
    while at.position < end.position {
        let tail = scene.tail_some(at, 2).await?;
        let batch = names_in(&tail);
        let count = batch.len();
        promise!((1..=2).contains(&count), "{count} records of at most 2 above {at:?}");
        promise!(tail.table.is_none(), "a table although the records go on");
        at.position += count as u64;
        found.extend(batch.into_iter().map(|(_, record)| record));
    }
    promise!(found == records, "{found:?} instead of {records:?}");
    Ok(())
}

async fn a_tail_that_is_cut_short_says_the_whole_head(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let end = scene.append(vec![hard(tag("a")), hard(tag("b")), hard(tag("c"))]).await?;
    let tail = scene.tail_some(before, 1).await?;
    promise!(tail.head == end.position, "head {} would confirm too early", tail.head);
    Ok(())
}

async fn both_connections_see_one_log(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    scene.append(vec![hard(tag("a"))]).await?;
    let request = TailRequest { epoch: Some(before.epoch), from: before.position, records_max: 9 };
    let tail = scene.other.tail(request).await?;
    promise!(names_in(&tail) == [(before.position + 1, hard(tag("a")))], "{tail:?}");
    Ok(())
}

async fn records_of_a_write_through_are_in_the_log(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let granted = scene.granted(&room(1)).await?;
    let records = vec![hard(Name::key(&room(1))), soft(tag("a"))];
    scene.write_through(&granted, scene.entry(&granted), records.clone()).await?;
    let expected: Vec<(u64, Record)> = (before.position + 1..).zip(records).collect();
    let tail = scene.tail(before).await?;
    promise!(names_in(&tail) == expected, "{:?} instead of {expected:?}", tail.records);
    Ok(())
}

/// Appends `count` records to an empty log, and says where it stood before.
async fn filled(scene: &Scene, count: usize) -> Result<Appended, Broken> {
    let before = scene.head().await?;
    scene.append((0..count).map(|index| hard(tag(&format!("filling {index}")))).collect()).await?;
    Ok(before)
}

async fn as_many_records_as_the_log_keeps_are_no_gap(scene: &Scene) -> Outcome {
    let count = scene.stage.log_records_max();
    let before = filled(scene, count).await?;
    let tail = scene.tail(before).await?;
    promise!(tail.records.len() == count, "{} records of {count}", tail.records.len());
    promise!(tail.table.is_none(), "a gap although nothing was dropped");
    Ok(())
}

async fn one_record_more_than_the_log_keeps_is_a_gap(scene: &Scene) -> Outcome {
    let before = filled(scene, scene.stage.log_records_max() + 1).await?;
    let tail = scene.tail(before).await?;
    promise!(tail.epoch == before.epoch, "trimming the log changed the epoch");
    promise!(tail.table.is_some(), "a missing record went unnoticed: {:?}", tail.records);
    promise!(tail.records.is_empty(), "records beyond a gap: {:?}", tail.records);
    let behind = Appended { position: before.position + 1, ..before };
    let tail = scene.tail(behind).await?;
    let kept = tail.records.len();
    promise!(kept == scene.stage.log_records_max() && tail.table.is_none(), "{kept} are kept");
    Ok(())
}

async fn the_table_of_a_gap_has_what_the_log_forgot(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let granted = scene.granted(&room(1)).await?;
    scene.append(vec![hard(tag("a"))]).await?;
    filled(scene, scene.stage.log_records_max() + 1).await?;
    let Some(table) = scene.tail(before).await?.table else {
        return Err(Broken::new("a gap without a table".into()));
    };
    let slots = crate::shard::table::Slots::of_tag(tag("a").hash(), table.tag_slots());
    let found = table.positions(slots).hard;
    promise!(found > granted.as_of, "the table has tag a at {found}, not above {}", granted.as_of);
    Ok(())
}

async fn a_node_ahead_of_the_head_proves_a_loss(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let ahead = Appended { position: at.position + 1, ..at };
    let tail = scene.tail(ahead).await?;
    promise!(tail.epoch != at.epoch, "a head below what a node applied was accepted");
    promise!(tail.head == 0 && tail.table.is_some(), "head {} in a new epoch", tail.head);
    let now = scene.append(vec![hard(tag("a"))]).await?;
    promise!((now.epoch, now.position) == (tail.epoch, 1), "{now:?} in {:?}", tail.epoch);
    Ok(())
}

async fn a_node_of_another_epoch_proves_nothing(scene: &Scene) -> Outcome {
    let at = scene.append(vec![hard(tag("a"))]).await?;
    let elsewhere = Appended { epoch: Epoch(scene.draw()), position: at.position + 10 };
    let tail = scene.tail(elsewhere).await?;
    promise!(tail.epoch == at.epoch, "positions of two epochs were compared");
    Ok(())
}

async fn server_time_moves_with_the_server(scene: &Scene) -> Outcome {
    let span = std::time::Duration::from_millis(1234);
    let before = scene.tail_anew().await?.server_time;
    scene.stage.pass(span).await;
    let after = scene.tail_anew().await?.server_time;
    promise!(after.since(before) == span, "{after:?} is not {span:?} after {before:?}");
    let local = scene.shard.server_time(scene.stage.now());
    promise!(local == after, "counted locally it is {local:?}, on the server {after:?}");
    Ok(())
}
