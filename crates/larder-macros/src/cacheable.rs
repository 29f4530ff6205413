//! `#[cacheable]`: a function becomes the loader of a cache.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Error, Expr, ItemFn, Result, Type};

use crate::function::{Argument, Function, first_argument};
use crate::options::Options;

const KNOWN: &str = "`cache`, `key`, `fresh_for`, `tags` and `condition`";

/// What the attribute says.
struct Wishes {
    cache: Expr,
    key: Expr,
    fresh_for: Option<Expr>,
    tags: Vec<Expr>,
    condition: Option<Expr>,
}

impl Wishes {
    fn of(mut options: Options) -> Result<Self> {
        let needed = |name: &str, what: &str| {
            Error::new(Span::call_site(), format!("`{name}` is missing: {what}"))
        };
        let cache = options
            .take("cache")
            .ok_or_else(|| needed("cache", "the `larder::Cache` of what the function answers"))?;
        let key = options
            .take("key")
            .ok_or_else(|| needed("key", "which of the cache's keys the arguments name"))?;
        let tags = match options.take("tags") {
            None => Vec::new(),
            Some(Expr::Array(tags)) => tags.elems.into_iter().collect(),
            Some(other) => {
                return Err(Error::new_spanned(other, "`tags` is a list: `tags = [first, second]`"));
            }
        };
        let (fresh_for, condition) = (options.take("fresh_for"), options.take("condition"));
        options.none_left(KNOWN)?;
        Ok(Wishes { cache, key, fresh_for, tags, condition })
    }
}

pub(crate) fn expand(options: Options, item: ItemFn) -> Result<TokenStream> {
    let wishes = Wishes::of(options)?;
    let function = Function::of(item)?;
    let source = source(&function);
    let cached = cached(&wishes, &function);
    Ok(quote!(#cached #source))
}

/// The function as it was written, under another name.
fn source(function: &Function) -> TokenStream {
    let mut source = function.item.clone();
    source.sig.ident = source_name(function);
    source.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    let comment = format!(" Asks the source of [`{}`] itself.", function.item.sig.ident);
    quote!(#[doc = #comment] #source)
}

fn source_name(function: &Function) -> Ident {
    format_ident!("{}_uncached", function.item.sig.ident)
}

/// The function that answers from the cache, under the name that was written.
fn cached(wishes: &Wishes, function: &Function) -> TokenStream {
    let Wishes { cache, key, .. } = wishes;
    let attributes = function.item.attrs.iter().filter(|attribute| is_of_both(attribute));
    let visibility = &function.item.vis;
    let mut signature = function.item.sig.clone();
    let answer = answer_of(&function.value);
    signature.output = syn::parse_quote!(-> ::core::result::Result<#answer, ::larder::Error>);
    let loader = loader(wishes, function);
    let read = match &wishes.condition {
        None => quote!(__cache.get_or_load(__key, __load).await),
        Some(condition) => quote! {
            if #condition {
                __cache.get_or_load(__key, __load).await
            } else {
                __cache.read(__key).bypass().get_or_load(__load).await
            }
        },
    };
    let (read, shape) = match wishes.says_more() {
        false => (read, None),
        true => {
            let value = &function.value;
            (
                quote!(let __lookup = { #read }?;),
                Some(quote! {
                    <#value as ::larder::IntoLoaded<_>>::shape(__lookup)
                }),
            )
        }
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            let (__cache, __key) = (&#cache, &#key);
            let __load = #loader;
            #read
            #shape
        }
    }
}

impl Wishes {
    /// Whether the loader says more than the value.
    fn says_more(&self) -> bool {
        self.fresh_for.is_some() || !self.tags.is_empty()
    }
}

/// The loader: it owns copies of what it needs, because it may outlive its caller.
fn loader(wishes: &Wishes, function: &Function) -> TokenStream {
    let copies = function.arguments.iter().map(Argument::copied);
    let this = function.has_self.then(|| quote!(let __this = ::core::clone::Clone::clone(self);));
    let name = source_name(function);
    let passed = function.arguments.iter().map(Argument::passed);
    let source = match function.has_self {
        true => quote!(__this.#name(#(#passed),*)),
        false => quote!(#name(#(#passed),*)),
    };
    let work = match wishes.says_more() {
        false => quote!(#source.await),
        true => {
            let loaded = loaded(wishes, &function.value);
            quote!(#source.await.map(|__value| #loaded))
        }
    };
    quote! {{
        #this
        #(#copies)*
        move |_| async move { #work }
    }}
}

/// What was loaded, `__value`, with all that is said about it.
fn loaded(wishes: &Wishes, value: &Type) -> TokenStream {
    let tags = &wishes.tags;
    let names: Vec<Ident> = (0..tags.len()).map(|at| format_ident!("__tag_{at}")).collect();
    let fresh_for = wishes.fresh_for.iter();
    let keep = wishes.fresh_for.iter().map(|_| quote!(.fresh_for(__fresh_for)));
    quote! {{
        let result = &__value;
        #(let __fresh_for: ::core::time::Duration = #fresh_for;)*
        #(let #names = ::larder::Tag::from(#tags);)*
        <#value as ::larder::IntoLoaded<_>>::into_loaded(__value) #(#keep)* #(.tag(#names))*
    }}
}

/// What a read answers for a loader of this type, see `larder::IntoLoaded`.
fn answer_of(value: &Type) -> TokenStream {
    match first_argument(value, "Option").or_else(|| first_argument(value, "Loaded")) {
        Some(value) => quote!(::larder::Lookup<#value>),
        None => quote!(::larder::Hit<#value>),
    }
}

/// Attributes that say what a caller sees, or whether the function is there at all.
fn is_of_both(attribute: &Attribute) -> bool {
    ["doc", "cfg", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
}
