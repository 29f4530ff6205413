//! The key that a function's arguments are, where no other is given.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, FnArg, ItemFn, Pat, Result, Type};

use crate::function::Argument;
use crate::spoken::speaks_of;

/// A reference to a key, and the name that it is bound to: a mistake of its type is shown there.
pub(crate) struct BoundKey {
    pub(crate) name: Ident,
    pub(crate) reference: TokenStream,
}

impl BoundKey {
    /// The key that the attribute gives.
    pub(crate) fn given(key: &Expr) -> Self {
        BoundKey::new(quote!(&(#key)), key.span())
    }

    fn new(reference: TokenStream, span: Span) -> Self {
        BoundKey { name: format_ident!("__key", span = span), reference }
    }
}

/// What to write where the arguments are no key, for an attribute with the option `key`.
pub(crate) const GIVE_KEY: &str = "give `key = …`";

/// The one argument, or the tuple of them in their order.
pub(crate) struct ArgumentKey {
    arguments: Vec<Argument>,
    /// Where a key of another type than the cache's is a mistake.
    span: Span,
}

impl ArgumentKey {
    /// All arguments but `self` and those of which the attribute takes a larder or a cache.
    /// `instead` is what to write where they are no key.
    pub(crate) fn of(function: &ItemFn, taken_from: &[&Expr], instead: &str) -> Result<Self> {
        let mut arguments = Vec::new();
        for input in &function.sig.inputs {
            if let FnArg::Typed(typed) = input {
                let argument = part(&typed.pat, &typed.ty, instead)?;
                let name = argument.name.to_string();
                if !taken_from.iter().any(|source| speaks_of(source, &name)) {
                    arguments.push(argument);
                }
            }
        }
        let listed = function.sig.paren_token.span.join();
        let span = match &arguments[..] {
            [] => {
                let reason = format!("no argument is left to be the key: {instead}");
                return Err(Error::new(listed, reason));
            }
            [only] => only.name.span(),
            _ => listed,
        };
        Ok(ArgumentKey { arguments, span })
    }

    /// A reference to the key, which may borrow an argument.
    pub(crate) fn borrowed(&self) -> BoundKey {
        let reference = match &self.arguments[..] {
            [only] => only.borrowed(),
            several => self.tuple(several),
        };
        BoundKey::new(reference, self.span)
    }

    /// A reference to the key that stays while the function's body takes its arguments away.
    pub(crate) fn kept(&self) -> BoundKey {
        let reference = match &self.arguments[..] {
            [only] => only.kept(),
            several => self.tuple(several),
        };
        BoundKey::new(reference, self.span)
    }

    fn tuple(&self, parts: &[Argument]) -> TokenStream {
        let parts = parts.iter().map(Argument::owned);
        let mut tuple = Group::new(Delimiter::Parenthesis, quote!(#(#parts),*));
        tuple.set_span(self.span);
        quote_spanned!(self.span=> &#tuple)
    }
}

fn part(pattern: &Pat, of: &Type, instead: &str) -> Result<Argument> {
    let refused =
        |there: &dyn ToTokens, why| Err(Error::new_spanned(there, format!("{why}: {instead}")));
    match (pattern, of) {
        (Pat::Ident(_), Type::Reference(reference)) if reference.mutability.is_some() => {
            refused(of, "what the function may change is no part of a key")
        }
        (Pat::Ident(name), _) if name.by_ref.is_none() && name.subpat.is_none() => {
            Ok(Argument::new(&name.ident, of))
        }
        _ => refused(pattern, "the key is made of arguments, and this is no plain name"),
    }
}
