//! Allow-lists: what breaks a rule and is known. A list only shrinks: each line must still match,
//! its `max` is the number of its lines, and no commit may raise the `max` of an earlier one.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::rule::{Rule, Violation};
use super::tree::Tree;

const FOLDER: &str = "xtask/tidy-allow/";

/// The allow-list of one rule.
pub(super) struct List {
    path: String,
    max: Option<usize>,
    entries: Vec<String>,
}

/// What is left of a rule's violations, and what is wrong with its list.
pub(super) struct Verdict {
    pub(super) broken: Vec<Violation>,
    pub(super) complaints: Vec<String>,
    pub(super) allowed: usize,
}

impl List {
    /// The list of a rule; empty if there is no file.
    pub(super) fn of(tree: &Tree, rule: &str) -> Self {
        let path = format!("{FOLDER}{rule}.txt");
        match tree.file(&path) {
            Some(file) => List::parsed(path, &file.text),
            None => List { path, max: Some(0), entries: Vec::new() },
        }
    }

    fn parsed(path: String, text: &str) -> Self {
        let mut lines = text.lines().map(str::trim);
        let max = lines.next().and_then(max_of);
        let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        List { path, max, entries: entries.map(str::to_owned).collect() }
    }

    /// Takes out of `found` what the list names, each line once. `ceiling` is the smallest `max`
    /// that was ever committed for this list.
    pub(super) fn judge(&self, found: Vec<Violation>, ceiling: Option<usize>) -> Verdict {
        let mut unused: Vec<&str> = self.entries.iter().map(String::as_str).collect();
        let mut broken = Vec::new();
        let mut allowed = 0;
        for violation in found {
            let named = format!("{} {}", violation.path, violation.subject);
            match unused.iter().position(|entry| *entry == named.trim_end()) {
                Some(place) => {
                    unused.swap_remove(place);
                    allowed += 1;
                }
                None => broken.push(violation),
            }
        }
        let mut complaints = self.count_complaints(ceiling);
        complaints.extend(unused.iter().map(|entry| {
            format!("{}: matches nothing any more, delete the line and lower max: {entry}", self.path)
        }));
        Verdict { broken, complaints, allowed }
    }

    fn count_complaints(&self, ceiling: Option<usize>) -> Vec<String> {
        let (path, entries) = (&self.path, self.entries.len());
        let Some(max) = self.max else {
            return vec![format!(
                "{path}:1: the first line must be `max N`, with N the number of entries"
            )];
        };
        let mut complaints = Vec::new();
        if entries != max {
            complaints.push(format!("{path}:1: says max {max}, but has {entries} entries"));
        }
        if let Some(ceiling) = ceiling.filter(|ceiling| max > *ceiling) {
            complaints.push(format!(
                "{path}:1: may only shrink: max was {ceiling} before and is {max} now"
            ));
        }
        complaints
    }
}

fn max_of(line: &str) -> Option<usize> {
    line.strip_prefix("max ")?.trim().parse().ok()
}

/// Lists that belong to no rule: a rule was renamed and its list forgotten.
pub(super) fn strays(tree: &Tree, rules: &[Rule]) -> Vec<String> {
    let names = tree.files().filter_map(|file| file.path.strip_prefix(FOLDER));
    names
        .filter(|name| !rules.iter().any(|rule| name.strip_suffix(".txt") == Some(rule.name)))
        .map(|name| format!("{FOLDER}{name}: no rule has this name"))
        .collect()
}

/// The smallest `max` of each list in the commits before the working tree. Looking at all of
/// them, and not at HEAD only, makes the check count in CI too, where HEAD is what is tested.
///
/// # Errors
/// Git is missing or the folder is no repository: then nothing would keep the lists from growing.
pub(super) fn ceilings(root: &Path) -> anyhow::Result<HashMap<String, usize>> {
    let arguments =
        ["log", "--format=", "--patch", "--no-renames", "--no-color", "--no-ext-diff", "--", FOLDER];
    let output = Command::new("git").args(arguments).current_dir(root).output();
    let output = output.context("git is needed to compare allow-lists with earlier commits")?;
    if !output.status.success() {
        bail!("git log failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(smallest(&String::from_utf8_lossy(&output.stdout)))
}

/// The smallest `max` of each list in a patch. A list that was deleted had shrunk to nothing.
fn smallest(patch: &str) -> HashMap<String, usize> {
    let mut ceilings: HashMap<String, usize> = HashMap::new();
    let mut list = None;
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("diff --git a/") {
            let name = path.split(' ').next().and_then(|path| path.strip_prefix(FOLDER));
            list = name.and_then(|name| name.strip_suffix(".txt"));
        }
        let max = match line.starts_with("deleted file mode") {
            true => Some(0),
            false => line.strip_prefix('+').and_then(max_of),
        };
        if let (Some(list), Some(max)) = (list, max) {
            let ceiling = ceilings.entry(list.into()).or_insert(max);
            *ceiling = max.min(*ceiling);
        }
    }
    ceilings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(list: &str, subjects: &[&str], ceiling: Option<usize>) -> Verdict {
        let found = subjects.iter().map(|subject| Violation::new("a.rs", 1, *subject, "")).collect();
        List::parsed("list".into(), list).judge(found, ceiling)
    }

    #[test]
    fn a_line_allows_one_violation_and_no_second() {
        let verdict = judged("max 1\na.rs x\n", &["x", "x"], None);
        assert_eq!((verdict.allowed, verdict.broken.len(), verdict.complaints.len()), (1, 1, 0));
    }

    #[test]
    fn a_line_that_matches_nothing_is_an_error() {
        let verdict = judged("max 1\na.rs gone\n", &[], None);
        assert!(verdict.complaints[0].contains("matches nothing"), "{:?}", verdict.complaints);
    }

    #[test]
    fn the_count_on_the_first_line_is_exact() {
        for list in ["max 2\na.rs x\n", "max 0\na.rs x\n", "a.rs x\n"] {
            assert_eq!(judged(list, &["x"], None).complaints.len(), 1, "{list}");
        }
    }

    #[test]
    fn a_list_never_grows_above_an_earlier_commit() {
        assert_eq!(judged("max 1\na.rs x\n", &["x"], Some(0)).complaints.len(), 1);
        assert_eq!(judged("max 1\na.rs x\n", &["x"], Some(1)).complaints.len(), 0);
    }

    #[test]
    fn the_history_is_read_down_to_its_smallest_count() {
        let patch = "diff --git a/xtask/tidy-allow/names.txt b/xtask/tidy-allow/names.txt\n\
                     -max 1\n+max 3\n\
                     diff --git a/xtask/tidy-allow/names.txt b/xtask/tidy-allow/names.txt\n+max 1\n\
                     diff --git a/xtask/tidy-allow/cycles.txt b/xtask/tidy-allow/cycles.txt\n\
                     deleted file mode 100644\n-max 4\n";
        let ceilings = smallest(patch);
        assert_eq!((ceilings["names"], ceilings["cycles"]), (1, 0));
    }
}
