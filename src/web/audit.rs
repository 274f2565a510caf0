//! What the page writes into the audit: who heard what, who was refused, who came in and who did not.
//!
//! A row about sound is on the disk before the first byte goes out; if it can't be, nothing goes out. A player asks for a
//! recording in many ranges: they are one row. A refusal that is repeated at once is one row too, so that nobody fills
//! the disk by knocking.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::routes::Route;
use super::site::{Site, Unread};
use super::visitor::Visitor;
use crate::model::Recording;
use crate::random::hex;
use crate::rights::{Action, Decision, Object, Who};
use crate::store::{self, NewAudit};

/// The audit's words for what needs no right.
pub(super) const LOG_IN: &str = "log.in";
/// Another password of one's own.
pub(super) const PASSWORD: &str = "password.change";
/// The end of one of one's own sessions.
pub(super) const END_SESSION: &str = "session.end";
/// The first password of all, chosen with the box's own code.
pub(super) const SETUP: &str = "setup.begin";
/// A request of somebody who is not logged in.
const UNKNOWN: &str = "page.open";

/// A listening goes on as long as its requests are no further apart.
const LISTENING_MS: i64 = 15 * 60_000;
/// The same refusal within this time is told once.
const REFUSAL_MS: i64 = 60_000;
/// … and to somebody who is not logged in.
const NOBODY_MS: i64 = 10 * 60_000;
/// How long a login or a refusal waits for its row.
const PATIENCE: Duration = Duration::from_millis(800);
/// The most that is remembered.
const MOST: usize = 2048;

/// What was told already, and when last. Times are monotonic milliseconds.
#[derive(Default)]
pub(super) struct Told(HashMap<String, i64>);

impl Told {
    /// Whether `what` was told within `window`; if so, that begins anew.
    fn lately(&mut self, what: &str, now: i64, window: i64) -> bool {
        match self.0.get_mut(what) {
            Some(last) if now - *last < window => {
                *last = now;
                true
            }
            _ => false,
        }
    }

    fn tell(&mut self, what: String, now: i64) {
        if self.0.len() >= MOST {
            self.0.retain(|_, last| now - *last < LISTENING_MS);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(what, now);
    }
}

/// Something that needs no right: a login, another password.
pub(super) fn event(
    who: &Who,
    source: IpAddr,
    what: &'static str,
    how: Result<&'static str, &'static str>,
) -> NewAudit {
    NewAudit::event(who, "page", what, how).about(format!("from {source}"))
}

/// Writes an event down; a store that can't keeps nobody out who may come in, because what they may is asked again.
///
/// Whoever waits for it waits no longer than this; the write itself goes on.
pub(super) async fn note(site: &Site, entry: NewAudit) {
    match timeout(PATIENCE, write(site, entry)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::error!("the audit could not be written: {error:?}"),
        Err(_) => log::warn!("the audit is slow to be written; the disk is busy or the store is locked"),
    }
}

async fn write(site: &Site, entry: NewAudit) -> Result<(), Unread> {
    site.act(move |handle| {
        let clock = handle.clock().clone();
        handle
            .store()
            .write(move |within| store::audit(within, &entry, &clock).map(|_| ()))
    })
    .await
}

/// Writes down that a recording is heard or taken away. It is on the disk when this returns `Ok`.
pub(super) async fn heard(
    site: &Site,
    visitor: &Visitor,
    decision: &Decision,
    recording: &Recording,
) -> Result<(), Unread> {
    let what = format!("{} {} {}", hex(&visitor.key), decision.action.word(), recording.id);
    // One at a time: two ranges that are asked for at once are one listening.
    let _turn = site.hearing().await;
    if site.told().lately(&what, site.now(), LISTENING_MS) {
        return Ok(());
    }
    let mut entry = NewAudit::of(&visitor.subject, "page", decision)
        .recording(recording.id)
        .about(format!("from {}", visitor.source));
    if let Some(call) = recording.call {
        entry = entry.call(call);
    }
    write(site, entry).await?;
    site.told().tell(what, site.now());
    Ok(())
}

/// Writes down that something is taken away at once. It is on the disk when this returns `Ok`.
pub(super) async fn exported(
    site: &Site,
    visitor: &Visitor,
    decision: &Decision,
    what: &str,
) -> Result<(), Unread> {
    let entry = NewAudit::of(&visitor.subject, "page", decision).about(format!("{what}, from {}", visitor.source));
    write(site, entry).await
}

/// Writes down that a call or a recording was refused.
pub(super) async fn refused_for(
    site: &Site,
    visitor: &Visitor,
    decision: &Decision,
    call: Option<i64>,
    recording: Option<i64>,
) {
    let what = format!(
        "{} {} {call:?} {recording:?}",
        hex(&visitor.key),
        decision.action.word()
    );
    let mut entry = NewAudit::of(&visitor.subject, "page", decision).about(format!("from {}", visitor.source));
    if let Some(call) = call {
        entry = entry.call(call);
    }
    if let Some(recording) = recording {
        entry = entry.recording(recording);
    }
    refused(site, what, REFUSAL_MS, entry).await;
}

/// Writes down that a route was refused.
pub(super) async fn refused_route(site: &Site, visitor: &Visitor, action: Action, route: &Route) {
    let decision = visitor.decide(action, &Object::Whole);
    let what = format!("{} {} {}", hex(&visitor.key), route.method, route.path);
    let about = format!("{} {}, from {}", route.method, route.path, visitor.source);
    let entry = NewAudit::of(&visitor.subject, "page", &decision).about(about);
    refused(site, what, REFUSAL_MS, entry).await;
}

/// Writes down that somebody came without a session.
pub(super) async fn refused_to_nobody(site: &Site, source: IpAddr, route: &Route) {
    let what = format!("{source} {} {}", route.method, route.path);
    let entry = NewAudit::event(&Who::Nobody(String::new()), "page", UNKNOWN, Err("not logged in"))
        .about(format!("{} {}, from {source}", route.method, route.path));
    refused(site, what, NOBODY_MS, entry).await;
}

async fn refused(site: &Site, what: String, window: i64, entry: NewAudit) {
    let now = site.now();
    if site.told().lately(&what, now, window) {
        return;
    }
    site.told().tell(what, now);
    note(site, entry).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_once_and_what_begins_again_is_told_again() {
        let mut told = Told::default();
        assert!(!told.lately("a", 0, 100));
        told.tell("a".to_owned(), 0);
        assert!(told.lately("a", 90, 100) && told.lately("a", 180, 100) && !told.lately("b", 180, 100));
        assert!(!told.lately("a", 280, 100));
    }

    #[test]
    fn knocking_fills_no_memory() {
        let mut told = Told::default();
        (0..10_000).for_each(|n| told.tell(format!("{n}"), n));
        assert!(told.0.len() <= MOST);
    }
}
