//! What the attributes expand to, beside what somebody would write by hand: one file for each, which
//! the tests of `larder` also compile and run.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use syn::{ItemFn, Result, parse_quote};

use crate::options::Options;
use crate::{cacheable, invalidate, write_through};

type Expand = fn(Options, &ItemFn) -> Result<TokenStream>;

#[track_caller]
fn check(name: &str, expand: Expand, options: Options, function: &ItemFn) {
    let expanded = expand(options, function).expect("this use is right");
    let file = syn::parse2(expanded).expect("items");
    let found = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expansions").join(name);
    let written = fs::read_to_string(&path).expect("there is a file for each");
    assert!(found == written, "{name} is not what the attribute expands to:\n{found}");
}

#[test]
fn a_cached_function_expands_to_what_one_would_write() {
    let function = parse_quote! {
        /// The name of a room.
        pub(super) async fn room_name(rooms: &Cache<u64, String>, id: u64) -> Result<String, Error> {
            select(rooms.name(), id).await
        }
    };
    let options = parse_quote!(cache = rooms);
    check("cacheable.txt", cacheable::expand, options, &function);
}

#[test]
fn arguments_that_are_the_key_expand_to_a_tuple_without_the_cache() {
    let function = parse_quote! {
        /// Who sits on a seat of a room.
        pub(super) async fn sitting(
            seats: &Cache<(u64, String), String>,
            room: u64,
            seat: &str,
        ) -> Result<String, Error> {
            select(&format!("{seat} of {}", seats.name()), room).await
        }
    };
    let options = parse_quote!(cache = seats);
    check("cacheable_of_tuple.txt", cacheable::expand, options, &function);
}

#[test]
fn a_write_through_keeps_a_key_of_which_the_body_takes_the_parts() {
    let function = parse_quote! {
        /// Opens what is called so.
        pub(super) async fn open(doors: &Cache<String, String>, door: String) -> Result<String, Error> {
            moved(door, doors.name())
        }
    };
    let options = parse_quote!(cache = doors);
    check("write_through_of_argument.txt", write_through::expand, options, &function);
}

#[test]
fn a_function_that_writes_through_expands_to_what_one_would_write() {
    let function = parse_quote! {
        /// Renames a room.
        pub(super) async fn rename(
            rooms: &Cache<u64, String>,
            id: u64,
            name: &str,
        ) -> Result<String, Error> {
            update(id, name).await
        }
    };
    let options = parse_quote! {
        cache = rooms,
        key = id,
        tags = [format!("named-{result}")],
        keys = [("lists", id)],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    };
    check("cache_write_through.txt", write_through::expand, options, &function);
}

#[test]
fn a_function_that_creates_expands_to_what_one_would_write() {
    let function = parse_quote! {
        /// Adds a room.
        pub(super) async fn add(rooms: &Cache<u64, String>, name: &str) -> Result<String, Error> {
            insert(name).await
        }
    };
    let options = parse_quote! {
        cache = rooms,
        key = result.len() as u64,
        fresh_for = Duration::from_secs(60),
        condition = !name.is_empty(),
        prefixes = [("lists", (result.len() as u64,))],
    };
    check("create_through.txt", write_through::expand, options, &function);
}

#[test]
fn a_function_that_invalidates_expands_to_what_one_would_write() {
    let function = parse_quote! {
        /// Removes a room.
        pub(super) async fn remove(
            larder: &Larder,
            rooms: &Cache<u64, String>,
            id: u64,
        ) -> Result<u64, Error> {
            delete(id).await
        }
    };
    let options = parse_quote! {
        larder = larder,
        keys = [rooms, ("lists", *result)],
        rolled_back = error.kind() == ErrorKind::InvalidInput,
    };
    check("cache_invalidate.txt", invalidate::expand, options, &function);
}
