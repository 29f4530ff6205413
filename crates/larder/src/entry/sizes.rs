//! What collections allocate. Estimates: the standard library does not say.

/// The slots of a `BTreeMap` node; the standard library's B is 6.
const NODE_SLOTS: usize = 11;

/// A table of `hashbrown`, which `HashMap` is: a power of two of buckets, 7 in 8 of them usable,
/// and a control byte for each.
pub(super) fn hash_table(capacity: usize, slot_bytes: usize) -> usize {
    if capacity == 0 {
        return 0;
    }
    let buckets = (capacity.saturating_mul(8) / 7).next_power_of_two();
    buckets * (slot_bytes + 1)
}

/// Nodes of a B-tree, taken to be three quarters full, with a link to each and its length.
pub(super) fn tree(length: usize, slot_bytes: usize) -> usize {
    let nodes = (length * 4).div_ceil(NODE_SLOTS * 3);
    nodes * (NODE_SLOTS * slot_bytes + 3 * size_of::<usize>())
}
