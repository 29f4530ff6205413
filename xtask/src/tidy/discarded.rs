//! Failures are looked at. `let _ =` before a call and `.ok();` after one throw them away. Types
//! are not known here, so every call counts as one that may fail.

use syn::visit::Visit;

use super::code::line_of;
use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "discarded",
    demand: "no `let _ =` on a call and no `.ok();`: a failure is handled, counted or passed on",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let mut seen = Discarded { lines: Vec::new() };
        seen.visit_file(syntax);
        found.extend(seen.lines.iter().map(|line| {
            let message = format!("may throw a failure away: {}", file.line(*line));
            Violation::new(&file.path, *line, file.line(*line), message)
        }));
    }
    found
}

struct Discarded {
    lines: Vec<usize>,
}

impl<'a> Visit<'a> for Discarded {
    fn visit_local(&mut self, local: &'a syn::Local) {
        let calls = local.init.as_ref().is_some_and(|init| may_fail(&init.expr));
        if matches!(local.pat, syn::Pat::Wild(_)) && calls {
            self.lines.push(line_of(local.let_token.span));
        }
        syn::visit::visit_local(self, local);
    }

    fn visit_stmt(&mut self, statement: &'a syn::Stmt) {
        if let syn::Stmt::Expr(syn::Expr::MethodCall(call), Some(_)) = statement
            && call.method == "ok"
            && call.args.is_empty()
        {
            self.lines.push(line_of(call.method.span()));
        }
        syn::visit::visit_stmt(self, statement);
    }
}

fn may_fail(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Call(_) | syn::Expr::MethodCall(_) | syn::Expr::Await(_) | syn::Expr::Macro(_) => {
            true
        }
        syn::Expr::Paren(inner) => may_fail(&inner.expr),
        _ => false,
    }
}
