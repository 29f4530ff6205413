//! The attributes `cacheable`, `cache_write_through` and `cache_invalidate`, as a program uses them.

mod by_hand;
mod cacheable;
mod invalidate;
mod write_through;

/// A mistake is a compile error that points at the mistake.
#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/attributes/misuse/*.rs");
}
