//! Processes that are killed, at every named point and at any moment: no acknowledged write is
//! lost, done twice or overtaken.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use larder_rig::Stopwatch;
use tempfile::TempDir;

use crate::child::Orders;
use crate::crashing::POINTS;
use crate::ledger::{Told, check};

/// Numbers that a writer would write to each key if it lived.
const NUMBERS: u64 = 1_000_000;
/// Numbers that each writer of a process writes that dies at a point. The last one of the key that is
/// picked at is rejected, so that there is something to park.
const FEW: u64 = 63;

/// A journal and a source that many processes use, one after the other.
struct Scene {
    directory: TempDir,
    told: Told,
    next: u64,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Scene { directory, told: Told::default(), next: 1 }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn orders(&self, count: u64) -> Orders {
        Orders { directory: self.path().to_owned(), first: self.next, count, doom: None }
    }

    /// Runs a process that dies at this point. False: it never got there, and ended by itself.
    fn run_until(&mut self, point: &str, count: usize) -> bool {
        let doom = Some((point.to_owned(), count));
        let child = Orders { doom, ..self.orders(FEW) }.start();
        let ended = child.wait_with_output().expect("it ends");
        self.hear(&String::from_utf8(ended.stdout).expect("text"));
        let died = ended.status.signal().is_some();
        assert!(died || ended.status.success(), "it failed instead of dying at {point}");
        died
    }

    /// Runs a process and kills it once it has said so many lines.
    fn kill_after(&mut self, lines: usize) {
        let mut child = self.orders(NUMBERS).start();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut text = String::new();
        for _ in 0..lines {
            out.read_line(&mut text).expect("text");
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        out.read_to_string(&mut text).expect("text");
        self.hear(&text);
    }

    /// Runs a process that writes nothing: it flushes what the others left.
    fn settle(&mut self) {
        let child = self.orders(0).start();
        let out = child.wait_with_output().expect("it ends").stdout;
        let out = String::from_utf8(out).expect("text");
        assert!(out.lines().any(|line| line == "left 0"), "the journal is not empty: {out}");
        self.told.parked.clear();
        self.hear(&out);
    }

    fn hear(&mut self, out: &str) {
        for line in out.lines() {
            let mut words = line.split(' ');
            let verb = words.next();
            let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
            match (verb, numbers.as_slice()) {
                (Some("asked"), [key, number]) => {
                    self.told.asked.insert(*key, *number);
                    self.next = self.next.max(number + 1);
                }
                (Some("acknowledged"), [key, number, sequence]) => {
                    self.told.writes += 1;
                    self.told.acknowledged.insert(*key, (*number, *sequence));
                }
                (Some("parked"), [sequence]) => {
                    self.told.parked.insert(*sequence);
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn whoever_dies_at_any_named_point_loses_nothing_and_does_nothing_twice() {
    for point in POINTS {
        let mut scene = Scene::new();
        let counts = [1, 1, 2, 2, 5, 5];
        let deaths = counts.map(|count| usize::from(scene.run_until(point, count)));
        scene.settle();
        check(&scene.path().join("source"), &scene.told, point).await;
        let deaths: usize = deaths.iter().sum();
        println!("{point:<24} {deaths} deaths, {} acknowledged writes", scene.told.writes);
        assert!(deaths > 0, "{point} is never passed");
    }
}

#[tokio::test]
async fn kill_9_at_any_moment_loses_nothing_and_does_nothing_twice() {
    let (cycles, mut dice) = (cycles(), 0x6B31_1C95_u64);
    let (seed, began) = (dice, Stopwatch::started());
    let mut scene = Scene::new();
    for cycle in 0..cycles {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Few lines: a process may die while it reads its journal, before its first write.
        scene.kill_after((dice >> 33) as usize % 400);
        if cycle % 5 == 4 {
            scene.settle();
            check(&scene.path().join("source"), &scene.told, &format!("cycle {cycle}")).await;
        }
    }
    scene.settle();
    check(&scene.path().join("source"), &scene.told, "the end").await;
    println!(
        "seed {seed:#x}: {cycles} kills, {} acknowledged writes of {} keys, 0 lost, 0 twice, 0 out of order, {:?}",
        scene.told.writes,
        scene.told.acknowledged.len(),
        began.elapsed(),
    );
    assert!(scene.told.writes > cycles, "hardly anything was written before the kills");
}

/// 50, or what the nightly run asks for.
#[expect(clippy::disallowed_methods, reason = "the environment says how long a test run may be")]
fn cycles() -> usize {
    let asked = std::env::var("LARDER_KILL_CYCLES").ok();
    asked.and_then(|cycles| cycles.parse().ok()).unwrap_or(50)
}
