//! Claims in a README stand beside the command that proves them: in the same block of text or in
//! the one before or after it.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Violation};
use super::tree::{File, Tree};
use crate::bench::BENCHES;

pub(super) const RULE: Rule = Rule {
    name: "claims",
    demand: "a figure in a README stands beside the command that measures it",
    check,
};

static CLAIM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\d\s?(×|%|ns\b|µs\b)|\d+x\b|(?i)\b(faster|slower)\b"));
static PROOF: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"cargo (xtask )?(bench|run|test)\b|\bbench/"));
static BENCH: LazyLock<Regex> = LazyLock::new(|| pattern(r"cargo xtask bench ([a-z][a-z0-9_-]*)"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is written here")
}

fn check(tree: &Tree) -> Vec<Violation> {
    let pages = tree.files().filter(|file| file.stem() == "README" && file.path.ends_with(".md"));
    pages.flat_map(|page| unproved(page).into_iter().chain(unknown_benches(page))).collect()
}

/// A block of text between blank lines, with the number of its first line.
struct Block<'a> {
    line: usize,
    text: Vec<&'a str>,
    code: bool,
}

fn unproved(page: &File) -> Vec<Violation> {
    let blocks = blocks(&page.text);
    let proves = |block: &Block<'_>| block.text.iter().any(|line| PROOF.is_match(line));
    let mut found = Vec::new();
    for (place, block) in blocks.iter().enumerate().filter(|(_, block)| !block.code) {
        let beside = &blocks[place.saturating_sub(1)..blocks.len().min(place + 2)];
        if beside.iter().any(proves) {
            continue;
        }
        let claims = block.text.iter().enumerate().filter(|(_, text)| CLAIM.is_match(text));
        found.extend(claims.map(|(below, text)| {
            let message =
                format!("a claim without the command that proves it beside it: {}", text.trim());
            Violation::new(&page.path, block.line + below, text.trim(), message)
        }));
    }
    found
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let (mut open, mut code) = (false, false);
    for (place, line) in text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        let ends = !code && line.trim().is_empty();
        if !ends && (!open || (fence && !code)) {
            blocks.push(Block { line: place + 1, text: Vec::new(), code: fence });
        }
        if let Some(block) = blocks.last_mut().filter(|_| !ends) {
            block.text.push(line);
        }
        open = !(ends || fence && code);
        code ^= fence;
    }
    blocks
}

fn unknown_benches(page: &File) -> Vec<Violation> {
    let mut found = Vec::new();
    for (place, line) in page.text.lines().enumerate() {
        let names = BENCH.captures_iter(line).map(|captures| captures[1].to_owned());
        let unknown = names.filter(|name| !BENCHES.iter().any(|bench| bench.name == name));
        found.extend(unknown.map(|name| {
            let message = format!("`cargo xtask bench` knows no {name:?}");
            Violation::new(&page.path, place + 1, name, message)
        }));
    }
    found
}
