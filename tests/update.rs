//! The program replaced by a newer one, by the real binary: what stays, what goes back, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "update/back.rs"]
mod back;
#[path = "update/cut.rs"]
mod cut;
#[path = "update/fetched.rs"]
mod fetched;
#[path = "update/maker.rs"]
mod maker;
#[path = "update/renewed.rs"]
mod renewed;
mod rig;
#[path = "update/supervised.rs"]
mod supervised;
#[path = "update/told.rs"]
mod told;
