//! The rights engine and the plain data that it speaks of, alone, from the same files: it builds in seconds, which is what
//! makes a mutation test of every line of it bearable. `tests/rights_alone/mutants.py` (see CONTRIBUTING.md).

pub mod model;
#[path = "../../../src/rights/mod.rs"]
pub mod rights;
