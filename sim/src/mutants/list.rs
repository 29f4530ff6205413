//! The mutants of `docs/protocol.md` §10: which source text each replaces, and what catches it.

use std::path::PathBuf;

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
    /// A scripted test of the cache's promises.
    Promise(String),
    /// A promise of the shards' conformance suite, broken by the reference server.
    Conformance(String),
    /// The same, broken by a shard on a real Redis.
    Redis(String),
    /// A test of the cache's thread orders, under the model checker.
    Shuttle(String),
    /// A test of a fleet on real servers.
    Fleet(String),
}

const KINDS: &str = "directed:<test>, promise:<test>, conformance:<promise>, redis:<promise>, \
                     shuttle:<test>, fleet:<test>";

fn named(kind: &str) -> Option<fn(String) -> CaughtBy> {
    Some(match kind {
        "directed" => CaughtBy::Directed,
        "promise" => CaughtBy::Promise,
        "conformance" => CaughtBy::Conformance,
        "redis" => CaughtBy::Redis,
        "shuttle" => CaughtBy::Shuttle,
        "fleet" => CaughtBy::Fleet,
        _ => return None,
    })
}

impl CaughtBy {
    /// Whether one run answers for both: all promises of a suite are asked for together.
    pub(crate) fn runs_with(&self, other: &CaughtBy) -> bool {
        match (self, other) {
            (CaughtBy::Conformance(_), CaughtBy::Conformance(_))
            | (CaughtBy::Redis(_), CaughtBy::Redis(_)) => true,
            (one, other) => one == other,
        }
    }
}

impl TryFrom<String> for CaughtBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "simulation" => Some(CaughtBy::Simulation),
            Some((kind, test)) if !test.is_empty() => {
                named(kind).map(|caught_by| caught_by(test.to_owned()))
            }
            _ => None,
        }
        .ok_or_else(|| format!("caught_by is {text:?}, but must be simulation or one of {KINDS}"))
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

/// A step that is not removed, for nothing could fail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeftOut {
    /// The text of `docs/protocol.md` §10.
    pub(crate) name: String,
    pub(crate) why: String,
}

/// Mutants, and those that are left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Numbered from 1 in this order.
    #[serde(rename = "mutant", default)]
    pub(crate) mutants: Vec<Mutant>,
    #[serde(default)]
    pub(crate) left_out: Vec<LeftOut>,
}

/// Reads lists, and every list of a folder by name, as one.
///
/// # Errors
/// A file cannot be read or is no list, or two mutants have one name, or one has no site.
pub(crate) fn read(paths: &[PathBuf]) -> Result<List> {
    let mut whole = List::default();
    for file in files(paths)? {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let List { mutants, left_out } =
            parse(&text).with_context(|| format!("in {}", file.display()))?;
        whole.mutants.extend(mutants);
        whole.left_out.extend(left_out);
    }
    named_once(whole)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
            let mut inside = entries.collect::<std::io::Result<Vec<_>>>()?;
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn parse(text: &str) -> Result<List> {
    named_once(toml::from_str(text)?)
}

fn named_once(list: List) -> Result<List> {
    let without_site = list.mutants.iter().find(|mutant| mutant.sites.is_empty());
    if let Some(mutant) = without_site {
        bail!("mutant {:?} has no site", mutant.name);
    }
    let mutants = list.mutants.iter().map(|mutant| &mutant.name);
    let names: Vec<&String> = mutants.chain(list.left_out.iter().map(|left| &left.name)).collect();
    for (index, name) in names.iter().enumerate() {
        ensure!(!names[..index].contains(name), "two mutants are called {name:?}");
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

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
        let mutants = parse(TOY).expect("a list").mutants;
        assert_eq!(mutants[0].figure, Some(731));
        assert_eq!(mutants[0].caught_by, CaughtBy::Simulation);
        assert_eq!(mutants[0].sites[0].replace, "true");
    }

    /// How §10 of the protocol calls what notices a mutant. Wrong thread orders and scripts are no rows of it.
    fn noticed_by(caught_by: &CaughtBy) -> Option<&'static str> {
        match caught_by {
            CaughtBy::Simulation => Some("seeds"),
            CaughtBy::Directed(_) | CaughtBy::Promise(_) => Some("script"),
            CaughtBy::Conformance(_) => Some("suite"),
            CaughtBy::Redis(_) | CaughtBy::Shuttle(_) | CaughtBy::Fleet(_) => None,
        }
    }

    /// The rows of §10: a mutant, and what notices it or why nothing does.
    fn rows(page: &str) -> BTreeMap<String, String> {
        let (_, section) = page.split_once("## 10. Mutants").expect("the section");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let cells = |row: &str| {
            let mut cells = row.splitn(3, " | ").skip(1).map(|cell| cell.replace('`', ""));
            Some((cells.next()?, cells.next()?))
        };
        rows.skip(1).filter_map(cells).collect()
    }

    #[test]
    fn the_protocol_and_the_lists_name_the_same_mutants() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let List { mutants, left_out } = read(&[root.join("sim/mutants")]).expect("lists");
        let noticed =
            mutants.iter().filter_map(|mutant| Some((&mutant.name, noticed_by(&mutant.caught_by)?)));
        let left = left_out.iter().map(|left| (&left.name, left.why.as_str()));
        let listed: BTreeMap<String, String> =
            noticed.chain(left).map(|(name, by)| (name.clone(), by.to_owned())).collect();
        let page = std::fs::read_to_string(root.join("docs/protocol.md")).expect("the protocol");
        assert_eq!(rows(&page), listed);
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
            "caught_by is \"luck\", but must be simulation or one of directed:<test>",
        );
        check(TOY.replace("figure", "figur"), "figur");
    }
}
