//! A file that no one can hold in mind does two things.

use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule =
    Rule { name: "file_length", demand: "no Rust file over 600 lines", check };

const LINES_MAX: usize = 600;

fn check(tree: &Tree) -> Vec<Violation> {
    let lengths = tree.rust().map(|(file, _)| (file, file.text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(file, lines)| {
        Violation::new(
            &file.path,
            1,
            "",
            format!("{lines} lines, at most {LINES_MAX}: it does two things"),
        )
    })
    .collect()
}
