//! Decides what callers may say of an asset, and within which limits.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::model::{Asset, AssetKind};
use crate::auth::UserId;
use crate::http::{
    Fields, Format, Given, Input, LIMIT_MAX, choice, flag, id, ids, integer, line, lines, object,
};

const NAME_CHARS: RangeInclusive<usize> = 1..=120;
const PATH_CHARS: RangeInclusive<usize> = 1..=500;
const FILE_NAME_CHARS: RangeInclusive<usize> = 1..=255;
const MIME_CHARS: RangeInclusive<usize> = 3..=100;
const SIZE_BYTES: RangeInclusive<i64> = 0..=1 << 30;
const SIDE: RangeInclusive<i64> = 1..=20_000;
const TAGS_MAX: usize = 20;
const TAG_CHARS: RangeInclusive<usize> = 1..=40;
const METADATA_BYTES_MAX: usize = 8 << 10;

/// What is in a file: two words with a slash between them (RFC 6838 §4.2).
#[derive(Debug, Clone, Copy)]
struct MimeType;

impl Format for MimeType {
    type Value = String;

    fn read(&self, given: Given<'_>) -> Option<String> {
        let text = line(MIME_CHARS).read(given)?;
        let (kind, of) = text.split_once('/')?;
        let named = |char: char| char.is_ascii_alphanumeric() || "!#$&-^_.+".contains(char);
        let word = |word: &str| !word.is_empty() && word.chars().all(named);
        (word(kind) && word(of)).then_some(text)
    }

    fn demand(&self) -> &'static str {
        "be a media type, such as image/webp"
    }

    fn limit(&self) -> String {
        line(MIME_CHARS).limit()
    }

    fn schema(&self) -> Value {
        line(MIME_CHARS).schema()
    }
}

/// Which assets.
#[derive(Debug, Clone)]
pub(super) struct AssetsQuery(pub(super) Vec<i64>);

impl Input for AssetsQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("ids", ids(LIMIT_MAX as usize)).map(AssetsQuery)
    }
}

/// What its uploader says of a new asset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewAsset {
    room: Option<i64>,
    system: Option<i64>,
    name: String,
    kind: AssetKind,
    path: String,
    file_name: String,
    size_bytes: i64,
    mime_type: String,
    width: Option<i64>,
    height: Option<i64>,
    public: bool,
    tags: Vec<String>,
    metadata: Value,
}

impl NewAsset {
    pub(super) fn numbered(self, id: i64, uploader: UserId, created_at_ms: i64) -> Asset {
        Asset {
            id,
            room_id: self.room,
            system_id: self.system,
            uploader_id: uploader.0,
            name: self.name,
            kind: self.kind,
            path: self.path,
            file_name: self.file_name,
            size_bytes: self.size_bytes,
            mime_type: self.mime_type,
            width: self.width,
            height: self.height,
            public: self.public,
            tags: self.tags,
            metadata: self.metadata,
            created_at_ms,
        }
    }
}

impl Input for NewAsset {
    fn read(fields: &mut Fields) -> Option<Self> {
        let room = fields.optional("roomId", id());
        let system = fields.optional("systemId", id());
        let name = fields.required("name", line(NAME_CHARS));
        let kind = fields.required("type", choice(AssetKind::ALL));
        let path = fields.picture("path", line(PATH_CHARS));
        let file_name = fields.required("fileName", line(FILE_NAME_CHARS));
        let size_bytes = fields.required("sizeBytes", integer(SIZE_BYTES));
        let mime_type = fields.required("mimeType", MimeType);
        let width = fields.optional("width", integer(SIDE));
        let height = fields.optional("height", integer(SIDE));
        let public = fields.or("public", false, flag());
        let tags = fields.optional("tags", lines(line(TAG_CHARS), TAGS_MAX));
        let metadata = fields.optional("metadata", object(METADATA_BYTES_MAX));
        let (room, system) = (room?, system?);
        if room.is_some() && system.is_some() {
            fields.mistake("systemId", "must not stand beside roomId", "one of the two");
            return None;
        }
        Some(NewAsset {
            room,
            system,
            name: name?,
            kind: kind?,
            path: path?,
            file_name: file_name?,
            size_bytes: size_bytes?,
            mime_type: mime_type?,
            width: width?,
            height: height?,
            public: public?,
            tags: tags?.unwrap_or_default(),
            metadata: metadata?.unwrap_or_else(|| Value::Object(Default::default())),
        })
    }
}
