//! The box itself: its folder, its store, its clock, its secrets.

use std::path::PathBuf;
use std::time::Duration;

use super::Subject;
use super::examination::{Examination, fine, found, skipped};
use crate::config::read_secret;
use crate::spool::room_of;

/// Looking at files: long enough for a slow card, short enough to be told of one that hangs.
const LIMIT: Duration = Duration::from_secs(4);

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let (folder, min_free) = (subject.config.state_dir.clone(), subject.config.spool.min_free);
    examination.check::<()>("disk", LIMIT, move || {
        let told = match room_of(&folder) {
            Err(error) => found(
                "disk-unusable",
                format!("the state folder {} can't be looked at: {error}", folder.display()),
            ),
            Ok(room) if room.read_only => {
                found("disk-read-only", "the volume of the state folder is mounted read-only")
            }
            Ok(room) if room.free < min_free => found(
                "disk-low",
                format!(
                    "{} MiB are free, less than spool.min_free: no recordings are fetched",
                    room.free >> 20
                ),
            ),
            Ok(room) => fine(format!("{} of {} MiB are free", room.free >> 20, room.total >> 20)),
        };
        (told, None)
    });
    let store = subject.store.clone();
    examination.check::<()>("store", LIMIT, move || {
        let Some(store) = store else {
            return (skipped("there is no store yet: it is made at the first start"), None);
        };
        let checked = store.read(|c| Ok(c.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?));
        let told = match checked {
            Ok(said) if said == "ok" => fine("the database is sound"),
            Ok(said) => found("store-damaged", format!("the database is damaged: {said}")),
            Err(error) => found("store-unreadable", error.to_string()),
        };
        (told, None)
    });
    let clock = subject.clock.clone();
    examination.check::<()>("clock", LIMIT, move || {
        let told = match clock.synced() {
            Some(true) => fine("a time server was reached"),
            Some(false) => found(
                "clock-not-synced",
                "no time server has been reached since the machine started",
            ),
            None => fine("no time service leaves a sign here; the PBX's clock is compared below"),
        };
        (told, None)
    });
    let named = subject.config.secret_files().into_iter();
    let files: Vec<PathBuf> = named.map(|(_, file)| file.to_owned()).collect();
    examination.check::<()>("secrets", LIMIT, move || {
        let told = match files.iter().try_for_each(|file| read_secret(file).map(|_| ())) {
            Ok(()) if files.is_empty() => fine("none is needed"),
            Ok(()) if files.len() == 1 => fine("the one secret file can be read, and not by everyone"),
            Ok(()) => fine(format!("{} secret files can be read, and not by everyone", files.len())),
            Err(text) => found("secret-unreadable", text),
        };
        (told, None)
    });
}
