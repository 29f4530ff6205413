//! What game systems and templates look like in an answer and in the cache. They stand on two
//! shelves and are otherwise the same.

use larder::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::{CurrentUser, Role};
use crate::tabletop::{Board, words};

words! {
    /// Where something stands.
    Shelf {
        /// Rules of a game, with what it needs.
        System = "system",
        /// A room as somebody set it up.
        Template = "template",
    }
}

words! {
    /// What kind of game it is. A closed set: what can be asked for bounds what is cached.
    Category {
        /// Played on a board.
        Board = "board",
        /// Played with cards.
        Card = "card",
        /// Many may play, and laugh.
        Party = "party",
        /// Roles are played.
        Roleplaying = "roleplaying",
        /// Armies are moved.
        Wargame = "wargame",
    }
}

words! {
    /// How hard it is to learn.
    Complexity {
        /// In minutes.
        Simple = "simple",
        /// In an evening.
        Medium = "medium",
        /// In a campaign.
        Complex = "complex",
    }
}

/// What a system brings into a room, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// How it is played.
    pub rules: String,
    /// The state of the game at its begin.
    pub setup: Value,
    /// What only the clients understand.
    pub config: Value,
    /// Which assets it needs.
    pub asset_library: Value,
    /// Its decks of cards.
    pub decks: Value,
    /// Its tokens.
    pub tokens: Value,
    /// The board that it is played on.
    pub board: Board,
}

/// What users think of a game system or template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct Rating {
    /// Stars on average, in hundredths: 100 to 500. `null`: nobody has said anything yet.
    pub hundredths: Option<i64>,
    /// How many users have said something.
    pub count: i64,
}

impl Rating {
    /// Of so many users, who gave so many stars together.
    pub(super) fn of(stars: i64, count: i64) -> Self {
        let hundredths = (count > 0).then(|| (stars * 100 + count / 2) / count);
        Rating { hundredths, count }
    }
}

/// A game system or template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Its number.
    pub id: i64,
    /// Where it stands.
    pub shelf: Shelf,
    /// Who made it.
    pub owner_id: i64,
    /// What it is called.
    pub name: String,
    /// What it is, in a few sentences.
    pub description: String,
    /// What kind of game it is.
    pub category: Category,
    /// How hard it is to learn.
    pub complexity: Complexity,
    /// Which version of it this is.
    pub version: String,
    /// Whether the platform stands behind it.
    pub official: bool,
    /// Whether everybody sees it.
    pub public: bool,
    /// How often it was applied to a room.
    pub downloads: i64,
    /// What users think of it.
    pub rating: Rating,
    /// How many must play.
    pub players_min: i64,
    /// How many may.
    pub players_max: i64,
    /// How long a game takes.
    pub minutes: i64,
    /// What it is found by.
    pub tags: Vec<String>,
    /// What it brings into a room.
    pub content: Content,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
    /// When its maker changed it last, in milliseconds since 1970 UTC.
    pub changed_at_ms: i64,
}

impl System {
    /// Whether `viewer` sees it: what is not public is its maker's own.
    pub(super) fn is_shown_to(&self, viewer: CurrentUser) -> bool {
        self.public || self.is_own(viewer)
    }

    /// Whether `user` may change it.
    pub(super) fn is_own(&self, user: CurrentUser) -> bool {
        self.owner_id == user.id.0 || user.role == Role::Admin
    }
}

/// A game system or template in a list: without what only a room needs, and without what each use of
/// it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
#[serde(rename_all = "camelCase")]
pub struct SystemCard {
    /// Its number.
    pub id: i64,
    /// Who made it.
    pub owner_id: i64,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What kind of game it is.
    pub category: Category,
    /// How hard it is to learn.
    pub complexity: Complexity,
    /// Which version of it this is.
    pub version: String,
    /// Whether the platform stands behind it.
    pub official: bool,
    /// Whether everybody sees it.
    pub public: bool,
    /// How many must play.
    pub players_min: i64,
    /// How many may.
    pub players_max: i64,
    /// How long a game takes.
    pub minutes: i64,
    /// What it is found by.
    pub tags: Vec<String>,
    /// Since when it is there, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

impl SystemCard {
    /// What a list shows of `system`.
    pub(super) fn of(system: &System) -> Self {
        SystemCard {
            id: system.id,
            owner_id: system.owner_id,
            name: system.name.clone(),
            description: system.description.clone(),
            category: system.category,
            complexity: system.complexity,
            version: system.version.clone(),
            official: system.official,
            public: system.public,
            players_min: system.players_min,
            players_max: system.players_max,
            minutes: system.minutes,
            tags: system.tags.clone(),
            created_at_ms: system.created_at_ms,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Entry)]
pub struct SystemPage {
    /// Those on the page, newest first.
    pub items: Vec<SystemCard>,
    /// How many there are.
    pub total: u64,
    /// The page's number; the first is 1.
    pub page: u32,
    /// The most on a page.
    pub limit: u32,
    /// How many pages there are.
    pub pages: u64,
}

/// What applying a game system or template to a room did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Which one.
    pub system_id: i64,
    /// To which room.
    pub room_id: i64,
    /// The room's version now.
    pub version: i64,
}

/// What became of an opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rated {
    /// Of which system or template.
    pub system_id: i64,
    /// What its caller thinks of it now, in stars.
    pub stars: Option<i64>,
    /// What all think of it.
    pub rating: Rating,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_rounded_to_the_nearest_hundredth() {
        let hundredths = |stars, count| Rating::of(stars, count).hundredths;
        assert_eq!(
            [(0, 0), (5, 1), (13, 3), (14, 3)].map(|(stars, count)| hundredths(stars, count)),
            [None, Some(500), Some(433), Some(467)]
        );
    }
}
