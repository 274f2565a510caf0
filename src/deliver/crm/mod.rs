//! What targets that are CRMs share: the steps of a call that are noted before they are taken, numbers, audio on its way, the
//! rate, and (for HubSpot, Pipedrive and EspoCRM) the whole flow.

mod audio;
mod bucket;
mod encoded;
mod entry;
mod erase;
mod escape;
mod notes;
mod number;
mod people;
mod target;
mod told;
mod transcript;
mod trip;
mod vendor;
mod wire;

pub(super) use audio::Audio;
pub(super) use bucket::Bucket;
pub(super) use entry::{Entry, Work};
pub(super) use escape::escaped;
pub(super) use notes::{CALL, Notes, external_id, hash, recording_key};
pub(super) use number::{is_same, tail};
pub(super) use people::Person;
pub(super) use target::Crm;
pub(super) use told::Told;
pub(super) use transcript::transcript;
pub(super) use trip::{Refusal, SELDOM, Trip};
pub(super) use vendor::{Todo, Vendor};
pub(super) use wire::{Verb, Wire, id_of, of_object, word};
