//! The first line of a file says what it decides and what it must not know.

use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule =
    Rule { name: "module_docs", demand: "every Rust file begins with a //! line", check };

fn check(tree: &Tree) -> Vec<Violation> {
    let silent = tree.rust().filter(|(file, _)| {
        let first = file.line(1);
        !(first.starts_with("//! ") || first.starts_with("#![doc"))
    });
    silent
        .map(|(file, _)| {
            Violation::new(&file.path, 1, "", "does not begin with `//! ` and what it decides")
        })
        .collect()
}
