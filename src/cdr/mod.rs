//! The lines that a 3CX writes about each call to a socket ("CDR output"), read. Pure: bytes in, calls' legs out.
//!
//! CSV without any quoting, times in UTC, in an order of fields that is set on the PBX. What can't be read with
//! certainty is told as such and never guessed.

mod arrange;
mod framer;
mod record;
mod status;
#[cfg(test)]
mod tests;

pub use arrange::{Layout, Unreadable, read};
pub use framer::{Framer, MOST_LINE};
pub use record::{Record, kind_of};
pub use status::{CdrGap, CdrStatus};
