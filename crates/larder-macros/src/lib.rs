//! Derive macros of `larder`. Generated code uses only the public API of `larder`.

mod entry;
mod fields;
mod key;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `larder::Key`: the fields are the parts, in order.
///
/// A variant of an enum shows its name as text, then its fields. Type parameters must be keys
/// themselves, and lifetimes must be `'static`. Every field is a part: a field left out would
/// give two values one entry.
///
/// # `#[key(text = "...")]`
/// On a struct it shows this text before the fields; on a variant it replaces the variant's name,
/// so that renaming a variant need not rename keys. Two variants cannot have one text.
#[proc_macro_derive(Key, attributes(key))]
pub fn derive_key(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    key::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `larder::Entry`: the fingerprint and the heap size are composed of the fields'.
///
/// The fingerprint covers names, order and types of fields and variants and every `#[serde(...)]`
/// attribute, for these decide what the stored bytes mean. The type's own name is left out: it is
/// not stored, so renaming a type keeps what is cached.
///
/// # `#[entry(fingerprint = "...")]`
/// On the type: the fingerprint is that of this text. A recursive type needs it, since its
/// fingerprint would be part of itself; change the text whenever the fields change.
///
/// # `#[entry(flat)]` and `#[entry(heap_bytes = path)]`
/// On a field whose type is no `Entry`, such as one of another crate. Its type counts as it is
/// written. A flat one owns nothing on the heap; of others `path`, a `fn(&T) -> usize`, says how many
/// bytes.
#[proc_macro_derive(Entry, attributes(entry))]
pub fn derive_entry(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    entry::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
