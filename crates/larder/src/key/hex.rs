//! Decides how those parts of a key that are no text and no small number are written in JSON: as
//! hexadecimal digits, two a byte.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serializer, de};

/// What can be written as bytes and read again.
pub(super) trait Bytes: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    /// `None` if it has another length.
    fn of(bytes: Vec<u8>) -> Option<Self>;
}

impl Bytes for Vec<u8> {
    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }
    fn of(bytes: Vec<u8>) -> Option<Self> {
        Some(bytes)
    }
}

impl Bytes for [u8; 32] {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn of(bytes: Vec<u8>) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl Bytes for u128 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn of(bytes: Vec<u8>) -> Option<Self> {
        bytes.try_into().ok().map(u128::from_be_bytes)
    }
}

pub(super) fn serialize<B: Bytes, S: Serializer>(part: &B, to: S) -> Result<S::Ok, S::Error> {
    let mut digits = String::new();
    for byte in part.to_bytes() {
        write!(digits, "{byte:02x}").map_err(serde::ser::Error::custom)?;
    }
    to.serialize_str(&digits)
}

pub(super) fn deserialize<'de, B, D>(from: D) -> Result<B, D::Error>
where
    B: Bytes,
    D: Deserializer<'de>,
{
    let digits = String::deserialize(from)?;
    let bytes = read(digits.as_bytes()).and_then(B::of);
    bytes.ok_or_else(|| de::Error::custom("hexadecimal digits are missing, wrong or too many"))
}

fn read(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let (pairs, rest) = digits.as_chunks();
    rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
}
