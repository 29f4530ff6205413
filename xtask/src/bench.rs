//! The benchmarks: which question each answers, and the line that answers it. Outside CI.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::lines::{Budget, run as run_line};

/// The most that one benchmark may take.
const BENCH_MAX: Duration = Duration::from_secs(60 * 60);

/// A benchmark that the README can point to.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    question: &'static str,
    line: &'static str,
}

pub(crate) const BENCHES: &[Bench] = &[Bench {
    name: "tidy",
    question: "What does one run of the tidy rules over the whole repository take? The bound is 2 s.",
    line: "cargo xtask tidy",
}];

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
    run_line(bench.line, &Budget::of(BENCH_MAX)).with_context(|| format!("benchmark {name:?}"))
}

/// What `cargo xtask bench --help` prints.
pub(crate) fn help() -> String {
    let mut text = String::from("cargo xtask bench [NAME]\n");
    for Bench { name, question, line } in BENCHES {
        write!(text, "\n  {name:<12} {question}\n  {:12} {line}\n", "")
            .expect("a String takes all text");
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
}
