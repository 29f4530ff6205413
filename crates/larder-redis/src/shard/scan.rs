//! The scan of a pattern: the server looks for keys in batches, this process matches them, and
//! one script for each batch removes them if the anchor still counts.

use larder::key::EncodedKey;
use larder::key::pattern::Pattern;
use larder::record::Mode;
use larder::shard::{Appended, Scan, ScanReply};
use redis::Value;

use super::RedisShard;
use super::verbs::appended;
use super::way::Repeat;
use crate::answer::number;
use crate::fault::{Fault, FaultKind};
use crate::keyspace;
use crate::scripts;
use crate::server::Need;
use crate::wire::record;

impl RedisShard {
    pub(super) async fn anchor_scan(&self) -> Result<Appended, Fault> {
        let call = self.call(&scripts::ANCHOR, Vec::new(), vec![record::encode_anchor()]);
        let answer = self.run(Need::Essential, Repeat::Once, call).await?;
        appended(scripts::ANCHOR.verb, answer)
    }

    pub(super) async fn scan_batch(&self, scan: Scan) -> Result<ScanReply, Fault> {
        let (cursor, names) = self.look(&scan).await?;
        let matching: Vec<Vec<u8>> = names
            .into_iter()
            .filter(|name| {
                self.names.key_of_value(name).is_some_and(|key| scan.pattern.matches_key(&key))
            })
            .collect();
        // The last batch asks whether the anchor still counts, also when nothing matches.
        if matching.is_empty() && cursor.is_some() {
            return Ok(ScanReply { cursor, matched: 0 });
        }
        let epoch = scan.epoch.0.to_le_bytes().to_vec();
        let arguments = vec![epoch, record::mode_bytes(scan.mode).to_vec()];
        let call = self.call(&scripts::SWEEP, matching, arguments);
        let answer = self.run(Need::Essential, Repeat::Once, call).await?;
        let gone = || {
            let reason = "the epoch of the scan's anchor is gone";
            Fault::new(FaultKind::Refused, scripts::SWEEP.verb, reason)
        };
        let matched = number(&answer).ok_or_else(gone)?;
        Ok(ScanReply { cursor, matched })
    }

    async fn look(&self, scan: &Scan) -> Result<keyspace::Found, Fault> {
        let glob = self.names.values_glob(&encoded_start(&scan.pattern));
        let command = &keyspace::scan(&scan.cursor, &glob, scan.batch_max);
        let answer = self
            .within(Need::Essential, Repeat::Idempotent, "scan", |line| async move {
                self.join_as_member(&line).await?;
                line.command("scan", command).await
            })
            .await?;
        keyspace::scanned(answer)
    }

    pub(super) async fn finish_scan(
        &self,
        pattern: Pattern,
        mode: Mode,
        anchor: Appended,
    ) -> Result<Option<Appended>, Fault> {
        let epoch = anchor.epoch.0.to_le_bytes().to_vec();
        let arguments = vec![epoch, record::encode_finish(&pattern, mode, anchor.position)];
        let call = self.call(&scripts::FINISH, Vec::new(), arguments);
        match self.run(Need::Essential, Repeat::Once, call).await? {
            Value::Nil => Ok(None),
            answer => appended(scripts::FINISH.verb, answer).map(Some),
        }
    }
}

/// What the encoded keys begin with that a pattern may match: the cache's name, where the pattern
/// fixes it. A server's glob can say no more, because keys are no text.
fn encoded_start(pattern: &Pattern) -> Vec<u8> {
    match pattern.literal_prefix().split_once(':') {
        // An escaped name would have to be put back first; every key is looked at instead.
        Some((cache, _)) if !cache.contains('%') => EncodedKey::new(cache, &()).as_bytes().to_vec(),
        _ => Vec::new(),
    }
}
