//! No cycle between the files of a package. Every file of a cycle has to be understood to
//! understand one of them.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::modules::{Import, imports, module_of, references, test_modules};
use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "cycles", demand: "files of a package use each other one way only", check };

/// How many hand-overs (`pub use`) are followed to the file that defines a name.
const HANDED_ON_MAX: usize = 8;

fn check(tree: &Tree) -> Vec<Violation> {
    let manifests = tree.files().filter_map(|file| file.path.strip_suffix("Cargo.toml"));
    manifests.flat_map(|package| Package::of(tree, &format!("{package}src/")).cycles()).collect()
}

/// The files of one package by their module.
struct Package<'a> {
    modules: BTreeMap<Vec<String>, (&'a File, &'a syn::File, Vec<Import>)>,
}

impl<'a> Package<'a> {
    /// Programs under `src/bin` are packages of their own to the compiler, and so is `main.rs`
    /// beside a `lib.rs`; nothing can refer back to them.
    fn of(tree: &'a Tree, source: &str) -> Self {
        let library = tree.file(&format!("{source}lib.rs")).is_some();
        let mut modules = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for (file, syntax) in tree.rust() {
            let Some(path) = file.path.strip_prefix(source) else { continue };
            if path.starts_with("bin/") || (library && path == "main.rs") {
                continue;
            }
            let module = module_of(path);
            tests.extend(
                test_modules(syntax).into_iter().map(|name| [module.as_slice(), &[name]].concat()),
            );
            let imports = imports(syntax, &module);
            modules.insert(module, (file, syntax, imports));
        }
        modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Package { modules }
    }

    /// The module of the file that defines what `names` leads to.
    fn home(&self, names: &[String]) -> Vec<String> {
        let mut names = names.to_vec();
        for _ in 0..HANDED_ON_MAX {
            let module = self.longest_module(&names);
            let Some((name, rest)) = names[module.len()..].split_first() else { return module };
            let handed_on = self.modules[&module].2.iter().find(|import| import.name == *name);
            let Some(import) = handed_on.filter(|import| import.names != names) else {
                return module;
            };
            names = [import.names.as_slice(), rest].concat();
        }
        self.longest_module(&names)
    }

    fn longest_module(&self, names: &[String]) -> Vec<String> {
        let lengths = (0..=names.len()).rev();
        let found =
            lengths.map(|length| &names[..length]).find(|module| self.modules.contains_key(*module));
        found.unwrap_or_default().to_vec()
    }

    /// From file to file, with the line of the first use.
    fn uses(&self) -> BTreeMap<(&'a str, &'a str), usize> {
        let mut uses = BTreeMap::new();
        for (module, (file, syntax, _)) in &self.modules {
            for reference in references(syntax, module) {
                let defined_in = self.home(&reference.names);
                let Some((home, ..)) = self.modules.get(&defined_in) else {
                    continue;
                };
                // What a folder's parent declares is the common ground of its files: they may use
                // it, and it may put them together.
                if !module.starts_with(&defined_in) {
                    let line = uses
                        .entry((file.path.as_str(), home.path.as_str()))
                        .or_insert(reference.line);
                    *line = reference.line.min(*line);
                }
            }
        }
        uses
    }

    fn cycles(&self) -> Vec<Violation> {
        let uses = self.uses();
        let graph: DiGraphMap<&str, ()> = uses.keys().copied().collect();
        let knots = tarjan_scc(&graph).into_iter().filter(|knot| knot.len() > 1);
        knots.map(|knot| told(&knot.into_iter().collect(), &uses)).collect()
    }
}

/// One violation for a knot, so that a file more in a known knot is a new violation.
fn told(knot: &BTreeSet<&str>, uses: &BTreeMap<(&str, &str), usize>) -> Violation {
    let first = knot.iter().next().copied().unwrap_or_default();
    let inside = uses.iter().filter(|((from, to), _)| knot.contains(from) && knot.contains(to));
    let arrows: Vec<_> =
        inside.clone().map(|((from, to), line)| format!("\n    {from}:{line} uses {to}")).collect();
    let line = inside.clone().find(|((from, _), _)| *from == first).map_or(1, |(_, line)| *line);
    let others: Vec<_> = knot.iter().skip(1).copied().collect();
    let message = format!("{} files use each other in a circle:{}", knot.len(), arrows.concat());
    Violation::new(first, line, others.join(" "), message)
}
