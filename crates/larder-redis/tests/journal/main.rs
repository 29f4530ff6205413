//! The journal of write-behind on real servers. `e2e/journal` has who dies.

mod keeping;
mod owners;
mod servers;
mod several;
mod support;
