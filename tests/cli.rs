//! The real binary, as a technician uses it: its verbs, its exit codes, and what it never says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "cli/carrying.rs"]
mod carrying;
#[path = "cli/looking.rs"]
mod looking;
#[path = "cli/people.rs"]
mod people;
mod rig;
#[path = "cli/running.rs"]
mod running;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/world.rs"]
mod world;
