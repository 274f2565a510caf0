//! From factory state to the first recording in the CRM, and safe changes afterwards: what the page (or
//! `callspool config set`) writes over the configuration file, and how it is looked at before it counts.
//!
//! | file | what |
//! |---|---|
//! | `page` | the page's settings: read over the file, judged as a whole, written in versions, taken back |
//! | `secrets` | secrets that were typed into the page: files of their own, never the store |
//! | `code` | the code of this one box that lets somebody in before there is a password |
//! | `confirm` | a change of the page's own address, which takes itself back |
//! | `fields` | what is asked for the PBX, for each kind of target and for the broker: one table |
//! | `state` | whether the box is being set up |
//! | `trial` | asks PBX, target or broker by settings that aren't in force yet |

mod code;
mod confirm;
mod fields;
mod page;
mod secrets;
mod state;
mod trial;

pub use code::{code_file, forget_code, is_code, keep_code};
pub use confirm::{change_to_confirm, confirm, take_back_unless_confirmed, waits_for_confirmation};
pub use fields::{BROKER, Field, Kind, PBX, TARGETS, TargetFields};
pub use page::{Change, Refused, change, document, load, quote, take_back, try_over};
pub use secrets::{keep_secret, kept_secret, sweep_secrets};
pub use state::{BeginError, State, begin, end};
pub use trial::{Tried, look_at_network, try_broker, try_pbx, try_target};
