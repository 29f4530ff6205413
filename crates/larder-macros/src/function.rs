//! The functions that attributes stand on: what they must look like, and their parts.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, ItemFn, Pat, PathArguments, Result, ReturnType, Type};

/// An async function that answers a `Result`.
pub(crate) struct Function {
    pub(crate) item: ItemFn,
    /// Whether it is a method, with `&self`.
    pub(crate) has_self: bool,
    pub(crate) arguments: Vec<Argument>,
    /// What it answers when all is well.
    pub(crate) value: Type,
}

/// One argument besides `self`.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// It is a shared reference, so that a copy has to be made of what it points to.
    pub(crate) is_reference: bool,
}

impl Function {
    pub(crate) fn of(item: ItemFn) -> Result<Self> {
        if item.sig.asyncness.is_none() {
            return Err(Error::new(
                item.sig.fn_token.span,
                "only an async function can wait for its cache: write `async fn`",
            ));
        }
        let mut has_self = false;
        let mut arguments = Vec::new();
        for input in &item.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    if receiver.reference.is_none() || receiver.mutability.is_some() {
                        return Err(Error::new_spanned(receiver, "takes `&self`, and no other self"));
                    }
                    has_self = true;
                }
                FnArg::Typed(typed) => arguments.push(argument(&typed.pat, &typed.ty)?),
            }
        }
        let value = value_of(&item.sig.output)?;
        Ok(Function { item, has_self, arguments, value })
    }
}

fn argument(pattern: &Pat, of: &Type) -> Result<Argument> {
    let Pat::Ident(name) = pattern else {
        return Err(Error::new_spanned(pattern, "an argument needs a name, not a pattern"));
    };
    let is_reference = match of {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return Err(Error::new_spanned(
                of,
                "takes no `&mut`: a load may run for many callers, and go on without them",
            ));
        }
        other => matches!(other, Type::Reference(_)),
    };
    Ok(Argument { name: name.ident.clone(), is_reference })
}

/// The `T` of `Result<T, E>`.
fn value_of(output: &ReturnType) -> Result<Type> {
    let wanted = |span: &dyn ToTokens| {
        Error::new_spanned(span, "answers a `Result`, as every source can fail")
    };
    let ReturnType::Type(_, answer) = output else {
        return Err(Error::new(output.span(), "answers a `Result`, as every source can fail"));
    };
    first_argument(answer, "Result").cloned().ok_or_else(|| wanted(answer))
}

/// The first type argument of a type of this name.
pub(crate) fn first_argument<'t>(of: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(first) => Some(first),
        _ => None,
    })
}

impl Argument {
    /// An own copy under the same name.
    pub(crate) fn copied(&self) -> TokenStream {
        let name = &self.name;
        match self.is_reference {
            true => quote!(let #name = ::std::borrow::ToOwned::to_owned(#name);),
            false => quote!(let #name = ::core::clone::Clone::clone(&#name);),
        }
    }

    /// The copy, as the function takes it. It stays, for whoever speaks of it afterwards.
    pub(crate) fn passed(&self) -> TokenStream {
        let name = &self.name;
        match self.is_reference {
            true => quote!(&#name),
            false => quote!(::core::clone::Clone::clone(&#name)),
        }
    }
}
