//! From the store and the spool to the targets.

mod breaker;
mod status;

pub use breaker::{resume, statuses};
pub use status::TargetStatus;
