//! What a write makes wrong, as its attribute names it, and what of that only the result tells.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Expr, FnArg, ItemFn, Pat, Result};

use crate::options::Options;

/// Each thing to be invalidated, as a call of `larder::Invalidation`.
/// `tags` is how the list of invalidated tags is called.
pub(crate) fn targets(options: &mut Options, tags: &str) -> Result<Vec<TokenStream>> {
    let mut targets = Vec::new();
    for (list, method) in [("keys", "key"), ("prefixes", "prefix")] {
        let method = format_ident!("{method}");
        for pair in options.take_list(list)? {
            let (cache, key) = cache_and_key(&pair, list)?;
            targets.push(quote!(.#method(&(#cache), &(#key))));
        }
    }
    targets.extend(options.take_list(tags)?.iter().map(|tag| quote!(.tag(#tag))));
    targets.extend(options.take_list("caches")?.iter().map(|cache| quote!(.cache(&(#cache)))));
    targets.extend(options.take_list("patterns")?.iter().map(|pattern| quote!(.pattern(#pattern))));
    Ok(targets)
}

fn cache_and_key<'p>(pair: &'p Expr, list: &str) -> Result<(&'p Expr, &'p Expr)> {
    if let Expr::Tuple(tuple) = pair
        && tuple.elems.len() == 2
    {
        return Ok((&tuple.elems[0], &tuple.elems[1]));
    }
    let reason = format!("`{list}` is a list of pairs of a cache and a key: `[(self.rooms, id)]`");
    Err(Error::new_spanned(pair, reason))
}

/// Whether these tokens use the name `result`, also in the braces of a text. A field or a path
/// that ends in it is another thing.
pub(crate) fn speaks_of_result(tokens: &(impl ToTokens + ?Sized)) -> bool {
    let mut is_part = false;
    tokens.to_token_stream().into_iter().any(|token| {
        let was_part = std::mem::take(&mut is_part);
        match token {
            TokenTree::Ident(name) => name == "result" && !was_part,
            TokenTree::Group(group) => speaks_of_result(&group.stream()),
            TokenTree::Literal(text) => {
                let text = text.to_string();
                ["{result}", "{result:"].into_iter().any(|named| text.contains(named))
            }
            TokenTree::Punct(mark) => {
                is_part = matches!(mark.as_char(), '.' | ':');
                false
            }
        }
    })
}

/// An argument of the name that stands for what the function answers would be hidden by it.
pub(crate) fn without_result_among_arguments(function: &ItemFn) -> Result<()> {
    for input in &function.sig.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(name) = &*typed.pat
            && name.ident == "result"
        {
            let reason = "`result` is what the function answers; call the argument something else";
            return Err(Error::new_spanned(name, reason));
        }
    }
    Ok(())
}
