//! The port to the PBX: what any PBX must answer, and the drivers that ask it.

pub mod advice;
mod cdr;
mod detect;
mod error;
mod memory;
mod pin;
mod port;
mod refusals;
pub mod v18;
pub mod v20;

pub use cdr::CdrLog;
pub use detect::{Detected, Setup};
pub use error::{Error, Kind};
pub use memory::Memory;
pub use pin::{accept_pin, load_pin, remember_pin};
pub use port::{
    Event, Fetched, Generation, LastAnswer, ListedRecording, Live, Pbx, Probe, SHARED_DEATHS, Storage, System,
    Transcript,
};
pub use refusals::Refusals;
