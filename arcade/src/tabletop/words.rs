//! Decides how a closed set of words is written: in requests, answers, keys and tables alike.

use sqlx::Row;
use sqlx::any::AnyRow;

/// An enum whose variants are words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt,)+ }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, larder::Entry,
            larder::Key, larder::ReadableKey,
        )]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] #[key(text = $word)] $variant,)+
        }

        impl $name {
            /// Every one of them by its word.
            pub const ALL: &[(&str, $name)] = &[$(($word, $name::$variant)),+];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }
    };
}

pub(crate) use words;

/// The word in a column of `row`, as one of `all`.
pub(crate) fn word<T: Copy>(
    row: &AnyRow,
    column: &'static str,
    all: &[(&str, T)],
) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    let known = all.iter().find(|(word, _)| *word == text).map(|(_, known)| *known);
    known.ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("no word of this column is {text:?}").into(),
    })
}
