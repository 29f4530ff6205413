//! The source of truth of all processes of a fleet, and what each of them saw of it.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use yardstick::page::Page;

use super::{KEYS, LOAD_TIME};
use crate::history::STALENESS_MAX;

/// The version of each key, 8 bytes each.
const SOURCE: &str = "source";

/// Makes a source in which every key has its first version.
///
/// # Errors
/// The folder cannot be made or written.
pub(super) fn prepare(place: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(place)?;
    Ok(std::fs::write(place.join(SOURCE), vec![0; 8 * KEYS as usize])?)
}

/// Nanoseconds by a clock that is one for all processes of a machine, and never set.
pub(super) fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// A read.
pub(super) struct Seen {
    pub(super) key: u32,
    pub(super) version: u64,
    pub(super) began: u64,
}

/// An update whose invalidation had completed then.
pub(super) struct Change {
    pub(super) key: u32,
    pub(super) version: u64,
    pub(super) known_at: u64,
}

/// What a process did in one round.
#[derive(Default)]
pub(super) struct Round {
    pub(super) seen: Vec<Seen>,
    pub(super) changes: Vec<Change>,
    pub(super) own_stale: u64,
    /// Invalidations that were not shared in time.
    pub(super) local: u64,
}

impl Round {
    pub(super) fn with_room_for(operations: usize) -> Self {
        Round { seen: Vec::with_capacity(operations), ..Round::default() }
    }

    pub(super) fn add(&mut self, other: Round) {
        self.seen.extend(other.seen);
        self.changes.extend(other.changes);
        self.own_stale += other.own_stale;
        self.local += other.local;
    }
}

/// What came of the rounds.
#[derive(Default)]
pub(super) struct Counts {
    reads: u64,
    loads: u64,
    pub(super) own_stale: u64,
    pub(super) too_old: u64,
    /// Older than what had completed anywhere, and not necessarily too old.
    behind: u64,
    local: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Counts) {
        self.reads += other.reads;
        self.loads += other.loads;
        self.own_stale += other.own_stale;
        self.too_old += other.too_old;
        self.behind += other.behind;
        self.local += other.local;
    }

    pub(super) fn print(&self, who: &str, thousands_a_second: f64) {
        let in_a_million = |some: u64| some as f64 / self.reads as f64 * 1e6;
        println!(
            "      {who}: {thousands_a_second:.1} thousand operations a second, {:.3} of the reads \
             without a load",
            1.0 - self.loads as f64 / self.reads as f64
        );
        println!(
            "      {who}: stale reads in a million: {:.0} of the own process, {:.0} older than the bound, \
             {:.0} older than any invalidation; {} invalidations not shared in time",
            in_a_million(self.own_stale),
            in_a_million(self.too_old),
            in_a_million(self.behind),
            self.local
        );
    }
}

/// As a process tells them.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { reads, loads, own_stale, too_old, behind, local } = self;
        write!(f, "{reads} {loads} {own_stale} {too_old} {behind} {local}")
    }
}

impl FromStr for Counts {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [reads, loads, own_stale, too_old, behind, local] = numbers[..] else {
            anyhow::bail!("a process told {line:?}");
        };
        Ok(Counts { reads, loads, own_stale, too_old, behind, local })
    }
}

/// The source as one process has it.
pub(super) struct Ledger {
    place: PathBuf,
    index: usize,
    of: usize,
    source: File,
    /// The versions of the keys that this process updates.
    versions: Mutex<Vec<u64>>,
    /// The version whose invalidation has completed in this process, by key.
    pub(super) invalidated: Vec<AtomicU64>,
    loads: AtomicU64,
    known: Mutex<Known>,
}

impl Ledger {
    pub(super) fn open(place: &Path, index: usize, of: usize) -> anyhow::Result<Self> {
        let source = OpenOptions::new().read(true).write(true).open(place.join(SOURCE))?;
        Ok(Ledger {
            place: place.to_owned(),
            index,
            of,
            source,
            versions: Mutex::new(vec![0; KEYS as usize]),
            invalidated: (0..KEYS).map(|_| AtomicU64::new(0)).collect(),
            loads: AtomicU64::new(0),
            known: Mutex::default(),
        })
    }

