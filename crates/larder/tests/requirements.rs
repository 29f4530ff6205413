//! Keeps `docs/requirements.md` true: every id has a line, and every test that it names exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many requirements each group of the merged list has.
const GROUPS: [(&str, usize); 23] = [
    ("K", 8),
    ("L1", 6),
    ("L2", 6),
    ("MG", 4),
    ("R", 4),
    ("W", 3),
    ("I", 9),
    ("S", 4),
    ("B", 3),
    ("C", 3),
    ("E", 7),
    ("O", 11),
    ("D", 2),
    ("J", 6),
    ("V", 2),
    ("P", 3),
    ("X", 3),
    ("H", 9),
    ("T", 6),
    ("F", 7),
    ("Q", 3),
    ("Y", 5),
    ("Z", 7),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn requirements() -> String {
    std::fs::read_to_string(root().join("docs/requirements.md")).expect("the page is there")
}

#[test]
fn every_requirement_has_a_line() {
    let page = requirements();
    let listed: BTreeSet<&str> = page.lines().filter_map(|line| line.split('|').nth(1)).collect();
    for (group, count) in GROUPS {
        for number in 1..=count {
            let id = format!(" {group}-{number} ");
            assert!(listed.contains(id.as_str()), "{id}has no line");
        }
    }
}

#[test]
fn every_test_that_proves_a_requirement_exists() {
    let page = requirements();
    let named: BTreeSet<(&str, &str)> =
        page.split('`').filter_map(|part| part.split_once(".rs::")).collect();
    assert!(named.len() > 50, "only {} tests are named", named.len());
    for (file, name) in named {
        let path = root().join(format!("{file}.rs"));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(text.contains(&format!("fn {name}(")), "{file}.rs has no {name}");
    }
}
