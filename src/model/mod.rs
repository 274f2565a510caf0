//! Plain data that every part speaks of. No I/O, no rules beyond what the words mean.

mod call;
mod delivery;
mod directory;
mod machine;
mod recording;
mod word;

pub use call::{Call, CallBackState, Direction, Leg, Outcome, Party, WHOLE_CALL};
pub use delivery::{Delivery, DeliveryKind, DeliveryState, Standing};
pub use directory::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};
pub use machine::Machine;
pub use recording::{PbxCopy, Recording, RecordingState, same_start};

pub(crate) use word::words;
