//! The machine under us.

mod linux;

pub use linux::Sampler;
