//! The byte form of keys, and the three visitors that write, hash and compare it.
//!
//! After the tuple layer of FoundationDB: each part begins with a byte that says its kind; text
//! and bytes end with `00`, and a `00` inside is written `00 FF`; numbers are big-endian.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::sealed::Sealed;
use super::{EncodedKey, KEY_BYTES_MAX, Key, Parts};

const BYTES: u8 = 0x01;
const TEXT: u8 = 0x02;
const ABSENT: u8 = 0x05;
const PRESENT: u8 = 0x06;
const DIGEST: u8 = 0x0F;
const UNSIGNED: u8 = 0x10;
const SIGNED: u8 = 0x11;
const WIDE: u8 = 0x12;
const FALSE: u8 = 0x20;
const TRUE: u8 = 0x21;
const END: u8 = 0x00;
const ESCAPED: u8 = 0xFF;

/// Flips the sign bit, so that negative numbers sort before positive ones.
fn ordered(number: i64) -> u64 {
    number as u64 ^ (1 << 63)
}

/// Writes the byte form, and notes where each part ends. Usual keys need no room but its own.
pub(crate) struct Encoder {
    bytes: SmallVec<[u8; 128]>,
    /// Length after the cache's name, then after each part.
    ends: SmallVec<[usize; 8]>,
}

impl Encoder {
    pub(super) fn whole<K: Key + ?Sized>(cache: &str, key: &K) -> Self {
        let mut encoder = Encoder::begun(cache);
        key.visit(&mut encoder);
        encoder
    }

    /// A key whose parts are stored already.
    pub(super) fn stored(cache: &str, parts: &[u8]) -> Self {
        let mut encoder = Encoder::begun(cache);
        Decoder(parts).for_each(|part| part.show(&mut encoder));
        encoder
    }

    fn begun(cache: &str) -> Self {
        let mut encoder = Encoder { bytes: SmallVec::new(), ends: SmallVec::new() };
        encoder.text(cache);
        encoder
    }

    /// The bytes up to the end of each part but the last. A prefix longer than a key may be is
    /// a prefix all the same: only its hash is kept.
    ///
    /// Lengths are compared, not parts counted: a key may end in `PRESENT`, when what is present
    /// shows no parts, and then its last whole part is a proper prefix too.
    pub(super) fn proper_prefixes(&self) -> impl Iterator<Item = &[u8]> {
        let inner = self.ends[1..].iter().filter(|&&end| end < self.bytes.len());
        inner.map(|&end| &self.bytes[..end])
    }

    /// The bytes up to the end of the last whole part, or `None` without any. No key implies a
    /// prefix that ends in `PRESENT`; the shorter one names more, which is safe.
    pub(super) fn longest_prefix(&self) -> Option<&[u8]> {
        self.ends[1..].last().map(|&end| &self.bytes[..end])
    }

    pub(super) fn unhashed(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest that stands for the parts of a key that is too long.
    fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes[self.ends[0]..]).into()
    }

    /// The bytes, or name and digest if they are too long.
    pub(super) fn finished(mut self) -> Arc<[u8]> {
        if self.bytes.len() > KEY_BYTES_MAX {
            let digest = self.digest();
            self.bytes.truncate(self.ends[0]);
            self.bytes.push(DIGEST);
            self.bytes.extend_from_slice(&digest);
        }
        Arc::from(&self.bytes[..])
    }

    fn escaped(&mut self, kind: u8, part: &[u8]) {
        self.bytes.push(kind);
        let mut rest = part;
        while let Some(end) = memchr::memchr(END, rest) {
            self.bytes.extend_from_slice(&rest[..end]);
            self.bytes.extend_from_slice(&[END, ESCAPED]);
            rest = &rest[end + 1..];
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.push(END);
        self.ends.push(self.bytes.len());
    }

    fn fixed(&mut self, kind: u8, part: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(part);
        self.ends.push(self.bytes.len());
    }
}

