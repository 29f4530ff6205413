//! The benchmarks: which question each answers, the line that answers it, and what it needs. Outside CI.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::lines::{Budget, Form};
use crate::steps::Step::{self, Package, Run};
use crate::steps::{self, REDIS};

/// The most that one benchmark may take.
const BENCH_MAX: Duration = Duration::from_secs(60 * 60);

/// A benchmark that the README can point to.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    question: &'static str,
    steps: &'static [Step],
}

/// Counts instructions.
const VALGRIND: Step = Package { name: "valgrind", program: "/usr/bin/valgrind" };

pub(crate) const BENCHES: &[Bench] = &[
    Bench {
        name: "tidy",
        question: "What does one run of the tidy rules over the whole repository take? The bound is 2 s.",
        steps: &[Run("cargo xtask tidy")],
    },
    Bench {
        name: "hits",
        question: "What does a memory hit through get-or-load cost, beside quick_cache's own?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- hits")],
    },
    Bench {
        name: "instructions",
        question: "The same in instructions, counted by callgrind: for machines with much noise.",
        steps: &[
            VALGRIND,
            Run("cargo run --release --manifest-path bench/Cargo.toml -- instructions"),
        ],
    },
    Bench {
        name: "attributes",
        question: "What does an attribute cost, beside the call that one would write by hand?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- attributes")],
    },
    Bench {
        name: "mixed",
        question: "How many reads are stale under a mixed load, and how fast is it beside moka?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- mixed")],
    },
    Bench {
        name: "hit-ratio",
        question: "Does memory keep the right entries, beside quick_cache?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- hit-ratio")],
    },
    Bench {
        name: "memory",
        question: "What does an entry take of the process's memory?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- memory")],
    },
    Bench {
        name: "tags",
        question: "Does invalidating a tag cost more the more entries have it?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- tags")],
    },
    Bench {
        name: "warm-restart",
        question: "How warm is a process in its first 5 s, with the hot keys of the one before?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- warm-restart")],
    },
    Bench {
        name: "races",
        question: "In how many rounds of each race does Larder serve an old value?",
        steps: &[Run("cargo run --release --manifest-path bench/Cargo.toml -- races")],
    },
    Bench {
        name: "races-memory",
        question: "In how many do moka, foyer and cached?",
        steps: &[Run("cargo run --release --manifest-path bench/peers-memory/Cargo.toml -- races")],
    },
    Bench {
        name: "races-tiers",
        question: "In how many do multi-tier-cache and oxcache?",
        steps: &[Run("cargo run --release --manifest-path bench/peers-tiers/Cargo.toml -- races")],
    },
    Bench {
        name: "hits-tiers",
        question: "What does a memory hit cost in multi-tier-cache and oxcache, beside Larder's?",
        steps: &[Run("cargo run --release --manifest-path bench/peers-tiers/Cargo.toml -- hits")],
    },
    Bench {
        name: "l2-hit",
        question: "What does a hit in the shared tier cost, beside a bare client and the peers?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- l2-hit"),
        ],
    },
    Bench {
        name: "batch",
        question: "The same for 100 keys at once; and is that one round trip?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- batch"),
        ],
    },
    Bench {
        name: "cold-key",
        question: "4 processes with 1,000 callers each ask one cold key: how many loads, how long?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- cold-key"),
        ],
    },
    Bench {
        name: "invalidation",
        question: "How long after an invalidation returned has another node applied it?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- invalidation"),
        ],
    },
    Bench {
        name: "outbox-relay",
        question: "How long after a commit has every other node applied what it named, beside a bare PUBLISH?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- outbox-relay"),
        ],
    },
    Bench {
        name: "fleet-mixed",
        question: "How many reads are stale in one process and in three, and how fast is it beside code by hand?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- fleet-mixed"),
        ],
    },
    Bench {
        name: "outage",
        question: "What do readers notice while Redis is away?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- outage"),
        ],
    },
    Bench {
        name: "scan",
        question: "What do other commands notice while a pattern is sought, or keys are counted, among a million?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- scan"),
        ],
    },
    Bench {
        name: "faults",
        question: "Under the same faults, how many answers of multi-tier-cache and of Larder are stale, how many fail?",
        steps: &[
            REDIS,
            Run("cargo run --release --manifest-path bench/redis-bench/Cargo.toml -- faults"),
        ],
    },
    Bench {
        name: "write-behind",
        question: "What do acknowledged writes gain from sharing an fsync, and what is the source spared?",
        steps: &[Run(
            "cargo run --release --manifest-path bench/write-bench/Cargo.toml -- write-behind",
        )],
    },
    Bench {
        name: "arcade-reads",
        question: "What does the cache save Arcade under a Zipf load over every read route?",
        steps: &[Run("cargo run --release --manifest-path bench/arcade-bench/Cargo.toml -- reads")],
    },
    Bench {
        name: "arcade-buyers",
        question: "Do 64 buyers of one item get exactly what is there, and do the books agree?",
        steps: &[Run("cargo run --release --manifest-path bench/arcade-bench/Cargo.toml -- buyers")],
    },
    Bench {
        name: "arcade-malformed",
        question: "Does Arcade survive 10,000 malformed requests?",
        steps: &[Run(
            "cargo run --release --manifest-path bench/arcade-bench/Cargo.toml -- malformed",
        )],
    },
];

/// Runs the benchmark `name`, or lists them all.
///
/// # Errors
/// There is no such benchmark, or it failed.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else {
        println!("{}", help());
        return Ok(());
    };
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        bail!("no benchmark is called {name:?}; `cargo xtask bench` lists them");
    };
    println!("{}", bench.question);
    let budget = Budget::of(BENCH_MAX);
    steps::run(bench.steps, Form::Short, &budget).with_context(|| format!("benchmark {name:?}"))
}

/// What `cargo xtask bench --help` prints.
pub(crate) fn help() -> String {
    let mut text = String::from("cargo xtask bench [NAME]\n");
    for Bench { name, question, steps } in BENCHES {
        write!(text, "\n  {name:<16} {question}\n").expect("a String takes all text");
        for step in *steps {
            let told = match step {
                Run(line) => format!("{:16} {line}", ""),
                Package { name, .. } => format!("{:16} installs {name} where it is missing", ""),
                _ => continue,
            };
            writeln!(text, "  {told}").expect("a String takes all text");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_benchmark_is_refused_by_name() {
        assert!(run(Some("no-such")).unwrap_err().to_string().contains("\"no-such\""));
        assert!(run(None).is_ok());
    }

    #[test]
    fn names_of_benchmarks_are_unique() {
        let mut names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), BENCHES.len());
    }

    #[test]
    fn what_a_benchmark_needs_is_installed_before_it_runs() {
        for (needs, package) in [("redis-bench", "redis-server"), ("-- instructions", "valgrind")] {
            let in_need = |bench: &&Bench| {
                let line = bench.steps.last();
                matches!(line, Some(Run(line)) if line.contains(needs))
            };
            let mut named = BENCHES.iter().filter(in_need).peekable();
            assert!(named.peek().is_some(), "{needs}");
            for bench in named {
                let first = bench.steps.first();
                assert!(
                    matches!(first, Some(Package { name, .. }) if *name == package),
                    "{}",
                    bench.name
                );
            }
        }
    }
}
