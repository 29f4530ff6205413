//! Translates globs to regular expressions.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::CharIndices;

use super::PatternError;

/// The regular expression that matches what the glob `source` matches, and nothing else.
pub(super) fn translated(source: &str) -> Result<String, PatternError> {
    let mut letters = source.char_indices().peekable();
    let mut expression = String::from(r"\A(?s:");
    while let Some((at, letter)) = letters.next() {
        match letter {
            '*' => {
                // A run of stars is one star, and compiles as one.
                while letters.next_if(|&(_, next)| next == '*').is_some() {}
                expression.push_str(".*");
            }
            '?' => expression.push('.'),
            '[' => push_class(&mut expression, &mut letters, at)?,
            '\\' => push_letter(&mut expression, unescaped(&mut letters, at)?),
            letter => push_letter(&mut expression, letter),
        }
    }
    expression.push_str(r")\z");
    Ok(expression)
}

/// The text before the first special character.
pub(super) fn literal_prefix(source: &str) -> String {
    let end = source.find(['*', '?', '[', '\\']).unwrap_or(source.len());
    source[..end].to_owned()
}

fn push_class(
    expression: &mut String,
    letters: &mut Peekable<CharIndices<'_>>,
    start: usize,
) -> Result<(), PatternError> {
    expression.push('[');
    if letters.next_if(|&(_, next)| next == '!' || next == '^').is_some() {
        expression.push('^');
    }
    let mut empty = true;
    loop {
        let (at, letter) = match letters.next() {
            None => return Err(wrong(start, "`[` has no `]`")),
            Some((_, ']')) if empty => {
                return Err(wrong(start, "the class is empty; write `\\]` for a bracket"));
            }
            Some((_, ']')) => break,
            Some(next) => next,
        };
        empty = false;
        let first = plain(letters, at, letter)?;
        push_letter(expression, first);
        if let Some(last) = end_of_range(letters)? {
            if last < first {
                return Err(wrong(at, "the range ends before it begins"));
            }
            expression.push('-');
            push_letter(expression, last);
        }
    }
    expression.push(']');
    Ok(())
}

/// The last letter of a range whose first one was read. A `-` at the end of a class is itself.
fn end_of_range(letters: &mut Peekable<CharIndices<'_>>) -> Result<Option<char>, PatternError> {
    let mut ahead = letters.clone();
    if !matches!((ahead.next(), ahead.next()), (Some((_, '-')), Some((_, last))) if last != ']') {
        return Ok(None);
    }
    letters.next();
    match letters.next() {
        Some((at, last)) => plain(letters, at, last).map(Some),
        None => Ok(None),
    }
}

fn plain(
    letters: &mut Peekable<CharIndices<'_>>,
    at: usize,
    letter: char,
) -> Result<char, PatternError> {
    if letter == '\\' { unescaped(letters, at) } else { Ok(letter) }
}

fn unescaped(letters: &mut Peekable<CharIndices<'_>>, at: usize) -> Result<char, PatternError> {
    let escaped = letters.next().map(|(_, letter)| letter);
    escaped.ok_or_else(|| wrong(at, "`\\` has nothing to escape; write `\\\\` for itself"))
}

/// By its number, which is never special, inside a class or out of one.
fn push_letter(expression: &mut String, letter: char) {
    if letter.is_ascii_alphanumeric() {
        expression.push(letter);
    } else {
        write!(expression, r"\x{{{:x}}}", u32::from(letter)).expect("a string takes every write");
    }
}

fn wrong(at: usize, reason: &'static str) -> PatternError {
    PatternError::Glob { at, reason }
}
