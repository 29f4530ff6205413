//! Which paths a file names, seen from the root of its crate. Knows no rule.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use super::code::{is_for_tests, line_of, line_of_path, names_of};

/// A path that a file names, from the root of its crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) names: Vec<String>,
    pub(super) line: usize,
}

/// A name that a file imports, and the path it stands for.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) names: Vec<String>,
    pub(super) line: usize,
    /// Whether the file only hands it on.
    pub(super) public: bool,
}

/// The module of a file, given its path below `src/`: `a/mod.rs` and `a.rs` are `["a"]`.
pub(super) fn module_of(path: &str) -> Vec<String> {
    let mut names: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// All paths that a file of module `module` names outside its tests: those that begin with
/// `crate`, `super` or `self`, and those that begin with a name it imports from its own crate.
pub(super) fn references(file: &syn::File, module: &[String]) -> Vec<Reference> {
    let mut paths = Paths::new(module);
    paths.visit_file(file);
    let imports = paths.imports;
    let mut found: Vec<Reference> = imports
        .iter()
        .filter(|import| !import.public)
        .map(|import| Reference { names: import.names.clone(), line: import.line })
        .collect();
    for (names, line) in paths.relative {
        let import = imports.iter().find(|import| names.first() == Some(&import.name));
        let names = match import {
            Some(import) => [import.names.as_slice(), &names[1..]].concat(),
            None => [module, &names].concat(),
        };
        found.push(Reference { names, line });
    }
    found.extend(paths.absolute);
    found
}

/// What a file of module `module` imports from its own crate, outside its tests.
pub(super) fn imports(file: &syn::File, module: &[String]) -> Vec<Import> {
    let mut paths = Paths::new(module);
    paths.visit_file(file);
    paths.imports
}

/// Names of modules that a file declares for its tests only.
pub(super) fn test_modules(file: &syn::File) -> Vec<String> {
    let items = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() && is_for_tests(&item.attrs) => {
            Some(item.ident.to_string())
        }
        _ => None,
    });
    items.collect()
}

struct Paths {
    module: Vec<String>,
    imports: Vec<Import>,
    absolute: Vec<Reference>,
    relative: Vec<(Vec<String>, usize)>,
}

impl Paths {
    fn new(module: &[String]) -> Self {
        Paths {
            module: module.to_vec(),
            imports: Vec::new(),
            absolute: Vec::new(),
            relative: Vec::new(),
        }
    }

    /// The path from the root of the crate, if it says where it starts.
    fn resolved(&self, names: &[String]) -> Option<Vec<String>> {
        let (first, mut rest) = names.split_first()?;
        let mut from = match first.as_str() {
            "crate" => Vec::new(),
            "self" if !rest.is_empty() => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            _ => return None,
        };
        while rest.first().is_some_and(|next| next == "super") {
            from.pop()?;
            rest = &rest[1..];
        }
        from.extend_from_slice(rest);
        Some(from)
    }

    fn named(&mut self, names: Vec<String>, line: usize) {
        match self.resolved(&names) {
            Some(names) => self.absolute.push(Reference { names, line }),
            None => self.relative.push((names, line)),
        }
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String], public: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), public),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, before, public));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                let own = before.last().cloned().unwrap_or_default();
                self.imported(own, before.to_vec(), line_of(name.ident.span()), public);
            }
            syn::UseTree::Name(name) => {
                self.imported(
                    name.ident.to_string(),
                    with(&name.ident),
                    line_of(name.ident.span()),
                    public,
                );
            }
            syn::UseTree::Rename(name) => {
                self.imported(
                    name.rename.to_string(),
                    with(&name.ident),
                    line_of(name.ident.span()),
                    public,
                );
            }
            syn::UseTree::Glob(glob) => {
                self.imported("*".into(), before.to_vec(), line_of(glob.star_token.span), public);
            }
        }
    }

    /// A path that starts with a name of this module (`use table::TagTable`) is taken from here;
    /// if there is no such module it is an outside crate, and leads to no file.
    fn imported(&mut self, name: String, names: Vec<String>, line: usize, public: bool) {
        let names =
            self.resolved(&names).unwrap_or_else(|| [self.module.as_slice(), &names].concat());
        self.imports.push(Import { name, names, line, public });
    }

    /// Macros are not parsed; a path in one is still a path when it says where it starts.
    fn in_tokens(&mut self, stream: TokenStream) {
        let mut names: Vec<String> = Vec::new();
        let mut line = 1;
        for token in stream {
            match token {
                TokenTree::Ident(ident) => {
                    if names.last().is_some_and(|last| last != "::") {
                        self.macro_path(&mut names, line);
                    }
                    line = line_of(ident.span());
                    names.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !names.is_empty() => {
                    if names.last().is_some_and(|last| last != "::") {
                        names.push("::".into());
                    }
                }
                TokenTree::Group(group) => {
                    self.macro_path(&mut names, line);
                    self.in_tokens(group.stream());
                }
                _ => self.macro_path(&mut names, line),
            }
        }
        self.macro_path(&mut names, line);
    }

    fn macro_path(&mut self, names: &mut Vec<String>, line: usize) {
        let path: Vec<String> = names.drain(..).filter(|name| name != "::").collect();
        if path.len() > 1 {
            self.named(path, line);
        }
    }
}

impl<'a> Visit<'a> for Paths {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&item.tree, &[], public);
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.leading_colon.is_none() {
            self.named(names_of(path), line_of_path(path));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'a syn::Macro) {
        self.in_tokens(invocation.tokens.clone());
        syn::visit::visit_macro(self, invocation);
    }
}
