//! `#[cacheable]`: a function becomes the loader of a cache.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Error, Expr, FnArg, ItemFn, Pat, Result, Type, parse_quote};

use crate::argument_key::{ArgumentKey, BoundKey, GIVE_KEY};
use crate::function::{Argument, Inputs, answer_of, value_of};
use crate::options::Options;

/// What the attribute says.
struct Wishes {
    cache: Expr,
    /// Without it the arguments are the key.
    key: Option<Expr>,
    fresh_for: Option<Expr>,
    tags: Vec<Expr>,
    condition: Option<Expr>,
}

impl Wishes {
    fn of(mut options: Options) -> Result<Self> {
        options.only(&["cache", "key", "fresh_for", "tags", "condition"])?;
        let cache = options.take("cache").ok_or_else(|| {
            let reason = "`cache` is missing: the `larder::Cache` of what the function answers";
            Error::new(Span::call_site(), reason)
        })?;
        let key = options.take("key");
        let tags = options.take_list("tags")?;
        let (fresh_for, condition) = (options.take("fresh_for"), options.take("condition"));
        Ok(Wishes { cache, key, fresh_for, tags, condition })
    }

    /// Whether the loader says more than the value.
    fn says_more(&self) -> bool {
        self.fresh_for.is_some() || !self.tags.is_empty()
    }
}

pub(crate) fn expand(options: Options, function: &ItemFn) -> Result<TokenStream> {
    let wishes = Wishes::of(options)?;
    let value = value_of(function)?;
    let inputs = Inputs::of(function)?;
    let key = match &wishes.key {
        Some(key) => BoundKey::given(key),
        None => ArgumentKey::of(function, &[&wishes.cache], GIVE_KEY)?.borrowed(),
    };
    let cached = cached(&wishes, &key, function, value, &inputs);
    let source = source(function);
    Ok(quote!(#cached #source))
}

/// The function as it was written, under another name.
fn source(function: &ItemFn) -> TokenStream {
    let mut source = function.clone();
    source.sig.ident = source_name(function);
    source.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    let comment = format!(" Asks the source of `{}` itself.", function.sig.ident);
    quote!(#[doc = #comment] #source)
}

fn source_name(function: &ItemFn) -> Ident {
    format_ident!("{}_uncached", function.sig.ident)
}

/// The function that answers from the cache, under the name that was written.
fn cached(
    wishes: &Wishes,
    key: &BoundKey,
    function: &ItemFn,
    value: &Type,
    inputs: &Inputs,
) -> TokenStream {
    let Wishes { cache, .. } = wishes;
    let BoundKey { name: key, reference } = key;
    let attributes = function.attrs.iter().filter_map(of_both);
    let visibility = &function.vis;
    let mut signature = function.sig.clone();
    signature.inputs.iter_mut().for_each(unchanged);
    let answer = answer_of(value);
    signature.output = parse_quote!(-> ::core::result::Result<#answer, ::larder::Error>);
    let loader = loader(wishes, function, value, inputs);
    let read = match &wishes.condition {
        None => quote!(__cache.get_or_load_with(#key, #loader).await),
        Some(condition) => quote! {
            let __loader = #loader;
            if #condition {
                __cache.get_or_load_with(#key, __loader).await
            } else {
                __cache.read(#key).bypass().get_or_load(__loader()).await
            }
        },
    };
    let answered = match wishes.says_more() {
        false => read,
        true => quote! {
            let __lookup = { #read }?;
            <#value as ::larder::IntoLoaded<_>>::shape(__lookup)
        },
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            let (__cache, #key) = (&(#cache), #reference);
            #answered
        }
    }
}

/// The same argument, of a function that only passes it on.
fn unchanged(input: &mut FnArg) {
    if let FnArg::Typed(typed) = input
        && let Pat::Ident(name) = &mut *typed.pat
    {
        name.mutability = None;
    }
}

/// What makes the loader. A loader owns copies of what it needs, because it may outlive its caller;
/// they are made for a miss only.
fn loader(wishes: &Wishes, function: &ItemFn, value: &Type, inputs: &Inputs) -> TokenStream {
    let copies = inputs.arguments.iter().map(Argument::copied);
    let this = inputs.has_self.then(|| quote!(let __this = ::core::clone::Clone::clone(self);));
    let name = source_name(function);
    let passed = inputs.arguments.iter().map(Argument::passed);
    let source = match inputs.has_self {
        true => quote!(__this.#name(#(#passed),*)),
        false => quote!(#name(#(#passed),*)),
    };
    let work = match wishes.says_more() {
        false => quote!(#source.await),
        true => {
            let loaded = loaded(wishes, value);
            quote!(#source.await.map(|__value| #loaded))
        }
    };
    quote! {
        || {
            #this
            #(#copies)*
            move |_| async move { #work }
        }
    }
}

/// What was loaded, `__value`, with all that is said about it.
fn loaded(wishes: &Wishes, value: &Type) -> TokenStream {
    let tags = wishes.tags.iter().map(|tag| owned_self(tag.to_token_stream()));
    let names: Vec<Ident> = (0..wishes.tags.len()).map(|at| format_ident!("__tag_{at}")).collect();
    let fresh_for = wishes.fresh_for.iter().map(|time| owned_self(time.to_token_stream()));
    let keep = wishes.fresh_for.iter().map(|_| quote!(.fresh_for(__fresh_for)));
    quote! {{
        let result = &__value;
        #(let __fresh_for: ::core::time::Duration = #fresh_for;)*
        #(let #names = ::larder::Tag::from(#tags);)*
        <#value as ::larder::IntoLoaded<_>>::into_loaded(__value) #(#keep)* #(.tag(#names))*
    }}
}

/// The same, of the loader's own copy of `self`.
fn owned_self(tokens: TokenStream) -> TokenStream {
    let owned = |token| match token {
        TokenTree::Ident(name) if name == "self" => Ident::new("__this", name.span()).into(),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), owned_self(group.stream()));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    };
    tokens.into_iter().map(owned).collect()
}

/// What also stands on the function that reads: what its callers see, whether it is there at all,
/// and what its author allows. An expectation would be missed on one of the two.
fn of_both(attribute: &Attribute) -> Option<Attribute> {
    let is = |name: &str| attribute.path().is_ident(name);
    if ["allow", "cfg", "deprecated", "doc"].into_iter().any(is) {
        return Some(attribute.clone());
    }
    let expected = attribute.meta.require_list().ok().filter(|_| is("expect"))?;
    let lints = &expected.tokens;
    Some(parse_quote!(#[allow(#lints)]))
}
