//! Switches off one step of the protocol after the other and demands that something notices.

mod list;
mod schema;
mod workshop;

use std::path::Path;
use std::process::Output;

use anyhow::{Context, Result, bail, ensure};

use list::{CaughtBy, Mutant};
use workshop::{UNCHANGED, Workshop};

/// The line with which a run of the simulator tells what it found.
pub(crate) const FOUND: &str = "found: ";

/// Runs each mutant of the list whose name contains `only`, and fails if one survives.
///
/// # Errors
/// A mutant no longer applies, does not build, survives, or has no such test.
pub(crate) fn hunt(root: &Path, list: &Path, only: &str) -> Result<()> {
    let mutants = list::read(list)?;
    let workshop = Workshop::furnish(root, &mutants)?;
    workshop.build()?;
    for (index, mutant) in mutants.iter().enumerate() {
        let first = !mutants[..index].iter().any(|other| other.caught_by == mutant.caught_by);
        if first && mutant.name.contains(only) {
            let caught = verdict(mutant, &workshop.run(UNCHANGED, &mutant.caught_by)?)?;
            ensure!(caught.is_none(), "{:?} fails also on the unchanged code", mutant.caught_by);
        }
    }
    let mut survivors = Vec::new();
    println!("{:66} {:>6}  caught by", "mutant", "model");
    for (index, mutant) in mutants.iter().enumerate().filter(|(_, mutant)| mutant.name.contains(only))
    {
        let output = workshop.run(index as u32 + 1, &mutant.caught_by)?;
        let verdict =
            verdict(mutant, &output).with_context(|| format!("mutant {:?}", mutant.name))?;
        let figure = mutant.figure.map_or("-".to_owned(), |figure| figure.to_string());
        println!("{:66} {figure:>6}  {}", mutant.name, verdict.as_deref().unwrap_or("NOTHING"));
        survivors.extend(verdict.is_none().then_some(mutant.name.as_str()));
    }
    ensure!(survivors.is_empty(), "{} mutants survived: {}", survivors.len(), survivors.join("; "));
    Ok(())
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
        CaughtBy::Directed(test) | CaughtBy::Shuttle(test) => {
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
        let mutant =
            Mutant { name: "toy".to_owned(), figure: None, caught_by: directed(), sites: Vec::new() };
        let nothing_ran =
            Output { status: ExitStatus::from_raw(0), stdout: Vec::new(), stderr: Vec::new() };
        assert!(verdict(&mutant, &nothing_ran).is_err());
    }
}
