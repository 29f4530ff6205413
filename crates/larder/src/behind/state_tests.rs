//! Order, merging and forgetting, without anything around them.
