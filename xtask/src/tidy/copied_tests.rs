//! Code that several tests need has one home. The same body in two test files is a copy.

use std::collections::HashMap;

use super::code::{Function, functions};
use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule = Rule {
    name: "copied_tests",
    demand: "no function of six lines or more stands in two test files",
    check,
};

/// Shorter bodies are alike by chance.
const BODY_LINES_MIN: usize = 6;

fn check(tree: &Tree) -> Vec<Violation> {
    let mut homes: HashMap<String, &File> = HashMap::new();
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let of_tests =
            functions(syntax).into_iter().filter(|function| function.tests || file.is_test());
        for function in of_tests {
            let Some(body) = body(file, &function) else { continue };
            let home = *homes.entry(body).or_insert(file);
            if home.path != file.path {
                let message =
                    format!("{} has the same body in {}: give it one home", function.name, home.path);
                found.push(Violation::new(&file.path, function.line, function.name, message));
            }
        }
    }
    found
}

/// The lines between the brackets, without indentation.
fn body(file: &File, function: &Function<'_>) -> Option<String> {
    let first = function.body_line();
    let inner = function.last_line().checked_sub(first + 1)?;
    let lines: Vec<_> = file.text.lines().skip(first).take(inner).map(str::trim).collect();
    (lines.len() >= BODY_LINES_MIN).then(|| lines.join("\n"))
}
