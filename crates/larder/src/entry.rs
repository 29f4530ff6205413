//! What can be cached: values that serde can store, that know their schema and their size.

mod sizes;
mod types;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use larder_macros::Entry;

/// A value that can be cached. Derive it, next to serde's traits.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, larder::Entry)]
/// struct Page { title: String, lines: Vec<u32> }
///
/// let page = Page { title: String::from("News"), lines: vec![1, 2, 3] };
/// assert_eq!(larder::Entry::heap_bytes(&page), 4 + 3 * 4);
/// ```
///
/// A field whose type belongs to a crate without entries says what it owns on the heap:
///
/// ```
/// # mod geo { #[derive(serde::Serialize, serde::Deserialize)] pub struct Point { x: f64, y: f64 }
/// # #[derive(serde::Serialize, serde::Deserialize)] pub struct Path(pub Vec<Point>); }
/// #[derive(serde::Serialize, serde::Deserialize, larder::Entry)]
/// struct Route {
///     #[entry(flat)]
///     start: geo::Point,
///     #[entry(heap_bytes = path_bytes)]
///     path: geo::Path,
/// }
///
/// fn path_bytes(path: &geo::Path) -> usize {
///     path.0.capacity() * size_of::<geo::Point>()
/// }
/// ```
///
/// A recursive type states its fingerprint, which could not be computed from itself:
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize, larder::Entry)]
/// #[entry(fingerprint = "tree of names, 1")]
/// struct Tree { name: String, children: Vec<Tree> }
/// ```
///
/// Without it the compiler finds a cycle:
///
/// ```compile_fail,E0391
/// #[derive(serde::Serialize, serde::Deserialize, larder::Entry)]
/// struct Tree { name: String, children: Vec<Tree> }
/// ```
///
/// A union cannot be stored:
///
/// ```compile_fail
/// #[derive(larder::Entry)]
/// union Number { wide: u64, narrow: u32 }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    note = "derive `larder::Entry` with `serde::Serialize` and `serde::Deserialize`; a field of another crate's type takes `#[entry(flat)]` or `#[entry(heap_bytes = ...)]`"
)]
pub trait Entry: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Identifies what the stored bytes mean. A node that finds another fingerprint counts a miss,
    /// so a deploy that changes a type reloads instead of misreading.
    ///
    /// It covers what decides the stored form: names, order and types of fields and variants. It
    /// leaves out what does not: the type's own name, and pointers such as `Box` and `Arc`. Numbers
    /// of different widths differ.
    const FINGERPRINT: u64;

    /// The bytes it owns outside of `size_of::<Self>()`, which bound the memory tier. Capacities
    /// count, not lengths; maps and sets are estimated; what an `Arc` shares counts for each owner.
    fn heap_bytes(&self) -> usize;
}

/// Computes a fingerprint, at compile time: the 64-bit FNV-1a hash (Fowler, Noll and Vo, RFC 9923)
/// of the steps. Each step is delimited, so different steps are different input.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint(u64);

impl Fingerprint {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    /// The fingerprint of no steps.
    #[allow(clippy::new_without_default, reason = "a default cannot be called at compile time")]
    pub const fn new() -> Self {
        Fingerprint(Self::OFFSET_BASIS)
    }

    /// One more step: a text.
    #[must_use]
    pub const fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).number(text.len() as u64)
    }

    /// One more step: a number, or another fingerprint.
    #[must_use]
    pub const fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// The fingerprint of the steps so far.
    pub const fn finish(self) -> u64 {
        self.0
    }

    const fn bytes(mut self, bytes: &[u8]) -> Self {
        let mut index = 0;
        while index < bytes.len() {
            self.0 = (self.0 ^ bytes[index] as u64).wrapping_mul(Self::PRIME);
            index += 1;
        }
        self
    }
}
