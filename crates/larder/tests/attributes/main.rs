//! The attributes `cacheable` and `cache_invalidate`, as a program uses them.

mod cacheable;
mod invalidate;

/// A mistake is a compile error that points at the mistake.
#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/attributes/misuse/*.rs");
}
