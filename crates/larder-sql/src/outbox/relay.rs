//! Decides when the outbox is looked at, and sends what nobody else has sent: after a crash, after a
//! commit that landed late, after an outage. Sending a row twice is no harm, leaving one out is.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use larder::{Invalidation, InvalidationTextError, Larder, Outcome};
use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::time::{sleep, timeout};

use super::connection::OutboxConnection;
use super::desk::Desk;
use super::rows::{self, Named, RowId};
use super::standing::{Fate, Known, Patience};
use super::wall::now_ms;

/// How long after a look comes the next.
const PAUSE: Duration = Duration::from_millis(500);

/// The same while the database is away.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A look that takes longer is given up: the database is away.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// Rows that one look sees, the oldest of all.
const SEEN_MAX: usize = 1_000;

/// Rows that are read, sent or removed together.
const BATCH: usize = 64;

/// What a relay has to say. Closed: everything is in this one enum.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayEvent<'a> {
    /// Rows were sent in the place of whoever wrote them.
    Relayed {
        /// How many.
        rows: usize,
    },
    /// No sense could be made of a row. Everything was invalidated in its place, and it is kept for
    /// people to look at.
    Parked {
        /// The key of the row.
        row: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// The database cannot be asked. Told once, until it can be again.
    DatabaseLost {
        /// Why.
        error: &'a sqlx::Error,
    },
    /// It can be asked again.
    DatabaseBack,
}

type Observer = Box<dyn Fn(&RelayEvent<'_>) + Send + Sync>;

/// Sends the rows that nobody else does, and removes those that are sent. Made by
/// [`Outbox::relay`](super::Outbox::relay).
pub struct Relay<DB: sqlx::Database> {
    larder: Larder,
    desk: Arc<Desk>,
    pool: Pool<DB>,
    known: Known,
    patience: Patience,
    parked_were_tried: bool,
    observer: Observer,
}

impl<DB: sqlx::Database> fmt::Debug for Relay<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("known", &self.known).finish_non_exhaustive()
    }
}

