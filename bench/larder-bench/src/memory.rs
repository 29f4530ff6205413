//! What does an entry take of the process's memory? A million entries, each side in a process of
//! its own, the growth of what is resident divided by the entries that are really there.

use std::convert::Infallible;
use std::process::Command;

use anyhow::Context;
use quick_cache::sync::Cache as Quick;
use tokio::runtime::Builder;
use yardstick::verdict::{Bound, Verdict};
use yardstick::{home, keys};

const ENTRIES: u64 = 1_000_000;
/// A quarter more room than entries, so that nothing is evicted.
const ROOM: u64 = ENTRIES * 5 / 4;
const VALUE_BYTES: usize = 100;
const ENTRY_BYTES_MAX: f64 = 320.0;

/// Fills both sides and compares.
///
/// # Errors
/// The bound was not kept.
pub(crate) fn run() -> anyhow::Result<()> {
    let quick = filled("quick-cache")?;
    let larder = filled("larder")?;
    println!("      {VALUE_BYTES}-byte values, {}-byte keys, a million entries", keys::TEXT_BYTES);
    println!("      quick_cache {quick:.1} bytes, larder / quick_cache {:.2}", larder / quick);
    let mut verdict = Verdict::default();
    verdict.judge("resident bytes an entry, larder", larder, Bound::AtMost(ENTRY_BYTES_MAX));
    verdict.end()
}

fn filled(side: &str) -> anyhow::Result<f64> {
    let output = Command::new(std::env::current_exe()?).args(["memory", side]).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(output.status.success(), "{side}: {}", String::from_utf8_lossy(&output.stderr));
    told.trim().parse().with_context(|| format!("{side} answered {told:?}"))
}

/// What runs in the process of one side: fills it and prints the bytes an entry.
///
/// # Errors
/// There is no such side, or the system does not say what is resident.
pub(crate) fn fill(side: &str) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let bytes = match side {
        "larder" => runtime.block_on(larder_entry_bytes())?,
        "quick-cache" => quick_entry_bytes()?,
        _ => anyhow::bail!("no side is called {side:?}; there are larder and quick-cache"),
    };
    println!("{bytes}");
    Ok(())
}

fn value(key: u64) -> Vec<u8> {
    vec![key as u8; VALUE_BYTES]
}

async fn larder_entry_bytes() -> anyhow::Result<f64> {
    let before = resident_bytes()?;
    let (_larder, cache) = home::node::<String, Vec<u8>>(ROOM)?;
    for key in 0..ENTRIES {
        let load = move |_| async move { Ok::<_, Infallible>(value(key)) };
        cache.get_or_load(&keys::text(key), load).await?;
    }
    entry_bytes(before, cache.stats().entries)
}

fn quick_entry_bytes() -> anyhow::Result<f64> {
    let before = resident_bytes()?;
    let cache = Quick::new(ROOM as usize);
    for key in 0..ENTRIES {
        cache.insert(keys::text(key), value(key));
    }
    entry_bytes(before, cache.len() as u64)
}

fn entry_bytes(before: u64, entries: u64) -> anyhow::Result<f64> {
    let grown = resident_bytes()? - before;
    anyhow::ensure!(entries > ENTRIES * 99 / 100, "only {entries} entries are there");
    Ok(grown as f64 / entries as f64)
}

fn resident_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes: u64 = kibibytes.context("no VmRSS in /proc/self/status")?.trim().parse()?;
    Ok(kibibytes * 1024)
}
