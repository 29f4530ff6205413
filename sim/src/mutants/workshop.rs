//! A copy of the sources in a workspace of its own, rewritten so that each mutant has a switch,
//! and built once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use super::list::{CaughtBy, Mutant};
use super::schema::{Edit, rewritten};

/// What the copy needs of the repository.
const COPIED: [&str; 3] = ["crates/larder", "crates/larder-macros", "sim"];
/// Where the switch lives.
const CRATE_ROOT: &str = "crates/larder/src/lib.rs";
/// Which mutant is on in a process.
pub(super) const SWITCH: &str = "LARDER_MUTANT";
/// No mutant is on.
pub(super) const UNCHANGED: u32 = 0;
/// Seeds after which a mutant counts as having survived.
const SEEDS_MAX: &str = "20000";
/// Seeds that the unchanged code has to pass before its mutants count.
const SEEDS_UNCHANGED: &str = "1000";

/// The copy.
pub(super) struct Workshop {
    folder: PathBuf,
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
        workshop.rewrite(mutants)?;
        workshop.add_switch()?;
        Ok(workshop)
    }

    fn rewrite(&self, mutants: &[Mutant]) -> Result<()> {
        let mut files: BTreeMap<&Path, Vec<Edit<'_>>> = BTreeMap::new();
        for (index, mutant) in mutants.iter().enumerate() {
            for site in &mutant.sites {
                let edit = Edit {
                    mutant: &mutant.name,
                    number: index as u32 + 1,
                    find: &site.find,
                    replace: &site.replace,
                };
                files.entry(&site.file).or_default().push(edit);
            }
        }
        for (file, edits) in files {
            let path = self.folder.join(file);
            let source = fs::read_to_string(&path)
                .with_context(|| format!("no file {} to mutate", file.display()))?;
            let switch = if file.starts_with("sim") {
                "::larder::mutant_is_on"
            } else {
                "crate::mutant_is_on"
            };
            let text = rewritten(&source, &edits, switch)
                .with_context(|| format!("in {}", file.display()))?;
            fs::write(path, text)?;
        }
        Ok(())
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

    /// Builds the simulator with all mutants in it.
    pub(super) fn build(&self) -> Result<()> {
        let output = self.cargo("build").args(["--profile", "sim", "-p", "larder-sim"]).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the mutants do not build:\n{errors}");
        Ok(())
    }

    /// Runs what has to catch mutant `number`.
    pub(super) fn run(&self, number: u32, caught_by: &CaughtBy) -> Result<Output> {
        let mut command = match caught_by {
            CaughtBy::Simulation => {
                let mut command = Command::new(self.folder.join("build/sim/larder-sim"));
                let seeds = if number == UNCHANGED { SEEDS_UNCHANGED } else { SEEDS_MAX };
                command.args(["run", "--until-violation", "--seeds", seeds]);
                command
            }
            CaughtBy::Directed(test) => {
                let mut command = self.cargo("test");
                command.args(["--profile", "sim", "-p", "larder-sim", "--", "--exact", test]);
                command
            }
            CaughtBy::Shuttle(test) => {
                let mut command = self.cargo("test");
                command.args([
                    "--profile",
                    "sim",
                    "-p",
                    "larder",
                    "--features",
                    "shuttle",
                    "--lib",
                    "--",
                    "--exact",
                    test,
                ]);
                command
            }
        };
        Ok(command.env(SWITCH, number.to_string()).output()?)
    }

    fn cargo(&self, verb: &str) -> Command {
        let mut command = Command::new("cargo");
        command.arg(verb).arg("--manifest-path").arg(self.folder.join("Cargo.toml"));
        // Beside the copy: the simulator that runs this must not be overwritten by a mutant.
        command.arg("--target-dir").arg(self.folder.join("build"));
        command
    }
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

    #[test]
    fn the_copy_has_only_its_own_members() {
        let manifest =
            "[workspace]\nmembers = [\"crates/*\", \"arcade\"]\ndefault-members = [\"arcade\"]\n";
        let copy = manifest_of_copy(manifest).expect("a manifest");
        assert!(copy.contains("crates/larder") && !copy.contains("arcade"), "{copy}");
    }
}
