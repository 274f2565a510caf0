//! Secrets that were typed into the page. Each lies in a file of its own (0600) in the folder `secrets` of the state
//! folder, under a new name each time, so that a version of the settings that is gone back to still finds its own; the
//! configuration names the file as it names any. What no version names is swept away at the next start.

use std::path::{Path, PathBuf};

use crate::random;
use crate::{files, store};

fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("secrets")
}

/// Writes a secret down and gives its file. `what` is a part of the file's name: `pbx`, a target's name.
///
/// # Errors
/// If the file can't be made.
pub fn keep_secret(state_dir: &Path, what: &str, secret: &str) -> Result<PathBuf, files::Error> {
    let folder = folder(state_dir);
    files::make_folder(&folder)?;
    let plain: String = what
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let path = folder.join(format!("{plain}-{}", random::token::<6>()));
    files::write_whole(&path, format!("{}\n", secret.trim()).as_bytes())?;
    Ok(path)
}

/// The file of a secret that was kept under `name`, if there is one: a form that is sent again names it.
pub fn kept_secret(state_dir: &Path, name: &str) -> Option<PathBuf> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let path = folder(state_dir).join(name);
    (!name.is_empty() && name.bytes().all(plain) && path.is_file()).then_some(path)
}

/// Removes the files that no kept version of the settings names. For the start: then no form is half filled in.
///
/// # Errors
/// If the versions can't be read; what can't be removed is left for the next time.
pub fn sweep_secrets(state_dir: &Path, store: &store::Store) -> store::Result<()> {
    let versions = store.read(store::page_settings)?;
    for entry in std::fs::read_dir(folder(state_dir)).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.to_string_lossy();
        if !versions.iter().any(|version| version.text.contains(name.as_ref())) {
            let _ = files::remove(&path);
        }
    }
    Ok(())
}
