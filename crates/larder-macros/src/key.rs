//! `derive(Key)`: shows the fields in order.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, Fields, LitStr, Member, Result, Variant,
    parse_quote,
};

use crate::fields::{bindings, bounded, members};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (shown, shape) = match &input.data {
        Data::Struct(data) => {
            (structure(&input.attrs, &data.fields)?, shape_of_struct(&input.attrs, &data.fields)?)
        }
        Data::Enum(data) => (enumeration(&input.attrs, data)?, shape_of_enum(data)?),
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union cannot be a key: which of its fields counts is unknown",
            ));
        }
    };
    let name = &input.ident;
    let generics = bounded(&input.generics, &parse_quote!(::larder::Key));
    let (parameters, arguments, clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::larder::Key for #name #arguments #clause {
            fn visit<__Parts: ::larder::key::Parts>(&self, __parts: &mut __Parts) {
                #shown
            }

            fn shape(_: &str) -> ::std::string::String {
                #shape
            }
        }
    })
}

fn structure(attributes: &[Attribute], fields: &Fields) -> Result<TokenStream> {
    without_text_on_fields(fields)?;
    let text = text_of(attributes)?.map(|text| show_text(&text));
    let members = members(fields);
    Ok(quote! {
        #text
        #(::larder::Key::visit(&self.#members, __parts);)*
    })
}

fn enumeration(attributes: &[Attribute], data: &DataEnum) -> Result<TokenStream> {
    if let Some(text) = text_of(attributes)? {
        return Err(Error::new(text.span(), "`text` belongs on a struct or on a variant"));
    }
    let mut texts = HashSet::new();
    let mut arms = TokenStream::new();
    for variant in &data.variants {
        let text = variant_text(variant)?;
        if !texts.insert(text.value()) {
            return Err(Error::new(
                text.span(),
                format!("the text {:?} is another variant's: two keys would be one", text.value()),
            ));
        }
        arms.extend(arm(variant, &text)?);
    }
    // A reference to an empty enum is not known to be empty; the enum itself is.
    Ok(if data.variants.is_empty() { quote!(match *self {}) } else { quote!(match self { #arms }) })
}

/// The text, if there is one, then each field's shape under its own name.
fn shape_of_struct(attributes: &[Attribute], fields: &Fields) -> Result<TokenStream> {
    let text = text_of(attributes)?;
    Ok(joined(text.as_ref(), fields))
}

/// One shape for each variant.
fn shape_of_enum(data: &DataEnum) -> Result<TokenStream> {
    let shapes = data.variants.iter().map(|variant| {
        let text = variant_text(variant)?;
        Ok(joined(Some(&text), &variant.fields))
    });
    let shapes: Vec<TokenStream> = shapes.collect::<Result<_>>()?;
    Ok(quote! {
        ::std::format!("({})", <[::std::string::String]>::join(&[#(#shapes),*], "|"))
    })
}

fn joined(text: Option<&LitStr>, fields: &Fields) -> TokenStream {
    let text = text.map(|text| quote!(::std::string::String::from(#text),));
    let types = fields.iter().map(|field| &field.ty);
    let names = members(fields).map(|member| match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(place) => place.index.to_string(),
    });
    quote! {
        <[::std::string::String]>::join(
            &[#text #(<#types as ::larder::Key>::shape(#names)),*],
            ":"
        )
    }
}

fn arm(variant: &Variant, text: &LitStr) -> Result<TokenStream> {
    without_text_on_fields(&variant.fields)?;
    let name = &variant.ident;
    let (pattern, fields) = bindings(&variant.fields);
    let text = show_text(text);
    Ok(quote! {
        Self::#name #pattern => {
            #text
            #(::larder::Key::visit(#fields, __parts);)*
        }
    })
}

fn show_text(text: &LitStr) -> TokenStream {
    quote!(::larder::key::Parts::text(__parts, #text);)
}

pub(crate) fn variant_text(variant: &Variant) -> Result<LitStr> {
    let name = || LitStr::new(&variant.ident.unraw().to_string(), variant.ident.span());
    Ok(text_of(&variant.attrs)?.unwrap_or_else(name))
}

fn without_text_on_fields(fields: &Fields) -> Result<()> {
    let attribute = fields.iter().flat_map(|field| &field.attrs).find(|attribute| is_key(attribute));
    match attribute {
        Some(attribute) => Err(Error::new_spanned(
            attribute.to_token_stream(),
            "a field has no options: every field is a part of the key",
        )),
        None => Ok(()),
    }
}

fn is_key(attribute: &Attribute) -> bool {
    attribute.path().is_ident("key")
}

/// The text of `#[key(text = "...")]`, if there is one.
pub(crate) fn text_of(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut text = None;
    for attribute in attributes.iter().filter(|attribute| is_key(attribute)) {
        attribute.parse_nested_meta(|option| {
            if !option.path.is_ident("text") {
                return Err(option.error("the only option is `text = \"...\"`"));
            }
            if text.is_some() {
                return Err(option.error("`text` is given twice"));
            }
            text = Some(option.value()?.parse::<LitStr>()?);
            Ok(())
        })?;
    }
    Ok(text)
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
    fn what_cannot_be_a_key_says_so() {
        check(
            parse_quote!(union Key { number: u64, bytes: [u8; 8] }),
            "a union cannot be a key: which of its fields counts is unknown",
        );
        check(
            parse_quote!(
                struct Page {
                    #[key(skip)]
                    number: u64,
                }
            ),
            "a field has no options: every field is a part of the key",
        );
        check(
            parse_quote!(
                enum Page {
                    First(#[key(text = "x")] u64),
                }
            ),
            "a field has no options: every field is a part of the key",
        );
    }

    #[test]
    fn a_wrong_option_says_which_are_right() {
        check(
            parse_quote!(
                #[key(name = "page")]
                struct Page;
            ),
            "the only option is `text = \"...\"`",
        );
        check(
            parse_quote!(
                #[key(text = "a", text = "b")]
                struct Page;
            ),
            "`text` is given twice",
        );
        check(
            parse_quote!(
                #[key(text = 7)]
                struct Page;
            ),
            "expected string literal",
        );
        check(
            parse_quote!(
                #[key(text = "page")]
                enum Page {
                    First,
                }
            ),
            "`text` belongs on a struct or on a variant",
        );
        check(
            parse_quote!(
                enum Page {
                    First,
                    #[key(text = "First")]
                    Other,
                }
            ),
            "the text \"First\" is another variant's: two keys would be one",
        );
    }

    #[test]
    fn every_field_is_shown_in_order_by_public_paths() {
        let input = parse_quote!(
            #[key(text = "page")]
            struct Page<T> {
                user: T,
                number: u64,
            }
        );
        let expected: TokenStream = parse_quote! {
            #[automatically_derived]
            impl<T: ::larder::Key> ::larder::Key for Page<T> {
                fn visit<__Parts: ::larder::key::Parts>(&self, __parts: &mut __Parts) {
                    ::larder::key::Parts::text(__parts, "page");
                    ::larder::Key::visit(&self.user, __parts);
                    ::larder::Key::visit(&self.number, __parts);
                }

                fn shape(_: &str) -> ::std::string::String {
                    <[::std::string::String]>::join(
                        &[
                            ::std::string::String::from("page"),
                            <T as ::larder::Key>::shape("user"),
                            <u64 as ::larder::Key>::shape("number")
                        ],
                        ":"
                    )
                }
            }
        };
        let expanded = expand(&input).expect("this input is valid");
        assert_eq!(expanded.to_string(), expected.to_string());
    }
}
