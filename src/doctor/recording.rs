//! The prerequisites of a recording besides the rights: the licence, that it is made at all, that it stays long enough,
//! and how late it comes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Subject;
use super::examination::{Examination, Found, denied, fine, found, skipped};
use crate::model::{Directory, PeerKind};
use crate::pbx::{Kind, Pbx};
use crate::store::{self, Coverage, Settings, Store};
use crate::sync::LATE_PAUSES;
use crate::when;

const DAY_MS: i64 = 86_400_000;
/// So far back calls are looked at.
const DAYS: i64 = 7;
/// The newest calls may still get their recording.
const FRESH_MS: i64 = 3_600_000;
/// A recording that waits longer than this is worth a look.
const LONG_MS: i64 = 3_600_000;
/// One question.
const LIMIT: Duration = Duration::from_secs(5);
/// Numbers that are shown; the others are counted.
const SHOWN: usize = 12;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    if let Ok(driver) = &subject.pbx {
        let asked = Arc::clone(driver);
        examination.check::<()>("pbx-licence", LIMIT, move || (licence(asked.as_ref()), None));
    }
    let (store, now) = (subject.store.clone(), subject.clock.wall_ms());
    examination.check::<()>("recording-on", LIMIT, move || (recording_on(store.as_ref(), now), None));
    if let Ok(driver) = &subject.pbx {
        let asked = Arc::clone(driver);
        examination.check::<()>("pbx-retention", LIMIT, move || (retention(asked.as_ref()), None));
    }
    let (store, late) = (subject.store.clone(), subject.config.pbx.late_recordings);
    examination.check::<()>("late-recordings", LIMIT, move || {
        (lateness(store.as_ref(), now, late), None)
    });
}

fn licence(driver: &dyn Pbx) -> Found {
    match driver.system() {
        Ok(system) if system.licence_active == Some(false) => {
            found("pbx-licence-inactive", "the PBX says that its licence is not active")
        }
        Ok(system) if system.recording_stopped == Some(true) => found(
            "pbx-recording-stopped",
            "the PBX says that it has stopped recording, because its quota is reached",
        ),
        Ok(system) => fine(match system.product {
            Some(product) => format!("licence {product} is active, and the API answers"),
            None => "the licence is active, and the API answers".to_owned(),
        }),
        Err(error) if error.kind == Kind::RightMissing => {
            denied("the API answers; the client may not see the licence itself, which is not needed")
        }
        Err(error) => skipped(format!("the PBX does not tell: {}", error.text)),
    }
}

fn retention(driver: &dyn Pbx) -> Found {
    match driver.storage() {
        Ok(storage) => match (storage.deletes_after_days, storage.archives) {
            (Some(days), _) if days < 3 => found(
                "pbx-deletes-early",
                format!("the PBX deletes recordings after {days} days: an outage longer than that loses them"),
            ),
            (Some(days), _) => fine(format!("the PBX deletes recordings after {days} days")),
            (None, true) => fine("the PBX moves recordings to an archive and deletes none"),
            (None, false) => fine("the PBX deletes none by itself"),
        },
        Err(error) if error.kind == Kind::RightMissing => {
            skipped("the client may not see it, which is not needed: look at it on the PBX")
        }
        Err(error) => skipped(format!("the PBX does not tell: {}", error.text)),
    }
}

fn recording_on(store: Option<&Store>, now: i64) -> Found {
    let Some(store) = store else {
        return skipped("there is no store yet: it is known when calls have been read");
    };
    let read = store.read(|connection| {
        let covered = store::coverage(connection, now - DAYS * DAY_MS, now - FRESH_MS)?;
        Ok((covered, store::directory(connection)?))
    });
    match read {
        Err(error) => skipped(format!("the store does not tell: {error}")),
        Ok((_, directory)) if directory.people.is_empty() => {
            skipped("who has an extension is not known, because people could not be read yet")
        }
        Ok((covered, directory)) => off(&covered, &directory),
    }
}

/// Which extensions, queues and whole departments telephone without being recorded.
fn off(covered: &[Coverage], directory: &Directory) -> Found {
    let of = |dn: &str| covered.iter().find(|one| one.dn == dn);
    // A call may be recorded on its other side; what counts for an extension is what is missing.
    let people: Vec<_> = directory
        .people
        .iter()
        .filter(|person| person.records_calls != Some(true))
        .filter_map(|person| Some((person, of(&person.extension).map(|one| one.calls - one.recorded)?)))
        .filter(|(_, missing)| *missing > 0)
        .collect();
    let bare = |dn: &str| of(dn).filter(|one| one.calls > 0 && one.recorded == 0);
    let calls: i64 = covered
        .iter()
        .filter(|one| directory.people.iter().any(|person| person.extension == one.dn))
        .map(|one| one.calls)
        .sum();
    let queues: Vec<_> = directory
        .peers
        .iter()
        .filter(|peer| matches!(peer.kind, PeerKind::Queue | PeerKind::RingGroup))
        .filter_map(|peer| Some((peer, bare(&peer.number)?.calls)))
        .collect();
    if people.is_empty() && queues.is_empty() {
        return match calls {
            0 => skipped(format!("nobody has telephoned in the last {DAYS} days")),
            _ => fine("every extension and queue through which calls flow is recorded"),
        };
    }
    // A department of which everybody who telephones is bare is told once, not by each of its numbers.
    let mut whole = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for department in &directory.departments {
        let of = |person: &crate::model::Person| person.memberships.iter().any(|m| m.department == department.id);
        let speaks = |person: &&crate::model::Person| covered.iter().any(|one| one.dn == person.extension);
        let members = directory
            .people
            .iter()
            .filter(|person| of(person))
            .filter(speaks)
            .count();
        let bare: Vec<&str> = people
            .iter()
            .filter(|(person, _)| of(person))
            .map(|(person, _)| person.extension.as_str())
            .collect();
        if bare.len() >= 2 && bare.len() == members {
            whole.push(format!("{} ({} extensions)", department.name, bare.len()));
            told.extend(bare);
        }
    }
    let single = people
        .iter()
        .filter(|(person, _)| !told.contains(person.extension.as_str()));
    let extensions: Vec<String> = single
        .map(|(person, calls)| format!("{} ({})", person.extension, count(*calls)))
        .collect();
    let queues: Vec<String> = queues
        .iter()
        .map(|(peer, calls)| format!("{} ({})", peer.number, count(*calls)))
        .collect();
    let mut parts = Vec::new();
    for (name, list) in [
        ("department", whole),
        ("extension", extensions),
        ("queue or ring group", queues),
    ] {
        if !list.is_empty() {
            parts.push(format!("{name} {}", some(&list)));
        }
    }
    found(
        "recording-off",
        format!(
            "in the last {DAYS} days calls flowed without a recording at: {}",
            parts.join("; ")
        ),
    )
}

