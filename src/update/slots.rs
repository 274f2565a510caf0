//! The installed program and two slots beside it, as [`embedded_svc::ota::Ota`] sees them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use embedded_svc::io::ErrorType;
use embedded_svc::ota::{FirmwareInfo, Ota, Slot, SlotState};
use ring::digest::{Context, SHA256};

use super::error::Error;
use super::keys::Keys;
use super::release::{self, Head};
use super::state::{Place, State};
use super::writer::Writer;
use super::{VERSION, launch, newer};
use crate::files;
use crate::random;
use crate::store::SCHEMA;

/// What a new release must pass beside its signature.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// An older one, or the one that runs, is taken too: a technician said so.
    pub downgrade: bool,
    /// The configuration that it must take.
    pub config: Option<PathBuf>,
}

/// The slots of a state folder.
#[derive(Clone)]
pub struct Slots {
    state_dir: PathBuf,
    keys: Keys,
    checks: Checks,
    /// Version and schema of the installed program.
    installed: (String, u32),
    running: Place,
}

impl Slots {
    /// The slots in `state_dir`, for releases that `keys` believe.
    pub fn open(state_dir: &Path, keys: Keys) -> Slots {
        Slots {
            running: launch::place_of_this(state_dir),
            state_dir: state_dir.to_owned(),
            keys,
            checks: Checks::default(),
            installed: launch::installed(),
        }
    }

    /// The same with what the next update must pass.
    pub fn checking(mut self, checks: Checks) -> Slots {
        self.checks = checks;
        self
    }

    /// What stands in the file of states; a damaged one says what was installed.
    pub fn state(&self) -> State {
        State::read(&self.state_file()).unwrap_or_default()
    }

    /// Changes that file.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn change(&self, change: impl FnOnce(&mut State)) -> Result<State, Error> {
        files::make_folder(&self.state_dir.join("slots"))?;
        let mut state = self.state();
        change(&mut state);
        state.write(&self.state_file())?;
        Ok(state)
    }

    /// Where the program runs from that asks.
    pub fn running(&self) -> Place {
        self.running
    }

    /// Version of the installed program.
    pub fn installed_version(&self) -> &str {
        &self.installed.0
    }

    /// The newest schema that the program at `place` knows.
    ///
    /// # Errors
    /// If what is there is not believed.
    pub fn schema_at(&self, place: Place) -> Result<u32, Error> {
        match place {
            Place::Installed => Ok(self.installed.1),
            place => Ok(self.release(place)?.manifest.schema),
        }
    }

    /// What lies at a slot says of itself, if it is believed and its program is whole.
    ///
    /// # Errors
    /// Why not; `nothing` for an empty slot.
    pub fn release(&self, place: Place) -> Result<Head, Error> {
        let bytes = std::fs::read(self.file(place, "release"))
            .map_err(|_| Error::new("nothing", "there is no release in this slot"))?;
        let head = release::judge(&bytes, &self.keys)?;
        let program = self.program(place);
        let (length, sha256) = hash(&program).map_err(files::told("read", &program))?;
        if length != head.manifest.size || sha256 != head.manifest.sha256 {
            return Err(Error::new(
                "damaged",
                format!(
                    "{} is not what was installed there; install the release anew",
                    program.display()
                ),
            ));
        }
        Ok(head)
    }

    /// The program in a slot.
    pub fn program(&self, place: Place) -> PathBuf {
        self.file(place, "callspool")
    }

    pub(super) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// The keys that are believed here.
    pub fn trusted(&self) -> Keys {
        self.keys.clone()
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn checks(&self) -> &Checks {
        &self.checks
    }

    pub(super) fn file(&self, place: Place, name: &str) -> PathBuf {
        self.state_dir.join("slots").join(place.word()).join(name)
    }

    pub(super) fn state_file(&self) -> PathBuf {
        self.state_dir.join("slots/state.json")
    }

    /// The slot that the next release goes to: the one that doesn't run, and rather not the one to go back to.
    pub(super) fn idle(&self, state: &State) -> Place {
        match (self.running, state.boot, state.fallback) {
            (Place::A, ..) | (Place::Installed, Place::A, _) => Place::B,
            (Place::Installed, Place::Installed, Place::A) => Place::B,
            _ => Place::A,
        }
    }

    fn slot(&self, place: Place) -> Slot {
        let state = self.state();
        let (found, slot_state) = match place {
            Place::Installed => (None, SlotState::Factory),
            place => match self.release(place) {
                Ok(head) => {
                    let bad = state.bad.as_ref().is_some_and(|bad| bad.sha256 == head.manifest.sha256);
                    let slot_state = match (bad, place == state.boot && state.on_trial) {
                        (true, _) => SlotState::Invalid,
                        (false, true) => SlotState::Unverified,
                        (false, false) => SlotState::Valid,
                    };
                    (Some(head), slot_state)
                }
                Err(error) if error.code == "nothing" => (None, SlotState::Unknown),
                Err(_) => (None, SlotState::Invalid),
            },
        };
        let short = |text: &str, most: usize| text.chars().filter(char::is_ascii).take(most).collect::<String>();
        let firmware = match (place, found) {
            (Place::Installed, _) => Some((self.installed.0.clone(), String::new(), String::new())),
            (_, Some(head)) => Some((head.manifest.version, head.manifest.made, head.manifest.sha256)),
            (_, None) => None,
        };
        Slot {
            label: place.word().parse().unwrap_or_default(),
            state: slot_state,
            firmware: firmware.map(|(version, made, sha256)| FirmwareInfo {
                version: short(&version, 24).parse().unwrap_or_default(),
                released: short(&made, 24).parse().unwrap_or_default(),
                description: None,
                signature: None,
                download_id: short(&sha256, 64).parse().ok().filter(|_| !sha256.is_empty()),
            }),
        }
    }
}