impl Sealed for Encoder {}
impl Parts for Encoder {
    fn text(&mut self, part: &str) {
        self.escaped(TEXT, part.as_bytes());
    }
    fn bytes(&mut self, part: &[u8]) {
        self.escaped(BYTES, part);
    }
    fn unsigned(&mut self, part: u64) {
        self.fixed(UNSIGNED, &part.to_be_bytes());
    }
    fn signed(&mut self, part: i64) {
        self.fixed(SIGNED, &ordered(part).to_be_bytes());
    }
    fn wide(&mut self, part: u128) {
        self.fixed(WIDE, &part.to_be_bytes());
    }
    fn flag(&mut self, part: bool) {
        self.fixed(if part { TRUE } else { FALSE }, &[]);
    }
    fn optional(&mut self, present: bool) {
        if present {
            // The part itself follows and ends the prefix.
            self.bytes.push(PRESENT);
        } else {
            self.fixed(ABSENT, &[]);
        }
    }
}

/// How a part compares with as many stored bytes.
#[derive(Debug, PartialEq)]
enum Compared {
    /// The same bytes, and no [`END`] among them.
    Same,
    Differ,
    /// The part holds an [`END`], so that its stored form is another one.
    HoldsEnd,
}

const WORD: usize = size_of::<u64>();

/// Compares eight bytes at a time. `stored` and `part` are equally long.
#[inline]
fn compared(stored: &[u8], part: &[u8]) -> Compared {
    let (stored_words, stored_rest) = stored.as_chunks::<WORD>();
    let (part_words, part_rest) = part.as_chunks::<WORD>();
    let mut differing = 0;
    let mut zeros = 0;
    for (stored, part) in stored_words.iter().zip(part_words) {
        let part = u64::from_le_bytes(*part);
        differing |= part ^ u64::from_le_bytes(*stored);
        zeros |= zero_bytes(part);
    }
    let mut ends = zeros != 0;
    let mut same = differing == 0;
    for (stored, part) in stored_rest.iter().zip(part_rest) {
        same &= stored == part;
        ends |= *part == END;
    }
    match (ends, same) {
        (true, _) => Compared::HoldsEnd,
        (false, true) => Compared::Same,
        (false, false) => Compared::Differ,
    }
}

/// Not zero if a byte of `word` is: Mycroft's test, exact as to whether there is one.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    const LOW_BITS: u64 = u64::MAX / 255;
    const HIGH_BITS: u64 = LOW_BITS << 7;
    word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS
}

/// Compares a typed key with stored parts, part by part.
pub(crate) struct Matcher<'a> {
    rest: &'a [u8],
    equal: bool,
}

impl<'a> Matcher<'a> {
    /// Whether `key` is the key whose parts were stored as `parts`, by its parts or as a digest.
    pub(crate) fn matches<K: Key + ?Sized>(key: &K, parts: &'a [u8]) -> bool {
        let mut matcher = Matcher { rest: parts, equal: true };
        key.visit(&mut matcher);
        matcher.equal && matcher.rest.is_empty() || is_hashed(parts) && digest_is(key, parts)
    }

