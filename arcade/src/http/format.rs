//! Decides which values a field takes, and how that is told: to the caller who got it wrong, and in
//! the description of the route.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A field's value as it came.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// From a query, decoded.
    Query(&'a str),
    /// From a JSON body, as it stands there.
    Json(&'a str),
}

impl<'a> Given<'a> {
    /// The text, if it is text.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Given::Query(text) => Some(Cow::Borrowed(text)),
            Given::Json(raw) => serde_json::from_str(raw).ok().map(Cow::Owned),
        }
    }

    /// A number or a word that stands for itself. A JSON string keeps its quotes here, so it is
    /// never taken for a number.
    fn literal(self) -> &'a str {
        let (Given::Query(text) | Given::Json(text)) = self;
        text
    }
}

/// What a field takes.
pub trait Format {
    /// What a good value becomes.
    type Value;

    /// The value, if it is good.
    fn read(&self, given: Given<'_>) -> Option<Self::Value>;

    /// What a value must be, after the word "must".
    fn demand(&self) -> &'static str;

    /// Its bounds.
    fn limit(&self) -> String;

    /// Both as a JSON schema.
    fn schema(&self) -> Value;
}

/// A whole number within bounds, both included.
#[derive(Debug, Clone)]
pub struct Integer<T>(RangeInclusive<T>);

/// A whole number within `range`.
pub const fn integer<T>(range: RangeInclusive<T>) -> Integer<T> {
    Integer(range)
}

/// The number of a thing.
pub const fn id() -> Integer<i64> {
    Integer(1..=i64::MAX)
}

impl<T: Copy + PartialOrd + Display + FromStr + Into<Value>> Format for Integer<T> {
    type Value = T;

    fn read(&self, given: Given<'_>) -> Option<T> {
        // A plus sign would be a second way to write the same number.
        let literal = Some(given.literal()).filter(|text| !text.starts_with('+'))?;
        literal.parse().ok().filter(|number| self.0.contains(number))
    }

    fn demand(&self) -> &'static str {
        "be a whole number"
    }

    fn limit(&self) -> String {
        format!("{} to {}", self.0.start(), self.0.end())
    }

    fn schema(&self) -> Value {
        let (min, max): (Value, Value) = ((*self.0.start()).into(), (*self.0.end()).into());
        json!({ "type": "integer", "format": "int64", "minimum": min, "maximum": max })
    }
}

/// A list of numbers of things, each once.
#[derive(Debug, Clone, Copy)]
pub struct IdList {
    most: usize,
}

/// At most so many numbers of things.
pub const fn id_list(most: usize) -> IdList {
    IdList { most }
}

impl Format for IdList {
    type Value = Vec<i64>;

    fn read(&self, given: Given<'_>) -> Option<Vec<i64>> {
        let numbers: Vec<i64> = serde_json::from_str(given.literal()).ok()?;
        let known: BTreeSet<&i64> = numbers.iter().collect();
        let good = numbers.len() <= self.most && known.len() == numbers.len();
        (good && numbers.iter().all(|number| *number > 0)).then_some(numbers)
    }

    fn demand(&self) -> &'static str {
        "be a list of ids, each once"
    }

    fn limit(&self) -> String {
        format!("at most {}", self.most)
    }

    fn schema(&self) -> Value {
        let items = id().schema();
        json!({ "type": "array", "items": items, "maxItems": self.most, "uniqueItems": true })
    }
}

/// A list of lines of text, each once.
#[derive(Debug, Clone)]
pub struct TextLines {
    line: Text,
    most: usize,
}

/// At most so many lines like `line`.
pub const fn lines(line: Text, most: usize) -> TextLines {
    TextLines { line, most }
}

impl Format for TextLines {
    type Value = Vec<String>;

