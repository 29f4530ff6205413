//! Switches off one step of the protocol after the other and demands that something notices.

mod crew;
mod list;
mod schema;
mod workshop;

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, bail, ensure};

use crew::in_order;
use list::{CaughtBy, List, Mutant};
use workshop::{UNCHANGED, Workshop};

/// The line with which a run of the simulator tells what it found.
pub(crate) const FOUND: &str = "found: ";

/// Runs each mutant of the lists whose name contains `only`, and fails if one survives.
///
/// # Errors
/// A mutant no longer applies, does not build, survives, or has no such test.
pub(crate) fn hunt(root: &Path, lists: &[PathBuf], only: &str) -> Result<()> {
    let List { mutants, left_out } = list::read(lists)?;
    let numbered = (1..).zip(&mutants);
    let hunted: Vec<(u32, &Mutant)> =
        numbered.filter(|(_, mutant)| mutant.name.contains(only)).collect();
    let workshop = Workshop::furnish(root, &mutants)?;
    let workshop = workshop.build(hunted.iter().map(|(_, mutant)| &mutant.caught_by))?;
    let caught = |number, mutant: &Mutant| verdict(mutant, &workshop.run(number, &mutant.caught_by)?);
    in_order(
        &checks_of(&hunted),
        |check| {
            let caught = caught(UNCHANGED, check)?;
            ensure!(caught.is_none(), "{:?} fails also on the unchanged code", check.caught_by);
            Ok(())
        },
        |_, ()| {},
    )?;
    println!("{:66} {:>6}  caught by", "mutant", "model");
    let verdicts = in_order(
        &hunted,
        |(number, mutant)| {
            caught(*number, mutant).with_context(|| format!("mutant {:?}", mutant.name))
        },
        |(_, mutant), verdict| {
            let figure = mutant.figure.map_or("-".to_owned(), |figure| figure.to_string());
            println!("{:66} {figure:>6}  {}", mutant.name, verdict.as_deref().unwrap_or("NOTHING"));
        },
    )?;
    for left in left_out.iter().filter(|left| left.name.contains(only)) {
        println!("left out: {}: {}", left.name, left.why);
    }
    let survived = hunted.iter().zip(verdicts).filter(|(_, caught)| caught.is_none());
    let survivors: Vec<&str> = survived.map(|((_, mutant), _)| mutant.name.as_str()).collect();
    ensure!(survivors.is_empty(), "{} mutants survived: {}", survivors.len(), survivors.join("; "));
    Ok(())
}

/// One mutant for each run of checks that is to catch any.
fn checks_of<'m>(hunted: &[(u32, &'m Mutant)]) -> Vec<&'m Mutant> {
    let mut checks: Vec<&Mutant> = Vec::new();
    for (_, mutant) in hunted {
        if !checks.iter().any(|check| check.caught_by.runs_with(&mutant.caught_by)) {
            checks.push(mutant);
        }
    }
    checks
}

/// What caught the mutant; `None`: it survived.
fn verdict(mutant: &Mutant, output: &Output) -> Result<Option<String>> {
    let text = String::from_utf8_lossy(&output.stdout);
    match &mutant.caught_by {
        CaughtBy::Simulation => {
            if let Some(line) = text.lines().find_map(|line| line.strip_prefix(FOUND)) {
                return Ok(Some(line.to_owned()));
            }
            let errors = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => Ok(None),
                // A mutant may also trip an assertion of the cache itself.
                Some(101) => {
                    Ok(Some(format!("a panic: {}", errors.lines().nth(1).unwrap_or_default())))
                }
                _ => bail!("the simulator did not run: {errors}"),
            }
        }
        CaughtBy::Conformance(promise) | CaughtBy::Redis(promise) => {
            let broken = text.contains(&format!("BROKEN {promise}: "));
            ensure!(output.status.success() || broken, "the suite broke, but not {promise}:\n{text}");
            Ok(broken.then(|| promise.clone()))
        }
        CaughtBy::Directed(test)
        | CaughtBy::Promise(test)
        | CaughtBy::Shuttle(test)
        | CaughtBy::Fleet(test) => {
            ensure!(text.contains(&format!("test {test} ... ")), "there is no test called {test}");
            Ok((!output.status.success()).then(|| test.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn check(caught_by: CaughtBy, code: i32, text: &str, expected: Option<&str>) {
        let mutant = Mutant { name: "toy".to_owned(), figure: None, caught_by, sites: Vec::new() };
        let status = ExitStatus::from_raw(code << 8);
        let output =
            Output { status, stdout: text.into(), stderr: b"thread panicked\nat toy".to_vec() };
        assert_eq!(verdict(&mutant, &output).expect("a verdict").as_deref(), expected);
    }

    #[test]
    fn a_mutant_survives_only_if_what_should_catch_it_ran_and_passed() {
        check(CaughtBy::Simulation, 1, "found: seed 3, Bound\n", Some("seed 3, Bound"));
        check(CaughtBy::Simulation, 101, "", Some("a panic: at toy"));
        check(CaughtBy::Simulation, 0, "", None);
        let directed = || CaughtBy::Directed("late_ack".to_owned());
        check(directed(), 101, "test late_ack ... FAILED\n", Some("late_ack"));
        check(directed(), 0, "test late_ack ... ok\n", None);
        let promise = || CaughtBy::Conformance("it_ends".to_owned());
        check(promise(), 101, "  BROKEN it_ends: it does not\n", Some("it_ends"));
        check(promise(), 0, "", None);
        let mutant =
            Mutant { name: "toy".to_owned(), figure: None, caught_by: directed(), sites: Vec::new() };
        let nothing_ran =
            Output { status: ExitStatus::from_raw(0), stdout: Vec::new(), stderr: Vec::new() };
        assert!(verdict(&mutant, &nothing_ran).is_err());
    }
}
