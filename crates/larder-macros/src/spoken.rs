//! Which names an expression speaks of: `result`, and the arguments.

use proc_macro2::TokenTree;
use quote::ToTokens;

/// Whether these tokens use the name `result`.
pub(crate) fn speaks_of_result(tokens: &(impl ToTokens + ?Sized)) -> bool {
    speaks_of(tokens, "result")
}

/// Whether these tokens use this name, also in the braces of a text. A field or a path that ends in
/// it is another thing.
pub(crate) fn speaks_of(tokens: &(impl ToTokens + ?Sized), name: &str) -> bool {
    let mut is_part = false;
    tokens.to_token_stream().into_iter().any(|token| {
        let was_part = std::mem::take(&mut is_part);
        match token {
            TokenTree::Ident(used) => used == name && !was_part,
            TokenTree::Group(group) => speaks_of(&group.stream(), name),
            TokenTree::Literal(text) => {
                let text = text.to_string();
                [format!("{{{name}}}"), format!("{{{name}:")].iter().any(|used| text.contains(used))
            }
            TokenTree::Punct(mark) => {
                is_part = matches!(mark.as_char(), '.' | ':');
                false
            }
        }
    })
}
