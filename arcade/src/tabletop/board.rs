//! Decides what a board is: its size, its grid, its layers, and within which limits.

use std::ops::RangeInclusive;

use larder::Entry;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::words;
use crate::http::{Format, Given, line};

const SIDE: RangeInclusive<u32> = 100..=10_000;
const CELL: RangeInclusive<u32> = 10..=500;
const LAYERS_MAX: usize = 16;
const LAYER_CHARS: RangeInclusive<usize> = 1..=40;

words! {
    /// What lies over a board.
    Grid {
        /// Nothing.
        None = "none",
        /// Squares.
        Square = "square",
        /// Hexagons.
        Hex = "hex",
    }
}

/// What the pieces of a room lie on. What is not given is as in the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Board {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// What lies over it.
    pub grid: Grid,
    /// The side of a cell, in pixels.
    pub cell: u32,
    /// The names of its layers, lowest first.
    pub layers: Vec<String>,
}

impl Default for Board {
    fn default() -> Self {
        let layers = ["map", "tokens"].map(str::to_owned).to_vec();
        Board { width: 800, height: 600, grid: Grid::Square, cell: 50, layers }
    }
}

impl Board {
    fn is_within_limits(&self) -> bool {
        let layer = |name: &String| line(LAYER_CHARS).read(Given::Query(name)).is_some();
        let sides = [self.width, self.height].iter().all(|side| SIDE.contains(side));
        let layers = self.layers.len() <= LAYERS_MAX && self.layers.iter().all(layer);
        sides && CELL.contains(&self.cell) && layers
    }
}

/// A board as a field of a request.
#[derive(Debug, Clone, Copy)]
pub struct BoardFormat;

/// A board.
pub const fn board() -> BoardFormat {
    BoardFormat
}

impl Format for BoardFormat {
    type Value = Board;

    fn read(&self, given: Given<'_>) -> Option<Board> {
        let Given::Json(raw) = given else { return None };
        // A list of its values in order would be a board to serde, too.
        let object: Map<String, Value> = serde_json::from_str(raw).ok()?;
        serde_json::from_value(Value::Object(object)).ok().filter(Board::is_within_limits)
    }

    fn demand(&self) -> &'static str {
        "be a board: an object with width, height, grid, cell and layers"
    }

    fn limit(&self) -> String {
        format!(
            "width and height {} to {}, cell {} to {}, up to {LAYERS_MAX} layers of {} to {} \
             characters",
            SIDE.start(),
            SIDE.end(),
            CELL.start(),
            CELL.end(),
            LAYER_CHARS.start(),
            LAYER_CHARS.end()
        )
    }

    fn schema(&self) -> Value {
        let side = json!({ "type": "integer", "minimum": SIDE.start(), "maximum": SIDE.end() });
        let cell = json!({ "type": "integer", "minimum": CELL.start(), "maximum": CELL.end() });
        let layers = json!({
            "type": "array",
            "maxItems": LAYERS_MAX,
            "items": { "type": "string", "maxLength": LAYER_CHARS.end() },
        });
        let grids: Vec<&str> = Grid::ALL.iter().map(|(word, _)| *word).collect();
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "width": side, "height": side, "grid": { "type": "string", "enum": grids },
                "cell": cell, "layers": layers,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_board_does_not_say_is_as_usual_and_what_it_says_has_limits() {
        let read = |text: &str| board().read(Given::Json(text));
        let usual = Board::default();
        assert_eq!((usual.width, usual.height), (800, 600));
        assert_eq!(read("{}"), Some(usual.clone()));
        assert_eq!(read(r#"{"grid":"hex"}"#), Some(Board { grid: Grid::Hex, ..usual }));
        let wrong = [
            r#"{"width":99}"#,
            r#"{"height":10001}"#,
            r#"{"cell":9}"#,
            r#"{"grid":"round"}"#,
            r#"{"layers":[""]}"#,
            r#"{"width":1e3}"#,
            r#"{"depth":1}"#,
            "[]",
            "null",
        ];
        for text in wrong {
            assert_eq!(read(text), None, "{text}");
        }
        let layers = vec!["layer"; LAYERS_MAX + 1];
        assert_eq!(read(&json!({ "layers": layers }).to_string()), None);
    }
}
