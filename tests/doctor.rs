//! The doctor's proof: a table of (build of the PBX) × (what the client may do) × (what is broken), each row with the
//! finding that must come out, words of the remedy, and what sync makes of it meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "doctor/catalogue.rs"]
mod catalogue;
#[path = "doctor/manners.rs"]
mod manners;
mod rig;
#[path = "doctor/s0.rs"]
mod s0;
#[path = "doctor/table.rs"]
mod table;
#[path = "doctor/world.rs"]
mod world;
