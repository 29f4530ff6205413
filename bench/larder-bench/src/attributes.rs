//! What does an attribute cost, beside the call that one would write by hand? A hit, and a write that
//! goes through.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::OnceLock;

use larder::{Cache, Hit, cache_write_through, cacheable};
use tokio::runtime::{Builder, Handle};
use yardstick::clocks::on_cpu;
use yardstick::home;
use yardstick::rounds::{Rounds, interleave};
use yardstick::verdict::{Bound, Verdict};

pub(crate) const ROUNDS: usize = 201;
/// Calls of one side in one round.
const CALLS: u64 = 20_000;
/// Hot keys.
const KEYS: u64 = 1_000;
/// An attribute takes at most this many times as long.
const RATIO_MAX: f64 = 1.05;

type Prices = Cache<u64, u64>;

/// Where both sides find the cache: a function's arguments are all given to its source, so that one
/// with the cache among them would carry more than what is written by hand here.
static PRICES: OnceLock<Prices> = OnceLock::new();

fn prices() -> &'static Prices {
    PRICES.get().expect("the first thing that is made")
}

async fn price_of(id: u64) -> Result<u64, Infallible> {
    Ok(id)
}

#[cacheable(cache = prices(), key = id)]
async fn price(id: u64) -> Result<u64, Infallible> {
    price_of(id).await
}

async fn price_by_hand(id: u64) -> Result<Hit<u64>, larder::Error> {
    prices().get_or_load(&id, move |_| price_of(id)).await
}

#[cache_write_through(cache = prices(), key = id)]
async fn set_price(id: u64) -> Result<u64, Infallible> {
    price_of(id).await
}

async fn set_price_by_hand(id: u64) -> Result<Hit<u64>, Infallible> {
    let written = prices().write_through(&id, || price_of(id)).run().await?;
    Ok(written.answer)
}

/// Lets attribute and hand take turns.
///
/// # Errors
/// A bound was not kept.
pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = runtime.enter();
    let node = home::with_room(2 * KEYS).build()?;
    let made = PRICES.set(node.cache("prices").fresh_for(home::FRESH_FOR).build()?);
    made.map_err(|_| anyhow::anyhow!("one process asks once"))?;
    let handle = runtime.handle();
    let mut verdict = Verdict::default();
    let hits = interleave(
        rounds,
        &mut [
            &mut || calls(handle, async |id| **price(id).await.as_ref().expect("it loads")),
            &mut || calls(handle, async |id| **price_by_hand(id).await.as_ref().expect("it loads")),
        ],
    );
    judge(&mut verdict, "a hit", &hits);
    let writes = interleave(
        rounds,
        &mut [
            &mut || calls(handle, async |id| **set_price(id).await.as_ref().expect("it writes")),
            &mut || {
                calls(handle, async |id| **set_price_by_hand(id).await.as_ref().expect("it writes"))
            },
        ],
    );
    judge(&mut verdict, "a write through", &writes);
    verdict.end()
}

fn calls(handle: &Handle, call: impl AsyncFn(u64) -> u64) -> std::time::Duration {
    on_cpu(|| {
        handle.block_on(async {
            for number in 0..CALLS {
                black_box(call(number % KEYS).await);
            }
        })
    })
}

fn judge(verdict: &mut Verdict, what: &str, rounds: &Rounds) {
    let [attribute, hand] = [0, 1].map(|side| rounds.median_ns(side) / CALLS as f64);
    println!("      {what}: attribute {attribute:.1} ns, by hand {hand:.1} ns");
    let ratio = rounds.ratio(0, 1);
    verdict.judge(&format!("{what}, attribute / by hand"), ratio, Bound::AtMost(RATIO_MAX));
}
