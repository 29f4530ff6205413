//! Shows that each rule can fail: every folder of `xtask/samples` is one rule's samples. A sample
//! is a small repository in one file: `//- path` begins a file, and a line that ends in `//~` is
//! one that the rule must name; `//~ path` names a file that the sample lacks. A sample called
//! `good…` has neither.

use std::collections::BTreeSet;
use std::fs;

use super::RULES;
use super::rule::Rule;
use super::tree::{File, Tree};
use crate::lines::root;

const FILE: &str = "//- ";
const MARK: &str = "//~";

struct Sample {
    name: String,
    tree: Tree,
    marked: BTreeSet<(String, usize)>,
}

impl Sample {
    fn parsed(name: String, text: &str) -> Self {
        let mut marked = BTreeSet::new();
        let mut files: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if let Some(path) = line.strip_prefix(FILE) {
                files.push((path.trim().to_owned(), String::new()));
                continue;
            }
            if let Some(path) = line.strip_prefix(MARK).filter(|path| !path.is_empty()) {
                marked.insert((path.trim().to_owned(), 1));
                continue;
            }
            let (path, text) = files.last_mut().expect("a sample begins with `//- path`");
            let kept = line.strip_suffix(MARK).map(str::trim_end);
            text.push_str(kept.unwrap_or(line));
            text.push('\n');
            if kept.is_some() {
                marked.insert((path.clone(), text.lines().count()));
            }
        }
        let files =
            files.into_iter().map(|(path, text)| File::new(path, text).expect("a sample parses"));
        Sample { name, tree: Tree::of(files.collect()), marked }
    }

    fn named_by(&self, rule: &Rule) -> BTreeSet<(String, usize)> {
        (rule.check)(&self.tree).into_iter().map(|found| (found.path, found.line)).collect()
    }
}

fn samples(rule: &Rule) -> Vec<Sample> {
    let folder = root().join("xtask/samples").join(rule.name);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|_| panic!("no samples in {}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a listed folder").path());
    let read = paths.map(|path| {
        let name = format!("{}/{}", rule.name, path.file_name().expect("a file").to_string_lossy());
        Sample::parsed(name, &fs::read_to_string(&path).expect("a readable sample"))
    });
    read.collect()
}

#[test]
fn every_rule_has_a_sample_that_fails_and_one_that_passes() {
    for rule in RULES {
        let (good, bad): (Vec<_>, Vec<_>) =
            samples(rule).into_iter().partition(|sample| sample.name.contains("/good"));
        assert!(
            !good.is_empty() && good.iter().all(|sample| sample.marked.is_empty()),
            "{}",
            rule.name
        );
        assert!(
            !bad.is_empty() && bad.iter().all(|sample| !sample.marked.is_empty()),
            "{}",
            rule.name
        );
    }
}

#[test]
fn every_rule_names_exactly_the_marked_lines_of_its_samples() {
    for rule in RULES {
        for sample in samples(rule) {
            assert_eq!(sample.named_by(rule), sample.marked, "sample {}", sample.name);
        }
    }
}
