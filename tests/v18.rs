//! 3CX of before v20: the management console's API, which has no ids of calls; and finding out which generation is there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "v18/days.rs"]
mod days;
#[path = "v18/generation.rs"]
mod generation;
#[path = "v18/identity.rs"]
mod identity;
#[path = "v18/login.rs"]
mod login;
#[path = "v18/manners.rs"]
mod manners;
mod rig;
#[path = "v18/summer_time.rs"]
mod summer_time;
#[path = "v18/world.rs"]
mod world;
