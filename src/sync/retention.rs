//! How long the PBX keeps recordings, and whether one would be gone before it is fetched.

use std::sync::PoisonError;

use super::{Context, Trouble};
use crate::health::Report;
use crate::pbx::{Kind, Storage};
use crate::store;
use crate::when;

const DAY_MS: i64 = 86_400_000;

/// A recording that waits this long is not just late.
const WAITS_LONG_MS: i64 = 3_600_000;

/// From this part of its quota on, in percent, the PBX may delete or stop at any time.
const NEARLY_FULL: i64 = 95;

/// Asks the PBX how it keeps recordings, and shows it.
pub(super) fn read(context: &Context) -> Result<Storage, Trouble> {
    let storage = match context.pbx.storage() {
        Err(error) if error.is_of_the_line() && error.kind != Kind::NotThere => return Err(error.into()),
        // It is good to know and nothing depends on it.
        answer => answer.unwrap_or_default(),
    };
    let mut status = context.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
    if status.storage.as_ref() != Some(&storage) {
        status.storage = Some(storage.clone());
        context.changed.notify_one();
    }
    Ok(storage)
}

/// Warns where the PBX would delete, archive or refuse what is still to be fetched.
pub(super) fn warn(context: &Context, storage: &Storage) -> Result<(), Trouble> {
    let (waiting, oldest_ms) = context.store.read(store::waiting_since)?;
    let age_ms = oldest_ms.map_or(0, |oldest| context.clock.wall_ms() - oldest);
    show(
        context,
        "pbx-recording-stopped",
        storage.recording_stopped.then(|| Report {
            title: "The PBX records no more".to_owned(),
            text: "the PBX says that it stopped recording: calls from now on have no recording".to_owned(),
            fix: "On the PBX, raise the quota of recordings or delete old ones (Admin, System, Storage)."
                .to_owned(),
            ..Report::default()
        }),
    );
    let risk = (waiting > 0).then(|| risk(storage, waiting, age_ms)).flatten();
    show(
        context,
        "recordings-at-risk",
        risk.map(|text| Report {
            title: "Recordings may be gone before they are fetched".to_owned(),
            text,
            fix:
                "See why they wait (callspool why CALL): mend that first. Else let the PBX keep recordings longer."
                    .to_owned(),
            ..Report::default()
        }),
    );
    Ok(())
}

/// What threatens the recordings that wait, in words.
fn risk(storage: &Storage, waiting: i64, age_ms: i64) -> Option<String> {
    let wait = if waiting == 1 {
        "1 recording waits".to_owned()
    } else {
        format!("{waiting} recordings wait")
    };
    let since = format!("{wait}, the oldest is {} old", when::span(age_ms));
    if let Some(days) = storage.deletes_after_days.filter(|days| age_ms * 2 >= days * DAY_MS) {
        return Some(format!("{since}, and the PBX deletes recordings after {days} days"));
    }
    let full = match (storage.used_bytes, storage.quota_bytes) {
        (Some(used), Some(quota)) if quota > 0 => used / (quota / 100).max(1) >= NEARLY_FULL,
        _ => false,
    };
    if storage.quota_reached || full {
        return Some(format!(
            "{since}, and the PBX's quota of recordings is used up: it may delete the oldest"
        ));
    }
    if storage.archives && age_ms >= WAITS_LONG_MS {
        let every = match storage.archive_every_days {
            Some(1) => " every night".to_owned(),
            Some(days) => format!(" every {days} days"),
            None => String::new(),
        };
        return Some(format!("{since}, and the PBX moves recordings to its archive{every}"));
    }
    None
}

fn show(context: &Context, code: &str, report: Option<Report>) {
    match report {
        Some(report) => {
            let text = report.text.clone();
            let report = Report {
                code: code.to_owned(),
                only_warning: true,
                ..report
            };
            if context.health.raise(report) {
                log::warn!("{code}: {text}");
                context.changed.notify_one();
            }
        }
        None => context.clear(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_before_the_recording_is_gone_and_not_for_what_is_just_late() {
        let deletes = Storage {
            deletes_after_days: Some(10),
            ..Storage::default()
        };
        assert_eq!(risk(&deletes, 3, 4 * DAY_MS), None);
        assert!(
            risk(&deletes, 3, 5 * DAY_MS)
                .unwrap()
                .contains("deletes recordings after 10 days")
        );
        let archives = Storage {
            archives: true,
            archive_every_days: Some(1),
            ..Storage::default()
        };
        assert_eq!(risk(&archives, 1, WAITS_LONG_MS - 1), None);
        assert!(
            risk(&archives, 1, WAITS_LONG_MS)
                .unwrap()
                .starts_with("1 recording waits")
        );
        let quota = |used| Storage {
            used_bytes: Some(used),
            quota_bytes: Some(1_000_000),
            ..Storage::default()
        };
        assert_eq!(risk(&quota(940_000), 1, 0), None);
        assert!(risk(&quota(950_000), 1, 0).unwrap().contains("quota"));
        assert_eq!(risk(&Storage::default(), 9, 90 * DAY_MS), None);
    }
}
