//! Decides what a route's description says of its input: what the handler's arguments ask for, so
//! that it cannot say anything else.

use axum::extract::State;

use super::fields::{Asked, Input, asked};
use super::format::Format;
use super::input::{IdPath, IdPaths, JsonBody, MaybeBody, NAME, NamePath, NoInput, Query};

/// What a handler takes.
#[derive(Debug, Clone, Default)]
pub struct Takes {
    /// Parameters of its path that are not only ids.
    pub path: Vec<Asked>,
    /// Headers that mean something to this route.
    pub headers: Vec<Asked>,
    /// The fields of its query.
    pub query: Vec<Asked>,
    /// Its body, if it takes one.
    pub body: Option<AskedBody>,
}

/// A body that a handler takes.
#[derive(Debug, Clone)]
pub struct AskedBody {
    /// Whether it must be there.
    pub required: bool,
    /// Its fields.
    pub fields: Vec<Asked>,
}

impl Takes {
    /// The fields of its body; none if it takes none.
    pub fn body_fields(&self) -> &[Asked] {
        self.body.as_ref().map_or(&[], |body| &body.fields)
    }
}

/// An argument of a handler, or all of them.
pub trait Described {
    /// Adds what it takes.
    fn describe(takes: &mut Takes);
}

impl<I: Input> Described for Query<I> {
    fn describe(takes: &mut Takes) {
        takes.query.extend(asked::<I>());
    }
}

impl<I: Input> Described for JsonBody<I> {
    fn describe(takes: &mut Takes) {
        takes.body = Some(AskedBody { required: true, fields: asked::<I>() });
    }
}

impl<I: Input> Described for MaybeBody<I> {
    fn describe(takes: &mut Takes) {
        takes.body = Some(AskedBody { required: false, fields: asked::<I>() });
    }
}

impl Described for NamePath {
    fn describe(takes: &mut Takes) {
        takes.path.push(Asked { name: "name", required: true, schema: NAME.schema() });
    }
}

/// Arguments that take no field.
macro_rules! takes_nothing {
    ($([$($generic:tt)*] $argument:ty),+ $(,)?) => {
        $(impl<$($generic)*> Described for $argument {
            fn describe(_: &mut Takes) {}
        })+
    };
}

takes_nothing!([] (), [] NoInput, [] IdPath, [const N: usize] IdPaths<N>, [S] State<S>);

/// The arguments of a handler; the first type is how axum tells handlers apart.
macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<Kind, $($argument: Described),*> Described for (Kind, $($argument,)*) {
            fn describe(takes: &mut Takes) {
                $($argument::describe(takes);)*
            }
        }
    };
}

impl Described for ((),) {
    fn describe(_: &mut Takes) {}
}
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
