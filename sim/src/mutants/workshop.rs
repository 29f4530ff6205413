//! A copy of the sources in a workspace of its own, rewritten so that each mutant has a switch,
//! and built once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::list::{CaughtBy, Mutant, Site};
use super::schema::{Edit, rewritten};

/// What the copy needs of the repository.
const COPIED: [&str; 6] =
    ["crates/larder", "crates/larder-macros", "crates/larder-redis", "e2e/faults", "e2e/rig", "sim"];
/// Where the switch lives.
const CRATE_ROOT: &str = "crates/larder/src/lib.rs";
/// Where the scripts of Redis are put together, and by which expression.
const SCRIPTS: &str = "crates/larder-redis/src/scripts/mod.rs";
const SCRIPT_TEXT: &str = "parts.concat()";
/// Which mutant is on in a process.
pub(super) const SWITCH: &str = "LARDER_MUTANT";
/// No mutant is on.
pub(super) const UNCHANGED: u32 = 0;
/// Seeds after which a mutant counts as having survived.
const SEEDS_MAX: &str = "20000";
/// Seeds that the unchanged code has to pass before its mutants count.
const SEEDS_UNCHANGED: &str = "1000";

/// The test that runs the conformance suite against the reference server.
const SUITE: &str = "the_reference_server_keeps_every_promise";
/// The one that runs it against a real Redis.
const REDIS_SUITE: &str = "a_single_server_keeps_every_promise";

/// The copy.
pub(super) struct Workshop {
    folder: PathBuf,
}

/// The copy, built.
pub(super) struct Furnished {
    folder: PathBuf,
    programs: BTreeMap<Program, PathBuf>,
}

/// What catches mutants, as a file that can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Program {
    Simulator,
    SimulatorTests,
    Promises,
    Conformance,
    RedisConformance,
    ThreadOrders,
    Fleet,
}

/// One call of cargo, and the targets of it that are run.
struct Order {
    arguments: &'static str,
    makes: &'static [(&'static str, Program)],
}

/// What runs for long is optimised; the scripted tests would take longer to optimise than to run.
const ORDERS: [Order; 6] = [
    Order {
        arguments: "build --profile sim -p larder-sim --bin larder-sim",
        makes: &[("larder-sim", Program::Simulator)],
    },
    Order {
        arguments: "test --no-run --profile sim -p larder-sim --bin larder-sim",
        makes: &[("larder-sim", Program::SimulatorTests)],
    },
    Order {
        arguments: "test --no-run -p larder --features conformance \
            --test promises --test embedded_conformance",
        makes: &[("promises", Program::Promises), ("embedded_conformance", Program::Conformance)],
    },
    Order {
        arguments: "test --no-run --profile sim -p larder --features shuttle --lib",
        makes: &[("larder", Program::ThreadOrders)],
    },
    Order {
        arguments: "test --no-run -p larder-redis --test conformance",
        makes: &[("conformance", Program::RedisConformance)],
    },
    Order {
        arguments: "test --no-run -p larder-faults --test faults",
        makes: &[("faults", Program::Fleet)],
    },
];

impl Program {
    fn that_checks(caught_by: &CaughtBy) -> Self {
        match caught_by {
            CaughtBy::Simulation => Program::Simulator,
            CaughtBy::Directed(_) => Program::SimulatorTests,
            CaughtBy::Promise(_) => Program::Promises,
            CaughtBy::Conformance(_) => Program::Conformance,
            CaughtBy::Redis(_) => Program::RedisConformance,
            CaughtBy::Shuttle(_) => Program::ThreadOrders,
            CaughtBy::Fleet(_) => Program::Fleet,
        }
    }
}

impl Workshop {
    /// Copies the workspace at `root` and rewrites every site of `mutants`.
    pub(super) fn furnish(root: &Path, mutants: &[Mutant]) -> Result<Self> {
        let folder = root.join("target/mutants");
        for part in COPIED {
            let to = folder.join(part);
            if to.exists() {
                fs::remove_dir_all(&to)?;
            }
            copy_folder(&root.join(part), &to)?;
        }
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
        fs::write(folder.join("Cargo.toml"), manifest_of_copy(&manifest)?)?;
        let workshop = Workshop { folder };
        for (file, text) in rewritten_files(root, mutants)? {
            fs::write(workshop.folder.join(file), text)?;
        }
        workshop.add_switch()?;
        Ok(workshop)
    }

    fn add_switch(&self) -> Result<()> {
        let path = self.folder.join(CRATE_ROOT);
        let mut source = fs::read_to_string(&path)?;
        source.push_str(&format!(
            "\n/// Whether this mutant is on in this process.\npub fn mutant_is_on(mutant: u32) -> bool {{\n    \
             static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();\n    \
             let on = || std::env::var(\"{SWITCH}\").ok().and_then(|text| text.parse().ok()).unwrap_or(0);\n    \
             *ON.get_or_init(on) == mutant\n}}\n"
        ));
        Ok(fs::write(path, source)?)
    }

    /// Builds what these checks need, with all mutants in it.
    pub(super) fn build<'c>(self, checks: impl Iterator<Item = &'c CaughtBy>) -> Result<Furnished> {
        let needed: BTreeSet<Program> = checks.map(Program::that_checks).collect();
        let mut programs = BTreeMap::new();
        for order in &ORDERS {
            if order.makes.iter().any(|(_, program)| needed.contains(program)) {
                programs.extend(self.make(order)?);
            }
        }
        Ok(Furnished { folder: self.folder, programs })
    }

    fn make(&self, order: &Order) -> Result<Vec<(Program, PathBuf)>> {
        let output = Command::new("cargo")
            .args(order.arguments.split_whitespace())
            .args(["--message-format", "json-render-diagnostics"])
            // Beside the copy: the simulator that runs this must not be overwritten by a mutant.
            .arg("--target-dir")
            .arg(self.folder.join("build"))
            .current_dir(&self.folder)
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the mutants do not build:\n{errors}");
        let made: BTreeMap<String, PathBuf> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter_map(|Made { target, executable }| Some((target.name, executable?)))
            .collect();
        let found = |(name, program): &(&str, Program)| {
            let executable = made.get(*name).with_context(|| format!("cargo made no {name}"))?;
            Ok((*program, executable.clone()))
        };
        order.makes.iter().map(found).collect()
    }
}

