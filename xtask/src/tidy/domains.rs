//! Domains of arcade talk by job or event: no file of one names the path of another.

use std::collections::BTreeSet;

use super::modules::{Reference, module_of, references};
use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "domains", demand: "domains of arcade never import each other", check };

const SOURCE: &str = "arcade/src/";
const FOLDER: &str = "arcade/src/domains/";

fn check(tree: &Tree) -> Vec<Violation> {
    let domains: BTreeSet<&str> = tree.files().filter_map(domain_of).collect();
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let Some(own) = domain_of(file) else { continue };
        let module = module_of(file.path.strip_prefix(SOURCE).unwrap_or(&file.path));
        for Reference { names, line } in references(syntax, &module) {
            let [folder, other, ..] = names.as_slice() else { continue };
            if folder == "domains" && other != own && domains.contains(other.as_str()) {
                let message = format!("{own} must not see {other}: talk by job or event");
                found.push(Violation::new(&file.path, line, other, message));
            }
        }
    }
    found
}

/// The domain that a file belongs to; `None` for the file that lists them.
fn domain_of(file: &File) -> Option<&str> {
    let rest = file.path.strip_prefix(FOLDER)?.strip_suffix(".rs")?;
    rest.split('/').next().filter(|name| *name != "mod")
}
