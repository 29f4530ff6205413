//! A test that does not run proves nothing.

use syn::visit::Visit;

use super::code::line_of;
use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule { name: "skipped_tests", demand: "no #[ignore]", check };

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let mut seen = Ignored { tests: Vec::new() };
        seen.visit_file(syntax);
        found.extend(seen.tests.into_iter().map(|(name, line)| {
            let message = format!("{name} is ignored: let it run, or delete it");
            Violation::new(&file.path, line, name, message)
        }));
    }
    found
}

struct Ignored {
    tests: Vec<(String, usize)>,
}

impl<'a> Visit<'a> for Ignored {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        let ignored = item.attrs.iter().filter(|attribute| attribute.path().is_ident("ignore"));
        self.tests.extend(
            ignored
                .map(|attribute| (item.sig.ident.to_string(), line_of(attribute.pound_token.span))),
        );
        syn::visit::visit_item_fn(self, item);
    }
}
