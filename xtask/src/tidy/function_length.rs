//! A function fits on a screen.

use super::code::functions;
use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule =
    Rule { name: "function_length", demand: "no function over 60 lines", check };

const LINES_MAX: usize = 60;

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        for function in functions(syntax) {
            let lines = function.lines();
            if lines > LINES_MAX {
                let message = format!("{} has {lines} lines, at most {LINES_MAX}", function.name);
                found.push(Violation::new(&file.path, function.line, function.name, message));
            }
        }
    }
    found
}