    fn read(&self, given: Given<'_>) -> Option<Vec<String>> {
        let raw: Vec<&RawValue> = serde_json::from_str(given.literal()).ok()?;
        let read = |raw: &&RawValue| self.line.read(Given::Json(raw.get()));
        let lines: Vec<String> = raw.iter().map(read).collect::<Option<_>>()?;
        let known: BTreeSet<&String> = lines.iter().collect();
        (lines.len() <= self.most && known.len() == lines.len()).then_some(lines)
    }

    fn demand(&self) -> &'static str {
        "be a list of lines of text, each once"
    }

    fn limit(&self) -> String {
        format!("at most {}, each of {}", self.most, self.line.limit())
    }

    fn schema(&self) -> Value {
        let items = self.line.schema();
        json!({ "type": "array", "items": items, "maxItems": self.most, "uniqueItems": true })
    }
}

/// Text of so many characters.
#[derive(Debug, Clone)]
pub struct Text {
    chars: RangeInclusive<usize>,
    lines: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// One line of text.
pub const fn line(chars: RangeInclusive<usize>) -> Text {
    Text { chars, lines: Lines::One }
}

/// Text that may have several lines.
pub const fn text(chars: RangeInclusive<usize>) -> Text {
    Text { chars, lines: Lines::Many }
}

impl Format for Text {
    type Value = String;

    fn read(&self, given: Given<'_>) -> Option<String> {
        let text = given.text()?;
        let breaks = |char: char| self.lines == Lines::Many && matches!(char, '\n' | '\r' | '\t');
        // A NUL is refused by PostgreSQL, and a line break would forge a line of a log.
        let plain = text.chars().all(|char| !char.is_control() || breaks(char));
        let whole = text.trim().len() == text.len();
        let good = plain && whole && self.chars.contains(&text.chars().count());
        good.then(|| text.into_owned())
    }

    fn demand(&self) -> &'static str {
        match self.lines {
            Lines::One => "be one line of text without spaces around it",
            Lines::Many => "be text without spaces around it",
        }
    }

    fn limit(&self) -> String {
        format!("{} to {} characters", self.chars.start(), self.chars.end())
    }

    fn schema(&self) -> Value {
        let (min, max) = (self.chars.start(), self.chars.end());
        json!({ "type": "string", "minLength": min, "maxLength": max })
    }
}

/// One word of a list.
#[derive(Debug, Clone, Copy)]
pub struct Choice<T: 'static>(&'static [(&'static str, T)]);

/// One of these words, and what each stands for.
pub const fn choice<T>(words: &'static [(&'static str, T)]) -> Choice<T> {
    Choice(words)
}

impl<T: Copy> Choice<T> {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(word, _)| *word)
    }
}

impl<T: Copy> Format for Choice<T> {
    type Value = T;

    fn read(&self, given: Given<'_>) -> Option<T> {
        let text = given.text()?;
        self.0.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    fn demand(&self) -> &'static str {
        "be one of these words"
    }

    fn limit(&self) -> String {
        self.words().collect::<Vec<_>>().join(", ")
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "enum": self.words().collect::<Vec<_>>() })
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy)]
pub struct Flag;

/// `true` or `false`.
pub const fn flag() -> Flag {
    Flag
}

impl Format for Flag {
    type Value = bool;

    fn read(&self, given: Given<'_>) -> Option<bool> {
        given.literal().parse().ok()
    }

    fn demand(&self) -> &'static str {
        "be one of these words"
    }

    fn limit(&self) -> String {
        "true, false".to_owned()
    }

    fn schema(&self) -> Value {
        json!({ "type": "boolean" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_few_short_and_different() {
        let read = |text: &str| lines(line(1..=3), 2).read(Given::Json(text));
        assert_eq!(read(r#"["a", "abc"]"#), Some(vec!["a".to_owned(), "abc".to_owned()]));
        assert_eq!(read("[]"), Some(Vec::new()));
        for wrong in [r#"["a","a"]"#, r#"["abcd"]"#, r#"[""]"#, r#"["a","b","c"]"#, "[1]", "{}", "1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
