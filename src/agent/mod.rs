//! Starts the flows, watches them, stops them in order; the only place that knows them all.

mod alone;
mod driver;
mod handle;
mod hours;
mod identity;
mod renew;
mod start;
mod status;
mod support;
mod told;
mod watch;

pub use alone::checks_without_agent;
pub(crate) use driver::open_driver;
pub use handle::{Handle, Parts};
pub use renew::{HANGS, feed_watchdog, renew};
pub use start::{Agent, StartError, lock_folder};
pub use status::{Identity, Status};
pub use watch::watch;
