//! `derive(ReadableKey)`: reads the fields back in the order in which `derive(Key)` shows them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, Fields, LitStr, Member, Result, parse_quote,
};

use crate::fields::{bounded, members};
use crate::key::{text_of, variant_text};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (fingerprint, read) = match &input.data {
        Data::Struct(data) => structure(&input.attrs, &data.fields)?,
        Data::Enum(data) => enumeration(data)?,
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union cannot be a key: which of its fields counts is unknown",
            ));
        }
    };
    let name = &input.ident;
    let generics = bounded(&input.generics, &parse_quote!(::larder::ReadableKey));
    let (parameters, arguments, clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::larder::ReadableKey for #name #arguments #clause {
            const FINGERPRINT: u64 = #fingerprint;

            fn read(__parts: &mut ::larder::key::StoredParts<'_>) -> ::core::option::Option<Self> {
                #read
            }
        }
    })
}

fn structure(attributes: &[Attribute], fields: &Fields) -> Result<(TokenStream, TokenStream)> {
    let text = text_of(attributes)?;
    let steps = steps(text.as_ref(), fields);
    let begun = text.map(|text| quote!(__parts.exactly(#text)?;));
    let values = values(fields);
    Ok((
        quote!(::larder::entry::Fingerprint::new() #steps.finish()),
        quote! {
            #begun
            ::core::option::Option::Some(Self { #values })
        },
    ))
}

fn enumeration(data: &DataEnum) -> Result<(TokenStream, TokenStream)> {
    let (mut fingerprint, mut arms) = (TokenStream::new(), TokenStream::new());
    for variant in &data.variants {
        let (name, text) = (&variant.ident, variant_text(variant)?);
        fingerprint.extend(steps(Some(&text), &variant.fields));
        let values = values(&variant.fields);
        arms.extend(quote!(#text => ::core::option::Option::Some(Self::#name { #values }),));
    }
    Ok((
        quote!(::larder::entry::Fingerprint::new() #fingerprint.finish()),
        quote! {
            match __parts.text()?.as_str() {
                #arms
                _ => ::core::option::Option::None,
            }
        },
    ))
}

/// What of a text and its fields decides the meaning of stored parts.
fn steps(text: Option<&LitStr>, fields: &Fields) -> TokenStream {
    let text = text.map(|text| quote!(.text(#text)));
    let (types, names) = (fields.iter().map(|field| &field.ty), members(fields).map(name_of));
    let count = fields.len() as u64;
    quote! {
        #text.number(#count)
        #(.text(#names).number(<#types as ::larder::ReadableKey>::FINGERPRINT))*
    }
}

fn name_of(member: Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(place) => place.index.to_string(),
    }
}

/// Each field, read. The error of a field that cannot be read points at its type.
fn values(fields: &Fields) -> TokenStream {
    let read = fields.iter().map(|field| {
        let kind = &field.ty;
        quote_spanned!(kind.span()=> <#kind as ::larder::ReadableKey>::read(__parts)?)
    });
    let members = members(fields);
    quote!(#(#members: #read),*)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_the_order_in_which_they_are_shown() {
        let input = parse_quote!(
            #[key(text = "page")]
            struct Page {
                user: u64,
                number: u32,
            }
        );
        let expected: TokenStream = parse_quote! {
            #[automatically_derived]
            impl ::larder::ReadableKey for Page {
                const FINGERPRINT: u64 = ::larder::entry::Fingerprint::new()
                    .text("page")
                    .number(2u64)
                    .text("user")
                    .number(<u64 as ::larder::ReadableKey>::FINGERPRINT)
                    .text("number")
                    .number(<u32 as ::larder::ReadableKey>::FINGERPRINT)
                    .finish();

                fn read(
                    __parts: &mut ::larder::key::StoredParts<'_>
                ) -> ::core::option::Option<Self> {
                    __parts.exactly("page")?;
                    ::core::option::Option::Some(Self {
                        user: <u64 as ::larder::ReadableKey>::read(__parts)?,
                        number: <u32 as ::larder::ReadableKey>::read(__parts)?
                    })
                }
            }
        };
        assert_eq!(expand(&input).expect("valid").to_string(), expected.to_string());
    }

    #[test]
    fn a_union_says_why_it_cannot_be_read() {
        let error = expand(&parse_quote!(union Key { number: u64, bytes: [u8; 8] }));
        assert!(error.expect_err("misuse").to_string().starts_with("a union cannot be a key"));
    }
}
