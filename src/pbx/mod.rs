//! The port to the PBX and its drivers.

mod pin;

pub use pin::accept_pin;
