//! Decides what callers may say of a game system or template, and within which limits.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::model::{Category, Complexity, Content, Rating, Shelf, System};
use crate::auth::UserId;
use crate::http::{
    Fields, Input, LIMIT_DEFAULT, Page, choice, flag, id, integer, line, lines, object, text,
};
use crate::tabletop::{Board, board};

const NAME: RangeInclusive<usize> = 3..=120;
const DESCRIPTION: RangeInclusive<usize> = 1..=2_000;
const VERSION: RangeInclusive<usize> = 1..=20;
const PLAYERS: RangeInclusive<i64> = 1..=32;
const MINUTES: RangeInclusive<i64> = 1..=100_000;
const STARS: RangeInclusive<i64> = 1..=5;
const TAGS_MAX: usize = 20;
const TAG: RangeInclusive<usize> = 1..=40;
const RULES: RangeInclusive<usize> = 0..=20_000;
const PART_BYTES_MAX: usize = 24 << 10;

/// Which page of which list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListQuery {
    pub(super) page: Page,
    pub(super) category: Option<Category>,
    /// Whether those of the caller are asked for, and no others.
    pub(super) own: bool,
}

impl Input for ListQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        let page = Page::read(fields, LIMIT_DEFAULT);
        let category = fields.optional("category", choice(Category::ALL));
        let own = fields.or("own", false, flag());
        Some(ListQuery { page: page?, category: category?, own: own? })
    }
}

/// What a user thinks of one, in stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opinion(pub(super) i64);

impl Input for Opinion {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("stars", integer(STARS)).map(Opinion)
    }
}

/// What its maker says of a new one, besides what it brings into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    name: String,
    description: String,
    category: Category,
    complexity: Complexity,
    version: String,
    pub(super) official: bool,
    public: bool,
    players_min: i64,
    players_max: i64,
    minutes: i64,
    tags: Vec<String>,
}

impl Label {
    pub(super) fn on(
        self,
        shelf: Shelf,
        id: i64,
        owner: UserId,
        content: Content,
        now_ms: i64,
    ) -> System {
        System {
            id,
            shelf,
            owner_id: owner.0,
            name: self.name,
            description: self.description,
            category: self.category,
            complexity: self.complexity,
            version: self.version,
            official: self.official,
            public: self.public,
            downloads: 0,
            rating: Rating::default(),
            players_min: self.players_min,
            players_max: self.players_max,
            minutes: self.minutes,
            tags: self.tags,
            content,
            created_at_ms: now_ms,
            changed_at_ms: now_ms,
        }
    }
}

impl Input for Label {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", line(NAME));
        let description = fields.required("description", text(DESCRIPTION));
        let category = fields.required("category", choice(Category::ALL));
        let complexity = fields.required("complexity", choice(Complexity::ALL));
        let version = fields.optional("version", line(VERSION));
        let official = fields.or("official", false, flag());
        let public = fields.or("public", false, flag());
        let players_min = fields.or("playersMin", 2, integer(PLAYERS));
        let players_max = fields.or("playersMax", 8, integer(PLAYERS));
        let minutes = fields.or("minutes", 60, integer(MINUTES));
        let tags = fields.optional("tags", lines(line(TAG), TAGS_MAX));
        let (players_min, players_max) = (players_min?, players_max?);
        if players_max < players_min {
            fields.mistake("playersMax", "must not be below playersMin", "playersMin or more");
            return None;
        }
        Some(Label {
            name: name?,
            description: description?,
            category: category?,
            complexity: complexity?,
            version: version?.unwrap_or_else(|| "1.0".to_owned()),
            official: official?,
            public: public?,
            players_min,
            players_max,
            minutes: minutes?,
            tags: tags?.unwrap_or_default(),
        })
    }
}

/// What its maker says of a new one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewSystem {
    pub(super) label: Label,
    pub(super) content: Content,
}

impl Input for NewSystem {
    fn read(fields: &mut Fields) -> Option<Self> {
        let label = Label::read(fields);
        let content = ContentChange::read(fields);
        Some(NewSystem { label: label?, content: content?.over(Content::empty()) })
    }
}

