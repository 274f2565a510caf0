//! What is carried from one box to another, or back to the same: the store from a backup, and the configuration.

mod difference;
mod document;
mod restore;
mod seal;

pub use difference::difference;
pub use document::{Export, Import, export, read_import};
pub use restore::{Restored, Seen, look_at, restore};
