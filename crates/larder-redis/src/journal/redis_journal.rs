//! Records in one stream a cache, their ids their sequences. Every verb asks within its script whether
//! this process has the journal still.

use std::fmt;
use std::sync::Arc;

use larder::behind::{Journal, JournalError, JournalRecord, StoredRecord};
use larder::clock::BoxFuture;
use larder::shard::Unreachable;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::options::JournalOptions;
use super::verbs::Verbs;
use crate::error::OpenError;
use crate::rights::MissingRight;

/// The journal of write-behind on a Redis stream: acknowledged writes survive the death of the process,
/// and of its machine; that of the server as far as its [`Durability`](super::Durability) says.
///
/// ```no_run
/// use std::sync::Arc;
/// use larder::Larder;
/// use larder::behind::{Change, WriteBehind};
/// use larder_redis::RedisOptions;
/// use larder_redis::journal::{JournalOptions, RedisJournal};
///
/// # async fn saved(_: Arc<[Change<u64, u64>]>) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = JournalOptions::new(RedisOptions::from_url("redis://127.0.0.1/")?);
/// let journal = Arc::new(RedisJournal::open("game", options)?);
///
/// let larder = Larder::new("game")?;
/// let scores = larder.cache::<u64, u64>("scores").build()?;
/// let writes = WriteBehind::builder(&scores, journal.clone())
///     .open(|batch| async { Ok(saved(batch).await?) })
///     .await?; // Refused here: a server that could lose what it confirms.
///
/// writes.put(&7, 1_200).await?; // On the server's disk from here on.
/// let drained = writes.close(std::time::Duration::from_secs(5)).await;
/// journal.close().await?; // The next process need not wait for the lease to end.
/// # let _ = drained; Ok(()) }
/// ```
///
/// # Whose it is
///
/// The journal of a cache belongs to who opened it last. That is a lease, renewed while this lives; a process that
/// died has its journal for `lease_ttl` more, and who opens it waits for that. Its token is compared
/// within each script, so that a process that stood still while another took over can neither append nor
/// forget: it is told [`JournalError::Lost`], and its write-behind stops flushing. While nobody else comes,
/// a lease that has ended changes nothing.
///
/// With [`processes_max`](JournalOptions::processes_max) above 1, each process has a journal of its own of the same
/// cache. Who opens takes one in which a process that is gone has left something, else the first that nobody has; it
/// waits only for those that have records and are not seen to be renewed. Nobody orders the writes of two processes: the
/// source must do with any order, such as one that keeps the later of two times.
///
/// # Keys and rights
///
/// All keys begin with `{<namespace>.journal}:` and have no lifetime. An ACL user of the shared tier
/// (`~{<namespace>.*`, `+@all -@dangerous +info`) may use them; [`Durability::Always`](super::Durability::Always)
/// needs `+config|get` too. Where Sentinel or a cluster puts a replica in the place of a server that died, **what
/// the replica had not got yet is lost**: `min-replicas-to-write` bounds that, and a single server that restarts
/// with its file loses nothing.
pub struct RedisJournal {
    verbs: Arc<Verbs>,
    /// Whose turn it is to open a cache's journal, or to let go of all.
    opening: tokio::sync::Mutex<()>,
    renewing: Mutex<JoinSet<()>>,
}

impl fmt::Debug for RedisJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisJournal").field("held", &self.verbs.caches()).finish_non_exhaustive()
    }
}

impl RedisJournal {
    /// Uses the journals of this namespace, which is the node's. Returns at once: the server is dialled
    /// in the background, and looked at when the first cache is opened.
    ///
    /// # Errors
    /// A namespace that is none, and every option that is out of its range.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(namespace: &str, options: JournalOptions) -> Result<Self, OpenError> {
        options.check(namespace)?;
        let verbs = Arc::new(Verbs::open(namespace, options));
        let (opening, renewing) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(RedisJournal { verbs, opening, renewing })
    }

    /// Whether the server can be reached and keeps what it confirms, as the options ask. Takes no journal.
    ///
    /// # Errors
    /// It cannot be reached, or could lose what it confirms: with what to set.
    pub async fn check_server(&self) -> Result<(), JournalError> {
        self.verbs.check_server().await
    }

    /// Lets go of the journals of all caches, so that the next process need not wait for their leases
    /// to end. Close write-behind before: afterwards every verb fails.
    ///
    /// # Errors
    /// The server could not be told of some: their leases end by themselves, or another call lets go
    /// of them.
    ///
    /// # Cancel safety
    /// Dropping the future leaves some of them until their lease ends, or until another call.
    pub async fn close(&self) -> Result<(), JournalError> {
        let _turn = self.opening.lock().await;
        self.renewing.lock().abort_all();
        self.verbs.release().await
    }

    /// Which rights the ACL user lacks for a journal with this [`Durability`](super::Durability), asked for in a
    /// way that changes nothing. Waits for a connection, and no longer than `command_timeout`. Whoever lacks one
    /// finds out late otherwise: when a write is to be parked, say.
    ///
    /// # Errors
    /// The server cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn missing_rights(&self) -> Result<Vec<MissingRight>, Unreachable> {
        Ok(self.verbs.missing_rights().await?)
    }

    async fn take(&self, cache: &str) -> Result<u64, JournalError> {
        let _turn = self.opening.lock().await;
        let (last, holding) = self.verbs.take(cache).await?;
        self.renewing.lock().spawn(Arc::clone(&self.verbs).renew(holding));
        Ok(last)
    }
}

impl Journal for RedisJournal {
    fn open<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<u64, JournalError>> {
        Box::pin(self.take(cache))
    }

    fn append<'a>(
        &'a self,
        cache: &'a str,
        records: &'a [JournalRecord],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.verbs.append(cache, records))
    }

    fn read<'a>(
        &'a self,
        cache: &'a str,
        after: u64,
        records_max: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRecord>, JournalError>> {
        Box::pin(self.verbs.read(cache, after, records_max))
    }

    fn forget<'a>(
        &'a self,
        cache: &'a str,
        sequences: &'a [u64],
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.verbs.forget(cache, sequences))
    }

    fn park<'a>(
        &'a self,
        cache: &'a str,
        sequence: u64,
        reason: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.verbs.park(cache, sequence, reason))
    }

    fn hold<'a>(&'a self, cache: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.verbs.hold(cache))
    }
}