    /// The same of `len` bytes of parts with zeros after them, too few to be a digest. An array: to
    /// compare it with numbers takes no check of bounds.
    #[inline]
    pub(crate) fn matches_padded<K, const N: usize>(key: &K, padded: &'a [u8; N], len: u8) -> bool
    where
        K: Key + ?Sized,
    {
        let mut matcher = Matcher { rest: padded, equal: true };
        key.visit(&mut matcher);
        matcher.equal && matcher.rest.len() + usize::from(len) == N
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, kind: u8, part: [u8; N]) {
        match self.rest.split_at_checked(1 + N) {
            Some((found, rest)) => {
                self.equal &= found[0] == kind && found[1..] == part;
                // Also past what differs: where a number ends then does not depend on it.
                self.rest = rest;
            }
            None => self.equal = false,
        }
    }

    #[inline]
    fn escaped(&mut self, kind: u8, part: &[u8]) {
        let end = 1 + part.len();
        // A stored form that is too short for the part is so for its escaped form too.
        if self.rest.len() <= end || self.rest[0] != kind {
            self.equal = false;
            return;
        }
        match compared(&self.rest[1..end], part) {
            // Were this `END` an escaped one, `ESCAPED` would follow: no kind, so that nothing
            // matches what is left.
            Compared::Same if self.rest[end] == END => self.rest = &self.rest[end + 1..],
            Compared::Same | Compared::Differ => self.equal = false,
            Compared::HoldsEnd => self.escaped_slowly(kind, part),
        }
    }

    #[cold]
    fn escaped_slowly(&mut self, kind: u8, part: &[u8]) {
        let mut encoder = Encoder { bytes: SmallVec::new(), ends: SmallVec::new() };
        encoder.escaped(kind, part);
        match self.rest.strip_prefix(&encoder.bytes[..]) {
            Some(rest) => self.rest = rest,
            None => self.equal = false,
        }
    }
}

/// Whether the stored digest is that of the key's parts. Equal parts of one cache have one form, so
/// the length of the cache's name need not be known.
#[cold]
fn digest_is<K: Key + ?Sized>(key: &K, parts: &[u8]) -> bool {
    Encoder::whole("", key).digest() == parts[1..]
}

impl Sealed for Matcher<'_> {}
impl Parts for Matcher<'_> {
    #[inline]
    fn text(&mut self, part: &str) {
        self.escaped(TEXT, part.as_bytes());
    }
    #[inline]
    fn bytes(&mut self, part: &[u8]) {
        self.escaped(BYTES, part);
    }
    #[inline]
    fn unsigned(&mut self, part: u64) {
        self.fixed(UNSIGNED, part.to_be_bytes());
    }
    #[inline]
    fn signed(&mut self, part: i64) {
        self.fixed(SIGNED, ordered(part).to_be_bytes());
    }
    #[inline]
    fn wide(&mut self, part: u128) {
        self.fixed(WIDE, part.to_be_bytes());
    }
    #[inline]
    fn flag(&mut self, part: bool) {
        self.fixed(if part { TRUE } else { FALSE }, []);
    }
    #[inline]
    fn optional(&mut self, present: bool) {
        self.fixed(if present { PRESENT } else { ABSENT }, []);
    }
}

/// Hashes parts, and counts how long their encoding would be at most.
///
/// A key whose encoding may exceed [`KEY_BYTES_MAX`] is hashed by its finished bytes instead, so
/// that a typed key and its stored form always agree.
pub(crate) struct PartsHasher<H> {
    hasher: H,
    length_max: usize,
}

impl<H: Hasher> PartsHasher<H> {
    pub(crate) fn new(hasher: H) -> Self {
        PartsHasher { hasher, length_max: 0 }
    }

    /// The hash, or `None` when the key may be too long to be stored by its parts.
    #[inline]
    pub(crate) fn finish(&self) -> Option<u64> {
        (self.length_max <= PARTS_BYTES_SHORT).then(|| self.hasher.finish())
    }

    #[inline]
    fn grown(&mut self, bytes: usize) {
        self.length_max = self.length_max.saturating_add(bytes);
    }
}

/// The longest name a cache may have. With the bytes around it, it takes two more.
pub(crate) const CACHE_NAME_BYTES_MAX: usize = 128;

/// Parts whose encoding cannot exceed this are never replaced by a digest, whatever their
/// cache is called.
pub(crate) const PARTS_BYTES_SHORT: usize = KEY_BYTES_MAX - (CACHE_NAME_BYTES_MAX + 2);

/// The hash of a typed key of `cache`. It is [`hash_parts`] of its stored parts; nothing is encoded
/// unless the key may be too long to be stored by its parts.
#[inline]
pub(crate) fn hash_key<K, B>(builder: &B, cache: &str, key: &K) -> u64
where
    K: Key + ?Sized,
    B: BuildHasher,
{
    let mut parts = PartsHasher::new(builder.build_hasher());
    key.visit(&mut parts);
    parts.finish().unwrap_or_else(|| hash_finished(builder, cache, key))
}

