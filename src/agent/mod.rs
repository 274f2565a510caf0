//! Starts the flows, watches them, stops them in order; the only place that knows them all.

mod handle;
mod status;

pub use handle::{Handle, Parts};
pub use status::{Identity, Machine, Status};
