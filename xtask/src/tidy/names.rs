//! Names say what a thing is. A word that fits everything says nothing.

use syn::visit::Visit;

use super::rule::{Rule, Violation};
use super::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "names",
    demand: "no type called *Helper, *Manager, *Service, *Util, *Impl, *Processor, *Wrapper; no module utils",
    check,
};

const TYPE_ENDS: &[&str] =
    &["Helper", "Helpers", "Manager", "Service", "Util", "Utils", "Impl", "Processor", "Wrapper"];
const MODULES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, syntax) in tree.rust() {
        let mut seen = Names { empty: Vec::new() };
        seen.visit_file(syntax);
        found.extend(seen.empty.into_iter().map(|name| {
            let message = format!("{name} says nothing: use a noun of the domain");
            Violation::new(&file.path, super::code::line_of(name.span()), name.to_string(), message)
        }));
    }
    found
}

struct Names {
    empty: Vec<syn::Ident>,
}

impl Names {
    fn type_called(&mut self, name: &syn::Ident) {
        if TYPE_ENDS.iter().any(|end| name.to_string().ends_with(end)) {
            self.empty.push(name.clone());
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.type_called(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.type_called(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.type_called(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.type_called(&item.ident);
        syn::visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if MODULES.iter().any(|name| item.ident == name) {
            self.empty.push(item.ident.clone());
        }
        syn::visit::visit_item_mod(self, item);
    }
}
