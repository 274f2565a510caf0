//! What one CRM must be able to do, for the flow that they share.

use std::time::Duration;

use super::audio::Audio;
use super::entry::Work;
use super::people::Person;
use super::trip::{Refusal, Trip};
use super::wire::Wire;
use crate::deliver::verdict::Blame;

/// A task for somebody.
pub(in crate::deliver) struct Todo {
    /// The mark that is looked for.
    pub external: String,
    pub title: String,
    pub text: String,
    /// User id; empty for none.
    pub owner: String,
    /// When it is due, Unix milliseconds.
    pub due_ms: i64,
}

/// One CRM. All it makes is made by [`Work::once`].
pub(in crate::deliver) trait Vendor: Send {
    fn wire(&self) -> &Wire;

    /// How long a request of which no answer was heard may still be carried out, where that does harm;
    /// `timeout` is ours.
    fn lingers(&self, timeout: Duration) -> Duration;

    /// Looks whether all is there that a first delivery needs, and makes what is missing.
    fn prepare(&self) -> Result<(), Trip> {
        Ok(())
    }

    /// Its users.
    fn people(&self) -> Result<Vec<Person>, Trip>;

    /// Who has this number, by whatever way it was typed.
    fn contact(&self, number: &str) -> Result<Option<String>, Trip>;

    /// Makes the call and gives what it is called there.
    fn call(&self, work: &mut Work, old: bool) -> Result<String, Trip>;

    /// Hangs a recording at the call. `id` tells it from others of the call.
    fn attach(&self, work: &mut Work, audio: &Audio, id: &str) -> Result<String, Trip>;

    /// Writes the address of a recording into the call; doing so twice does no harm.
    fn link(&self, work: &Work, url: &str) -> Result<String, Trip> {
        let _ = (work, url);
        Err(Trip::failed(
            Blame::Hopeless,
            "no-links",
            "this CRM has no place for a link",
        ))
    }

    /// Whether a call has room for one recording alone.
    fn one_recording(&self) -> bool {
        false
    }

    /// Puts a transcript beside the call; doing so twice does no harm.
    fn describe(&self, work: &Work, text: &str) -> Result<(), Trip>;

    /// Makes a task and gives what it is called there.
    fn task(&self, work: &mut Work, todo: &Todo) -> Result<String, Trip>;

    /// What steps leave here that can be deleted, by the first word of their names, in the order in which it has to go.
    fn erases(&self) -> &'static [&'static str];

    /// Looks for something of this kind whose making was not answered: a call or task by mark, owner (`-` for none) and
    /// moment (Unix milliseconds) of the first try; anything else by the call's id and the file's name.
    fn look(&self, kind: &str, hints: &[&str]) -> Result<Option<String>, Trip>;

    /// Deletes something of this kind; says what became of it. A second time does no harm.
    fn remove(&self, kind: &str, id: &str) -> Result<&'static str, Trip>;

    /// Whether it refuses the call's owner and not the call.
    fn refuses_owner(&self, refusal: &Refusal) -> bool;

    /// Looks at all that a delivery needs without leaving anything; says what was found.
    fn check(&self) -> Result<String, Trip>;

    /// What a technician does about a failure with this code.
    fn remedy(&self, code: &str) -> Option<&'static str>;
}
