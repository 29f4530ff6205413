//! Session tokens: what a caller has seen of the log, to be shown again on another node.

use std::fmt;
use std::str::FromStr;

use crate::shard::Epoch;

/// A place in the logs of a namespace: for some of its shards an epoch and a sequence number.
///
/// Opaque: keep it in a session or a header by its text form, and show it to a later read with
/// [`Consistency::AtLeast`](crate::Consistency::AtLeast). The empty position asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// Sorted by shard, one mark a shard.
    marks: Vec<(u16, Mark)>,
}

/// What a position says about one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Up to this sequence number of this epoch.
    At(Epoch, u64),
    /// Two epochs were merged: only the head will do, as for `Latest`.
    Head,
}

impl Position {
    pub(crate) fn at(shard: usize, epoch: Epoch, sequence: u64) -> Self {
        Position { marks: vec![(shard as u16, Mark::At(epoch, sequence))] }
    }

    pub(crate) fn mark(&self, shard: usize) -> Option<Mark> {
        self.marks.iter().find(|(at, _)| usize::from(*at) == shard).map(|(_, mark)| *mark)
    }

    /// The position that has seen what both have seen.
    #[must_use]
    pub fn merge(mut self, other: &Position) -> Position {
        for &(shard, theirs) in &other.marks {
            match self.marks.binary_search_by_key(&shard, |(at, _)| *at) {
                Ok(index) => self.marks[index].1 = merged(self.marks[index].1, theirs),
                Err(index) => self.marks.insert(index, (shard, theirs)),
            }
        }
        self
    }
}

fn merged(ours: Mark, theirs: Mark) -> Mark {
    match (ours, theirs) {
        (Mark::At(epoch, a), Mark::At(other, b)) if epoch == other => Mark::At(epoch, a.max(b)),
        _ => Mark::Head,
    }
}

/// `shard@epoch:sequence` for each shard, joined by `,`; `shard@head` where epochs were merged.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (shard, mark)) in self.marks.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match mark {
                Mark::At(epoch, sequence) => write!(f, "{comma}{shard}@{:032x}:{sequence}", epoch.0)?,
                Mark::Head => write!(f, "{comma}{shard}@head")?,
            }
        }
        Ok(())
    }
}

/// The text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` is no part of a position; expected `shard@epoch:sequence`")]
pub struct PositionError {
    part: String,
}

/// The most bytes of a position's text; a longer one is refused before it is looked at.
const TEXT_BYTES_MAX: usize = 64 * 1024;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(PositionError {
                part: format!("{}…", &text.chars().take(32).collect::<String>()),
            });
        }
        text.split(',').filter(|part| !part.is_empty()).try_fold(
            Position::default(),
            |position, part| {
                let (shard, mark) = parse_mark(part)
                    .ok_or_else(|| PositionError { part: part.chars().take(80).collect() })?;
                Ok(position.merge(&Position { marks: vec![(shard, mark)] }))
            },
        )
    }
}

fn parse_mark(part: &str) -> Option<(u16, Mark)> {
    let (shard, rest) = part.split_once('@')?;
    let shard = shard.parse().ok()?;
    if rest == "head" {
        return Some((shard, Mark::Head));
    }
    let (epoch, sequence) = rest.split_once(':')?;
    let epoch = u128::from_str_radix(epoch, 16).ok()?;
    Some((shard, Mark::At(Epoch(epoch), sequence.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_round_trips() {
        let position = Position::at(3, Epoch(7), 12).merge(&Position::at(1, Epoch(9), 1));
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("".parse(), Ok(Position::default()));
    }

    #[test]
    fn merging_keeps_the_larger_sequence_of_one_epoch() {
        let merged = Position::at(0, Epoch(7), 12).merge(&Position::at(0, Epoch(7), 9));
        assert_eq!(merged.mark(0), Some(Mark::At(Epoch(7), 12)));
    }

    #[test]
    fn merging_two_epochs_asks_for_the_head() {
        let merged = Position::at(0, Epoch(7), 12).merge(&Position::at(0, Epoch(8), 1));
        assert_eq!(merged.mark(0), Some(Mark::Head));
        assert_eq!(merged.to_string().parse(), Ok(merged));
    }

    #[test]
    fn a_text_that_is_no_position_names_the_wrong_part() {
        let error = "0@head,oops".parse::<Position>().expect_err("no position");
        assert!(error.to_string().contains("oops"));
    }
}
