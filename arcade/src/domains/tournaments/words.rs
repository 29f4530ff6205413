//! Decides the words of tournaments: each is written alike in a body, a row and a key.

use larder::{Entry, Key, ReadableKey};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $word:ident = $text:tt,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Entry, Key, ReadableKey)]
        pub enum $name {
            $($(#[$note])* #[serde(rename = $text)] #[key(text = $text)] $word,)+
        }

        impl $name {
            /// Each word with its text.
            pub const WORDS: &'static [(&'static str, Self)] = &[$(($text, Self::$word),)+];

            /// The text.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }
    };
}

words! {
    /// How far a tournament is.
    Status {
        /// Announced.
        Upcoming = "UPCOMING",
        /// Players may register.
        Registration = "REGISTRATION",
        /// Started: the matches are known.
        Active = "ACTIVE",
        /// Played and shown to spectators.
        Live = "LIVE",
        /// Over, with a winner.
        Completed = "COMPLETED",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

words! {
    /// What a defeat means.
    Format {
        /// One defeat and out.
        Single = "SINGLE_ELIMINATION",
        /// Two defeats and out.
        Double = "DOUBLE_ELIMINATION",
    }
}

words! {
    /// What is played.
    GameType {
        /// Solids and stripes.
        EightBall = "EIGHT_BALL",
        /// Lowest first, the nine wins.
        NineBall = "NINE_BALL",
        /// Lowest first, each shot called.
        TenBall = "TEN_BALL",
    }
}

words! {
    /// How far a match is.
    MatchStatus {
        /// Its time is known.
        Scheduled = "SCHEDULED",
        /// Both players are at the table.
        Ready = "READY",
        /// Being played.
        Active = "ACTIVE",
        /// Interrupted.
        Paused = "PAUSED",
        /// Played to its end.
        Completed = "COMPLETED",
        /// One player did not play; the other one wins.
        Forfeited = "FORFEITED",
        /// Called off, without a winner.
        Cancelled = "CANCELLED",
    }
}

impl Status {
    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Cancelled)
    }

    /// Whether the matches are known and may be played.
    pub const fn is_played(self) -> bool {
        matches!(self, Status::Active | Status::Live)
    }
}

impl MatchStatus {
    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        self.has_winner() || matches!(self, MatchStatus::Cancelled)
    }

    /// Whether such a match has a winner.
    pub const fn has_winner(self) -> bool {
        matches!(self, MatchStatus::Completed | MatchStatus::Forfeited)
    }
}
