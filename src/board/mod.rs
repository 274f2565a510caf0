//! The machine under us, and who supervises us on it.

pub mod helper;
mod linux;
pub mod network;
mod notify;
mod time;

pub use linux::Sampler;
pub use notify::Notifier;
pub use time::TimeSource;
