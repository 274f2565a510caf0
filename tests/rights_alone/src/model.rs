//! As much of the plain data as the rights engine speaks of.

#[path = "../../../src/model/directory.rs"]
mod directory;
#[path = "../../../src/model/word.rs"]
mod word;

pub use directory::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};
pub(crate) use word::words;
