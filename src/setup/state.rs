//! Whether the box is being set up. It is, from a first start that finds no PBX in the configuration, until somebody
//! says "done" on the page: then the setting goes. A configuration file that names a PBX ends it too.

use embedded_svc::storage::{RawStorage, StorageBase};

use super::code::{forget_code, keep_code};
use crate::config::{Config, PAGE};
use crate::files;
use crate::store::{self, Settings};

const SETTING: &str = "setup";

/// What a start finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The box is being set up: nothing is served but that.
    pub open: bool,
    /// The code that lets somebody in, while nobody has chosen a password.
    pub code: Option<String>,
}

/// Why the state can't be told.
#[derive(Debug)]
pub enum BeginError {
    /// The settings can't be read or written.
    Store(store::Error),
    /// The code can't be kept.
    Files(files::Error),
}

/// Finds out at a start whether the box is being set up; `has_password` says whether somebody can log in already.
///
/// # Errors
/// If settings or code can't be read or written.
pub fn begin(settings: &mut Settings, config: &Config, has_password: bool) -> Result<State, BeginError> {
    let by_file = config.has_pbx() && config.origin("pbx.url") != Some(PAGE);
    let noted = settings.contains(SETTING).map_err(BeginError::Store)?;
    let open = !by_file && (noted || !config.has_pbx());
    match (open, noted) {
        (true, false) => drop(settings.set_raw(SETTING, b"open").map_err(BeginError::Store)?),
        (false, true) => end(settings).map_err(BeginError::Store)?,
        _ => {}
    }
    if has_password || !open {
        forget_code(&config.state_dir);
        return Ok(State { open, code: None });
    }
    let code = keep_code(&config.state_dir).map_err(BeginError::Files)?;
    Ok(State { open, code: Some(code) })
}

/// The box is set up.
///
/// # Errors
/// If that can't be noted.
pub fn end(settings: &mut Settings) -> store::Result<()> {
    settings.remove(SETTING).map(|_| ())
}