impl Content {
    /// Of a game that nobody has thought of yet.
    pub(crate) fn empty() -> Self {
        let nothing = || Value::Object(Default::default());
        Content {
            rules: String::new(),
            setup: nothing(),
            config: nothing(),
            asset_library: nothing(),
            decks: nothing(),
            tokens: nothing(),
            board: Board::default(),
        }
    }
}

/// What is changed of what it brings into a room, where it is given.
#[derive(Debug, Clone, Default, PartialEq)]
struct ContentChange {
    rules: Option<String>,
    setup: Option<Value>,
    config: Option<Value>,
    asset_library: Option<Value>,
    decks: Option<Value>,
    tokens: Option<Value>,
    board: Option<Board>,
}

impl ContentChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let part = object(PART_BYTES_MAX);
        let rules = fields.optional("rules", text(RULES));
        let setup = fields.optional("setup", part);
        let config = fields.optional("config", part);
        let asset_library = fields.optional("assetLibrary", part);
        let decks = fields.optional("decks", part);
        let tokens = fields.optional("tokens", part);
        let board = fields.optional("board", board());
        Some(ContentChange {
            rules: rules?,
            setup: setup?,
            config: config?,
            asset_library: asset_library?,
            decks: decks?,
            tokens: tokens?,
            board: board?,
        })
    }

    fn over(self, before: Content) -> Content {
        Content {
            rules: self.rules.unwrap_or(before.rules),
            setup: self.setup.unwrap_or(before.setup),
            config: self.config.unwrap_or(before.config),
            asset_library: self.asset_library.unwrap_or(before.asset_library),
            decks: self.decks.unwrap_or(before.decks),
            tokens: self.tokens.unwrap_or(before.tokens),
            board: self.board.unwrap_or(before.board),
        }
    }
}

/// What its maker changes, where it is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SystemChange {
    name: Option<String>,
    description: Option<String>,
    category: Option<Category>,
    complexity: Option<Complexity>,
    version: Option<String>,
    pub(super) official: Option<bool>,
    public: Option<bool>,
    players_min: Option<i64>,
    players_max: Option<i64>,
    minutes: Option<i64>,
    tags: Option<Vec<String>>,
    content: ContentChange,
}

impl SystemChange {
    /// The system as it is then.
    pub(super) fn over(self, before: System, now_ms: i64) -> System {
        System {
            name: self.name.unwrap_or(before.name),
            description: self.description.unwrap_or(before.description),
            category: self.category.unwrap_or(before.category),
            complexity: self.complexity.unwrap_or(before.complexity),
            version: self.version.unwrap_or(before.version),
            official: self.official.unwrap_or(before.official),
            public: self.public.unwrap_or(before.public),
            players_min: self.players_min.unwrap_or(before.players_min),
            players_max: self.players_max.unwrap_or(before.players_max),
            minutes: self.minutes.unwrap_or(before.minutes),
            tags: self.tags.unwrap_or(before.tags),
            content: self.content.over(before.content),
            changed_at_ms: now_ms,
            ..before
        }
    }
}

impl Input for SystemChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", line(NAME));
        let description = fields.optional("description", text(DESCRIPTION));
        let category = fields.optional("category", choice(Category::ALL));
        let complexity = fields.optional("complexity", choice(Complexity::ALL));
        let version = fields.optional("version", line(VERSION));
        let official = fields.optional("official", flag());
        let public = fields.optional("public", flag());
        let players_min = fields.optional("playersMin", integer(PLAYERS));
        let players_max = fields.optional("playersMax", integer(PLAYERS));
        let minutes = fields.optional("minutes", integer(MINUTES));
        let tags = fields.optional("tags", lines(line(TAG), TAGS_MAX));
        let content = ContentChange::read(fields);
        let change = SystemChange {
            name: name?,
            description: description?,
            category: category?,
            complexity: complexity?,
            version: version?,
            official: official?,
            public: public?,
            players_min: players_min?,
            players_max: players_max?,
            minutes: minutes?,
            tags: tags?,
            content: content?,
        };
        fields.changing(change)
    }
}

/// To which room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Application(pub(super) i64);

impl Input for Application {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("roomId", id()).map(Application)
    }
}
