//! `#[cache_invalidate]`: what a write changes is invalidated, whatever becomes of the write.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Expr, FnArg, ItemFn, Pat, Result, ReturnType};

use crate::function::value_of;
use crate::options::Options;

/// What the attribute says.
struct Wishes {
    larder: Expr,
    /// What is known before the write, as calls of `larder::Invalidation`.
    before: Vec<TokenStream>,
    /// What speaks of `result`, which is there only after the write.
    after: Vec<TokenStream>,
    condition: Option<Expr>,
    rolled_back: Option<Expr>,
}

const KNOWN: [&str; 8] =
    ["larder", "keys", "prefixes", "tags", "caches", "patterns", "condition", "rolled_back"];

impl Wishes {
    fn of(mut options: Options) -> Result<Self> {
        options.only(&KNOWN)?;
        let larder = options.take("larder").ok_or_else(|| {
            Error::new(Span::call_site(), "`larder` is missing: the `larder::Larder` of the caches")
        })?;
        let targets = targets(&mut options)?;
        if targets.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "names nothing: give `keys`, `prefixes`, `tags`, `caches` or `patterns`",
            ));
        }
        let speaks = |call: &TokenStream| speaks_of_result(call.clone());
        let (after, before) = targets.into_iter().partition(speaks);
        let (condition, rolled_back) = (options.take("condition"), options.take("rolled_back"));
        Ok(Wishes { larder, before, after, condition, rolled_back })
    }
}

/// Each thing to be invalidated, as a call of `larder::Invalidation`.
fn targets(options: &mut Options) -> Result<Vec<TokenStream>> {
    let mut targets = Vec::new();
    for (list, method) in [("keys", "key"), ("prefixes", "prefix")] {
        let method = format_ident!("{method}");
        for pair in options.take_list(list)? {
            let (cache, key) = cache_and_key(&pair, list)?;
            targets.push(quote!(.#method(&(#cache), &(#key))));
        }
    }
    targets.extend(options.take_list("tags")?.iter().map(|tag| quote!(.tag(#tag))));
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
fn speaks_of_result(tokens: TokenStream) -> bool {
    let mut is_part = false;
    tokens.into_iter().any(|token| {
        let was_part = std::mem::take(&mut is_part);
        match token {
            TokenTree::Ident(name) => name == "result" && !was_part,
            TokenTree::Group(group) => speaks_of_result(group.stream()),
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
fn without_result_among_arguments(function: &ItemFn) -> Result<()> {
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

pub(crate) fn expand(options: Options, function: &ItemFn) -> Result<TokenStream> {
    let Wishes { larder, before, after, condition, rolled_back } = Wishes::of(options)?;
    value_of(function)?;
    without_result_among_arguments(function)?;
    let ItemFn { attrs, vis, sig, block } = function;
    let output = match &sig.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => quote!(()),
    };
    let applies = condition.map_or_else(|| quote!(true), |condition| quote!(#condition));
    let also = (!after.is_empty()).then(|| {
        quote! {
            if let (true, ::core::result::Result::Ok(result)) = (__applies, &__written) {
                __writing.also(::larder::Invalidation::new() #(#after)*);
            }
        }
    });
    let undone = rolled_back.map(|rolled_back| {
        quote! {
            if let ::core::result::Result::Err(error) = &__written {
                if #rolled_back {
                    __writing.rolled_back();
                    return __written;
                }
            }
        }
    });
    let mutable = also.is_some().then(|| quote!(mut));
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            let __applies: bool = #applies;
            let #mutable __writing = (#larder).writing(match __applies {
                true => ::larder::Invalidation::new() #(#before)*,
                false => ::larder::Invalidation::new(),
            });
            let __written: #output = async #block.await;
            #undone
            #also
            ::core::mem::drop(__writing.committed().await);
            __written
        }
    })
}
