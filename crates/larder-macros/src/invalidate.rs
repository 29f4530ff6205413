//! `#[cache_invalidate]`: what a write changes is invalidated, whatever becomes of the write.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ItemFn, Result};

use crate::function::Function;
use crate::options::Options;

const KNOWN: &str =
    "`larder`, `keys`, `prefixes`, `tags`, `caches`, `patterns`, `condition` and `rolled_back`";

/// What the attribute says.
struct Wishes {
    larder: Expr,
    targets: Vec<Target>,
    condition: Option<Expr>,
    rolled_back: Option<Expr>,
}

/// One thing to be invalidated, as a call of `larder::Invalidation`.
struct Target {
    call: TokenStream,
    /// It speaks of `result`, which is there only after the write.
    is_of_result: bool,
}

impl Wishes {
    fn of(mut options: Options) -> Result<Self> {
        let larder = options.take("larder").ok_or_else(|| {
            Error::new(Span::call_site(), "`larder` is missing: the `larder::Larder` of the caches")
        })?;
        let mut targets = Vec::new();
        for (list, method) in [("keys", "key"), ("prefixes", "prefix")] {
            let method = syn::Ident::new(method, Span::call_site());
            for pair in listed(&mut options, list)? {
                let (cache, key) = cache_and_key(pair, list)?;
                targets.push(Target::of(quote!(.#method(&#cache, &#key))));
            }
        }
        for tag in listed(&mut options, "tags")? {
            targets.push(Target::of(quote!(.tag(#tag))));
        }
        for cache in listed(&mut options, "caches")? {
            targets.push(Target::of(quote!(.cache(&#cache))));
        }
        for pattern in listed(&mut options, "patterns")? {
            targets.push(Target::of(quote!(.pattern(#pattern))));
        }
        let (condition, rolled_back) = (options.take("condition"), options.take("rolled_back"));
        options.none_left(KNOWN)?;
        if targets.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "names nothing: give `keys`, `prefixes`, `tags`, `caches` or `patterns`",
            ));
        }
        Ok(Wishes { larder, targets, condition, rolled_back })
    }

    fn calls(&self, of_result: bool) -> Vec<&TokenStream> {
        let wanted = |target: &&Target| target.is_of_result == of_result;
        self.targets.iter().filter(wanted).map(|target| &target.call).collect()
    }
}

impl Target {
    fn of(call: TokenStream) -> Self {
        Target { is_of_result: speaks_of_result(call.clone()), call }
    }
}

fn speaks_of_result(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "result",
        TokenTree::Group(group) => speaks_of_result(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The elements of a list; none if it is not given.
fn listed(options: &mut Options, name: &str) -> Result<Vec<Expr>> {
    match options.take(name) {
        None => Ok(Vec::new()),
        Some(Expr::Array(list)) => Ok(list.elems.into_iter().collect()),
        Some(other) => {
            Err(Error::new_spanned(other, format!("`{name}` is a list: `{name} = [first, second]`")))
        }
    }
}

fn cache_and_key(pair: Expr, list: &str) -> Result<(Expr, Expr)> {
    match pair {
        Expr::Tuple(pair) if pair.elems.len() == 2 => {
            let mut parts = pair.elems.into_iter();
            match (parts.next(), parts.next()) {
                (Some(cache), Some(key)) => Ok((cache, key)),
                _ => Err(Error::new(Span::call_site(), "a pair has two parts")),
            }
        }
        other => Err(Error::new_spanned(
            other,
            format!("`{list}` is a list of pairs of a cache and a key: `[(self.rooms, id)]`"),
        )),
    }
}

pub(crate) fn expand(options: Options, item: ItemFn) -> Result<TokenStream> {
    let wishes = Wishes::of(options)?;
    let Function { item, .. } = Function::of(item)?;
    let ItemFn { attrs, vis, sig, block } = &item;
    let syn::ReturnType::Type(_, output) = &sig.output else {
        return Err(Error::new_spanned(sig, "answers a `Result`, as every source can fail"));
    };
    let larder = &wishes.larder;
    let (before, after) = (wishes.calls(false), wishes.calls(true));
    let applies = match &wishes.condition {
        Some(condition) => condition.to_token_stream(),
        None => quote!(true),
    };
    let also = (!after.is_empty()).then(|| {
        quote! {
            if let (true, ::core::result::Result::Ok(result)) = (__applies, &__written) {
                __writing.also(::larder::Invalidation::new() #(#after)*);
            }
        }
    });
    let undone = wishes.rolled_back.as_ref().map(|rolled_back| {
        quote! {
            if let ::core::result::Result::Err(error) = &__written && #rolled_back {
                __writing.rolled_back();
                return __written;
            }
        }
    });
    let mutable = also.is_some().then(|| quote!(mut));
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            let __applies: bool = #applies;
            let #mutable __writing = #larder.writing(match __applies {
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
