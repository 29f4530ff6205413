//! A setting that nothing reads is a promise nobody keeps: each field of a settings struct of
//! arcade is read in another file than the one that declares it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use super::code::{flat, line_of};
use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "settings", demand: "every setting of arcade is read somewhere", check };

const SOURCE: &str = "arcade/src/";
const SETTINGS: &str = "arcade/src/settings";

fn check(tree: &Tree) -> Vec<Violation> {
    let reads: BTreeMap<&str, BTreeSet<String>> = tree
        .rust()
        .filter(|(file, _)| file.path.starts_with(SOURCE))
        .map(|(file, syntax)| (file.path.as_str(), fields_read(file, syntax)))
        .collect();
    let mut found = Vec::new();
    for (file, syntax) in tree.rust().filter(|(file, _)| file.path.starts_with(SETTINGS)) {
        let read =
            |name: &str| reads.iter().any(|(path, names)| *path != file.path && names.contains(name));
        for (name, line) in declared(syntax).into_iter().filter(|(name, _)| !read(name)) {
            let message = format!("nothing reads the setting {name}");
            found.push(Violation::new(&file.path, line, name, message));
        }
    }
    found
}

fn declared(syntax: &syn::File) -> Vec<(String, usize)> {
    let structs = syntax.items.iter().filter_map(|item| match item {
        syn::Item::Struct(item) => Some(item),
        _ => None,
    });
    let fields = structs.flat_map(|item| &item.fields);
    fields
        .filter_map(|field| field.ident.as_ref())
        .map(|name| (name.to_string(), line_of(name.span())))
        .collect()
}

/// Every `.name` of a file, in macros too, and every name that a pattern takes out of a struct.
fn fields_read(file: &File, syntax: &syn::File) -> BTreeSet<String> {
    let tokens = file.text.parse::<TokenStream>().map(flat).unwrap_or_default();
    let after_dot = tokens.windows(2).filter_map(|pair| match pair {
        [TokenTree::Punct(dot), TokenTree::Ident(name)] if dot.as_char() == '.' => {
            Some(name.to_string())
        }
        _ => None,
    });
    let mut patterns = Patterns { names: after_dot.collect() };
    patterns.visit_file(syntax);
    patterns.names
}

struct Patterns {
    names: BTreeSet<String>,
}

impl<'a> Visit<'a> for Patterns {
    fn visit_field_pat(&mut self, field: &'a syn::FieldPat) {
        if let (syn::Member::Named(name), false) =
            (&field.member, matches!(*field.pat, syn::Pat::Wild(_)))
        {
            self.names.insert(name.to_string());
        }
        syn::visit::visit_field_pat(self, field);
    }
}
