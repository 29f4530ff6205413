//! Decides how a place in a list is handed to a caller and taken back, and how a list is cut at
//! such places.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use larder::{Key, ReadableKey};
use serde_json::{Value, json};
use twox_hash::XxHash3_64;

use super::fields::Fields;
use super::format::{Format, Given, integer};
use super::page::{LIMIT_DEFAULT, LIMIT_MAX};

/// How many bytes a cursor stands for, eight for each of its numbers and eight for its mark, and
/// how long its text is.
const BYTES: usize = 24;
const CHARS: usize = 32;

/// A place in a list: behind the item with this place in its order and this number. Unlike a page
/// it neither skips nor repeats an item when the list grows at its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Key, ReadableKey)]
pub struct Cursor {
    /// What the list is ordered by.
    pub order: i64,
    /// The item's number, which decides between equal ones.
    pub id: i64,
}

impl Cursor {
    /// Before the first item of a list that begins with its largest.
    pub const HEAD: Cursor = Cursor { order: i64::MAX, id: i64::MAX };
}

/// The cursors of one list, and what a field takes that goes on with it.
#[derive(Debug, Clone, Copy)]
pub struct Cursors {
    list: &'static str,
}

/// The cursors of the list of this name, which no other list takes.
pub const fn cursors(list: &'static str) -> Cursors {
    Cursors { list }
}

impl Cursors {
    /// The text for the caller, who need not understand it.
    pub fn text(self, cursor: Cursor) -> String {
        let mark = self.mark(cursor);
        let numbers = [cursor.order.to_be_bytes(), cursor.id.to_be_bytes(), mark.to_be_bytes()];
        URL_SAFE_NO_PAD.encode(numbers.concat())
    }

    /// Tells a cursor of this list from one of another and from a slip of the pen. It is no
    /// secret: whoever forges one sees what is theirs to see.
    fn mark(self, Cursor { order, id }: Cursor) -> u64 {
        let numbers = [order.to_be_bytes(), id.to_be_bytes()].concat();
        XxHash3_64::oneshot(&[numbers.as_slice(), self.list.as_bytes()].concat())
    }

    fn cursor(self, text: &str) -> Option<Cursor> {
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let ([order, id, mark], []) = bytes.as_chunks() else {
            return None;
        };
        let cursor = Cursor { order: i64::from_be_bytes(*order), id: i64::from_be_bytes(*id) };
        (self.mark(cursor) == u64::from_be_bytes(*mark)).then_some(cursor)
    }
}

impl Format for Cursors {
    type Value = Cursor;

    fn read(&self, given: Given<'_>) -> Option<Cursor> {
        // The length first: a long text is not worth decoding.
        given.text().filter(|text| text.len() == CHARS).and_then(|text| self.cursor(&text))
    }

    fn demand(&self) -> &'static str {
        "be a cursor of this list"
    }

    fn limit(&self) -> String {
        "nextCursor of an earlier answer".to_owned()
    }

    fn schema(&self) -> Value {
        json!({
            "type": "string",
            "description": "nextCursor of an earlier answer; without it, from the head.",
            "minLength": CHARS,
            "maxLength": CHARS,
        })
    }
}

/// A part of a list, as the query names it: `cursor`, or from the head, and `limit` from 1 to
/// [`LIMIT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Behind which item it begins.
    pub after: Option<Cursor>,
    /// The most items in it.
    pub limit: u32,
}

impl Stretch {
    /// Takes `cursor`, which must be one of `cursors`, and `limit`.
    pub fn read(fields: &mut Fields, cursors: Cursors) -> Option<Self> {
        let after = fields.optional("cursor", cursors);
        let limit = fields.or("limit", LIMIT_DEFAULT, integer(1..=LIMIT_MAX));
        Some(Stretch { after: after?, limit: limit? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Cursors = cursors("list");

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for (order, id) in [(0, 1), (-1, i64::MAX), (i64::MIN, 7)] {
            let cursor = Cursor { order, id };
            assert_eq!(LIST.read(Given::Query(&LIST.text(cursor))), Some(cursor));
        }
    }

    #[test]
    fn no_other_text_is_a_cursor() {
        let cursor = Cursor { order: 3, id: 7 };
        let (good, long) = (LIST.text(cursor), "A".repeat(10_000));
        let of_another = cursors("another").text(cursor);
        let changed = (0..CHARS).map(|place| {
            let other = if good.as_bytes()[place] == b'A' { "B" } else { "A" };
            [&good[..place], other, &good[place + 1..]].concat()
        });
        let never = ["", "x", &"!".repeat(CHARS), &"A".repeat(CHARS), &good[1..], &long, &of_another];
        for text in changed.chain(never.map(str::to_owned)) {
            assert_eq!(LIST.read(Given::Query(&text)), None, "{text:.80}");
        }
    }
}
