//! The machine under us.

mod linux;
mod time;

pub use linux::Sampler;
pub use time::TimeSource;
