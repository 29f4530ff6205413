//! What all nodes of a namespace must agree on before they share values.

use super::table::{TAG_SLOTS, TAG_SLOTS_MIN};

/// The version of the protocol between nodes and shards that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// The version of the byte form of keys, see [`crate::key`].
pub const KEY_ENCODING: u32 = 1;

/// The most shards a namespace may have: Redis Cluster has as many hash slots.
pub const SHARDS_MAX: u32 = 16_384;

/// The most slots a row of the tag table may have: a table of 136 MiB.
pub const TAG_SLOTS_MAX: usize = 1 << 22;

/// A setting outside of its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, but must be {limit}")]
pub struct InvalidSetting {
    /// The setting.
    pub field: &'static str,
    /// What it was set to.
    pub found: String,
    /// What it may be.
    pub limit: String,
}

impl InvalidSetting {
    pub(crate) fn new(field: &'static str, found: impl ToString, limit: impl Into<String>) -> Self {
        InvalidSetting { field, found: found.to_string(), limit: limit.into() }
    }
}

/// The parameters of a namespace. They are ordered: version, then shards, then encoding, then
/// slots; where two nodes differ, the higher one starts a new epoch and the lower one leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameters {
    version: u32,
    shards: u32,
    encoding: u32,
    tag_slots: usize,
}

impl Parameters {
    /// The parameters of this crate's version for a namespace of `shards` shards, whose tag
    /// tables have `tag_slots` slots a row.
    ///
    /// # Errors
    /// `shards` is not in `1..=`[`SHARDS_MAX`], or `tag_slots` is no power of two in
    /// [`TAG_SLOTS_MIN`]`..=`[`TAG_SLOTS_MAX`].
    pub fn new(shards: u32, tag_slots: usize) -> Result<Self, InvalidSetting> {
        if !(1..=SHARDS_MAX).contains(&shards) {
            let limit = format!("between 1 and {SHARDS_MAX}");
            return Err(InvalidSetting::new("shards", shards, limit));
        }
        if !tag_slots.is_power_of_two() || !(TAG_SLOTS_MIN..=TAG_SLOTS_MAX).contains(&tag_slots) {
            let limit = format!("a power of two between {TAG_SLOTS_MIN} and {TAG_SLOTS_MAX}");
            return Err(InvalidSetting::new("tag_slots", tag_slots, limit));
        }
        Ok(Parameters { version: PROTOCOL_VERSION, shards, encoding: KEY_ENCODING, tag_slots })
    }

    /// The parameters that another version of this crate would use.
    #[must_use]
    pub fn of_versions(self, version: u32, encoding: u32) -> Self {
        Parameters { version, encoding, ..self }
    }

    /// The version of the protocol.
    pub fn version(self) -> u32 {
        self.version
    }

    /// How many shards the keys of the namespace are spread over.
    pub fn shards(self) -> u32 {
        self.shards
    }

    /// The version of the byte form of keys.
    pub fn encoding(self) -> u32 {
        self.encoding
    }

    /// Slots that tags and prefixes share in each row of the tag table.
    pub fn tag_slots(self) -> usize {
        self.tag_slots
    }
}

impl Default for Parameters {
    /// One shard with [`TAG_SLOTS`] slots.
    fn default() -> Self {
        Parameters {
            version: PROTOCOL_VERSION,
            shards: 1,
            encoding: KEY_ENCODING,
            tag_slots: TAG_SLOTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_out_of_range_name_the_field_and_its_limit() {
        let check = |shards, tag_slots, expected: &str| {
            let error = Parameters::new(shards, tag_slots).expect_err("out of range");
            assert_eq!(error.to_string(), expected);
        };
        check(0, 256, "shards is 0, but must be between 1 and 16384");
        check(16_385, 256, "shards is 16385, but must be between 1 and 16384");
        check(1, 128, "tag_slots is 128, but must be a power of two between 256 and 4194304");
        check(1, 300, "tag_slots is 300, but must be a power of two between 256 and 4194304");
    }

    #[test]
    fn a_higher_version_outranks_more_shards() {
        let wide = Parameters::new(16, 1024).expect("in range");
        let newer = Parameters::default().of_versions(PROTOCOL_VERSION + 1, KEY_ENCODING);
        assert!(newer > wide);
        assert!(wide > Parameters::default());
    }
}
