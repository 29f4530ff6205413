//! The options of attributes: `name = expression`, separated by commas, each at most once.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Result, Token};

/// Options in the order in which they were written.
pub(crate) struct Options(Vec<(Ident, Expr)>);

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options: Vec<(Ident, Expr)> = Vec::new();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if options.iter().any(|(other, _)| *other == name) {
                return Err(Error::new_spanned(&name, format!("`{name}` is given twice")));
            }
            input.parse::<Token![=]>()?;
            options.push((name, input.parse()?));
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Options(options))
    }
}

impl Options {
    /// Takes the option of this name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Expr> {
        let at = self.0.iter().position(|(option, _)| option == name)?;
        Some(self.0.remove(at).1)
    }

    /// Refuses what nobody has taken.
    pub(crate) fn none_left(&self, known: &str) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Error::new_spanned(
                name,
                format!("no option is called `{name}`; there are {known}"),
            )),
        }
    }
}
