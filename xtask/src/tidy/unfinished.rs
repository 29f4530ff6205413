//! Unfinished work lives in the list of issues, where somebody looks.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "unfinished", demand: "no TODO, FIXME or XXX in a comment or a text", check };

static MARK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(TODO|FIXME|XXX)\b").expect("the pattern is written here"));

fn check(tree: &Tree) -> Vec<Violation> {
    tree.files().flat_map(marked).collect()
}

/// In Rust only comments and documentation count: a string may well carry the word.
fn marked(file: &File) -> Vec<Violation> {
    let lines: Vec<(usize, &str)> = match file.syntax() {
        Some(_) => {
            let documentation = file.text.lines().enumerate().filter_map(|(place, line)| {
                let text = line.trim_start();
                (text.starts_with("///") || text.starts_with("//!")).then_some((place + 1, text))
            });
            let comments =
                file.comments().iter().map(|comment| (comment.line, comment.text.as_str()));
            comments.chain(documentation).collect()
        }
        None => file.text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())).collect(),
    };
    let marked = lines.into_iter().filter(|(_, text)| MARK.is_match(text));
    marked
        .map(|(line, text)| Violation::new(&file.path, line, text, format!("unfinished: {text}")))
        .collect()
}
