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

    /// Takes the list of this name out; it is empty if there is none.
    pub(crate) fn take_list(&mut self, name: &str) -> Result<Vec<Expr>> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Expr::Array(list)) => Ok(list.elems.into_iter().collect()),
            Some(other) => {
                let reason = format!("`{name}` is a list: `{name} = [first, second]`");
                Err(Error::new_spanned(other, reason))
            }
        }
    }

    /// Refuses every option that is none of these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        match self.0.iter().find(|(name, _)| !known.iter().any(|known| name == known)) {
            None => Ok(()),
            Some((name, _)) => {
                let known = known.join("`, `");
                let reason = format!("no option is called `{name}`; there are `{known}`");
                Err(Error::new_spanned(name, reason))
            }
        }
    }
}
