//! Patterns over the text of keys: anchored globs and explicit regular expressions.

/// A pattern.
#[derive(Debug, Clone)]
pub struct Pattern {}