fn count(calls: i64) -> String {
    format!("{calls} call{}", if calls == 1 { "" } else { "s" })
}

fn some(list: &[String]) -> String {
    let shown = list[..list.len().min(SHOWN)].join(", ");
    match list.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn lateness(store: Option<&Store>, now: i64, late: Duration) -> Found {
    let Some(store) = store else {
        return skipped("there is no store yet: it is known when recordings have come");
    };
    // What was there before the box was put up didn't come late; it was fetched late.
    let installed = Settings::new(store.clone()).text("box.installed-ms").ok().flatten();
    let installed: i64 = installed.and_then(|text| text.parse().ok()).unwrap_or(0);
    let read = store.read(|connection| {
        let late = store::lateness(connection, installed.max(now - DAYS * DAY_MS))?;
        Ok((late, store::counts(connection, now - DAY_MS)?))
    });
    let (times, counts) = match read {
        Ok(read) => read,
        Err(error) => return skipped(format!("the store does not tell: {error}")),
    };
    let late_ms = late.as_millis() as i64;
    let schedule = format!(
        "one that is not there yet is asked for after some {}, then ever more rarely, at last every {}, for {}",
        when::span(LATE_PAUSES.base.as_millis() as i64),
        when::span(LATE_PAUSES.cap.as_millis() as i64),
        when::span(late_ms)
    );
    let waiting = counts.recordings_oldest_ms.map_or(0, |oldest| now - oldest);
    if counts.recordings_waiting > 0 && waiting > LONG_MS {
        return found(
            "recordings-late",
            format!(
                "{} are waited for, the oldest for {}; {schedule}",
                counts.recordings_waiting,
                when::span(waiting)
            ),
        );
    }
    let (Some(worst), Some(median)) = (times.last(), times.get(times.len() / 2)) else {
        return fine(format!("none has come since this box was put up; {schedule}"));
    };
    let told = format!(
        "{} came in the last {DAYS} days, half of them within {} of the call's end, the last after {}; {schedule}",
        times.len(),
        when::span(*median),
        when::span(*worst)
    );
    if *worst * 2 > late_ms {
        let fix = format!(
            "Recordings come later than callspool waits with ease: set pbx.late_recordings to {} or more.",
            when::span(*worst * 4)
        );
        return found("recordings-late", told).mended_by(fix);
    }
    fine(told)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;
    use crate::model::{Department, Membership, Peer, Person, Rights};

    fn person(extension: &str, records: Option<bool>, department: i64) -> Person {
        Person {
            id: extension.parse().unwrap(),
            extension: extension.to_owned(),
            name: format!("Name of {extension}"),
            enabled: true,
            records_calls: records,
            records_external_only: None,
            memberships: vec![Membership {
                department,
                rights: Rights::default(),
                role_rights: Rights::default(),
            }],
            ..Person::default()
        }
    }

    fn covered(dn: &str, calls: i64, recorded: i64) -> Coverage {
        Coverage {
            dn: dn.to_owned(),
            calls,
            recorded,
        }
    }

    #[test]
    fn who_telephones_without_a_recording_is_told_by_number_and_not_by_name() {
        let directory = Directory {
            people: vec![
                person("100", Some(true), 1),
                person("101", Some(false), 1),
                person("102", None, 1),
                person("103", Some(false), 1),
                person("201", Some(false), 2),
                person("202", Some(false), 2),
            ],
            departments: [(1, "Front"), (2, "Sales")]
                .map(|(id, name)| Department {
                    id,
                    name: name.to_owned(),
                    number: None,
                    rights: Vec::new(),
                })
                .into(),
            peers: vec![Peer {
                number: "800".to_owned(),
                name: "Help".to_owned(),
                kind: PeerKind::Queue,
                departments: vec![1],
            }],
        };
        let calls = [
            covered("100", 9, 0),
            covered("101", 5, 0),
            covered("102", 3, 3),
            covered("201", 2, 0),
            covered("202", 1, 0),
            covered("800", 4, 0),
        ];
        let found = off(&calls, &directory);
        let (outcome, code, text) = found.told();
        assert_eq!((outcome, code), (Outcome::Warning, Some("recording-off")));
        assert!(
            text.ends_with(
                "department Sales (2 extensions); extension 101 (5 calls); queue or ring group 800 (4 calls)"
            ),
            "{text}"
        );
        assert!(!text.contains("Name of"));
        let found = off(&[covered("100", 9, 9)], &directory);
        assert_eq!(found.told().0, Outcome::Ok);
        assert_eq!(off(&[], &directory).told().0, Outcome::Skipped);
    }
}
