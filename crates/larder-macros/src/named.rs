//! What a write makes wrong, as its attribute names it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, FnArg, ItemFn, Pat, Result};

use crate::argument_key::ArgumentKey;
use crate::options::Options;

/// What is to be invalidated, as lists of the attribute.
pub(crate) struct Named {
    /// Caches, each with its key; without one it is that of the arguments.
    keys: Vec<(Expr, Option<Expr>)>,
    prefixes: Vec<(Expr, Expr)>,
    tags: Vec<Expr>,
    caches: Vec<Expr>,
    patterns: Vec<Expr>,
}

impl Named {
    /// `tags` is how the list of invalidated tags is called.
    pub(crate) fn of(options: &mut Options, tags: &str) -> Result<Self> {
        let keys = options.take_list("keys")?.into_iter().map(cache_and_maybe_key);
        let keys = keys.collect::<Result<_>>()?;
        let prefixes = options.take_list("prefixes")?.into_iter().map(|written| {
            let reason =
                "`prefixes` is a list of pairs of a cache and a key: `[(self.rooms, (id,))]`";
            pair(&written).ok_or_else(|| Error::new_spanned(written, reason))
        });
        let prefixes = prefixes.collect::<Result<_>>()?;
        let tags = options.take_list(tags)?;
        let (caches, patterns) = (options.take_list("caches")?, options.take_list("patterns")?);
        Ok(Named { keys, prefixes, tags, caches, patterns })
    }

    /// The caches that are named.
    pub(crate) fn caches(&self) -> impl Iterator<Item = &Expr> {
        let (keys, prefixes) = (self.keys.iter(), self.prefixes.iter());
        keys.map(|(cache, _)| cache).chain(prefixes.map(|(cache, _)| cache)).chain(&self.caches)
    }

    /// Each thing, as a call of `larder::Invalidation`. `taken_from` is whatever the attribute takes
    /// a larder or a cache from besides.
    pub(crate) fn targets(&self, function: &ItemFn, taken_from: &Expr) -> Result<Vec<TokenStream>> {
        let sources: Vec<&Expr> = self.caches().chain([taken_from]).collect();
        let mut targets = Vec::new();
        for (cache, key) in &self.keys {
            targets.push(match key {
                Some(key) => quote!(.key(&(#cache), &(#key))),
                None => {
                    let key = ArgumentKey::of(function, &sources, INSTEAD)?.borrowed().reference;
                    quote!(.key(&(#cache), #key))
                }
            });
        }
        let prefixes = self.prefixes.iter();
        targets.extend(prefixes.map(|(cache, key)| quote!(.prefix(&(#cache), &(#key)))));
        targets.extend(self.tags.iter().map(|tag| quote!(.tag(#tag))));
        targets.extend(self.caches.iter().map(|cache| quote!(.cache(&(#cache)))));
        targets.extend(self.patterns.iter().map(|pattern| quote!(.pattern(#pattern))));
        Ok(targets)
    }
}

/// What to write where the arguments are no key.
const INSTEAD: &str = "give the cache with its key, `(cache, key)`";

fn cache_and_maybe_key(written: Expr) -> Result<(Expr, Option<Expr>)> {
    let reason = match &written {
        Expr::Lit(_) => "a cache's name does not tell the type of its keys",
        Expr::Tuple(tuple) if tuple.elems.len() != 2 => {
            "`keys` is a list of caches, or of pairs of a cache and a key"
        }
        _ => {
            return Ok(match pair(&written) {
                Some((cache, key)) => (cache, Some(key)),
                None => (written, None),
            });
        }
    };
    Err(Error::new_spanned(written, format!("{reason}: {INSTEAD}")))
}

fn pair(written: &Expr) -> Option<(Expr, Expr)> {
    let Expr::Tuple(tuple) = written else { return None };
    let mut both = tuple.elems.iter().cloned();
    (both.len() == 2).then(|| both.next().zip(both.next())).flatten()
}

/// An argument of the name that stands for what the function answers would be hidden by it.
pub(crate) fn without_result_among_arguments(function: &ItemFn) -> Result<()> {
    for input in &function.sig.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(name) = &*typed.pat
            && name.ident == "result"
        {
            let reason = "`result` is what the function answers; call the argument something else";
            return Err(Error::new_spanned(name, reason));
        }
    }
    Ok(())
}
