//! The erasure of a person by number: nothing of them is left here, each target is asked and its answer told, the PBX does
//! not bring them back, and whatever cuts it, it ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

#[path = "targets_s3/bucket.rs"]
#[allow(dead_code)]
mod bucket;
#[path = "erase/person.rs"]
mod person;
#[path = "targets_s3/server.rs"]
mod server;

#[path = "erase/cut.rs"]
mod cut;
#[path = "erase/store.rs"]
mod store;
#[path = "erase/targets.rs"]
mod targets;
#[path = "erase/whole.rs"]
mod whole;
