//! Which generation the PBX is, found out by asking it, and found out anew when it was upgraded.
//!
//! - v20 is asked first: it logs in at `/connect/token`, which answers 404 on everything before v20. Only then is
//!   `/api/login` asked. So a credential is shown to the interface that is there and to no other, and a wrong one is
//!   never tried at both.
//! - What was found is remembered over a restart. It is doubted only when the path of its login answers 404, and given
//!   up only when the other's answers something else: a PBX that is starting answers 404 to everything.
//! - When a v18 has become a v20, its call log tells of the calls of before once more, under ids of their own. From then
//!   on there is a **boundary**, the moment at which the change was noticed, stored. Of what v20 tells from before it,
//!   only calls are taken that the store does not have under an id made here (same second and numbers); recordings
//!   likewise. For a day each reading also asks the source of old calls, for those that ended between the last reading
//!   of the old call log and the upgrade.

use std::sync::{Arc, Mutex, PoisonError};

use super::memory::{GENERATION, MADE_UNTIL, Memory};
use super::port::{
    Fetched, Generation, LastAnswer, ListedRecording, Live, Pbx, Probe, Storage, System, Transcript,
};
use super::v18::recordings::FIRST_MADE;
use super::{Error, Kind, Refusals, v18, v20};
use crate::clock::Clock;
use crate::config::{self, read_secret};
use crate::http::{Belief, TrustError};
use crate::model::{Directory, Leg};
use crate::numbers::Numbering;

const DAY_MS: i64 = 86_400_000;

/// What both lists tell of a recording's start differs by this much at most.
const SAME_MS: i64 = 2_000;

/// What the drivers are made of.
pub struct Setup {
    /// How to reach the PBX.
    pub config: config::Pbx,
    /// How its certificate is judged; made anew for each driver, and the pin in it is one.
    pub belief: Box<dyn Fn() -> Belief + Send + Sync>,
    /// Where a refused login is remembered, and for how long that counts.
    pub refusals: Refusals,
    /// Time.
    pub clock: Clock,
    /// What outlives a restart.
    pub memory: Memory,
}

/// The PBX, whatever generation it is.
pub struct Detected {
    setup: Setup,
    current: Mutex<Current>,
    /// One at a time finds out.
    doubting: Mutex<()>,
}

#[derive(Clone)]
enum Current {
    V20(Arc<v20::V20>, bool),
    V18(Arc<v18::V18>),
}

impl Current {
    fn pbx(&self) -> &dyn Pbx {
        match self {
            Current::V20(pbx, _) => pbx.as_ref(),
            Current::V18(pbx) => pbx.as_ref(),
        }
    }

    /// The path of its login isn't there.
    fn is_missing(&self) -> bool {
        match self {
            Current::V20(pbx, _) => pbx.is_missing(),
            Current::V18(pbx) => pbx.is_missing(),
        }
    }
}

impl Detected {
    /// Begins with what was found the last time; nothing is asked yet.
    pub fn new(setup: Setup) -> Result<Detected, TrustError> {
        let remembered = setup.memory.get(GENERATION);
        let current = match (setup.config.generation, remembered.as_deref()) {
            (config::Generation::V18, _) => Current::V18(v18(&setup)?),
            (config::Generation::Auto, Some("v18")) => Current::V18(v18(&setup)?),
            (config::Generation::V20, _) => Current::V20(v20(&setup)?, true),
            (config::Generation::Auto | config::Generation::Cdr, known) => {
                Current::V20(v20(&setup)?, known == Some("v20"))
            }
        };
        Ok(Detected {
            setup,
            current: Mutex::new(current),
            doubting: Mutex::default(),
        })
    }

    fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the PBX that is there; if it turns out to be of the other generation, that one.
    fn ask<T>(&self, ask: &mut dyn FnMut(&Current) -> Result<T, Error>) -> Result<T, Error> {
        let current = self.current();
        match self.once(&current, ask) {
            Err(error) if error.kind == Kind::NotThere && current.is_missing() => match self.other(&current)? {
                Some(other) => self.once(&other, ask),
                None => Err(error),
            },
            other => {
                self.confirm(&current);
                other
            }
        }
    }

    /// Asks, unless an earlier run was refused with the same name and secret. v20 keeps its own note of that, at the
    /// login itself; a console's is kept here.
    fn once<T>(&self, current: &Current, ask: &mut dyn FnMut(&Current) -> Result<T, Error>) -> Result<T, Error> {
        let Current::V18(_) = current else { return ask(current) };
        let (setup, now_ms) = (&self.setup, self.setup.clock.wall_ms());
        // Apart from v20's note: which of the two logins was refused tells which generation it is.
        let (name, file) = (&console_name(&setup.config), &setup.config.secret_file);
        if let Some(error) = setup.refusals.standing(name, file, now_ms) {
            return Err(error);
        }
        let answer = ask(current);
        match &answer {
            Ok(_) => setup.refusals.forget(),
            // A file that can't be read was not shown to anybody.
            Err(error) if error.kind == Kind::LoginRefused && read_secret(file).is_ok() => {
                setup.refusals.note(name, file, &error.text, now_ms);
            }
            Err(_) => {}
        }
        answer
    }

