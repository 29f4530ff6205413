//! Runs the layers of tests in order, stops at the first that fails, and says what each took.
//! Does not know which layers there are.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::layers::Layer;
use crate::lines::{Budget, Form};
use crate::steps;

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
        let ended = steps::run(layer.steps, form, &budget);
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
    use crate::lines::spelled;
    use crate::steps::{Step, lines};

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
