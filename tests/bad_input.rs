//! What other systems say when they are broken, half broken, or not there at all: each row of the tables below names what
//! comes, what callspool then shows in words, and that everything else goes on and nothing is lost when it is over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "bad_input/audio.rs"]
mod audio;
#[path = "bad_input/call_log.rs"]
mod call_log;
#[path = "bad_input/configuration.rs"]
mod configuration;
#[path = "bad_input/crm.rs"]
mod crm;
mod rig;
#[path = "bad_input/world.rs"]
mod world;
