//! What `callspool run` does first: look which release is to run, count, go back if need be, and become it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};

use super::error::Error;
use super::keys::Keys;
use super::slots::Slots;
use super::state::{Bad, MOST_TRIES, Place, State};
use super::{VERSION, newer, undo};

/// Tells a release that was started from a slot which version is installed, and which schema that knows: `0.1.0 12`.
const INSTALLED: &str = "CALLSPOOL_INSTALLED";

/// From which place of `state_dir` this very process runs.
pub(super) fn place_of_this(state_dir: &Path) -> Place {
    let Ok(exe) = std::env::current_exe() else {
        return Place::Installed;
    };
    let slots = std::fs::canonicalize(state_dir.join("slots")).ok();
    let inside = slots.and_then(|slots| exe.strip_prefix(slots).ok().map(Path::to_owned));
    match inside.as_deref().and_then(Path::parent).and_then(Path::to_str) {
        Some("a") => Place::A,
        Some("b") => Place::B,
        _ => Place::Installed,
    }
}

/// Version and schema of the installed program: this one, unless it was started from a slot by another.
pub(super) fn installed() -> (String, u32) {
    let told = std::env::var(INSTALLED).ok();
    let told = told.as_deref().and_then(|text| text.split_once(' '));
    told.and_then(|(version, schema)| Some((version.to_owned(), schema.parse().ok()?)))
        .unwrap_or_else(|| (VERSION.to_owned(), Slots::own_schema()))
}

/// Becomes the release that is to run, and does not come back; or comes back if that is this program itself. `say` is told
/// what a person should know.
pub fn launch(config: &Path, say: &dyn Fn(&str)) {
    let (state_dir, keys_file) = crate::config::before_all(config);
    let file = state_dir.join("slots/state.json");
    if !file.exists() || place_of_this(&state_dir) != Place::Installed {
        return;
    }
    // Whoever may write the slots must be who runs what is in them, or root would run what somebody else put there.
    if !ours(&file) {
        say("slots/state.json belongs to another user, so the installed version runs; start it as that user");
        return;
    }
    // An agent that runs has the lock; a second start must not count as a try of the release.
    let Some(_lock) = lock(&state_dir) else { return };
    let keys = match Keys::trusted(keys_file.as_deref()) {
        Ok(keys) => keys,
        Err(why) => {
            say(&format!(
                "update.keys_file: {why}; only the keys that were compiled in count"
            ));
            Keys::trusted(None).unwrap_or_default()
        }
    };
    let mut slots = Slots::open(&state_dir, keys);
    // Each turn ends in a start, or goes back by one: the installed version is the end.
    for _ in 0..4 {
        match choose(&mut slots, say) {
            Ok(Place::Installed) => return,
            Ok(place) => {
                let error = Command::new(slots.program(place))
                    .args(std::env::args_os().skip(1))
                    .env(INSTALLED, format!("{VERSION} {}", Slots::own_schema()))
                    .exec();
                say(&format!(
                    "the release in slot {} can't be started: {error}",
                    place.word()
                ));
                if !matches!(go_back(&slots, "it can't be started", say), Ok(true)) {
                    return;
                }
            }
            Err(error) => {
                say(&format!("the installed version runs: {error}"));
                return;
            }
        }
    }
}

/// Whether this very process is a release on trial.
pub fn on_trial(config: &Path) -> bool {
    let (state_dir, _) = crate::config::before_all(config);
    let state = State::read(&state_dir.join("slots/state.json")).unwrap_or_default();
    state.on_trial && state.boot != Place::Installed && state.boot == place_of_this(&state_dir)
}

fn ours(file: &Path) -> bool {
    let own = std::fs::metadata("/proc/self").map(|data| data.uid());
    matches!((own, std::fs::metadata(file)), (Ok(own), Ok(data)) if data.uid() == own)
}

fn lock(state_dir: &Path) -> Option<File> {
    let path = state_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

/// What is to be started now. Counted, with the store put right, and judged a moment before.
fn choose(slots: &mut Slots, say: &dyn Fn(&str)) -> Result<Place, Error> {
    let state = match State::read(&slots.state_file()) {
        Ok(state) => state,
        Err(why) => {
            say(&format!(
                "{why}: which release was to run is lost, so the installed version runs"
            ));
            slots.change(|state| *state = State::default())?
        }
    };
    if let Some(schema) = state.restore {
        undo::put_back(slots.state_dir(), schema)?;
        slots.change(|state| state.restore = None)?;
        say(&format!("the copy of the store of schema {schema} was put back"));
    }
    if state.boot == Place::Installed {
        return Ok(Place::Installed);
    }
    if state.on_trial {
        let tried = format!("it was started {MOST_TRIES} times and never became well");
        let why = state
            .give_up
            .clone()
            .or_else(|| (state.tries >= MOST_TRIES).then_some(tried));
        if let Some(why) = why
            && go_back(slots, &why, say)?
        {
            return choose(slots, say);
        }
    }
    let head = match slots.release(state.boot) {
        Ok(head) => head,
        Err(error) if go_back(slots, &error.text, say)? => return choose(slots, say),
        Err(error) => return Err(error),
    };
    let kept = state.downgrade && state.over == VERSION;
    if !kept && !newer(&head.manifest.version, VERSION) {
        say(&format!(
            "version {VERSION} was installed and runs instead of {}",
            head.manifest.version
        ));
        slots.change(|state| {
            *state = State {
                bad: state.bad.take(),
                ..State::default()
            };
        })?;
        return Ok(Place::Installed);
    }
    if state.on_trial {
        let counted = slots.change(|state| state.tries += 1)?;
        say(&format!(
            "version {} is tried, start {} of {MOST_TRIES}",
            head.manifest.version, counted.tries
        ));
    }
    Ok(state.boot)
}

/// Gives up what was to run. The store goes back with it if what comes instead can't read it. `false`: that is not
/// possible, so what was to run is the better of the two.
fn go_back(slots: &Slots, why: &str, say: &dyn Fn(&str)) -> Result<bool, Error> {
    let state = slots.state();
    let to = match slots.schema_at(state.fallback) {
        Ok(_) => state.fallback,
        Err(_) => Place::Installed,
    };
    let knows = slots.schema_at(to)?;
    // A store that can't be read any more is one that the release before could read.
    let has = undo::schema_of(slots.state_dir()).unwrap_or(Some(u32::MAX));
    let restore = has.filter(|has| *has > knows).map(|_| knows);
    let copied = restore.is_some_and(|schema| undo::copy_of(slots.state_dir(), schema).exists());
    if restore.is_some() && !copied {
        say(&format!(
            "{why}; but the release before can't read the store, and there is no copy of it to put back: it is tried on"
        ));
        slots.change(|state| (state.tries, state.give_up) = (0, None))?;
        return Ok(false);
    }
    let release = std::fs::read(slots.file(state.boot, "release")).unwrap_or_default();
    let head = super::release::judge(&release, slots.keys()).ok();
    let manifest = head.map(|head| head.manifest).unwrap_or_default();
    say(&format!("version {} is given up: {why}", manifest.version));
    let at_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64);
    slots.change(|state| {
        *state = State {
            boot: to,
            restore,
            over: std::mem::take(&mut state.over),
            downgrade: state.downgrade,
            bad: Some(Bad {
                version: manifest.version,
                sha256: manifest.sha256,
                why: why.to_owned(),
                at_ms,
            }),
            ..State::default()
        };
    })?;
    Ok(true)
}
