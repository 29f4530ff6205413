//! `#[cache_invalidate]`: what a write changes is invalidated, whatever becomes of the write.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ItemFn, Result, ReturnType};

use crate::function::value_of;
use crate::named::{Named, without_result_among_arguments};
use crate::options::Options;
use crate::spoken::speaks_of_result;

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
    fn of(mut options: Options, function: &ItemFn) -> Result<Self> {
        options.only(&KNOWN)?;
        let larder = options.take("larder").ok_or_else(|| {
            Error::new(Span::call_site(), "`larder` is missing: the `larder::Larder` of the caches")
        })?;
        let targets = Named::of(&mut options, "tags")?.targets(function, &larder)?;
        if targets.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "names nothing: give `keys`, `prefixes`, `tags`, `caches` or `patterns`",
            ));
        }
        let (after, before) = targets.into_iter().partition(speaks_of_result);
        let (condition, rolled_back) = (options.take("condition"), options.take("rolled_back"));
        Ok(Wishes { larder, before, after, condition, rolled_back })
    }
}

pub(crate) fn expand(options: Options, function: &ItemFn) -> Result<TokenStream> {
    value_of(function)?;
    without_result_among_arguments(function)?;
    let Wishes { larder, before, after, condition, rolled_back } = Wishes::of(options, function)?;
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
