//! The changelog has a place for what is not released yet.

use super::rule::{Rule, Violation};
use super::tree::Tree;

const PATH: &str = "CHANGELOG.md";

pub(super) const RULE: Rule =
    Rule { name: "changelog", demand: "CHANGELOG.md has a section Unreleased", check };

fn check(tree: &Tree) -> Vec<Violation> {
    let Some(file) = tree.file(PATH) else {
        return vec![Violation::new(PATH, 1, "", "there is no CHANGELOG.md")];
    };
    let heads = |line: &str| line.starts_with("## ") && line.to_lowercase().contains("unreleased");
    if file.text.lines().any(heads) {
        return Vec::new();
    }
    vec![Violation::new(
        PATH,
        1,
        "",
        "no section `## Unreleased`: where would the next change be told?",
    )]
}
