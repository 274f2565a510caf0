//! The machine under us, and who supervises us on it.

mod linux;
mod notify;

pub use linux::Sampler;
pub use notify::Notifier;