impl<DB> Relay<DB>
where
    DB: sqlx::Database,
    DB::Connection: OutboxConnection,
{
    pub(super) fn new(larder: Larder, desk: Arc<Desk>, pool: Pool<DB>) -> Self {
        Relay {
            larder,
            desk,
            pool,
            known: Known::default(),
            patience: Patience::None,
            parked_were_tried: false,
            observer: Box::new(|_| {}),
        }
    }

    /// Tells `observer` what happens. It is called inline, so it must return at once.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&RelayEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Looks at the outbox at once and then twice a second, for ever: more seldom while the database
    /// is away. While the log is, rows wait. The first look sends all that it finds.
    ///
    /// # Cancel safety
    /// Dropping the future ends it at any point without harm; it can be run again.
    pub async fn run(&mut self) {
        let (mut pause, mut lost) = (PAUSE, false);
        loop {
            // A server that stands still closes no connection.
            let look = timeout(LOOK_MAX, self.look()).await;
            match look.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()))) {
                Ok(()) => {
                    if std::mem::take(&mut lost) {
                        self.tell(&RelayEvent::DatabaseBack);
                    }
                    pause = PAUSE;
                }
                Err(error) => {
                    if !std::mem::replace(&mut lost, true) {
                        self.tell(&RelayEvent::DatabaseLost { error: &error });
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
            sleep(pause).await;
        }
    }

    /// Removes what is known to be sent, for the end of a process. What stays is sent once more by
    /// the next one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn close(mut self) -> Result<(), sqlx::Error> {
        self.known.hear(self.desk.take());
        self.settle().await
    }

    /// Looks once.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        if !self.parked_were_tried {
            self.try_parked().await?;
            self.parked_were_tried = true;
        }
        self.known.hear(self.desk.take());
        self.settle().await?;
        let oldest = rows::oldest(&mut *self.connection().await?, SEEN_MAX).await?;
        let written_at_ms = oldest.first().map(|(_, at_ms)| *at_ms);
        let seen: Vec<RowId> = oldest.into_iter().map(|(row, _)| row).collect();
        let open = self.desk.opened();
        self.known.hear(self.desk.take());
        for due in self.known.due(&seen, &open, self.patience).chunks(BATCH) {
            self.send(due).await?;
        }
        self.settle().await?;
        // Behind so many there may be more, which have waited for longer than a look.
        self.patience = if seen.len() < SEEN_MAX { Patience::Some } else { Patience::None };
        self.show(written_at_ms).await
    }

    /// What an older program was not able to read, this one may be.
    async fn try_parked(&mut self) -> Result<(), sqlx::Error> {
        let mut after = None;
        loop {
            let connection = &mut *self.connection().await?;
            let parked = rows::parked(connection, after.as_ref(), BATCH).await?;
            for (row, names) in &parked {
                if names.parse::<Invalidation>().is_ok() {
                    rows::take_up(connection, row).await?;
                }
            }
            match parked.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Sends these rows in one invalidation.
    async fn send(&mut self, due: &[RowId]) -> Result<(), sqlx::Error> {
        let named = rows::named(&mut *self.connection().await?, due).await?;
        let mut wrong = Invalidation::new();
        let mut sent = Vec::new();
        for (row, named) in read(named) {
            let fate = match named {
                Ok(named) => {
                    wrong = wrong.and(named);
                    Fate::Goes
                }
                // Nobody knows what it names, and a commit must not go without its invalidation.
                Err(reason) => {
                    wrong = wrong.everything();
                    Fate::IsParked(told(&reason))
                }
            };
            sent.push((row, fate));
        }
        if sent.is_empty() {
            return Ok(());
        }
        let rows = sent.len();
        match self.larder.invalidate(wrong).await.outcome() {
            Outcome::Shared(_) => self.known.shared(sent),
            Outcome::Local(ticket) => self.known.sent(sent, ticket),
        }
        self.desk.show(|stats| stats.relayed += rows as u64);
        self.tell(&RelayEvent::Relayed { rows });
        Ok(())
    }

    /// Removes or parks the rows that every shard has.
    async fn settle(&mut self) -> Result<(), sqlx::Error> {
        let (going, parked): (Vec<_>, Vec<_>) =
            self.known.done().into_iter().partition(|(_, fate)| *fate == Fate::Goes);
        let going: Vec<RowId> = going.into_iter().map(|(row, _)| row).collect();
        for batch in going.chunks(BATCH) {
            rows::delete(&mut *self.connection().await?, batch).await?;
            self.known.forget(batch);
        }
        for (row, fate) in &parked {
            if let Fate::IsParked(reason) = fate {
                rows::park(&mut *self.connection().await?, row, reason).await?;
                self.tell(&RelayEvent::Parked { row: row.as_str(), reason });
            }
            self.known.forget([row]);
        }
        Ok(())
    }

    async fn show(&self, written_at_ms: Option<i64>) -> Result<(), sqlx::Error> {
        let counts = rows::counts(&mut *self.connection().await?).await?;
        let age_ms = written_at_ms.map_or(0, |at_ms| now_ms().saturating_sub(at_ms));
        self.desk.show(|stats| {
            stats.waiting = counts.waiting;
            stats.parked = counts.parked;
            stats.oldest_age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
            stats.looks += 1;
        });
        Ok(())
    }

    async fn connection(&self) -> Result<PoolConnection<DB>, sqlx::Error> {
        self.pool.acquire().await
    }

    fn tell(&self, event: &RelayEvent<'_>) {
        (self.observer)(event);
    }
}

fn read(
    named: Vec<Named>,
) -> impl Iterator<Item = (RowId, Result<Invalidation, InvalidationTextError>)> {
    named.into_iter().map(|(row, names)| (row, names.parse()))
}

/// An error with what is behind it.
fn told(error: &InvalidationTextError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
