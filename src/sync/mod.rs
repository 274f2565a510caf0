//! From the PBX into the store and the spool.

mod status;

pub use status::{PbxStatus, SyncStatus};
