//! Comments say why. One that tells what the next line does, or draws a line, is noise.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule =
    Rule { name: "comments", demand: "no narrating comments and no banners", check };

/// A verb in the imperative, as one narrates code: `Set the ttl`, `Step 2`, `First, …`.
static NARRATION: LazyLock<Regex> = LazyLock::new(|| {
    let verbs = "Set|Get|Create|Return|Check if|Initialize|Increment|Loop|Iterate|Call|Add|Update|Now|Define|Import";
    Regex::new(&format!(r"^(({verbs}) [a-z]|First,|Then,|Finally,|Step \d)"))
        .expect("the pattern is written here")
});

/// What banners are drawn with, four and more in a row.
static BANNER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[=#*~─━-]{4}|^[=-]{3}").expect("the pattern is written here"));

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files() {
        let mut above = None;
        for comment in file.comments() {
            let begins = above.is_none_or(|line| comment.line != line + 1);
            above = Some(comment.line);
            let message = match comment.text.as_str() {
                text if BANNER.is_match(text) => "a banner: split the file instead",
                text if begins && NARRATION.is_match(text) => {
                    "narrates the code: say why, or say nothing"
                }
                _ => continue,
            };
            found.push(Violation::new(
                &file.path,
                comment.line,
                &comment.text,
                format!("{message}: // {}", comment.text),
            ));
        }
    }
    found
}
