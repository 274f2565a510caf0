//! The erasure of a person by number: nothing of them is left here, each target is asked and its answer told, the PBX does
//! not bring them back, and whatever cuts it, it ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

#[path = "erase/person.rs"]
mod person;

#[path = "erase/cut.rs"]
mod cut;
#[path = "erase/targets.rs"]
mod targets;
#[path = "erase/whole.rs"]
mod whole;
