//! Looks after the box every few seconds: samples the machine, and raises what no single flow can see.

use std::time::Duration;

use super::handle::{Handle, lock};
use super::hours::Hour;
use crate::aside::aside;
use crate::board::Sampler;
use crate::findings;
use crate::health::Report;
use crate::pbx::SHARED_DEATHS;
use crate::store;
use crate::when;

const EVERY: Duration = Duration::from_secs(10);

/// A recording that waits longer than this is worth a look.
const LONG_MS: i64 = 3_600_000;

/// A clock that is off by more than this confuses people who compare times.
const OFF_MS: i64 = 60_000;

/// How often the age of rights is noted while the PBX is out of reach: so much at most a reboot can hide, should the
/// clock be wrong after it.
const NOTE_EVERY_MS: i64 = 600_000;

/// Looks after the box until the future is dropped.
pub async fn watch(handle: Handle) {
    let mut sampler = Sampler::new(&handle.config().state_dir);
    let mut hour = Hour::default();
    loop {
        *lock(&handle.0.machine) = sampler.sample();
        let looked = handle.clone();
        // Reading the store may wait for the disk; the pages must not wait with it.
        let look = aside(move || {
            look(&looked, &mut hour);
            hour
        });
        hour = look.await.unwrap_or_else(|_| {
            log::error!("looking after the box failed");
            Hour::default()
        });
        tokio::time::sleep(handle.clock().real(EVERY)).await;
    }
}

fn look(handle: &Handle, hour: &mut Hour) {
    let now = handle.clock().wall_ms();
    let read = handle.store().read(|connection| {
        Ok((
            store::counts(connection, now - 86_400_000)?,
            store::snapshot(connection)?,
        ))
    });
    let (counts, snapshot) = match read {
        Ok(read) => read,
        Err(error) => {
            let text = error.to_string();
            let fix = "Look at the disk; callspool goes on by itself when it can read the store again.";
            return item(
                handle,
                true,
                "store-unreadable",
                "The store can't be read",
                text,
                fix,
                None,
                false,
            );
        }
    };
    handle.health().clear("store-unreadable");
    let machine = lock(&handle.0.machine).clone();
    hour.note(handle, &counts, &machine);
    let waiting = counts.recordings_oldest_ms.map_or(0, |oldest| now - oldest);
    item(
        handle,
        counts.recordings_waiting > 0 && waiting > LONG_MS,
        "recordings-late",
        "Recordings are late",
        format!(
            "{} recordings are waited for, the oldest for {}",
            counts.recordings_waiting,
            when::span(waiting)
        ),
        "Open a call that has one on the page, or run `callspool why CALL`: it says what it waits for.",
        Some("pbx-unreachable"),
        true,
    );
    item(
        handle,
        counts.deliveries_held > 0,
        "deliveries-held",
        "Deliveries wait for a person",
        format!("{} deliveries were refused and are held", counts.deliveries_held),
        "Look at the queue: each has its reason. Mend the cause, then press Retry (or `callspool queue retry`).",
        None,
        true,
    );
    if let Some(snapshot) = &snapshot {
        look_at_rights(handle, snapshot);
    }
    if let Err(error) = keep_rights(handle, snapshot.as_ref()) {
        log::warn!("looking after grants failed: {error}");
    }
    item(
        handle,
        handle.clock().synced() == Some(false),
        "clock-not-synced",
        "The clock is not synchronised",
        "no time server has been reached since the machine started".to_owned(),
        "Let the box reach a time server (NTP, UDP port 123), for example the PBX or the router.",
        None,
        true,
    );
    let ahead = lock(&handle.0.pbx).clock_ahead_ms.unwrap_or(0);
    item(
        handle,
        ahead.abs() > OFF_MS,
        "pbx-clock-differs",
        "The PBX's clock differs",
        format!(
            "it is {} {} this box",
            when::span(ahead.abs()),
            if ahead > 0 { "ahead of" } else { "behind" }
        ),
        "Set both to the same time server.",
        None,
        true,
    );
    look_at_token(handle);
    item(
        handle,
        machine.disk_read_only,
        "disk-read-only",
        "The disk is read-only",
        "the volume of the state folder is mounted read-only: nothing new can be kept".to_owned(),
        "Look at the kernel's log for disk errors; a failing card or disk must be replaced.",
        None,
        false,
    );
}

/// Two programs that log in with one client go on for months without any error, only late.
fn look_at_token(handle: &Handle) {
    let deaths = handle.0.driver.early_token_deaths();
    let Some(finding) = findings::find("pbx-token-shared") else {
        return;
    };
    item(
        handle,
        deaths >= SHARED_DEATHS,
        finding.code,
        finding.title,
        format!("{deaths} logins were ended by somebody else in the last hour"),
        finding.fix(handle.0.driver.generation()),
        finding.depends_on,
        true,
    );
}

fn look_at_rights(handle: &Handle, snapshot: &store::Snapshot) {
    let max_ms = i64::try_from(handle.config().rights.max_age.as_millis()).unwrap_or(i64::MAX);
    let age = snapshot.age_ms(handle.clock());
    let told = match age {
        Some(age) => format!("people and rights were last read {} ago", when::span(age)),
        None => "nobody can tell when people and rights were last read: the clock was set back, or is not set"
            .to_owned(),
    };
    let too_old = age.is_none_or(|age| age > max_ms);
    item(
        handle,
        !too_old && age.is_some_and(|age| age > 600_000),
        "rights-old",
        "Rights are old",
        told.clone(),
        "They are read again as soon as the PBX answers.",
        Some("pbx-unreachable"),
        true,
    );
    item(
        handle,
        too_old,
        "rights-too-old",
        "Rights are too old: calls and recordings are closed",
        format!("{told}; until the PBX confirms them nobody may see calls or hear recordings here"),
        "Let the box reach the PBX: rights open again with the next reading. rights.max_age says how old they may be.",
        None,
        true,
    );
}

/// Ends grants whose time is over and keeps the age of rights over a reboot. Nothing is written while there is nothing to
/// do.
fn keep_rights(handle: &Handle, snapshot: Option<&store::Snapshot>) -> store::Result<()> {
    let clock = handle.clock().clone();
    let note =
        snapshot.is_some_and(|known| known.boot != clock.boot() || clock.mono_ms() - known.mono > NOTE_EVERY_MS);
    let expire = handle
        .store()
        .read(|connection| store::grants_to_expire(connection, &clock))?;
    if !(note || expire) {
        return Ok(());
    }
    handle.store().write(move |within| {
        if note {
            store::note_rights_age(within, &clock)?;
        }
        if expire {
            store::expire_grants(within, &clock)?;
        }
        Ok(())
    })
}

#[allow(clippy::too_many_arguments)]
fn item(
    handle: &Handle,
    wrong: bool,
    code: &str,
    title: &str,
    text: String,
    fix: &str,
    depends_on: Option<&'static str>,
    only_warning: bool,
) {
    if !wrong {
        if handle.health().clear(code) {
            log::info!("{code} is over");
            handle.0.changed.notify_one();
        }
        return;
    }
    let told = format!("{code}: {text}");
    let (code, title, fix) = (code.to_owned(), title.to_owned(), fix.to_owned());
    if handle.health().raise(Report {
        code,
        title,
        text,
        fix,
        depends_on,
        only_warning,
    }) {
        log::warn!("{told}");
        handle.0.changed.notify_one();
    }
}