    /// An earlier run was refused at the console's login.
    fn is_noted(&self) -> bool {
        let (config, now_ms) = (&self.setup.config, self.setup.clock.wall_ms());
        self.setup
            .refusals
            .standing(&console_name(config), &config.secret_file, now_ms)
            .is_some()
    }

    /// The first answer that is not "no such path" shows that the guess was right.
    fn confirm(&self, current: &Current) {
        if let Current::V20(pbx, false) = current
            && !pbx.is_missing()
            && pbx.last_answer().at_ms.is_some()
        {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Current::V20(Arc::clone(pbx), true);
            self.setup.memory.put(GENERATION, "v20");
        }
    }

    /// The driver of the other generation, if the PBX is of that one.
    fn other(&self, doubted: &Current) -> Result<Option<Current>, Error> {
        if self.setup.config.generation != config::Generation::Auto {
            return Ok(None);
        }
        let _one = self.doubting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.current();
        if std::mem::discriminant(&now) != std::mem::discriminant(doubted) {
            return Ok(Some(now));
        }
        let trusted = |error: TrustError| Error::new(Kind::Unreachable, error.to_string());
        let other = match doubted {
            Current::V20(..) => Current::V18(v18(&self.setup).map_err(trusted)?),
            Current::V18(_) => Current::V20(v20(&self.setup).map_err(trusted)?, true),
        };
        let probe = self.once(&other, &mut |other| other.pbx().probe());
        let is_there = match &probe {
            Ok(_) => true,
            // It is there, and does not want us: that is for the caller to meet.
            Err(error) => {
                let known = matches!(other, Current::V18(_)) && self.is_noted();
                known
                    || matches!(error.kind, Kind::LoginRefused | Kind::RightMissing)
                        && other.pbx().last_answer().at_ms.is_some()
                        && !other.is_missing()
            }
        };
        if !is_there {
            return Ok(None);
        }
        let memory = &self.setup.memory;
        match &other {
            Current::V18(pbx) => {
                log::info!("the PBX is a 3CX of before v20 ({})", pbx.generation().word());
                memory.put(GENERATION, "v18");
            }
            Current::V20(..) => {
                log::info!("the PBX was upgraded to v20: what was taken before keeps its ids");
                memory.put(MADE_UNTIL, &self.setup.clock.wall_ms().to_string());
                memory.put(GENERATION, "v20");
            }
        }
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = other.clone();
        Ok(Some(other))
    }

    /// The moment before which calls may have been taken under ids made here.
    fn boundary(&self) -> Option<i64> {
        self.setup.memory.get(MADE_UNTIL)?.parse().ok()
    }

    /// Legs of a v20 that was a v18 until the boundary.
    fn legs_after_upgrade(
        &self,
        pbx: &v20::V20,
        (from_ms, to_ms, old): (i64, i64, bool),
        boundary: i64,
        take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let mut new = |legs: Vec<Leg>| {
            let legs = self.setup.memory.not_taken(legs);
            take(legs.map_err(|error| Error::new(Kind::Ours, error.to_string()))?)
        };
        let unreadable = pbx.legs(from_ms, to_ms, old, &mut new)?;
        let recent = self.setup.clock.wall_ms() < boundary + DAY_MS;
        if !old && recent {
            // Only gaps are read from the old source otherwise, and there may be none.
            match pbx.legs(from_ms, to_ms.min(boundary), true, &mut new) {
                Err(error) if error.is_of_the_line() || error.kind == Kind::Ours => return Err(error),
                Err(error) => log::debug!("the source of old calls is not ready: {error}"),
                Ok(_) => {}
            }
        }
        Ok(unreadable)
    }

    /// What a v20 knows a recording as that was listed by a v18 under an id of text.
    fn alias(&self, pbx: &v20::V20, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
        let Some((started_ms, extension)) = self.setup.memory.recording(pbx_id) else {
            return Ok(None);
        };
        let near = pbx.recordings(started_ms - SAME_MS, started_ms + SAME_MS)?;
        Ok(near
            .into_iter()
            .find(|one| one.extension.as_deref() == Some(extension.as_str())))
    }
}

fn console_name(config: &config::Pbx) -> String {
    format!("console {}", config.client_id)
}

fn v20(setup: &Setup) -> Result<Arc<v20::V20>, TrustError> {
    let config = &setup.config;
    v20::V20::new(v20::Setup {
        url: config.url.clone(),
        client_id: config.client_id.clone(),
        secret_file: config.secret_file.clone(),
        refusals: setup.refusals.clone(),
        belief: (setup.belief)(),
        clock: setup.clock.clone(),
    })
    .map(Arc::new)
}

