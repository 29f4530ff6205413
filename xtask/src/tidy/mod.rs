//! The rules of this repository that no linter sees. Decides how rules are run and reported;
//! each rule is a file of its own and knows nothing of the others.

mod allow;
mod arrows;
mod changelog;
mod claims;
mod code;
mod comments;
mod copied_tests;
mod cycles;
mod decisions;
mod discarded;
mod domains;
mod file_length;
mod function_length;
mod key_text;
mod module_docs;
mod modules;
mod names;
mod rule;
#[cfg(test)]
mod samples;
mod settings;
mod skipped_tests;
mod sleeping_tests;
mod spawns;
mod tree;
mod unfinished;

use anyhow::bail;

use crate::lines::{Budget, root};
use rule::{Rule, Violation};
use tree::Tree;

const RULES: &[Rule] = &[
    arrows::RULE,
    changelog::RULE,
    claims::RULE,
    comments::RULE,
    copied_tests::RULE,
    cycles::RULE,
    decisions::RULE,
    discarded::RULE,
    domains::RULE,
    file_length::RULE,
    function_length::RULE,
    key_text::RULE,
    module_docs::RULE,
    names::RULE,
    settings::RULE,
    skipped_tests::RULE,
    sleeping_tests::RULE,
    spawns::RULE,
    unfinished::RULE,
];

/// Checks the repository against every rule.
///
/// # Errors
/// Something is broken that no allow-list names, or an allow-list names too much.
pub(crate) fn run() -> anyhow::Result<()> {
    let budget = Budget::of(std::time::Duration::MAX);
    let tree = Tree::read(root())?;
    let ceilings = allow::ceilings(root())?;
    let mut complaints = Vec::new();
    let mut allowed = 0;
    for rule in RULES {
        let list = allow::List::of(&tree, rule.name);
        let verdict = list.judge((rule.check)(&tree), ceilings.get(rule.name).copied());
        allowed += verdict.allowed;
        complaints.extend(verdict.broken.iter().map(|broken| told(rule, broken)));
        complaints.extend(verdict.complaints);
    }
    complaints.extend(allow::strays(&tree, RULES));
    let files = tree.files().count();
    let millis = budget.spent().as_millis();
    println!("tidy: {} rules, {files} files, {allowed} allowed, {millis} ms", RULES.len());
    if complaints.is_empty() {
        return Ok(());
    }
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    bail!("{} things are not tidy", complaints.len())
}

fn told(rule: &Rule, broken: &Violation) -> String {
    let Violation { path, line, subject, message } = broken;
    format!("{path}:{line}: [{}] {message}\n    allow-list line: {path} {subject}", rule.name)
}

/// What `cargo xtask tidy --help` prints.
pub(crate) fn help() -> String {
    let rules: String =
        RULES.iter().map(|rule| format!("\n  {:<16} {}", rule.name, rule.demand)).collect();
    format!(
        "cargo xtask tidy\n\nChecks the repository against these rules:\n{rules}\n\n\
         xtask/tidy-allow/RULE.txt names what is allowed for now. Its first line is `max N`, N is\n\
         the number of its lines, and N never rises above what was committed before."
    )
}
