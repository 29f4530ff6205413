//! Runs the layers of tests in order, stops at the first that fails, and says what each took.
//! Does not know which layers there are.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::layers::{Layer, Step};
use crate::lines::{Budget, Form, root, run as run_line, spelled, succeeds};

/// The most that all layers may take together: what a reviewer waits for.
const SHORT_MAX: Duration = Duration::from_secs(45 * 60);
/// The most that all layers may take together in their long form.
const LONG_MAX: Duration = Duration::from_secs(120 * 60);

/// Runs `layers` and prints a table of their times.
///
/// # Errors
/// A layer failed, or the time is over. Names the layer.
pub(crate) fn run<'l>(layers: impl IntoIterator<Item = &'l Layer>, form: Form) -> anyhow::Result<()> {
    let whole = match form {
        Form::Short => SHORT_MAX,
        Form::Long => LONG_MAX,
    };
    let budget = Budget::of(whole);
    let mut times = Vec::new();
    let ended = layers.into_iter().try_for_each(|layer| {
        println!("\n── {}", layer.name);
        let begun = budget.spent();
        let ended = run_layer(layer, form, &budget);
        times.push((layer.name, budget.spent() - begun));
        ended.with_context(|| format!("layer {:?} failed", layer.name))
    });
    println!("{}", closing_table(&times, budget.spent()));
    ended?;
    if budget.left().is_zero() {
        bail!(
            "every layer passed, but together they took more than {} minutes",
            whole.as_secs() / 60
        );
    }
    println!("every layer passed");
    Ok(())
}

fn run_layer(layer: &Layer, form: Form, budget: &Budget) -> anyhow::Result<()> {
    for step in layer.steps {
        for line in lines(step)? {
            run_line(&spelled(&line, form)?, budget)?;
        }
    }
    Ok(())
}

fn lines(step: &Step) -> anyhow::Result<Vec<String>> {
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

fn closing_table(times: &[(&str, Duration)], total: Duration) -> String {
    let mut table = String::from("\nlayer               time\n");
    for (name, time) in times.iter().chain([&("together", total)]) {
        writeln!(table, "{name:<16} {:>5.1} s", time.as_secs_f64()).expect("a String takes all text");
    }
    table
}

/// What `cargo xtask test --help` prints.
pub(crate) fn help(layers: &[Layer], nightly: &[Layer]) -> String {
    let named =
        |layers: &[Layer]| layers.iter().map(|layer| layer.name).collect::<Vec<_>>().join(", ");
    let (names, more) = (named(layers), named(nightly));
    format!(
        "cargo xtask test [--nightly]\n\n\
         Runs the layers {names}, in this order, and stops at the first that fails.\n\
         Fails when they take more than {} minutes together.\n\n  \
         --nightly   the long form of each layer that has one, and {more}; at most {} minutes",
        SHORT_MAX.as_secs() / 60,
        LONG_MAX.as_secs() / 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::of;

    const PASSES: Layer = Layer { name: "passes", steps: &[Step::Run("true")] };
    const FAILS: Layer = Layer { name: "fails", steps: &[Step::Run("false")] };
    const ABSENT: Layer = Layer { name: "absent", steps: &[Step::Run("no-such-program-here")] };

    #[test]
    fn the_first_layer_that_fails_stops_the_run_and_is_named() {
        let error = run(&[PASSES, FAILS, ABSENT], Form::Short).unwrap_err();
        assert_eq!(error.to_string(), "layer \"fails\" failed");
        assert!(run(&[PASSES, ABSENT], Form::Short).is_err());
        assert!(run(&[PASSES], Form::Short).is_ok());
    }

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

    #[test]
    fn every_line_of_the_table_can_be_spelled_in_both_forms() {
        for line in of(Form::Long).flat_map(|layer| layer.steps).map(|step| lines(step).unwrap()) {
            for line in line {
                assert!(
                    spelled(&line, Form::Short).is_ok() && spelled(&line, Form::Long).is_ok(),
                    "{line}"
                );
                // A line is words, read by no shell.
                let long = spelled(&line, Form::Long).unwrap();
                assert!(!long.contains(['$', '|', '&', ';', '*']), "{long} needs a shell");
            }
        }
    }

    #[test]
    fn the_closing_table_has_a_row_for_each_layer_and_the_sum() {
        let table = closing_table(&[("format", Duration::from_millis(1500))], Duration::from_secs(2));
        assert!(
            table.contains("format             1.5 s") && table.contains("together           2.0 s"),
            "{table}"
        );
    }
}
