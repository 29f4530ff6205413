//! Every task and thread has an owner that waits for it. One whose handle is dropped dies with
//! the process, in the middle of what it does.

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::code::{line_of, names_of};
use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "spawns",
    demand: "no tokio::spawn or thread::spawn whose handle is dropped",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let mut seen = Orphans { lines: Vec::new() };
        seen.visit_file(syntax);
        found.extend(seen.lines.into_iter().map(|line| {
            let message = format!("nobody owns this task: {}", file.line(line));
            Violation::new(&file.path, line, file.line(line), message)
        }));
    }
    found
}

struct Orphans {
    lines: Vec<usize>,
}

impl<'a> Visit<'a> for Orphans {
    fn visit_stmt(&mut self, statement: &'a syn::Stmt) {
        let dropped = match statement {
            syn::Stmt::Expr(expression, Some(_)) => Some(expression),
            syn::Stmt::Local(local) if is_nameless(&local.pat) => {
                local.init.as_ref().map(|init| &*init.expr)
            }
            _ => None,
        };
        self.lines.extend(
            dropped
                .filter(|expression| spawns(expression))
                .map(|expression| line_of(expression.span())),
        );
        syn::visit::visit_stmt(self, statement);
    }
}

/// `_` drops at once, `_task` at the end of the block: neither waits.
fn is_nameless(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(name) => name.ident.to_string().starts_with('_'),
        _ => false,
    }
}

fn spawns(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Call(call) => {
            matches!(&*call.func, syn::Expr::Path(function) if is_spawn(&function.path))
        }
        syn::Expr::MethodCall(call) => call.method == "spawn" && is_runtime(&call.receiver),
        _ => false,
    }
}

fn is_spawn(path: &syn::Path) -> bool {
    let names = names_of(path);
    matches!(names.last().map(String::as_str), Some("spawn" | "spawn_blocking" | "spawn_local"))
}

/// `Handle::current().spawn(…)` is `tokio::spawn` in other words.
fn is_runtime(receiver: &syn::Expr) -> bool {
    matches!(receiver, syn::Expr::Call(call)
        if matches!(&*call.func, syn::Expr::Path(path) if names_of(&path.path).ends_with(&["Handle".into(), "current".into()])))
}
