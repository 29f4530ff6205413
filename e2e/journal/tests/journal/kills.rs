//! Processes and servers that are killed, at every named point and at any moment: no acknowledged
//! write is lost, done twice or overtaken.

use larder_journal_crashes::crashing::POINTS;
use larder_rig::Stopwatch;

use crate::scene::Scene;

/// A writer for each of `counts` dies when it is at a point for the `count`-th time.
async fn die_at_each_point(new_scene: fn() -> Scene, counts: &[usize]) {
    for point in POINTS {
        let mut scene = new_scene();
        let deaths = counts.iter().filter(|count| scene.run_until(point, **count)).count();
        scene.check(point).await;
        println!("{point:<24} {deaths} deaths, {} acknowledged writes", scene.told.writes);
        assert!(deaths > 0, "{point} is never passed");
    }
}

#[tokio::test]
async fn whoever_dies_at_any_named_point_loses_nothing_and_does_nothing_twice() {
    die_at_each_point(Scene::of_file, &[1, 1, 2, 2, 5, 5]).await;
}

#[tokio::test]
async fn whoever_dies_at_any_named_point_finds_everything_in_the_stream() {
    // Half as many as for a file: each waits for the lease of the one before it.
    die_at_each_point(Scene::of_stream, &[1, 2, 5]).await;
}

/// Kills by `kill`, which is given a number of lines and the number of the cycle.
async fn is_killed_at_any_moment(mut scene: Scene, kill: fn(&mut Scene, usize, usize)) {
    let (cycles, mut dice) = (cycles(), 0x6B31_1C95_u64);
    let (seed, began) = (dice, Stopwatch::started());
    for cycle in 0..cycles {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Few lines: a process may die while it reads its journal, before its first write.
        kill(&mut scene, (dice >> 33) as usize % 400, cycle);
        if cycle % 5 == 4 {
            scene.check(&format!("cycle {cycle}")).await;
        }
    }
    scene.check("the end").await;
    println!(
        "seed {seed:#x}: {cycles} kills, {} acknowledged writes of {} keys, 0 lost, 0 twice, 0 out of order, {:?}",
        scene.told.writes,
        scene.told.acknowledged.len(),
        began.elapsed(),
    );
    assert!(scene.told.writes > cycles, "hardly anything was written before the kills");
}

#[tokio::test]
async fn kill_9_at_any_moment_loses_nothing_and_does_nothing_twice() {
    is_killed_at_any_moment(Scene::of_file(), |scene, lines, _| scene.kill_after(lines)).await;
}

#[tokio::test]
async fn kill_9_of_process_or_server_at_any_moment_loses_nothing_of_the_stream() {
    is_killed_at_any_moment(Scene::of_stream(), |scene, lines, cycle| match cycle % 2 {
        0 => scene.kill_after(lines),
        _ => scene.kill_server_after(lines),
    })
    .await;
}

/// 50, or what the nightly run asks for.
#[expect(clippy::disallowed_methods, reason = "the environment says how long a test run may be")]
fn cycles() -> usize {
    let asked = std::env::var("LARDER_KILL_CYCLES").ok();
    asked.and_then(|cycles| cycles.parse().ok()).unwrap_or(50)
}
