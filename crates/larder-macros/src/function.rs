//! The functions that attributes stand on: what they must look like, and their parts.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, FnArg, GenericArgument, ItemFn, Pat, PathArguments, Result, ReturnType, Type};

/// The `T` of an async function that answers `Result<T, E>`.
pub(crate) fn value_of(function: &ItemFn) -> Result<&Type> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new(
            signature.fn_token.span,
            "only an async function can wait for its cache: write `async fn`",
        ));
    }
    let (value, there): (_, &dyn ToTokens) = match &signature.output {
        ReturnType::Type(_, answer) => (first_argument(answer, "Result"), answer),
        ReturnType::Default => (None, &signature.ident),
    };
    value.ok_or_else(|| Error::new_spanned(there, "answers a `Result`, as every source can fail"))
}

/// What a loader needs copies of, because it may outlive its caller.
pub(crate) struct Inputs {
    /// Whether the function is a method, with `&self`.
    pub(crate) has_self: bool,
    pub(crate) arguments: Vec<Argument>,
}

/// One argument besides `self`.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    shape: Shape,
}

/// What the written type of an argument tells of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A number, a truth or a character: it is copied by its name.
    Plain,
    Owned,
    /// A shared reference, so that a copy has to be made of what it points to.
    Reference,
    /// One to a text or a slice, whose owner is of another type.
    Unsized,
}

const PLAIN: [&str; 14] = [
    "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

impl Shape {
    fn of(written: &Type) -> Self {
        match written {
            Type::Reference(reference) => match &*reference.elem {
                Type::Slice(_) => Shape::Unsized,
                Type::Path(path) if path.path.is_ident("str") => Shape::Unsized,
                _ => Shape::Reference,
            },
            Type::Path(path) if PLAIN.iter().any(|plain| path.path.is_ident(plain)) => Shape::Plain,
            _ => Shape::Owned,
        }
    }
}

impl Inputs {
    pub(crate) fn of(function: &ItemFn) -> Result<Self> {
        let mut has_self = false;
        let mut arguments = Vec::new();
        for input in &function.sig.inputs {
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
        Ok(Inputs { has_self, arguments })
    }
}

fn argument(pattern: &Pat, of: &Type) -> Result<Argument> {
    let Pat::Ident(name) = pattern else {
        return Err(Error::new_spanned(pattern, "an argument needs a name, not a pattern"));
    };
    if let Type::Reference(reference) = of
        && reference.mutability.is_some()
    {
        return Err(Error::new_spanned(
            of,
            "takes no `&mut`: a load may run for many callers, and go on without them",
        ));
    }
    Ok(Argument::new(&name.ident, of))
}

/// What the cache answers for a function of this type, see `larder::IntoLoaded`.
pub(crate) fn answer_of(value: &Type) -> TokenStream {
    match first_argument(value, "Option").or_else(|| first_argument(value, "Loaded")) {
        Some(value) => quote!(::larder::Lookup<#value>),
        None => quote!(::larder::Hit<#value>),
    }
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
    /// The argument of this name, as its type is written.
    pub(crate) fn new(name: &Ident, of: &Type) -> Self {
        Argument { name: name.clone(), shape: Shape::of(of) }
    }

    fn copy(&self) -> TokenStream {
        let name = &self.name;
        match self.shape {
            Shape::Plain | Shape::Owned => quote!(::core::clone::Clone::clone(&#name)),
            Shape::Reference | Shape::Unsized => quote!(::std::borrow::ToOwned::to_owned(#name)),
        }
    }

    /// An own copy under the same name.
    pub(crate) fn copied(&self) -> TokenStream {
        let (name, copy) = (&self.name, self.copy());
        quote!(let #name = #copy;)
    }

    /// The copy, as the function takes it. It stays, for whoever speaks of it afterwards.
    pub(crate) fn passed(&self) -> TokenStream {
        let name = &self.name;
        match self.shape {
            Shape::Plain | Shape::Owned => quote!(::core::clone::Clone::clone(&#name)),
            Shape::Reference | Shape::Unsized => quote!(&#name),
        }
    }

    /// An own value, to be a part of something.
    pub(crate) fn owned(&self) -> TokenStream {
        match self.shape {
            Shape::Plain => self.name.to_token_stream(),
            _ => self.copy(),
        }
    }

    /// A reference to the value, or to what it points to.
    pub(crate) fn borrowed(&self) -> TokenStream {
        let name = &self.name;
        match self.shape {
            Shape::Plain | Shape::Owned => quote!(&#name),
            Shape::Reference => quote!(#name),
            Shape::Unsized => self.kept(),
        }
    }

    /// The same, also while somebody else takes the value.
    pub(crate) fn kept(&self) -> TokenStream {
        let copy = self.copy();
        match self.shape {
            Shape::Plain | Shape::Reference => self.borrowed(),
            Shape::Owned | Shape::Unsized => quote!(&#copy),
        }
    }
}