fn v18(setup: &Setup) -> Result<Arc<v18::V18>, TrustError> {
    let config = &setup.config;
    v18::V18::new(v18::Setup {
        url: config.url.clone(),
        user: config.client_id.clone(),
        secret_file: config.secret_file.clone(),
        belief: (setup.belief)(),
        clock: setup.clock.clone(),
        memory: setup.memory.clone(),
        zone: config.time_zone.clone(),
        ranges: config.call_log_ranges.clone(),
        group_editor: config.group_editor,
    })
    .map(Arc::new)
}

impl Pbx for Detected {
    fn generation(&self) -> Generation {
        match self.current() {
            Current::V20(_, false) => Generation::Unknown,
            current => current.pbx().generation(),
        }
    }

    fn probe(&self) -> Result<Probe, Error> {
        self.ask(&mut |current| current.pbx().probe())
    }

    fn change_mark(&self) -> Result<Option<String>, Error> {
        self.ask(&mut |current| current.pbx().change_mark())
    }

    fn legs(
        &self,
        from_ms: i64,
        to_ms: i64,
        old: bool,
        take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        self.ask(&mut |current| match (current, self.boundary()) {
            (Current::V20(pbx, _), Some(boundary)) if from_ms < boundary => {
                self.legs_after_upgrade(pbx, (from_ms, to_ms, old), boundary, take)
            }
            _ => current.pbx().legs(from_ms, to_ms, old, take),
        })
    }

    fn recordings(&self, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
        self.ask(&mut |current| {
            let mut listed = current.pbx().recordings(from_ms, to_ms)?;
            if let (Current::V20(..), Some(boundary)) = (current, self.boundary()) {
                listed.retain(|one| match (one.started_ms, &one.extension) {
                    (Some(at), Some(extension)) if at < boundary => {
                        !self.setup.memory.has_recording(FIRST_MADE, &(at, extension.clone()))
                    }
                    _ => true,
                });
            }
            Ok(listed)
        })
    }

    fn listed(&self, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
        self.ask(&mut |current| match current {
            Current::V20(pbx, _) if pbx_id >= FIRST_MADE => {
                let found = self.alias(pbx, pbx_id)?;
                Ok(found.map(|found| ListedRecording { pbx_id, ..found }))
            }
            _ => current.pbx().listed(pbx_id),
        })
    }

    fn fetch(&self, pbx_id: i64, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<Fetched, Error> {
        self.ask(&mut |current| match current {
            Current::V20(pbx, _) if pbx_id >= FIRST_MADE => match self.alias(pbx, pbx_id)? {
                Some(found) => pbx.fetch(found.pbx_id, take),
                None => Err(Error::new(
                    Kind::Gone,
                    "the recording is not on the PBX's list any more",
                )),
            },
            _ => current.pbx().fetch(pbx_id, take),
        })
    }

    fn live(&self) -> Result<Box<dyn Live>, Error> {
        self.current().pbx().live()
    }

    fn directory(&self) -> Result<Directory, Error> {
        self.ask(&mut |current| current.pbx().directory())
    }

    fn transcript(&self, pbx_id: i64) -> Result<Option<Transcript>, Error> {
        self.ask(&mut |current| match current {
            Current::V20(pbx, _) if pbx_id >= FIRST_MADE => match self.alias(pbx, pbx_id)? {
                Some(found) => pbx.transcript(found.pbx_id),
                None => Ok(None),
            },
            _ => current.pbx().transcript(pbx_id),
        })
    }

    fn version(&self) -> Option<String> {
        self.current().pbx().version()
    }

    fn system(&self) -> Result<System, Error> {
        self.ask(&mut |current| current.pbx().system())
    }

    fn storage(&self) -> Result<Storage, Error> {
        self.ask(&mut |current| current.pbx().storage())
    }

    fn numbering(&self) -> Result<Option<Numbering>, Error> {
        self.ask(&mut |current| current.pbx().numbering())
    }

    fn going(&self) -> Result<Option<Vec<String>>, Error> {
        self.ask(&mut |current| current.pbx().going())
    }

    fn may_administer(&self) -> Result<Option<bool>, Error> {
        self.ask(&mut |current| current.pbx().may_administer())
    }

    fn may_read_transcripts(&self) -> Result<Option<bool>, Error> {
        self.ask(&mut |current| current.pbx().may_read_transcripts())
    }

    fn early_token_deaths(&self) -> u32 {
        self.current().pbx().early_token_deaths()
    }

    fn last_answer(&self) -> LastAnswer {
        self.current().pbx().last_answer()
    }

    fn offered_pin(&self) -> Option<String> {
        self.current().pbx().offered_pin()
    }

    fn pin(&self) -> Option<String> {
        self.current().pbx().pin()
    }

    fn adopt_pin(&self, pin: &str) {
        self.current().pbx().adopt_pin(pin);
    }
}
