//! What both derives need to know of fields and generics. Knows neither trait.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Fields, Generics, Index, Member, parse_quote};

/// Adds `bound` to every type parameter, and `'static` to every lifetime: what is cached outlives
/// every borrow.
pub(crate) fn bounded(generics: &Generics, bound: &syn::Path) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#bound));
    }
    for parameter in generics.lifetimes_mut() {
        parameter.bounds.push(syn::Lifetime::new("'static", Span::call_site()));
    }
    generics
}

/// How each field is written after `self.`, and in a pattern before `:`.
pub(crate) fn members(fields: &Fields) -> impl Iterator<Item = Member> + '_ {
    fields.iter().enumerate().map(|(index, field)| match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index::from(index)),
    })
}

/// A pattern that binds each field of a variant, and the names that it binds.
pub(crate) fn bindings(fields: &Fields) -> (TokenStream, Vec<Ident>) {
    let names: Vec<Ident> = (0..fields.len()).map(|index| format_ident!("__field_{index}")).collect();
    let members = members(fields);
    (quote!({ #(#members: #names),* }), names)
}
