//! The macros of `larder`, which shows each with an example. Generated code uses only the public API of
//! `larder`.

mod argument_key;
mod cacheable;
mod entry;
#[cfg(test)]
mod expansions;
mod fields;
mod function;
mod invalidate;
mod key;
mod named;
mod options;
mod readable;
mod spoken;
mod write_through;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

use options::Options;

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

/// Derives `larder::ReadableKey`: reads the fields back in the order in which `derive(Key)` shows them.
///
/// Every field must be readable itself, so that a key which borrows has none; `#[key(text = "...")]`
/// counts as there. The fingerprint covers texts, names, order and types of fields and variants, not
/// the type's own name.
#[proc_macro_derive(ReadableKey, attributes(key))]
pub fn derive_readable_key(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    readable::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
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

/// Answers an async function from a cache; the function as it was written becomes the loader.
///
/// | option | what it is |
/// |---|---|
/// | `cache` | the `Cache<K, V>`, by any expression: `self.rooms`, an argument, a static |
/// | `key` | the `K`, of the arguments; without it they are the key themselves |
/// | `fresh_for` | a `Duration` for what was loaded, a value or the absence of one, instead of the cache's |
/// | `tags` | a list of labels, each a `Tag` or what becomes one |
/// | `condition` | a `bool`; `false`: the source is asked, and nothing is kept |
///
/// `fresh_for` and `tags` may speak of the arguments, and of `result`, a reference to what was loaded.
///
/// # When no key is given
/// The key is the function's argument, or the tuple of them in their order, without `self` and without one that `cache`
/// speaks of. They must be of the cache's key type: `(u64, String)` for `(id: u64, name: &str)`. What functions that share a
/// cache would mix up, a first part tells apart: `key = ("of owner", id)`.
///
/// # What it answers
/// As [`Cache::get_or_load`] does: a function of `Result<V, E>` answers `Result<Hit<V>, Error>`, one of
/// `Result<Option<V>, E>` or `Result<Loaded<V>, E>` answers `Result<Lookup<V>, Error>`. The source itself
/// stays callable, as a function of the same name with `_uncached` after it.
///
/// # What it needs
/// A load may outlive its caller. So the loader gets copies: `self` (by reference) and all arguments are
/// `Clone`, references are to what `ToOwned` copies, and none is mutable. In an `impl` of a trait it
/// has no place for the second function: put it on a function that the trait's calls. A function of an
/// `impl` without `self` cannot find it either.
///
/// [`Cache::get_or_load`]: https://docs.rs/larder
#[proc_macro_attribute]
pub fn cacheable(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) =
        (parse_macro_input!(options as Options), parse_macro_input!(item as ItemFn));
    cacheable::expand(options, &item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Invalidates what an async function changes, once it has changed it.
///
/// | option | what it is |
/// |---|---|
/// | `larder` | the `Larder` of the caches |
/// | `keys` | a list of pairs: a cache, or its name, and a key; a cache alone means the key that the arguments are, as in [`macro@cacheable`], without those that a larder or a cache is taken from |
/// | `prefixes` | a list of such pairs: every entry whose key begins with these parts; a number needs its type, as in `(7_u64,)` |
/// | `tags` | a list of labels |
/// | `caches` | a list of caches, or their names: every entry |
/// | `patterns` | a list of `Pattern`s; each costs a scan |
/// | `condition` | a `bool`; `false`: nothing is invalidated |
/// | `rolled_back` | a `bool`, which may speak of `error`: the write is known to have changed nothing |
///
/// Every one but `condition` and `rolled_back` may speak of `result`, a reference to what the
/// function answered.
///
/// # When it invalidates
/// When the function answered, also with an error that `rolled_back` does not speak for, and when it was
/// cancelled: then nobody knows what the source did. What speaks of `result` is known only after
/// success: name by the arguments what must not be missed. The function waits until every shard has
/// it, at most `append_timeout`; a fault of the shared tier is no fault of the write.
///
/// A commit that was already on its way when its caller was cancelled may take effect *after* that: what is loaded
/// in between is old, and stays for its time. Where that matters, let the write run in a task of its
/// own, which nobody cancels, or let a row of `larder_sql::outbox` commit with it, which also outlives a crash.
#[proc_macro_attribute]
pub fn cache_invalidate(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) =
        (parse_macro_input!(options as Options), parse_macro_input!(item as ItemFn));
    invalidate::expand(options, &item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Writes the source by an async function, and puts what it answers in the place of what is cached.
///
/// | option | what it is |
/// |---|---|
/// | `cache` | the `Cache<K, V>` of what is written, by any expression |
/// | `key` | the `K`, of the arguments or of `result`; without it the arguments are the key, as in [`macro@cacheable`] |
/// | `fresh_for` | a `Duration` for what was written, instead of the cache's |
/// | `tags` | a list of labels for what was written, each a `Tag` or what becomes one |
/// | `condition` | a `bool`; `false`: what was written is only invalidated |
/// | `keys`, `prefixes`, `caches`, `patterns` | what else it makes wrong, as in [`macro@cache_invalidate`] |
/// | `dropped_tags` | a list of labels: what carries them is wrong too |
/// | `rolled_back` | a `bool`, which may speak of `error`: the write is known to have changed nothing |
///
/// Every one but `cache` and `rolled_back` may speak of `result`, a reference to what the function
/// answered; what does not is asked for before the write.
///
/// # What it answers
/// As [`Cache::write_through`] and [`Cache::create_through`] do, with the function's own error: a function
/// of `Result<V, E>` answers `Result<Hit<V>, E>`, one of `Result<Option<V>, E>` or `Result<Loaded<V>, E>`
/// answers `Result<Lookup<V>, E>`. Faults of the cache are never in there.
///
/// # When the key speaks of `result`
/// A row that is created has its key afterwards. There is no lease to take before the write, so the
/// value is stored only if nothing named it meanwhile. Where that write fails or is cancelled, only what
/// else is named is invalidated.
///
/// [`Cache::write_through`]: https://docs.rs/larder
/// [`Cache::create_through`]: https://docs.rs/larder
#[proc_macro_attribute]
pub fn cache_write_through(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) =
        (parse_macro_input!(options as Options), parse_macro_input!(item as ItemFn));
    write_through::expand(options, &item).unwrap_or_else(syn::Error::into_compile_error).into()
}
