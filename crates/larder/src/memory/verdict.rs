//! What a judge says of an entry, and what entries remember of it.

use crate::record::Mode;

/// What may be done with an entry; the worse, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Never to be served.
    Dead,
    /// To be served only as stale.
    Stale,
    /// Alive; only time can make it stale.
    Fresh,
}

impl Verdict {
    /// What a record of this mode does to what it names.
    pub(crate) fn of(mode: Mode) -> Self {
        match mode {
            Mode::Hard => Verdict::Dead,
            Mode::Soft => Verdict::Stale,
        }
    }

    /// The worst of several verdicts; fresh if there is none.
    pub(crate) fn worst(verdicts: impl Iterator<Item = Verdict>) -> Self {
        verdicts.min().unwrap_or(Verdict::Fresh)
    }
}
