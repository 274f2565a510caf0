//! The port to the PBX: what any PBX must answer, and the drivers that ask it.

mod error;
mod pin;
mod port;
pub mod v20;

pub use error::{Error, Kind};
pub use pin::{accept_pin, load_pin, remember_pin};
pub use port::{Event, Fetched, Generation, LastAnswer, ListedRecording, Live, Pbx, Probe, Storage, System};
