//! `derive(Entry)`: composes the fingerprint and the heap size of the fields'.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, ExprPath, Field, Fields, LitStr, Result,
    parse_quote,
};

use crate::fields::{bindings, bounded, members};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fixed = fixed_fingerprint(&input.attrs)?;
    let (computed, bytes) = match &input.data {
        Data::Struct(data) => structure(&data.fields)?,
        Data::Enum(data) => enumeration(data)?,
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union cannot be an entry: serde cannot store it",
            ));
        }
    };
    let steps = match fixed {
        Some(text) => quote!(.text(#text)),
        None => {
            let serde = serde_step(&input.attrs);
            quote!(#serde #computed)
        }
    };
    let name = &input.ident;
    let generics = bounded(&input.generics, &parse_quote!(::larder::Entry));
    let (parameters, arguments, clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::larder::Entry for #name #arguments #clause {
            const FINGERPRINT: u64 = ::larder::entry::Fingerprint::new() #steps .finish();

            fn heap_bytes(&self) -> usize {
                #bytes
            }
        }
    })
}

/// The steps of the fingerprint, and the sum of the fields' heap bytes.
fn structure(fields: &Fields) -> Result<(TokenStream, TokenStream)> {
    let steps = fingerprint_of(fields)?;
    let owned = fields
        .iter()
        .zip(members(fields))
        .map(|(field, member)| owned(field, &quote!(&self.#member)));
    let owned = owned.collect::<Result<Vec<_>>>()?;
    Ok((quote!(.text("struct") #steps), quote!(0 #(+ #owned)*)))
}

fn enumeration(data: &DataEnum) -> Result<(TokenStream, TokenStream)> {
    let mut steps = quote!(.text("enum"));
    let mut arms = TokenStream::new();
    for variant in &data.variants {
        if let Some(attribute) = entry_attributes(&variant.attrs).next() {
            return Err(Error::new_spanned(attribute, "a variant has no options"));
        }
        let text = variant.ident.unraw().to_string();
        let serde = serde_step(&variant.attrs);
        let fields = fingerprint_of(&variant.fields)?;
        steps.extend(quote!(.text(#text) #serde #fields));

        let name = &variant.ident;
        let (pattern, names) = bindings(&variant.fields);
        let owned =
            variant.fields.iter().zip(&names).map(|(field, name)| owned(field, &quote!(#name)));
        let owned = owned.collect::<Result<Vec<_>>>()?;
        // A flat field is not asked, but bound all the same.
        arms.extend(quote!(Self::#name #pattern => { #(let _ = #names;)* 0 #(+ #owned)* }));
    }
    let bytes =
        if data.variants.is_empty() { quote!(match *self {}) } else { quote!(match self { #arms }) };
    Ok((steps, bytes))
}

/// The steps for the fields' names, types and serde attributes. Their number goes first, so that
/// the fields of one variant cannot pass for the next one.
fn fingerprint_of(fields: &Fields) -> Result<TokenStream> {
    let shape = match fields {
        Fields::Named(_) => "named",
        Fields::Unnamed(_) => "tuple",
        Fields::Unit => "unit",
    };
    let count = fields.len() as u64;
    let mut steps = quote!(.text(#shape).number(#count));
    for field in fields {
        if let Some(name) = &field.ident {
            let name = name.unraw().to_string();
            steps.extend(quote!(.text(#name)));
        }
        steps.extend(serde_step(&field.attrs));
        let ty = &field.ty;
        steps.extend(match heap_of(field)? {
            Heap::OfEntry => quote!(.number(<#ty as ::larder::Entry>::FINGERPRINT)),
            Heap::Flat | Heap::Counted(_) => {
                let written = words(ty.to_token_stream());
                quote!(.text(#written))
            }
        });
    }
    Ok(steps)
}

fn owned(field: &Field, place: &TokenStream) -> Result<TokenStream> {
    Ok(match heap_of(field)? {
        Heap::OfEntry => quote!(::larder::Entry::heap_bytes(#place)),
        Heap::Flat => quote!(0),
        Heap::Counted(count) => {
            let ty = &field.ty;
            quote!({ let __count: fn(&#ty) -> usize = #count; __count(#place) })
        }
    })
}

/// Who knows what a field owns on the heap.
enum Heap {
    OfEntry,
    Flat,
    Counted(ExprPath),
}

fn heap_of(field: &Field) -> Result<Heap> {
    let mut heap = None;
    for attribute in entry_attributes(&field.attrs) {
        attribute.parse_nested_meta(|option| {
            let found = if option.path.is_ident("flat") {
                Heap::Flat
            } else if option.path.is_ident("heap_bytes") {
                Heap::Counted(option.value()?.parse()?)
            } else {
                return Err(option.error("a field's options are `flat` and `heap_bytes = path`"));
            };
            match heap.replace(found) {
                Some(_) => Err(option.error("only one of `flat` and `heap_bytes`, and only once")),
                None => Ok(()),
            }
        })?;
    }
    Ok(heap.unwrap_or(Heap::OfEntry))
}

fn fixed_fingerprint(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut text = None;
    for attribute in entry_attributes(attributes) {
        attribute.parse_nested_meta(|option| {
            if !option.path.is_ident("fingerprint") {
                return Err(option.error("a type's only option is `fingerprint = \"...\"`"));
            }
            if text.is_some() {
                return Err(option.error("`fingerprint` is given twice"));
            }
            text = Some(option.value()?.parse::<LitStr>()?);
            Ok(())
        })?;
    }
    Ok(text)
}

fn entry_attributes(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("entry"))
}

/// A step for the serde attributes, which rename, skip and reshape what is stored.
fn serde_step(attributes: &[Attribute]) -> TokenStream {
    let serde = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    let written = serde.map(|attribute| words(attribute.meta.to_token_stream()));
    quote!(#(.text(#written))*)
}

/// Tokens one by one: how the compiler spaces them must not change a fingerprint.
fn words(tokens: TokenStream) -> String {
    let words = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => format!("{:?}({})", group.delimiter(), words(group.stream())),
        token => token.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: DeriveInput, expected: &str) {
        let error = expand(&input).expect_err("this input is misuse");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn misuse_is_an_error_that_says_what_is_wrong() {
        check(
            parse_quote!(union Page { number: u64, bytes: [u8; 8] }),
            "a union cannot be an entry: serde cannot store it",
        );
        check(
            parse_quote!(
                #[entry(flat)]
                struct Page;
            ),
            "a type's only option is `fingerprint = \"...\"`",
        );
        check(
            parse_quote!(
                #[entry(fingerprint = "a", fingerprint = "b")]
                struct Page;
            ),
            "`fingerprint` is given twice",
        );
        check(
            parse_quote!(
                struct Page {
                    #[entry(skip)]
                    number: u64,
                }
            ),
            "a field's options are `flat` and `heap_bytes = path`",
        );
        check(
            parse_quote!(
                enum Page {
                    First(#[entry(flat, heap_bytes = f)] u64),
                }
            ),
            "only one of `flat` and `heap_bytes`, and only once",
        );
    }

    #[test]
    fn misuse_is_found_even_where_the_fingerprint_is_fixed() {
        check(
            parse_quote!(
                #[entry(fingerprint = "a")]
                struct Page {
                    #[entry(skip)]
                    number: u64,
                }
            ),
            "a field's options are `flat` and `heap_bytes = path`",
        );
    }
}
