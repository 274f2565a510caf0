//! The box itself: its folder, its store, its clock, its secrets.

use super::{Examination, Subject, failed, fine, skipped, warning};
use crate::config::read_secret;
use crate::spool::room_of;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let config = subject.config;
    examination.check("disk", "Disk", None, || match room_of(&config.state_dir) {
        Err(error) => failed(
            format!(
                "the state folder {} can't be looked at: {error}",
                config.state_dir.display()
            ),
            "Make the folder, or name another as state_dir.",
        ),
        Ok(room) if room.read_only => failed(
            "the volume of the state folder is read-only",
            "Look at the kernel's log for disk errors, then mount it writable.",
        ),
        Ok(room) if room.free < config.spool.min_free => warning(
            format!(
                "{} MiB are free, less than spool.min_free: no recordings are fetched",
                room.free >> 20
            ),
            "Make room on the volume.",
        ),
        Ok(room) => fine(format!("{} of {} MiB are free", room.free >> 20, room.total >> 20)),
    });
    examination.check("store", "Store", Some("disk"), || match subject.store {
        None => skipped("there is no store yet: it is made at the first start"),
        Some(store) => {
            let checked =
                store.read(|c| Ok(c.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?));
            match checked {
                Ok(said) if said == "ok" => fine("the database is sound"),
                Ok(said) => failed(format!("the database is damaged: {said}"), "Restore a backup."),
                Err(error) => failed(error.to_string(), "Look at the disk."),
            }
        }
    });
    examination.check("clock", "Clock", None, || match subject.clock.synced() {
        Some(true) => fine("a time server was reached"),
        Some(false) => warning(
            "no time server has been reached since the machine started",
            "Let the box reach a time server (NTP, UDP port 123).",
        ),
        None => fine("no time service leaves a sign here; the PBX's clock is compared below"),
    });
    examination.check("secrets", "Secret files", None, || {
        let mut files = vec![config.pbx.secret_file.as_path()];
        let secrets = config.targets.iter().flat_map(|target| target.kind.secret_files());
        files.extend(secrets.map(|(_, file)| file));
        files.extend(
            config
                .mqtt
                .iter()
                .filter_map(|mqtt| Some(mqtt.login.as_ref()?.1.as_path())),
        );
        let count = files.len();
        match files.into_iter().try_for_each(|file| read_secret(file).map(|_| ())) {
            Ok(()) => fine(format!("{count} secret files can be read, and not by everyone")),
            Err(text) => failed(text, "Put the secret into the file and set its mode to 600."),
        }
    });
}