    /// Reads its version first and is slow after that, as a query is that works on a snapshot.
    pub(super) async fn load(&self, key: u32) -> Page {
        let mut version = [0; 8];
        self.source.read_exact_at(&mut version, 8 * u64::from(key)).expect("every key has a version");
        self.loads.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(LOAD_TIME).await;
        Page::of(u64::from(key), u64::from_le_bytes(version))
    }

    /// The next version of a key that this process updates, from now on.
    pub(super) fn change(&self, key: u32) -> u64 {
        let mut versions = self.versions.lock().expect("nobody panics with it");
        let version = &mut versions[key as usize];
        *version += 1;
        let written = self.source.write_all_at(&version.to_le_bytes(), 8 * u64::from(key));
        written.expect("the source takes it");
        *version
    }

    /// Tells all processes what this one has changed.
    pub(super) fn tell(&self, round: &Round) -> anyhow::Result<()> {
        let changes: Vec<(u32, u64, u64)> = round
            .changes
            .iter()
            .map(|change| (change.key, change.version, change.known_at))
            .collect();
        let mut file = BufWriter::new(File::create(self.changes_of(self.index))?);
        serde_json::to_writer(&mut file, &changes)?;
        Ok(file.flush()?)
    }

    fn changes_of(&self, index: usize) -> PathBuf {
        self.place.join(format!("changes of {index}"))
    }

    /// Judges what this process has read, once all have told what they changed.
    pub(super) fn judge(&self, round: &Round) -> anyhow::Result<Counts> {
        let mut known = self.known.lock().expect("nobody panics with it");
        let mut changes: Vec<(u32, u64, u64)> = Vec::new();
        for index in 0..self.of {
            let file = BufReader::new(File::open(self.changes_of(index))?);
            changes.extend(serde_json::from_reader::<_, Vec<(u32, u64, u64)>>(file)?);
        }
        known.learn(changes);
        let bound = u64::try_from(STALENESS_MAX.as_nanos()).unwrap_or(u64::MAX);
        let older =
            |seen: &&Seen, by: u64| known.at(seen.key, seen.began.saturating_sub(by)) > seen.version;
        Ok(Counts {
            reads: round.seen.len() as u64,
            loads: self.loads.swap(0, Ordering::Relaxed),
            own_stale: round.own_stale,
            too_old: round.seen.iter().filter(|seen| older(seen, bound)).count() as u64,
            behind: round.seen.iter().filter(|seen| older(seen, 0)).count() as u64,
            local: round.local,
        })
    }
}

/// When which version of a key became known, in any process.
#[derive(Default)]
struct Known(HashMap<u32, Vec<(u64, u64)>>);

impl Known {
    /// What became known in one round: later than what is known of those before.
    fn learn(&mut self, mut changes: Vec<(u32, u64, u64)>) {
        changes.sort_unstable_by_key(|(_, _, known_at)| *known_at);
        for (key, version, known_at) in changes {
            let of_key = self.0.entry(key).or_default();
            let highest = of_key.last().map_or(version, |(_, before)| version.max(*before));
            of_key.push((known_at, highest));
        }
    }

    /// The version that was known then: the first, where nothing was.
    fn at(&self, key: u32, at: u64) -> u64 {
        let Some(of_key) = self.0.get(&key) else { return 0 };
        let until = of_key.partition_point(|(known_at, _)| *known_at <= at);
        of_key[..until].last().map_or(0, |(_, version)| *version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_from_when_it_was_known() {
        let mut known = Known::default();
        known.learn(vec![(7, 1, 300), (7, 2, 200)]);
        assert_eq!(known.at(7, 199), 0);
        assert_eq!(known.at(7, 200), 2);
        assert_eq!(known.at(7, 300), 2);
        assert_eq!(known.at(8, 300), 0);
    }

    #[test]
    fn counts_are_told_and_understood() {
        let told = "1 2 3 4 5 6";
        assert_eq!(told.parse::<Counts>().unwrap().to_string(), told);
        assert!("1 2".parse::<Counts>().is_err());
    }
}
