//! `#[cache_write_through]`: a function writes the source, and what it answers takes the place of
//! what is cached.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Error, Expr, GenericArgument, ItemFn, PathArguments, Result, ReturnType, Type, parse_quote,
};

use crate::argument_key::{ArgumentKey, BoundKey, GIVE_KEY};
use crate::function::{answer_of, first_argument, value_of};
use crate::named::{Named, without_result_among_arguments};
use crate::options::Options;
use crate::spoken::speaks_of_result;

/// What the attribute says.
struct Wishes {
    cache: Expr,
    key: Key,
    fresh_for: Option<Expr>,
    tags: Vec<Expr>,
    condition: Option<Expr>,
    /// What else is known to be wrong before the write, as calls of `larder::Invalidation`.
    before: Vec<TokenStream>,
    /// What speaks of `result`, which is there only after the write.
    after: Vec<TokenStream>,
    rolled_back: Option<Expr>,
}

/// When the key is known.
enum Key {
    BeforeTheWrite(BoundKey),
    OfResult(Expr),
}

const KNOWN: [&str; 11] = [
    "cache",
    "key",
    "fresh_for",
    "tags",
    "condition",
    "keys",
    "prefixes",
    "dropped_tags",
    "caches",
    "patterns",
    "rolled_back",
];

impl Wishes {
    fn of(mut options: Options, function: &ItemFn) -> Result<Self> {
        options.only(&KNOWN)?;
        let cache = options.take("cache").ok_or_else(|| {
            let reason = "`cache` is missing: the `larder::Cache` of what the function writes";
            Error::new(Span::call_site(), reason)
        })?;
        let key = options.take("key");
        let tags = options.take_list("tags")?;
        let (fresh_for, condition) = (options.take("fresh_for"), options.take("condition"));
        let named = Named::of(&mut options, "dropped_tags")?;
        let targets = named.targets(function, &cache)?;
        let (after, before) = targets.into_iter().partition(speaks_of_result);
        let key = match key {
            Some(key) if speaks_of_result(&key) => Key::OfResult(key),
            Some(key) => Key::BeforeTheWrite(BoundKey::given(&key)),
            None => {
                let caches: Vec<&Expr> = named.caches().chain([&cache]).collect();
                Key::BeforeTheWrite(ArgumentKey::of(function, &caches, GIVE_KEY)?.kept())
            }
        };
        let rolled_back = options.take("rolled_back");
        Ok(Wishes { cache, key, fresh_for, tags, condition, before, after, rolled_back })
    }
}

pub(crate) fn expand(options: Options, function: &ItemFn) -> Result<TokenStream> {
    let value = value_of(function)?;
    without_result_among_arguments(function)?;
    let wishes = Wishes::of(options, function)?;
    let ItemFn { attrs, vis, sig, block } = function;
    let mut signature = sig.clone();
    let answer = answer_of(value);
    signature.output = with_answer(&sig.output, &parse_quote!(#answer));
    let output = match &sig.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => quote!(()),
    };
    let Wishes { cache, key, .. } = &wishes;
    let (known, through) = match key {
        Key::BeforeTheWrite(BoundKey { name, reference }) => {
            (Some(quote!(let #name = #reference;)), quote!(write_through(#name, || __write)))
        }
        Key::OfResult(key) => {
            one_value(value)?;
            (None, quote!(create_through(|| __write, |result| #key)))
        }
    };
    let (bound, says) = said(&wishes);
    Ok(quote! {
        #(#attrs)*
        #vis #signature {
            let __cache = &(#cache);
            #known
            #(#bound)*
            let __write = async {
                let __written: #output = async #block.await;
                __written
            };
            let __written = __cache.#through #(#says)* .run().await;
            __written.map(|__written| __written.answer)
        }
    })
}

/// The row that a function of this type has written has one key.
fn one_value(value: &Type) -> Result<()> {
    if first_argument(value, "Option").or_else(|| first_argument(value, "Loaded")).is_none() {
        return Ok(());
    }
    let reason = "the key is one of `result`, so there is always a result: answer the value itself";
    Err(Error::new_spanned(value, reason))
}

/// The same output, of a function that answers `answer`.
fn with_answer(output: &ReturnType, answer: &Type) -> ReturnType {
    let mut output = output.clone();
    if let ReturnType::Type(_, of) = &mut output
        && let Type::Path(path) = &mut **of
        && let Some(last) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut last.arguments
        && let Some(first) = arguments.args.iter_mut().find_map(|argument| match argument {
            GenericArgument::Type(first) => Some(first),
            _ => None,
        })
    {
        *first = answer.clone();
    }
    output
}

/// What is said of the write besides its key: what is bound before it, and the calls that say it.
fn said(wishes: &Wishes) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let Wishes { fresh_for, tags, condition, before, after, rolled_back, .. } = wishes;
    let (mut bound, mut says) = (Vec::new(), Vec::new());
    if let Some(condition) = condition {
        let stored = ahead(&mut bound, &quote!(#condition), "__stored", &quote!(bool));
        let told = told(&[condition]);
        says.push(quote!(.stored_if(|#told| #stored)));
    }
    if let Some(time) = fresh_for {
        let of = quote!(::core::time::Duration);
        let fresh_for = ahead(&mut bound, &quote!(#time), "__fresh_for", &of);
        let told = told(&[time]);
        says.push(quote!(.fresh_for(|#told| #fresh_for)));
    }
    if !tags.is_empty() {
        let told = told(&tags.iter().collect::<Vec<_>>());
        let tags = tags.iter().enumerate().map(|(at, tag)| {
            let tag = quote!(::larder::Tag::from(#tag));
            ahead(&mut bound, &tag, &format!("__tag_{at}"), &quote!(::larder::Tag))
        });
        let tags: Vec<TokenStream> = tags.collect();
        says.push(quote!(.tags(|#told| [#(#tags),*])));
    }
    if !before.is_empty() {
        says.push(quote!(.also(::larder::Invalidation::new() #(#before)*)));
    }
    if !after.is_empty() {
        says.push(quote!(.also_of(|result| ::larder::Invalidation::new() #(#after)*)));
    }
    if let Some(rolled_back) = rolled_back {
        says.push(quote!(.rolled_back(|error| #rolled_back)));
    }
    (bound, says)
}

/// The expression itself, if it speaks of the result; else the name to which it is bound before the
/// write.
fn ahead(
    bound: &mut Vec<TokenStream>,
    expression: &TokenStream,
    name: &str,
    of: &TokenStream,
) -> TokenStream {
    if speaks_of_result(expression) {
        return expression.clone();
    }
    let name = format_ident!("{name}");
    bound.push(quote!(let #name: #of = #expression;));
    name.to_token_stream()
}

/// What a closure calls the result, if any of these speaks of it.
fn told(expressions: &[&Expr]) -> TokenStream {
    match expressions.iter().any(speaks_of_result) {
        true => quote!(result),
        false => quote!(_),
    }
}
