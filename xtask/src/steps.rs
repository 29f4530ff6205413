//! What the tables are made of: lines, and packages that are installed where they are missing. Knows no
//! layer and no benchmark.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;

use crate::lines::{Budget, Form, root, run as run_line, spelled, succeeds};

/// One thing that a layer or a benchmark does.
pub(crate) enum Step {
    /// Runs this line.
    Run(&'static str),
    /// Runs `line` where `probe` succeeds, else `fallback`, which checks the same.
    Preferred { line: &'static str, probe: &'static str, fallback: &'static str },
    /// Installs this Debian package where `program`, an absolute path in which one folder may be
    /// any (`*`), is missing.
    Package { name: &'static str, program: &'static str },
    /// Runs every example of the package in this folder.
    Examples(&'static str),
}

/// The server of tests and benchmarks that share through Redis.
pub(crate) const REDIS: Step =
    Step::Package { name: "redis-server", program: "/usr/bin/redis-server" };

/// Runs steps in order, until one fails.
///
/// # Errors
/// One failed, or the time is over.
pub(crate) fn run(steps: &[Step], form: Form, budget: &Budget) -> anyhow::Result<()> {
    for step in steps {
        for line in lines(step)? {
            run_line(&spelled(&line, form)?, budget)?;
        }
    }
    Ok(())
}

/// The lines that a step comes to on this machine.
pub(crate) fn lines(step: &Step) -> anyhow::Result<Vec<String>> {
    Ok(match *step {
        Step::Run(line) => vec![line.into()],
        Step::Preferred { line, probe, .. } if succeeds(probe)? => vec![line.into()],
        Step::Preferred { fallback, .. } => vec![fallback.into()],
        Step::Package { program, .. } if is_there(program)? => Vec::new(),
        Step::Package { name, .. } => installation(name),
        Step::Examples(package) => examples(package)?,
    })
}

/// Whether the program exists; one folder of its path may be any, written `*`.
fn is_there(program: &str) -> anyhow::Result<bool> {
    let Some((folder, rest)) = program.split_once("/*/") else {
        return Ok(Path::new(program).exists());
    };
    match fs::read_dir(folder) {
        Ok(mut inside) => {
            Ok(inside.any(|entry| entry.is_ok_and(|entry| entry.path().join(rest).exists())))
        }
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault).with_context(|| format!("cannot list {folder}")),
    }
}

/// What installs a Debian package. It needs root, and the line that fails says so.
fn installation(package: &str) -> Vec<String> {
    vec![
        "apt-get update".into(),
        format!(
            "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {package}"
        ),
    ]
}

/// A line for each example of the package, built already and found on disk so that none can be forgotten.
fn examples(package: &str) -> anyhow::Result<Vec<String>> {
    let folder = root().join(package).join("examples");
    if !folder.exists() {
        println!("{package} has no examples");
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let runs = path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists();
        names.extend(
            path.file_stem().filter(|_| runs).map(|name| name.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    let run = names.iter().map(|name| format!("{}/debug/examples/{name}", target()));
    Ok(run.collect())
}

/// Where cargo builds.
#[expect(clippy::disallowed_methods, reason = "cargo takes it from there, too")]
fn target() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_runs_where_the_preferred_program_is_missing() {
        let step = Step::Preferred { line: "fast", probe: "no-such-program-here", fallback: "slow" };
        assert_eq!(lines(&step).unwrap(), ["slow"]);
        let step = Step::Preferred { line: "fast", probe: "true", fallback: "slow" };
        assert_eq!(lines(&step).unwrap(), ["fast"]);
    }

    #[test]
    fn a_package_is_installed_where_its_program_is_missing() {
        let step = Step::Package { name: "some", program: "/no/such/folder/*/bin/program" };
        let install =
            "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends some";
        assert_eq!(lines(&step).unwrap(), ["apt-get update", install]);
        let root = root().display();
        let program: &'static str = format!("{root}/*/src/layers.rs").leak();
        assert!(lines(&Step::Package { name: "some", program }).unwrap().is_empty());
    }
}
