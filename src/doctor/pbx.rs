//! The way to the PBX, and what the credential can really do: probed, never inferred from a role's name.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Examination, Finding, Subject, failed, fine, skipped, warning};
use crate::pbx::{Error, Kind, Pbx};
use crate::when;

const DAY_MS: i64 = 86_400_000;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let authority = authority(&subject.config.pbx.url);
    let mut addresses: Vec<SocketAddr> = Vec::new();
    examination.check("pbx-dns", "PBX: name", None, || {
        match (authority.0.as_str(), authority.1).to_socket_addrs() {
            Ok(found) => {
                addresses = found.collect();
                fine(format!("it has {} address(es)", addresses.len()))
            }
            Err(error) => failed(
                format!("the PBX's name can't be resolved: {error}"),
                "Check pbx.url, and whether this box reaches a DNS server.",
            ),
        }
    });
    examination.check("pbx-tcp", "PBX: port", Some("pbx-dns"), || {
        let tried = addresses
            .iter()
            .take(3)
            .map(|at| TcpStream::connect_timeout(at, Duration::from_secs(3)));
        match tried.reduce(|best, next| best.or(next)) {
            Some(Ok(_)) => fine(format!("port {} answers", authority.1)),
            Some(Err(error)) => failed(
                format!("port {} does not answer: {error}", authority.1),
                "Check the port in pbx.url, the PBX's power, and firewalls between.",
            ),
            None => failed("the name has no address", "Check pbx.url."),
        }
    });
    let Ok(driver) = &subject.pbx else {
        let text = subject.pbx.as_ref().err().cloned().unwrap_or_default();
        return examination.check("pbx-tls", "PBX: certificate", None, || {
            failed(text, "Correct pbx.trust.")
        });
    };
    let driver: &dyn Pbx = *driver;
    let mut probed = None;
    examination.check("pbx-tls", "PBX: certificate", Some("pbx-tcp"), || {
        let answer = driver.probe();
        let finding = match &answer {
            Err(error) if error.kind == Kind::PinChanged => failed(
                format!(
                    "{}; known pin {}, shown pin {}",
                    error.text,
                    driver.pin().unwrap_or_default(),
                    driver.offered_pin().unwrap_or_default()
                ),
                error.fix(),
            ),
            Err(error) if error.kind == Kind::Unreachable => failed(&error.text, error.fix()),
            _ if subject.config.pbx.url.starts_with("http://") => warning(
                "plain HTTP: key and recordings cross the network in the clear",
                "Use https in pbx.url.",
            ),
            _ => fine(match driver.pin() {
                Some(pin) => format!("pinned, SHA-256 of its key {pin}"),
                None => "trusted by its authority".to_owned(),
            }),
        };
        probed = Some(answer);
        finding
    });
    examination.check("pbx-token", "PBX: login", Some("pbx-tls"), || match probed {
        Some(Ok(probe)) => fine(match probe.version {
            Some(version) => format!("client ID and API key are accepted; 3CX {version}"),
            None => "client ID and API key are accepted".to_owned(),
        }),
        Some(Err(error)) => of(&error),
        None => skipped("not asked"),
    });
    examination.check("pbx-clock", "PBX: clock", Some("pbx-tls"), || {
        match driver.last_answer().clock_ahead_ms {
            Some(ahead) if ahead.abs() > 60_000 => warning(
                format!(
                    "its clock is {} {} this box",
                    when::span(ahead.abs()),
                    if ahead > 0 { "ahead of" } else { "behind" }
                ),
                "Set both to the same time server.",
            ),
            Some(_) => fine("it agrees with this box"),
            None => skipped("the PBX tells no time"),
        }
    });
    let now = subject.clock.wall_ms();
    let mut named = Vec::new();
    examination.check("pbx-history", "PBX: call history", Some("pbx-token"), || {
        let mut rows = 0;
        let read = driver.legs(now - DAY_MS, now, false, &mut |legs| {
            rows += legs.len();
            named.extend(legs.into_iter().flat_map(|leg| leg.recordings));
            Ok(())
        });
        match read {
            Ok(0) => fine(format!("{rows} rows in the last day")),
            Ok(unreadable) => warning(
                format!("{rows} rows in the last day, {unreadable} of them unreadable"),
                "Report it with the PBX's version.",
            ),
            Err(error) => of(&error),
        }
    });
    examination.check(
        "pbx-recordings",
        "PBX: list of recordings",
        Some("pbx-token"),
        || match driver.recordings(now - DAY_MS, now) {
            Ok(listed) => {
                named.extend(listed.iter().filter(|one| !one.archived).map(|one| one.pbx_id));
                fine(format!("{} recordings in the last day", listed.len()))
            }
            Err(error) => of(&error),
        },
    );
    examination.check("pbx-download", "PBX: fetch a recording", Some("pbx-recordings"), || {
        let Some(id) = named.last().copied() else {
            return skipped("there was no recording in the last day to try with");
        };
        // A first piece shows the right; the rest is not needed.
        let mut first = false;
        let enough = |_: &[u8]| {
            first = true;
            Err(Error::new(Kind::Ours, "enough"))
        };
        let mut take = enough;
        match driver.fetch(id, &mut take) {
            Err(error) if error.kind == Kind::Ours => fine("one could be fetched"),
            Ok(_) => fine("one could be fetched"),
            Err(error) if error.kind == Kind::Gone => fine("allowed, though the one that was tried is gone"),
            Err(error) => of(&error),
        }
    });
    examination.check(
        "pbx-directory",
        "PBX: people and rights",
        Some("pbx-token"),
        || match driver.directory() {
            Ok(directory) => fine(format!(
                "{} people in {} departments",
                directory.people.len(),
                directory.departments.len()
            )),
            Err(error) => of(&error),
        },
    );
    examination.check(
        "pbx-licence",
        "PBX: licence and recording",
        Some("pbx-token"),
        || match driver.system() {
            Ok(system) if system.licence_active == Some(false) => {
                failed("the PBX's licence is not active", "Renew the PBX's licence.")
            }
            Ok(system) if system.recording_stopped == Some(true) => failed(
                "the PBX has stopped recording: its quota is reached",
                "Make room on the PBX or raise its quota for recordings.",
            ),
            Ok(system) => fine(match system.product {
                Some(product) => format!("licence {product} is active"),
                None => "the licence is active".to_owned(),
            }),
            Err(error) => warning(error.text.clone(), "Not needed for work; the role may not show it."),
        },
    );
    examination.check("pbx-retention", "PBX: retention", Some("pbx-token"), || {
        match driver.storage() {
            Ok(storage) => match (storage.deletes_after_days, storage.archives) {
                (Some(days), _) if days < 3 => warning(
                    format!("the PBX deletes recordings after {days} days: an outage longer than that loses them"),
                    "Lengthen it on the PBX under Recordings.",
                ),
                (Some(days), _) => fine(format!("the PBX deletes recordings after {days} days")),
                (None, true) => fine("the PBX moves recordings to an archive and deletes none"),
                (None, false) => fine("the PBX deletes none by itself"),
            },
            Err(error) => skipped(format!("it does not tell: {}", error.text)),
        }
    });
}

fn of(error: &Error) -> Finding {
    failed(&error.text, error.fix())
}

/// Host and port of the PBX's address.
fn authority(url: &str) -> (String, u16) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let default = if scheme == "http" { 80 } else { 443 };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (
            host.trim_matches(['[', ']']).to_owned(),
            port.parse().unwrap_or(default),
        ),
        _ => (authority.trim_matches(['[', ']']).to_owned(), default),
    }
}
