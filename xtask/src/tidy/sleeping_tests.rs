//! Tests wait for what they test, or turn the injected clock. A sleep is slow when it is long and
//! flaky when it is short.

use syn::visit::Visit;

use super::code::{functions, line_of, line_of_path};
use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule { name: "sleeping_tests", demand: "no sleep in a test", check };

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        for function in functions(syntax).iter().filter(|function| function.tests || file.is_test()) {
            let mut seen = Sleeps { lines: Vec::new() };
            seen.visit_block(function.body);
            found.extend(seen.lines.into_iter().map(|line| {
                let message =
                    format!("{} sleeps: wait for the event or turn the clock", function.name);
                Violation::new(&file.path, line, &function.name, message)
            }));
        }
    }
    found
}

struct Sleeps {
    lines: Vec<usize>,
}

impl<'a> Visit<'a> for Sleeps {
    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && function.path.segments.last().is_some_and(|name| name.ident == "sleep")
        {
            self.lines.push(line_of_path(&function.path));
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if call.method == "sleep" {
            self.lines.push(line_of(call.method.span()));
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    /// A function inside a function is looked at on its own.
    fn visit_item_fn(&mut self, _: &'a syn::ItemFn) {}
}
