//! Whether the medium is there, and whether it is the right one.
//!
//! A medium that was taken into use has a file `.callspool` with an id. Without one it is either new or it is the empty
//! folder that is left when the disk is unplugged; filling that would fill our own disk. A folder that is configured
//! as a mount tells the two apart by the system's table of mounts.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::far::Place;
use super::{LOOK_EVERY, trouble};
use crate::config;
use crate::deliver::target::Trouble;
use crate::deliver::verdict::Verdict;
use crate::random;
use crate::store::{self, Store};

const MARKER: &str = ".callspool";

/// What a look at the medium gives.
enum State {
    /// Known and there.
    Ready(Place),
    /// There, to be taken into use.
    New(Place),
    /// To be waited for, or in trouble.
    Not(Verdict),
}

/// The medium, ready to be written to; a new one is taken into use.
pub(super) fn ready(
    target: &str,
    settings: &config::Folder,
    store: &Store,
) -> store::Result<Result<Place, Verdict>> {
    let place = match look(settings, &known(target, store)?) {
        State::Ready(place) => return Ok(Ok(place)),
        State::Not(verdict) => return Ok(Err(verdict)),
        State::New(place) => place,
    };
    let id = random::token::<8>();
    // Noted first: a marker that nobody knows would shut out its own box.
    store.save_progress(target, None, &format!("medium {id}"), "")?;
    log::info!("target {target}: a medium is taken into use");
    let marked = place.replace(MARKER, &format!("{id}\n"));
    Ok(marked
        .map(|()| place)
        .map_err(|error| trouble::verdict("write to", &error)))
}

/// What the doctor says of the medium; nothing is written.
pub(super) fn check(target: &str, settings: &config::Folder, store: Option<&Store>) -> Result<String, Trouble> {
    let known = match store.map(|store| known(target, store)) {
        Some(Ok(known)) => known,
        Some(Err(error)) => return Err(Trouble::new("store", error.to_string())),
        None => Vec::new(),
    };
    let free = |place: &Place| match place.free() {
        Ok(bytes) => format!("{} MiB free", bytes >> 20),
        Err(_) => "free space unknown".to_owned(),
    };
    match look(settings, &known) {
        State::Ready(place) => Ok(format!("the medium is there, {}", free(&place))),
        State::New(place) => Ok(format!(
            "a medium is there that will be taken into use, {}",
            free(&place)
        )),
        State::Not(verdict) => Err(verdict.into_trouble()),
    }
}

fn known(target: &str, store: &Store) -> store::Result<Vec<String>> {
    let noted = store.progress(target, None)?;
    Ok(noted
        .keys()
        .filter_map(|key| Some(key.strip_prefix("medium ")?.to_owned()))
        .collect())
}

fn look(settings: &config::Folder, known: &[String]) -> State {
    let path = settings.path.as_path();
    if settings.mount && !is_mounted(path) {
        return away(format!("{} is not on a mounted medium", path.display()));
    }
    let place = match Place::open(path) {
        Ok(place) => place,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return away(format!("{} is not there", path.display()));
        }
        Err(error) => return State::Not(trouble::verdict("open", &error)),
    };
    match place.read(MARKER) {
        Ok(Some(id)) if known.iter().any(|one| one == id.trim()) => State::Ready(place),
        // Emptied by a person: "take this one".
        Ok(Some(id)) if id.trim().is_empty() => State::New(place),
        Ok(Some(_)) => State::Not(Verdict::Waiting {
            code: "medium-other".to_owned(),
            reason: format!(
                "the medium at {} belongs to another box or installation",
                path.display()
            ),
            pause: LOOK_EVERY,
        }),
        Ok(None) if settings.mount || known.is_empty() => State::New(place),
        Ok(None) => away(format!(
            "{} has no file {MARKER}: its medium is not there",
            path.display()
        )),
        Err(error) => State::Not(trouble::verdict("read", &error)),
    }
}

fn away(reason: String) -> State {
    State::Not(Verdict::Waiting {
        code: "medium-away".to_owned(),
        reason,
        pause: LOOK_EVERY,
    })
}

/// Whether something is mounted at `path` or above it, the root apart (`/proc/self/mountinfo`, proc(5)).
fn is_mounted(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mount_of(&table, &path).is_some_and(|mount| mount != Path::new("/"))
}

/// The mount that `path` is on.
fn mount_of(table: &str, path: &Path) -> Option<PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    points
        .filter(|point| path.starts_with(point))
        .max_by_key(|point| point.components().count())
}

/// Spaces and their like are written as `\040`.
fn unescape(text: &str) -> PathBuf {
    let mut out = Vec::new();
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        let digits = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                out.push(byte);
                bytes = &rest[3..];
            }
            _ => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    PathBuf::from(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_of_a_path_is_the_nearest_above_it() {
        let table = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                     30 22 0:40 / /mnt/my\\040nas rw - nfs4 nas:/x rw\n\
                     31 22 0:41 / /mnt/my rw - ext4 /dev/sdb1 rw\n";
        let of = |path: &str| mount_of(table, Path::new(path)).unwrap();
        assert_eq!(of("/mnt/my nas/rec"), Path::new("/mnt/my nas"));
        assert_eq!(of("/mnt/my"), Path::new("/mnt/my"));
        assert_eq!(of("/mnt/other"), Path::new("/"));
    }
}
