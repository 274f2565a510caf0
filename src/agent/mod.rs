//! Starts the flows, watches them, stops them in order; the only place that knows them all.

mod handle;
mod identity;
mod start;
mod status;
mod watch;

pub use handle::{Handle, Parts};
pub use start::{Agent, StartError};
pub use status::{Identity, Status};
pub use watch::watch;

mod alone;
pub use alone::checks_without_agent;