/// A message of cargo that says what it made.
#[derive(Deserialize)]
struct Made {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Furnished {
    /// Runs what has to catch mutant `number`.
    pub(super) fn run(&self, number: u32, caught_by: &CaughtBy) -> Result<Output> {
        let program = Program::that_checks(caught_by);
        let file = self.programs.get(&program).with_context(|| format!("no {program:?}"))?;
        let mut command = Command::new(file);
        match caught_by {
            CaughtBy::Simulation => {
                let seeds = if number == UNCHANGED { SEEDS_UNCHANGED } else { SEEDS_MAX };
                command.args(["run", "--until-violation", "--threads", "1", "--seeds", seeds])
            }
            CaughtBy::Conformance(_) => command.args(["--exact", SUITE]),
            CaughtBy::Redis(_) => command.args(["--exact", REDIS_SUITE]),
            CaughtBy::Directed(test)
            | CaughtBy::Promise(test)
            | CaughtBy::Shuttle(test)
            | CaughtBy::Fleet(test) => command.args(["--exact", test]),
        };
        command.current_dir(&self.folder).env(SWITCH, number.to_string());
        Ok(command.output()?)
    }
}

/// Every file of the workspace at `root` that a mutant changes, with the switches in it.
fn rewritten_files(root: &Path, mutants: &[Mutant]) -> Result<Vec<(PathBuf, String)>> {
    let mut sites: Vec<(u32, &str, Site)> = Vec::new();
    for (number, mutant) in (1..).zip(mutants) {
        let in_rust = sites_in_rust(root, mutant)?.into_iter();
        sites.extend(in_rust.map(|site| (number, mutant.name.as_str(), site)));
    }
    let mut files: BTreeMap<&Path, Vec<Edit<'_>>> = BTreeMap::new();
    for (number, mutant, Site { file, find, replace }) in &sites {
        let edit = Edit { mutant, number: *number, find, replace };
        files.entry(file).or_default().push(edit);
    }
    let with_switches = |(file, edits): (&Path, Vec<Edit<'_>>)| {
        let source = source(root, file)?;
        let in_larder = file.starts_with("crates/larder");
        let switch = if in_larder { "crate::mutant_is_on" } else { "::larder::mutant_is_on" };
        let text =
            rewritten(&source, &edits, switch).with_context(|| format!("in {}", file.display()))?;
        Ok((file.to_owned(), text))
    };
    files.into_iter().map(with_switches).collect()
}

/// The sites of a mutant as places of Rust: what it changes in scripts, it changes where they are put together.
fn sites_in_rust(root: &Path, mutant: &Mutant) -> Result<Vec<Site>> {
    let is_script = |site: &Site| site.file.extension().is_some_and(|kind| kind == "lua");
    let (scripts, mut sites): (Vec<Site>, Vec<Site>) =
        mutant.sites.iter().cloned().partition(is_script);
    let mut text = SCRIPT_TEXT.to_owned();
    for Site { file, find, replace } in &scripts {
        let found = source(root, file)?.matches(find.as_str()).count();
        let (mutant, file) = (&mutant.name, file.display());
        ensure!(
            found == 1,
            "mutant {mutant:?} no longer applies: its text is {found} times in {file}"
        );
        text.push_str(&format!(".replace({find:?}, {replace:?})"));
    }
    if !scripts.is_empty() {
        sites.push(Site { file: SCRIPTS.into(), find: SCRIPT_TEXT.to_owned(), replace: text });
    }
    Ok(sites)
}

fn source(root: &Path, file: &Path) -> Result<String> {
    let path = root.join(file);
    fs::read_to_string(path).with_context(|| format!("no file {} to mutate", file.display()))
}

/// The manifest of the copy: the workspace's own, with only the copied members.
fn manifest_of_copy(manifest: &str) -> Result<String> {
    let mut table: toml::Table = toml::from_str(manifest)?;
    let workspace = table
        .get_mut("workspace")
        .and_then(toml::Value::as_table_mut)
        .context("the root has no workspace")?;
    let members = COPIED.map(|part| toml::Value::String(part.to_owned()));
    workspace.insert("members".to_owned(), toml::Value::Array(members.to_vec()));
    workspace.remove("default-members");
    workspace.remove("exclude");
    Ok(toml::to_string(&table)?)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot copy {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::list;

    #[test]
    fn every_mutant_of_the_project_still_applies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        for (mutants, changed_min) in
            [("sim/mutants", 10), ("e2e/faults/mutants.toml", 3), ("e2e/faults/scripts.toml", 1)]
        {
            let list = list::read(&[root.join(mutants)]).expect("lists");
            let files = rewritten_files(root, &list.mutants).expect("they apply");
            assert!(files.len() >= changed_min, "only {} files are changed", files.len());
        }
    }

    #[test]
    fn the_copy_has_only_its_own_members() {
        let manifest =
            "[workspace]\nmembers = [\"crates/*\", \"arcade\"]\ndefault-members = [\"arcade\"]\n";
        let copy = manifest_of_copy(manifest).expect("a manifest");
        assert!(copy.contains("crates/larder") && !copy.contains("arcade"), "{copy}");
    }
}
