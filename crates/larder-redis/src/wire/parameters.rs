//! The parameters of a namespace as scripts keep and compare them: version, shards, key encoding and
//! tag slots, each a little-endian number of 32 bits.

use larder::shard::parameters::{InvalidSetting, Parameters};

pub(crate) fn encode(parameters: Parameters) -> Vec<u8> {
    // More slots than fit are refused where parameters are made.
    let tag_slots = u32::try_from(parameters.tag_slots()).unwrap_or(u32::MAX);
    [parameters.version(), parameters.shards(), parameters.encoding(), tag_slots]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect()
}

/// `None`: these bytes are no parameters. An error: parameters that this version does not know.
pub(crate) fn decode(bytes: &[u8]) -> Option<Result<Parameters, InvalidSetting>> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return None };
    let &[version, shards, encoding, tag_slots] = numbers else { return None };
    let [version, shards, encoding, tag_slots] =
        [version, shards, encoding, tag_slots].map(u32::from_le_bytes);
    let slots = usize::try_from(tag_slots).unwrap_or(usize::MAX);
    Some(Parameters::new(shards, slots).map(|parameters| parameters.of_versions(version, encoding)))
}
