//! Decides how a place in a list is handed to a caller and taken back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::format::{Format, Given};

/// How long the text of a cursor is, and how many bytes it stands for.
const BYTES: usize = 16;
const CHARS: usize = 22;

/// A place in a list: behind the item with this place in its order and this number. Unlike a page
/// it neither skips nor repeats an item when the list grows at its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is ordered by.
    pub order: i64,
    /// The item's number, which decides between equal ones.
    pub id: i64,
}

impl Cursor {
    /// The text for the caller, who need not understand it.
    pub fn encoded(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.order.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decoded(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (order, id) = bytes.split_at_checked(8)?;
        let number = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_be_bytes);
        let cursor = Cursor { order: number(order)?, id: number(id)? };
        (cursor.id > 0).then_some(cursor)
    }
}

/// What a field takes that goes on with a list.
#[derive(Debug, Clone, Copy)]
pub struct CursorFormat;

/// A cursor from an earlier answer.
pub const fn cursor() -> CursorFormat {
    CursorFormat
}

impl Format for CursorFormat {
    type Value = Cursor;

    fn read(&self, given: Given<'_>) -> Option<Cursor> {
        given.text().filter(|text| text.len() == CHARS).and_then(|text| Cursor::decoded(&text))
    }

    fn demand(&self) -> &'static str {
        "be a cursor"
    }

    fn limit(&self) -> String {
        "nextCursor of an earlier answer".to_owned()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "minLength": CHARS, "maxLength": CHARS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        for (order, id) in [(0, 1), (-1, i64::MAX), (i64::MIN, 7)] {
            let text = Cursor { order, id }.encoded();
            assert_eq!(cursor().read(Given::Query(&text)), Some(Cursor { order, id }));
        }
        let no_id = Cursor { order: 3, id: 0 }.encoded();
        let long = "A".repeat(10_000);
        for text in ["", "x", "!!!!!!!!!!!!!!!!!!!!!!", &no_id, &long] {
            assert_eq!(cursor().read(Given::Query(text)), None, "{text}");
        }
    }
}