impl ErrorType for Slots {
    type Error = Error;
}

impl Ota for Slots {
    type Update<'a> = Writer;

    fn get_boot_slot(&self) -> Result<Slot, Error> {
        Ok(self.slot(self.state().boot))
    }

    fn get_running_slot(&self) -> Result<Slot, Error> {
        Ok(self.slot(self.running))
    }

    fn get_update_slot(&self) -> Result<Slot, Error> {
        Ok(self.slot(self.idle(&self.state())))
    }

    fn is_factory_reset_supported(&self) -> Result<bool, Error> {
        Ok(true)
    }

    /// The installed program runs at the next start, if it can read the store.
    fn factory_reset(&mut self) -> Result<(), Error> {
        self.go_back_to(Place::Installed)
    }

    fn initiate_update(&mut self) -> Result<Writer, Error> {
        let state = self.state();
        if state.on_trial && state.boot != Place::Installed {
            return Err(Error::new(
                "on-trial",
                "a new release was just installed and has not yet shown that it is well; wait some minutes, or run `callspool \
                 update confirm` or `callspool update rollback`",
            ));
        }
        let idle = self.idle(&state);
        // From here on nobody may go back to what is about to be written over.
        if state.fallback == idle || state.boot == idle {
            self.change(|state| {
                state.fallback = Place::Installed;
                if state.boot == idle {
                    state.boot = Place::Installed;
                }
            })?;
        }
        Writer::begin(self.clone(), idle)
    }

    fn mark_running_slot_valid(&mut self) -> Result<(), Error> {
        let running = self.running;
        let state = self.state();
        if state.boot == running && state.on_trial {
            self.change(|state| (state.on_trial, state.tries, state.give_up) = (false, 0, None))?;
        }
        Ok(())
    }

    /// Notes it; the restart is the caller's, who has more to put in order than this knows of.
    fn mark_running_slot_invalid_and_reboot(&mut self) -> Error {
        self.give_up("it was marked as bad")
    }
}

impl Slots {
    /// The release on trial is not well: the next start goes back to the one before. Gives the reason as an error.
    pub fn give_up(&mut self, why: &str) -> Error {
        match self.change(|state| state.give_up = state.on_trial.then(|| why.to_owned())) {
            Ok(_) => Error::new("does-not-start", why),
            Err(error) => error,
        }
    }

    /// Lets the next start run what ran before: a technician's word.
    ///
    /// # Errors
    /// There is nothing before it, it is damaged, or it can't read the store.
    pub fn go_back(&mut self) -> Result<Place, Error> {
        let state = self.state();
        if state.on_trial {
            self.change(|state| state.give_up = Some("a technician went back".to_owned()))?;
            return Ok(state.fallback);
        }
        if state.boot == Place::Installed {
            return Err(Error::new(
                "nothing",
                "what runs is what was installed, and there is no release before it to go back to",
            ));
        }
        self.go_back_to(state.fallback)?;
        Ok(state.fallback)
    }

    fn go_back_to(&mut self, place: Place) -> Result<(), Error> {
        let knows = self.schema_at(place)?;
        if let Some(has) = super::undo::schema_of(&self.state_dir)?
            && has > knows
        {
            return Err(Error::new(
                "store",
                format!(
                    "the store has schema {has} since the update, and the release before knows {knows}: it can't read it. \
                     Install a newer release instead"
                ),
            ));
        }
        let over = self.installed.0.clone();
        self.change(|state| {
            let from = state.boot;
            *state = State {
                boot: place,
                fallback: if from == place { Place::Installed } else { from },
                over,
                downgrade: true,
                ..std::mem::take(state)
            };
            (state.on_trial, state.tries, state.give_up) = (false, 0, None);
        })?;
        Ok(())
    }

    /// What runs, or would run if the agent ran: the command line may be asked while it doesn't.
    pub(super) fn current(&self) -> Place {
        let state = self.state();
        match self.running {
            Place::Installed if !state.on_trial => state.boot,
            running => running,
        }
    }

    /// What a release must be newer than.
    pub(super) fn current_version(&self) -> String {
        let newest = self.release(self.current()).map(|head| head.manifest.version);
        newest
            .ok()
            .filter(|newest| newer(newest, VERSION))
            .unwrap_or_else(|| VERSION.to_owned())
    }

    /// What a store may not be newer than, for the installed program.
    pub(super) fn own_schema() -> u32 {
        u32::try_from(SCHEMA).unwrap_or(u32::MAX)
    }
}

/// Length and SHA-256 of a file.
pub(super) fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut chunk, mut length) = (Context::new(&SHA256), vec![0; 64 << 10], 0);
    loop {
        let got = file.read(&mut chunk)?;
        if got == 0 {
            return Ok((length, random::hex(hash.finish().as_ref())));
        }
        hash.update(&chunk[..got]);
        length += got as u64;
    }
}
