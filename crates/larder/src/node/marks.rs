//! The names that this node has invalidated but cannot find in the log yet: those *pending*,
//! whose append is not acknowledged, and those *unsure*, whose acknowledgement came from an epoch
//! that the view does not have. Both are such a set.

use std::collections::HashMap;
use std::sync::Arc;

use super::subject::Names;
use crate::key::pattern::Pattern;
use crate::memory::verdict::Verdict;
use crate::record::{Mode, Name, NameHash};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// Names, each with the largest local sequence at which it was marked hard and soft.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// How many names and patterns there are; lets judges skip the lock while there are none.
    len: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    names: HashMap<NameHash, Marked>,
    patterns: Arc<Vec<MarkedPattern>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Marked {
    hard: Mark,
    soft: Mark,
}

/// Several calls may mark one name. It keeps the largest sequence until the last of them leaves:
/// that kills more than it must, never less.
#[derive(Debug, Default, Clone, Copy)]
struct Mark {
    sequence: u64,
    holders: u32,
}

#[derive(Debug, Clone)]
struct MarkedPattern {
    pattern: Pattern,
    mode: Mode,
    sequence: u64,
}

/// What is marked by one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Name(Name),
    Pattern(Pattern),
}

impl Marked {
    fn of(&mut self, mode: Mode) -> &mut Mark {
        match mode {
            Mode::Hard => &mut self.hard,
            Mode::Soft => &mut self.soft,
        }
    }

    fn verdict(&self, l0: u64) -> Verdict {
        let above = |mark: Mark| mark.holders > 0 && mark.sequence > l0;
        if above(self.hard) {
            Verdict::Dead
        } else if above(self.soft) {
            Verdict::Stale
        } else {
            Verdict::Fresh
        }
    }
}

impl Marks {
    pub(crate) fn enter(&self, target: &Target, mode: Mode, sequence: u64) {
        let mut inner = self.inner.lock();
        match target {
            Target::Name(name) => {
                let mark = inner.names.entry(name.hash()).or_default().of(mode);
                mark.sequence = mark.sequence.max(sequence);
                mark.holders += 1;
            }
            Target::Pattern(pattern) => {
                let marked = MarkedPattern { pattern: pattern.clone(), mode, sequence };
                Arc::make_mut(&mut inner.patterns).push(marked);
            }
        }
        self.len.store(inner.len(), Ordering::SeqCst);
    }

    /// Ends one mark that was entered before.
    pub(crate) fn leave(&self, target: &Target, mode: Mode, sequence: u64) {
        let mut inner = self.inner.lock();
        match target {
            Target::Name(name) => inner.release(name.hash(), mode),
            Target::Pattern(pattern) => {
                let patterns = Arc::make_mut(&mut inner.patterns);
                let found = patterns.iter().position(|marked| {
                    marked.sequence == sequence && marked.mode == mode && marked.pattern == *pattern
                });
                if let Some(index) = found {
                    patterns.swap_remove(index);
                }
            }
        }
        self.len.store(inner.len(), Ordering::SeqCst);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(Ordering::SeqCst) == 0
    }

    pub(crate) fn pattern_count(&self) -> usize {
        self.inner.lock().patterns.len()
    }

    /// What the marks above `l0` do to an entry with these names.
    pub(crate) fn verdict(&self, names: Names<'_>, l0: u64) -> Verdict {
        if self.is_empty() {
            return Verdict::Fresh;
        }
        let hashes = hashes_of(names);
        let (by_name, patterns) = {
            let inner = self.inner.lock();
            let verdicts =
                hashes.filter_map(|hash| inner.names.get(&hash)).map(|marked| marked.verdict(l0));
            (Verdict::worst(verdicts), Arc::clone(&inner.patterns))
        };
        // Patterns are matched after the lock is released: matching decodes keys.
        let by_pattern = patterns
            .iter()
            .filter(|marked| marked.sequence > l0 && marked.pattern.matches_key(names.key))
            .map(|marked| Verdict::of(marked.mode));
        by_name.min(Verdict::worst(by_pattern))
    }

    /// Whether anything marked names an entry with these names, at any sequence.
    pub(crate) fn names_any(&self, names: Names<'_>) -> bool {
        if self.is_empty() {
            return false;
        }
        let (named, patterns) = {
            let inner = self.inner.lock();
            let named = hashes_of(names).any(|hash| inner.names.contains_key(&hash));
            (named, Arc::clone(&inner.patterns))
        };
        named || patterns.iter().any(|marked| marked.pattern.matches_key(names.key))
    }
}

fn hashes_of(names: Names<'_>) -> impl Iterator<Item = NameHash> {
    let wide = [names.key.hash(), Name::root().hash(), names.cache];
    wide.into_iter().chain(names.prefixes.iter().chain(names.tags).copied())
}

impl Inner {
    fn len(&self) -> u64 {
        (self.names.len() + self.patterns.len()) as u64
    }

    fn release(&mut self, hash: NameHash, mode: Mode) {
        if let Some(marked) = self.names.get_mut(&hash) {
            let mark = marked.of(mode);
            mark.holders = mark.holders.saturating_sub(1);
            if marked.hard.holders == 0 && marked.soft.holders == 0 {
                self.names.remove(&hash);
            }
        }
    }
}

/// A pattern whose finish is being applied to memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    pub(crate) pattern: Pattern,
    pub(crate) mode: Mode,
    pub(crate) anchor: u64,
}
