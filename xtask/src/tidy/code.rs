//! Reads facts out of Rust code that several rules ask for: comments, functions, paths. Knows no
//! rule.

use std::ops::Range;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::Visit;

/// A comment that is not documentation, without its slashes.
pub(crate) struct Comment {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The line comments of a file. Two slashes begin one unless they stand in a literal, and the
/// parser knows where those are.
pub(crate) fn comments(text: &str) -> Vec<Comment> {
    let literals = text.parse::<TokenStream>().map(literals_with_slashes).unwrap_or_default();
    let mut found = Vec::new();
    let mut begin = 0;
    for (place, line) in text.split_inclusive('\n').enumerate() {
        let outside = |at: &usize| !literals.iter().any(|literal| literal.contains(&(begin + at)));
        let at = line.match_indices("//").map(|(at, _)| at).find(outside);
        if let Some(comment) = at.map(|at| &line[at..]).filter(|comment| !is_documentation(comment)) {
            found.push(Comment { line: place + 1, text: comment[2..].trim().to_owned() });
        }
        begin += line.len();
    }
    found
}

fn is_documentation(comment: &str) -> bool {
    comment.starts_with("//!") || (comment.starts_with("///") && !comment.starts_with("////"))
}

fn literals_with_slashes(stream: TokenStream) -> Vec<Range<usize>> {
    let literals = flat(stream).into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => Some(literal),
        _ => None,
    });
    let with_slashes = literals.filter(|literal| literal.to_string().contains("//"));
    with_slashes.map(|literal| literal.span().byte_range()).collect()
}

/// The tokens of a stream without their brackets, in order.
pub(crate) fn flat(stream: TokenStream) -> Vec<TokenTree> {
    let mut tokens = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) => tokens.extend(flat(group.stream())),
            other => tokens.push(other),
        }
    }
    tokens
}

/// The line where a span begins, counted from 1.
pub(crate) fn line_of(span: Span) -> usize {
    span.start().line
}

/// The line where a path begins. Its first name knows it; the span of the whole would be found by
/// printing it.
pub(crate) fn line_of_path(path: &syn::Path) -> usize {
    path.segments.first().map_or(1, |first| line_of(first.ident.span()))
}

/// A path as its names: `tokio::spawn` is `["tokio", "spawn"]`.
pub(crate) fn names_of(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Whether an item is built for tests only.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last().map(|segment| segment.ident.to_string());
        match (last.as_deref(), &attribute.meta) {
            (Some("cfg"), syn::Meta::List(list)) => {
                let words: Vec<_> =
                    flat(list.tokens.clone()).iter().map(ToString::to_string).collect();
                words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
            }
            (Some("test" | "rstest" | "test_case"), _) => true,
            _ => false,
        }
    })
}

/// A function with a body.
pub(crate) struct Function<'a> {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) body: &'a syn::Block,
    /// Whether it is a test, or stands in a module of tests.
    pub(crate) tests: bool,
}

impl Function<'_> {
    /// The line of the bracket that opens the body.
    pub(crate) fn body_line(&self) -> usize {
        line_of(self.body.brace_token.span.open())
    }

    /// The line of the last bracket.
    pub(crate) fn last_line(&self) -> usize {
        line_of(self.body.brace_token.span.close())
    }

    /// The lines from its signature to its last bracket.
    pub(crate) fn lines(&self) -> usize {
        self.last_line() + 1 - self.line
    }
}

/// Every function and method of a file, nested ones too.
pub(crate) fn functions(file: &syn::File) -> Vec<Function<'_>> {
    let mut seen = Functions { found: Vec::new(), tests: is_for_tests(&file.attrs) };
    seen.visit_file(file);
    seen.found
}

struct Functions<'a> {
    found: Vec<Function<'a>>,
    tests: bool,
}

impl<'a> Functions<'a> {
    fn enter(&mut self, sig: &'a syn::Signature, body: &'a syn::Block) {
        let (name, line, tests) = (sig.ident.to_string(), line_of(sig.fn_token.span), self.tests);
        self.found.push(Function { name, line, body, tests });
    }

    fn inside(&mut self, attributes: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let outer = self.tests;
        self.tests |= is_for_tests(attributes);
        visit(self);
        self.tests = outer;
    }
}

impl<'a> Visit<'a> for Functions<'a> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.inside(&item.attrs, |seen| syn::visit::visit_item_mod(seen, item));
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.inside(&item.attrs, |seen| {
            seen.enter(&item.sig, &item.block);
            syn::visit::visit_item_fn(seen, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.enter(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.enter(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}
