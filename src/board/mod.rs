//! The machine under us.

pub mod helper;
mod linux;
pub mod network;
mod time;

pub use linux::Sampler;
pub use time::TimeSource;
