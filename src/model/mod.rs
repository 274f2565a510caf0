//! Plain data that every part speaks of. No I/O, no rules beyond what the words mean.

mod call;
mod delivery;
mod directory;
mod machine;
mod recording;

pub use call::{Call, Direction, Leg, Outcome, Party};
pub use delivery::{Delivery, DeliveryKind, DeliveryState, Standing};
pub use directory::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};
pub use machine::Machine;
pub use recording::{Recording, RecordingState};

/// Gives an enum its stable word, as it stands in the database, in JSON and on the page.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The stable word for this value.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that `word` stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }
    };
}
pub(crate) use words;
