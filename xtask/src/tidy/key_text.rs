//! Keys are types, and one module formats them. A key built from text elsewhere is one that an
//! invalidation can miss.

use std::sync::LazyLock;

use proc_macro2::{Literal, TokenTree};
use regex::Regex;
use syn::visit::Visit;

use super::code::{flat, line_of};
use super::rule::{Rule, Violation};
use super::tree::{File, Tree};

pub(super) const RULE: Rule =
    Rule { name: "key_text", demand: "no key text is formatted outside a key module", check };

/// What looks like a key: `"room:{`, `"user:profile:{`.
static KEY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^r?#*"([a-z_]+:)+\{"#).expect("the pattern is written here"));

const FORMATTERS: &[&str] = &["format", "write", "writeln", "format_args"];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust().filter(|(file, _)| !formats_keys(file)) {
        let mut seen = Keys { found: Vec::new() };
        seen.visit_file(syntax);
        found.extend(seen.found.into_iter().map(|(line, text)| {
            let message = format!("{text} looks like a key: make it a key type");
            Violation::new(&file.path, line, text, message)
        }));
    }
    found
}

fn formats_keys(file: &File) -> bool {
    matches!(file.stem(), "key" | "keys")
        || file.path.contains("/key/")
        || file.path.contains("/keys/")
}

struct Keys {
    found: Vec<(usize, String)>,
}

impl<'a> Visit<'a> for Keys {
    fn visit_macro(&mut self, invocation: &'a syn::Macro) {
        let tokens = flat(invocation.tokens.clone());
        let formats = invocation
            .path
            .segments
            .last()
            .is_some_and(|name| FORMATTERS.iter().any(|formatter| name.ident == formatter));
        if formats {
            self.found.extend(tokens.iter().find_map(literal).and_then(key));
        }
        self.inside_others(&tokens);
    }
}

impl Keys {
    /// `format!` inside the tokens of another macro, such as an assertion.
    fn inside_others(&mut self, tokens: &[TokenTree]) {
        for window in tokens.windows(3) {
            let formats = FORMATTERS.iter().any(|formatter| window[0].to_string() == *formatter);
            if formats && window[1].to_string() == "!" {
                self.found.extend(literal(&window[2]).and_then(key));
            }
        }
    }
}

fn literal(token: &TokenTree) -> Option<&Literal> {
    match token {
        TokenTree::Literal(literal) => Some(literal),
        _ => None,
    }
}

fn key(literal: &Literal) -> Option<(usize, String)> {
    let text = literal.to_string();
    KEY.is_match(&text).then(|| (line_of(literal.span()), text))
}
