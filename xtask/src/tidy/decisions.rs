//! Decision pages are found by their number.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "decisions",
    demand: "decision pages are called NNNN-title.md, each number once",
    check,
};

const FOLDER: &str = "docs/decisions/";

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d{4})-[a-z0-9-]+\.md$").expect("the pattern is written here"));

fn check(tree: &Tree) -> Vec<Violation> {
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut found = Vec::new();
    let pages = tree.files().filter_map(|file| Some((file, file.path.strip_prefix(FOLDER)?)));
    for (file, name) in pages.filter(|(_, name)| *name != "README.md") {
        let message = match NAME.captures(name) {
            None => "a decision page is called NNNN-title.md, in lower case".to_owned(),
            Some(captures) => match taken.insert(captures[1].to_owned(), name.to_owned()) {
                None => continue,
                Some(other) => format!("number {} is taken by {other}", &captures[1]),
            },
        };
        found.push(Violation::new(&file.path, 1, "", message));
    }
    found
}
