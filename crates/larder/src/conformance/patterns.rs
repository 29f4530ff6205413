//! The scan of a pattern: anchor, batches, finish.

use super::scene::{ROOMS, Room, Scene, room};
use super::{Broken, Outcome};
use crate::key::pattern::Pattern;
use crate::key::{EncodedKey, KEY_BYTES_MAX, Key, Parts};
use crate::record::{Change, Mode};
use crate::shard::{Appended, FillReply, Scan, ScanReply};

cases!("patterns":
    an_anchor_counts_and_is_in_the_log,
    an_anchor_rejects_every_older_load,
    a_load_that_began_after_the_anchor_is_stored,
    a_later_anchor_rejects_loads_between_both,
    an_anchor_leaves_leases_with_their_holders,
    an_anchor_leaves_the_table_alone,
    a_hard_scan_deletes_what_matches_and_nothing_else [Values],
    a_soft_scan_flags_what_matches_and_nothing_else [Values],
    a_scan_in_small_batches_misses_nothing [Values],
    a_scan_takes_keys_of_which_only_a_digest_is_left [Values],
    a_scan_of_nothing_ends,
    a_finish_counts_and_says_what_was_scanned,
    a_finish_of_an_older_epoch_is_refused,
    a_scan_of_an_older_epoch_is_refused,
    a_finish_leaves_younger_loads_alone,
);

pub(super) fn building_seven() -> Result<Pattern, Broken> {
    Pattern::glob("rooms:7:*").map_err(|error| Broken::new(error.to_string()))
}

async fn scanned(
    scene: &Scene,
    anchor: Appended,
    mode: Mode,
    cursor: Vec<u8>,
    batch_max: usize,
) -> Result<ScanReply, Broken> {
    let scan = Scan { pattern: building_seven()?, mode, epoch: anchor.epoch, cursor, batch_max };
    Ok(scene.shard.scan(scan).await?)
}

/// The most batches a case asks for: far more than its few values need.
const BATCHES_MAX: usize = 10_000;

async fn scan_all(scene: &Scene, mode: Mode, batch_max: usize) -> Result<u64, Broken> {
    let anchor = scene.shard.anchor().await?;
    scan_under(scene, anchor, mode, batch_max).await
}

/// All batches of a scan: how many values matched.
pub(super) async fn scan_under(
    scene: &Scene,
    anchor: Appended,
    mode: Mode,
    batch_max: usize,
) -> Result<u64, Broken> {
    let (mut cursor, mut matched) = (Vec::new(), 0);
    for _ in 0..BATCHES_MAX {
        let reply = scanned(scene, anchor, mode, cursor, batch_max).await?;
        matched += reply.matched;
        match reply.cursor {
            Some(next) => cursor = next,
            None => return Ok(matched),
        }
    }
    Err(Broken::new(format!("the scan did not end within {BATCHES_MAX} batches")))
}

/// A room of building 8, which the pattern does not match.
fn elsewhere() -> EncodedKey {
    EncodedKey::new(ROOMS, &Room { building: 8, number: 1 })
}

async fn an_anchor_counts_and_is_in_the_log(scene: &Scene) -> Outcome {
    let before = scene.head().await?;
    let anchor = scene.shard.anchor().await?;
    let expected = Appended { position: before.position + 1, ..before };
    promise!(anchor == expected, "{anchor:?} after {before:?}");
    let tail = scene.tail(before).await?;
    let logged = matches!(&tail.records[..], [log] if matches!(log.change, Change::Anchored)
        && log.position == anchor.position);
    promise!(logged, "the log has {:?}", tail.records);
    Ok(())
}

async fn an_anchor_rejects_every_older_load(scene: &Scene) -> Outcome {
    for key in [room(1), elsewhere()] {
        let granted = scene.granted(&key).await?;
        scene.shard.anchor().await?;
        let reply = scene.fill(&granted).await?;
        promise!(reply == FillReply::Rejected, "a load from before the anchor was stored");
    }
    Ok(())
}

async fn a_load_that_began_after_the_anchor_is_stored(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    let granted = scene.granted(&room(1)).await?;
    promise!(granted.as_of == anchor.position, "{granted:?} after {anchor:?}");
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected");
    Ok(())
}

async fn a_later_anchor_rejects_loads_between_both(scene: &Scene) -> Outcome {
    scene.shard.anchor().await?;
    let granted = scene.granted(&room(1)).await?;
    scene.shard.anchor().await?;
    promise!(scene.fill(&granted).await? == FillReply::Rejected, "stored before the second scan");
    Ok(())
}

async fn an_anchor_leaves_leases_with_their_holders(scene: &Scene) -> Outcome {
    scene.granted(&room(1)).await?;
    scene.shard.anchor().await?;
    promise!(scene.is_held(&room(1)).await?, "an anchor freed a lease");
    Ok(())
}

async fn an_anchor_leaves_the_table_alone(scene: &Scene) -> Outcome {
    let before = scene.tail_anew().await?.table;
    let anchor = scene.shard.anchor().await?;
    scene.shard.finish(building_seven()?, Mode::Hard, anchor).await?;
    let after = scene.tail_anew().await?.table;
    promise!(before.is_some() && before == after, "a scan raised slots of tags");
    Ok(())
}