/// Whether the encoded parts of `key` may be longer than this.
#[inline]
pub(crate) fn may_exceed<K: Key + ?Sized>(key: &K, bytes: usize) -> bool {
    let mut parts = PartsHasher::new(Unhashed);
    key.visit(&mut parts);
    parts.length_max > bytes
}

/// For who wants to know the length alone.
struct Unhashed;

impl Hasher for Unhashed {
    #[inline]
    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn finish(&self) -> u64 {
        0
    }
}

#[cold]
fn hash_finished<K, B>(builder: &B, cache: &str, key: &K) -> u64
where
    K: Key + ?Sized,
    B: BuildHasher,
{
    hash_parts(builder, EncodedKey::new(cache, key).parts())
}

/// The hash of parts as they are stored.
pub(crate) fn hash_parts<B: BuildHasher>(builder: &B, stored: &[u8]) -> u64 {
    let mut parts = PartsHasher::new(builder.build_hasher());
    Decoder(stored).for_each(|part| part.show(&mut parts));
    parts.hasher.finish()
}

impl<H> Sealed for PartsHasher<H> {}
impl<H: Hasher> Parts for PartsHasher<H> {
    #[inline]
    fn text(&mut self, part: &str) {
        self.bytes(part.as_bytes());
    }
    #[inline]
    fn bytes(&mut self, part: &[u8]) {
        // Twice: every byte might need an escape. Only an upper bound decides the form.
        self.grown(2 * part.len() + 2);
        self.hasher.write(part);
    }
    #[inline]
    fn unsigned(&mut self, part: u64) {
        self.grown(9);
        self.hasher.write_u64(part);
    }
    #[inline]
    fn signed(&mut self, part: i64) {
        self.grown(9);
        self.hasher.write_i64(part);
    }
    #[inline]
    fn wide(&mut self, part: u128) {
        self.grown(17);
        self.hasher.write_u128(part);
    }
    #[inline]
    fn flag(&mut self, part: bool) {
        self.grown(1);
        self.hasher.write_u8(u8::from(part));
    }
    #[inline]
    fn optional(&mut self, present: bool) {
        self.grown(1);
        self.hasher.write_u8(u8::from(present));
    }
}

/// One part of stored bytes. Its names are also words of an invalidation's text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    Text(String),
    #[serde(with = "super::hex")]
    Bytes(Vec<u8>),
    Unsigned(u64),
    Signed(i64),
    #[serde(with = "super::hex")]
    Wide(u128),
    Flag(bool),
    Optional(bool),
    #[serde(with = "super::hex")]
    Digest([u8; 32]),
}

impl Part {
    pub(crate) fn show<P: Parts>(&self, parts: &mut P) {
        match self {
            Part::Text(text) => parts.text(text),
            Part::Bytes(bytes) => parts.bytes(bytes),
            Part::Digest(digest) => parts.bytes(digest),
            Part::Unsigned(number) => parts.unsigned(*number),
            Part::Signed(number) => parts.signed(*number),
            Part::Wide(number) => parts.wide(*number),
            Part::Flag(flag) => parts.flag(*flag),
            Part::Optional(present) => parts.optional(*present),
        }
    }
}

/// Reads stored bytes part by part; ends early at bytes that are no part.
#[derive(Debug)]
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl Iterator for Decoder<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let (&kind, rest) = self.0.split_first()?;
        self.0 = rest;
        match kind {
            TEXT => self.escaped().and_then(|bytes| String::from_utf8(bytes).ok()).map(Part::Text),
            BYTES => self.escaped().map(Part::Bytes),
            UNSIGNED => self.fixed().map(|bytes| Part::Unsigned(u64::from_be_bytes(bytes))),
            SIGNED => {
                self.fixed().map(|bytes| Part::Signed((u64::from_be_bytes(bytes) ^ (1 << 63)) as i64))
            }
            WIDE => self.fixed().map(|bytes| Part::Wide(u128::from_be_bytes(bytes))),
            DIGEST => self.fixed().map(Part::Digest),
            FALSE | TRUE => Some(Part::Flag(kind == TRUE)),
            ABSENT | PRESENT => Some(Part::Optional(kind == PRESENT)),
            _ => {
                self.0 = &[];
                None
            }
        }
    }
}

