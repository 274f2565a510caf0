//! Replacing the program by a newer one, and never being left without one.
//!
//! The seam is [`embedded_svc::ota::Ota`]. What is here is for a box whose system is somebody else's, with callspool
//! installed as a package or a file ([`Slots`]): beside the installed binary, which is never touched, two slots in the state
//! folder hold a release each. A release is a signed manifest with the binary behind it ([`release`]).
//!
//! **Who counts.** `callspool run` of the installed binary looks at the slots first and then *becomes* the release that is to
//! run ([`launch`]). So what counts the starts of a new release, puts the store's copy back and goes back to the release
//! before is code that already ran on this box, whatever supervises it; systemd's `ExecStartPre` would be a second place to
//! keep in step and would be missing wherever there is no systemd. It stays one process with one id.
//!
//! **What a cut can leave.** One file says which release runs (`slots/state.json`), and it is written whole or not at all. A
//! slot is only written while that file names it neither as the one that runs nor as the one to go back to.

pub mod desk;
pub mod elf;
mod error;
pub mod feed;
pub mod find;
pub mod keys;
pub mod launch;
mod preflight;
pub mod release;
mod slots;
mod state;
#[cfg(test)]
mod tests;
mod undo;
mod version;
mod writer;

pub use error::Error;
pub use slots::{Checks, Slots};
pub use state::{Bad, MOST_TRIES, Place, State};
pub use version::newer;
pub use writer::{Finished, Writer};

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