async fn a_hard_scan_deletes_what_matches_and_nothing_else(scene: &Scene) -> Outcome {
    for key in [room(1), room(2), elsewhere()] {
        scene.stored(&key).await?;
    }
    let matched = scan_all(scene, Mode::Hard, 100).await?;
    promise!(matched == 2, "{matched} values matched instead of 2");
    for key in [room(1), room(2)] {
        let value = scene.value(&key).await?;
        promise!(value.is_none(), "{key} is still there");
    }
    let left = scene.value(&elsewhere()).await?;
    promise!(left.is_some_and(|left| !left.soft), "the scan touched what does not match");
    Ok(())
}

async fn a_soft_scan_flags_what_matches_and_nothing_else(scene: &Scene) -> Outcome {
    let entry = scene.stored(&room(1)).await?;
    scene.stored(&elsewhere()).await?;
    scan_all(scene, Mode::Soft, 100).await?;
    let found = scene.value(&room(1)).await?;
    let flagged = found.as_ref().is_some_and(|found| found.soft && found.id == entry.id);
    promise!(flagged, "{found:?} instead of a flagged {entry:?}");
    let left = scene.value(&elsewhere()).await?;
    promise!(left.is_some_and(|left| !left.soft), "the scan touched what does not match");
    Ok(())
}

async fn a_scan_in_small_batches_misses_nothing(scene: &Scene) -> Outcome {
    let keys: Vec<EncodedKey> = (0..23).map(room).collect();
    for key in &keys {
        scene.stored(key).await?;
    }
    scene.stored(&elsewhere()).await?;
    scan_all(scene, Mode::Hard, 4).await?;
    for key in &keys {
        let value = scene.value(key).await?;
        promise!(value.is_none(), "{key} is still there");
    }
    Ok(())
}

/// A key too long to be kept as it is.
struct Long(String);

impl Key for Long {
    fn visit<P: Parts>(&self, parts: &mut P) {
        parts.text(&self.0);
    }
}

async fn a_scan_takes_keys_of_which_only_a_digest_is_left(scene: &Scene) -> Outcome {
    let long = Long("x".repeat(KEY_BYTES_MAX));
    let (ours, others) = (EncodedKey::new(ROOMS, &long), EncodedKey::new("halls", &long));
    for key in [&ours, &others] {
        scene.stored(key).await?;
    }
    scan_all(scene, Mode::Hard, 100).await?;
    promise!(scene.value(&ours).await?.is_none(), "what may match the pattern is still there");
    promise!(scene.value(&others).await?.is_some(), "the scan took a key of another cache");
    Ok(())
}

async fn a_scan_of_nothing_ends(scene: &Scene) -> Outcome {
    let matched = scan_all(scene, Mode::Hard, 10).await?;
    promise!(matched == 0, "{matched} values matched on an empty shard");
    Ok(())
}

async fn a_finish_counts_and_says_what_was_scanned(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    let regex = Pattern::regex("rooms:[78]:\\d+").map_err(|error| Broken::new(error.to_string()))?;
    for (scanned, sought) in [(building_seven()?, Mode::Hard), (regex, Mode::Soft)] {
        let before = scene.head().await?;
        let finish = scene.shard.finish(scanned.clone(), sought, anchor).await?;
        let expected = Appended { position: before.position + 1, ..before };
        promise!(finish == Some(expected), "{finish:?} after {before:?}");
        let tail = scene.tail(before).await?;
        let [log] = &tail.records[..] else {
            return Err(Broken::new(format!("the log has {:?}", tail.records)));
        };
        let Change::Finished { pattern, mode, anchor: from } = &log.change else {
            return Err(Broken::new(format!("{log:?}")));
        };
        let same = *pattern == scanned && *mode == sought && *from == anchor.position;
        promise!(same && log.position == expected.position, "{log:?} for {anchor:?}");
    }
    Ok(())
}

/// The anchor of an epoch that a node has proved to be lost since.
async fn outlived_anchor(scene: &Scene) -> Result<Appended, Broken> {
    let anchor = scene.shard.anchor().await?;
    scene.tail(Appended { position: anchor.position + 1, ..anchor }).await?;
    Ok(anchor)
}

async fn a_finish_of_an_older_epoch_is_refused(scene: &Scene) -> Outcome {
    let anchor = outlived_anchor(scene).await?;
    let finish = scene.shard.finish(building_seven()?, Mode::Hard, anchor).await?;
    promise!(finish.is_none(), "finished at {finish:?} what began at {anchor:?}");
    let head = scene.head().await?.position;
    promise!(head == 0, "the refused finish was logged at {head}");
    Ok(())
}

async fn a_scan_of_an_older_epoch_is_refused(scene: &Scene) -> Outcome {
    let anchor = outlived_anchor(scene).await?;
    let scan = scan_under(scene, anchor, Mode::Hard, 10).await;
    promise!(scan.is_err(), "scanned under the anchor of a lost epoch: {scan:?}");
    Ok(())
}

async fn a_finish_leaves_younger_loads_alone(scene: &Scene) -> Outcome {
    let anchor = scene.shard.anchor().await?;
    let granted = scene.granted(&room(1)).await?;
    scene.shard.finish(building_seven()?, Mode::Hard, anchor).await?;
    promise!(scene.fill(&granted).await? == FillReply::Stored, "rejected");
    Ok(())
}
