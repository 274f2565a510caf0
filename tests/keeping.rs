//! What is kept and for how long: by known time and not by a clock that jumps, by hold whatever else there is, and what
//! a person gives up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

#[path = "keeping/age.rs"]
mod age;
#[path = "keeping/dropped.rs"]
mod dropped;
