//! The mutants of `docs/protocol.md` §10: which source text each replaces, and what catches it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// What must fail when a mutant is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum CaughtBy {
    /// Random seeds.
    Simulation,
    /// A scripted test of this package.
    Directed(String),
    /// A test of the cache's thread orders, under the model checker.
    Shuttle(String),
}

impl TryFrom<String> for CaughtBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "simulation" => Ok(CaughtBy::Simulation),
            Some(("directed", test)) if !test.is_empty() => Ok(CaughtBy::Directed(test.to_owned())),
            Some(("shuttle", test)) if !test.is_empty() => Ok(CaughtBy::Shuttle(test.to_owned())),
            _ => Err(format!(
                "caught_by is {text:?}, but must be simulation, directed:<test> or shuttle:<test>"
            )),
        }
    }
}

/// One place of the source that a mutant changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Site {
    /// The file, seen from the root of the workspace.
    pub(crate) file: PathBuf,
    /// Text that occurs there exactly once: an expression, or whole statements that bind nothing.
    pub(crate) find: String,
    /// What stands there while the mutant is on.
    pub(crate) replace: String,
}

/// One step of the protocol, removed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    /// The text of `docs/protocol.md` §10.
    pub(crate) name: String,
    /// Bad schedules of 10,000 in the model; left out where the model showed none.
    pub(crate) figure: Option<u32>,
    pub(crate) caught_by: CaughtBy,
    /// All are changed together.
    #[serde(rename = "site")]
    pub(crate) sites: Vec<Site>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "mutant", default)]
    mutants: Vec<Mutant>,
}

/// Reads a list, or every list of a folder by name. Mutants are numbered from 1 in that order.
///
/// # Errors
/// A file cannot be read or is no list, or two mutants have one name, or one has no site.
pub(crate) fn read(path: &Path) -> Result<Vec<Mutant>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        files = entries.collect::<std::io::Result<_>>()?;
        files.sort();
    }
    let mut mutants = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        mutants.extend(parse(&text).with_context(|| format!("in {}", file.display()))?);
    }
    named_once(mutants)
}

fn parse(text: &str) -> Result<Vec<Mutant>> {
    let List { mutants } = toml::from_str(text)?;
    named_once(mutants)
}

fn named_once(mutants: Vec<Mutant>) -> Result<Vec<Mutant>> {
    for (index, mutant) in mutants.iter().enumerate() {
        ensure!(!mutant.sites.is_empty(), "mutant {:?} has no site", mutant.name);
        if mutants[..index].iter().any(|other| other.name == mutant.name) {
            bail!("two mutants are called {:?}", mutant.name);
        }
    }
    Ok(mutants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOY: &str = r#"
        [[mutant]]
        name = "fill: no lease token"
        figure = 731
        caught_by = "simulation"
        [[mutant.site]]
        file = "src/toy.rs"
        find = "lease == token"
        replace = "true"
    "#;

    #[test]
    fn a_list_is_read_with_its_sites() {
        let mutants = parse(TOY).expect("a list");
        assert_eq!(mutants[0].figure, Some(731));
        assert_eq!(mutants[0].caught_by, CaughtBy::Simulation);
        assert_eq!(mutants[0].sites[0].replace, "true");
    }

    #[test]
    fn a_wrong_list_says_what_is_wrong() {
        let check = |text: String, expected: &str| {
            let error = format!("{:#}", parse(&text).expect_err("a wrong list"));
            assert!(error.contains(expected), "{error}");
        };
        check(TOY.repeat(2), "two mutants are called \"fill: no lease token\"");
        check(
            TOY.replace("simulation", "luck"),
            "caught_by is \"luck\", but must be simulation, directed:<test>",
        );
        check(TOY.replace("figure", "figur"), "figur");
    }
}