impl Decoder<'_> {
    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (part, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*part)
    }

    fn escaped(&mut self) -> Option<Vec<u8>> {
        let mut part = Vec::new();
        loop {
            let end = memchr::memchr(END, self.0)?;
            part.extend_from_slice(&self.0[..end]);
            self.0 = &self.0[end + 1..];
            match self.0.split_first() {
                Some((&ESCAPED, rest)) => {
                    part.push(END);
                    self.0 = rest;
                }
                _ => return Some(part),
            }
        }
    }
}

/// The name of the cache and the parts of a key or prefix; `None` if these bytes are neither.
pub(crate) fn taken_apart(bytes: &[u8]) -> Option<(String, Vec<Part>)> {
    let mut parts = Decoder(bytes);
    match parts.next() {
        Some(Part::Text(cache)) => Some((cache, parts.collect())),
        _ => None,
    }
}

/// The parts of a key or prefix of `cache`, put together again as they were taken apart.
pub(crate) fn put_together(cache: &str, parts: &[Part]) -> Arc<[u8]> {
    let mut encoder = Encoder::begun(cache);
    for part in parts {
        match part {
            Part::Digest(digest) => encoder.fixed(DIGEST, digest),
            part => part.show(&mut encoder),
        }
    }
    Arc::from(&encoder.bytes[..])
}

/// The cache's name and the encoded parts.
pub(super) fn cache_of(bytes: &[u8]) -> Option<(&str, &[u8])> {
    // Names hold no NUL (the builder refuses it), so the first one ends the name.
    let text = bytes.strip_prefix(&[TEXT])?;
    let end = memchr::memchr(END, text)?;
    let name = std::str::from_utf8(&text[..end]).ok()?;
    Some((name, &text[end + 1..]))
}

/// A cache's name and encoded parts as one key.
pub(super) fn joined(cache: &str, parts: &[u8]) -> Arc<[u8]> {
    let mut bytes = Vec::with_capacity(cache.len() + 2 + parts.len());
    bytes.push(TEXT);
    bytes.extend_from_slice(cache.as_bytes());
    bytes.push(END);
    bytes.extend_from_slice(parts);
    Arc::from(bytes)
}

/// Whether parts were replaced by their digest.
pub(crate) fn is_hashed(parts: &[u8]) -> bool {
    parts.first() == Some(&DIGEST)
}

/// The readable form, see [`super::text`].
pub(crate) fn display(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for (index, part) in Decoder(bytes).enumerate() {
        if index > 0 {
            text.push(':');
        }
        match part {
            Part::Text(part) => push_escaped(&mut text, part.chars()),
            Part::Bytes(part) => part.iter().for_each(|byte| text.push_str(&hex(*byte))),
            Part::Digest(part) => {
                text.push('#');
                part.iter().for_each(|byte| text.push_str(&hex(*byte)));
            }
            Part::Unsigned(number) => text.push_str(&number.to_string()),
            Part::Signed(number) => text.push_str(&number.to_string()),
            Part::Wide(number) => text.push_str(&format!("{number:032x}")),
            Part::Flag(flag) => text.push_str(if flag { "true" } else { "false" }),
            Part::Optional(present) => text.push_str(if present { "some" } else { "none" }),
        }
    }
    text
}

fn hex(byte: u8) -> String {
    format!("{byte:02x}")
}

fn push_escaped(text: &mut String, part: impl Iterator<Item = char>) {
    for letter in part {
        if letter == ':' || letter == '%' || letter.is_control() {
            let mut buffer = [0; 4];
            for byte in letter.encode_utf8(&mut buffer).bytes() {
                text.push('%');
                text.push_str(&hex(byte).to_uppercase());
            }
        } else {
            text.push(letter);
        }
    }
}
