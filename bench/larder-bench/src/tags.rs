//! Does invalidating a tag cost more the more entries have it? Ten entries against a million, in
//! one node; each round takes a tag that was not invalidated before.

use std::convert::Infallible;

use larder::{Cache, Larder, Loaded, Position};
use tokio::runtime::Builder;
use yardstick::clocks::elapsed;
use yardstick::home;
use yardstick::rounds::interleave;
use yardstick::verdict::{Bound, Verdict};

const FEW: u64 = 10;
const MANY: u64 = 1_000_000;
/// An entry has a tag for each round; the log names at most 64 of an entry.
const ROUNDS_MAX: usize = 32;
pub(crate) const ROUNDS: usize = 21;
/// The million may take this many times as long as the ten.
const RATIO_MAX: f64 = 2.0;

/// Invalidates and compares.
///
/// # Errors
/// A bound was not kept, or there are too many rounds.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    anyhow::ensure!(rounds <= ROUNDS_MAX, "--rounds is at most {ROUNDS_MAX} here");
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let (larder, cache) = home::node::<u64, u64>(MANY * 5 / 4)?;
    runtime.block_on(filled(&cache, rounds))?;
    let there = cache.stats().entries;
    anyhow::ensure!(there > MANY * 99 / 100, "only {there} entries are there");
    let mut appended = [Vec::new(), Vec::new()];
    let [of_few, of_many] = &mut appended;
    let [mut few, mut many] = [0, 0];
    let measured = interleave(
        rounds,
        &mut [
            &mut || elapsed(|| of_few.push(runtime.block_on(records(&larder, "few", &mut few)))),
            &mut || elapsed(|| of_many.push(runtime.block_on(records(&larder, "many", &mut many)))),
        ],
    );
    anyhow::ensure!(runtime.block_on(survivors(&cache)) == 0, "an invalidated entry was served");
    let mut verdict = Verdict::default();
    for (name, records) in ["ten", "a million"].iter().zip(&appended) {
        let most = records.iter().copied().max().unwrap_or(u64::MAX);
        verdict.judge(
            &format!("records appended for {name}, at most"),
            most as f64,
            Bound::AtMost(1.0),
        );
    }
    println!("      ten {:.0} ns, a million {:.0} ns", measured.median_ns(0), measured.median_ns(1));
    verdict.judge("a million / ten, time", measured.ratio(1, 0), Bound::AtMost(RATIO_MAX));
    verdict.end()
}

async fn filled(cache: &Cache<u64, u64>, rounds: usize) -> anyhow::Result<()> {
    for key in 0..FEW + MANY {
        let size = if key < FEW { "few" } else { "many" };
        let load = move |_| async move {
            let tags = (0..=rounds).map(|round| format!("{size}-{round}"));
            Ok::<_, Infallible>(tags.fold(Loaded::value(key), Loaded::tag))
        };
        cache.get_or_load(&key, load).await?;
    }
    Ok(())
}

/// Invalidates the next tag of this size, and tells how many records that appended.
async fn records(larder: &Larder, size: &str, round: &mut usize) -> u64 {
    let before = sequence(&larder.position());
    let tag = format!("{size}-{round}");
    *round += 1;
    let invalidated = larder.invalidate_tag(tag.as_str()).await;
    invalidated.position().map_or(u64::MAX, sequence) - before
}

/// The sequence number in the text of a position, which is `shard@epoch:sequence`.
fn sequence(position: &Position) -> u64 {
    let text = position.to_string();
    text.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

async fn survivors(cache: &Cache<u64, u64>) -> usize {
    (0..FEW + MANY).step_by(999).filter(|key| cache.peek(key).is_some()).count()
}
