//! What somebody who is logged in holds, as of now: read anew for every request, so that a right that was taken away is
//! gone with the next click.

use std::time::Duration;

use super::accounts;
use super::sessions::Found;
use super::site::{PATIENCE, Site, Unread};
use crate::agent::Handle;
use crate::rights::{self, Freshness, Subject, Who};
use crate::store::{self, RightsContext};

/// How long the technician's page waits to learn what was granted besides what is built in.
const BRIEFLY: Duration = Duration::from_millis(200);

/// What the session's account holds; `None` if the session must end, because the account was closed, has another password
/// by now, or its person is no longer on the PBX.
pub(super) async fn of(site: &Site, found: &Found) -> Result<Option<Subject>, Unread> {
    let who = found.who.clone();
    let patience = match who {
        Who::Technician => BRIEFLY,
        _ => PATIENCE,
    };
    let read = site.read_within(patience, move |handle| subject_of(handle, &who)).await;
    match (&found.who, read) {
        // The technician's pages stay open when the store does not answer: by what is built in, and no more.
        (Who::Technician, Err(_)) => {
            let unknown = Freshness::default();
            Ok(Some(rights::technician(
                Vec::new(),
                unknown,
                site.handle().clock().wall_ms(),
            )))
        }
        (Who::Technician, Ok((subject, _))) => Ok(Some(subject)),
        (_, Err(unread)) => Err(unread),
        (who, Ok((subject, with))) => {
            let with = with.filter(|_| subject.enabled);
            site.access().sessions.end_others(who, with.as_deref());
            Ok((with.as_deref() == Some(found.with.as_str())).then_some(subject))
        }
    }
}

/// Ends the sessions of people whose account, password or place on the PBX is gone, also of those who click nothing.
pub(super) async fn sweep(site: &Site) {
    for extension in site.access().sessions.people(site.now()) {
        let who = Who::Extension(extension);
        let asked = who.clone();
        if let Ok((subject, with)) = site.read(move |handle| subject_of(handle, &asked)).await {
            let with = with.filter(|_| subject.enabled);
            site.access().sessions.end_others(&who, with.as_deref());
        }
    }
}

/// What rights depend on besides the store.
pub(super) fn context(handle: &Handle) -> RightsContext {
    RightsContext::new(handle.config(), handle.clock().clone())
}

/// The subject, and the password hash of its account.
fn subject_of(handle: &Handle, who: &Who) -> store::Result<(Subject, Option<String>)> {
    handle.store().read(|connection| {
        let subject = context(handle).subject(connection, who)?;
        let with = match who {
            Who::Extension(extension) => accounts::password_of(connection, extension)?,
            Who::Token(name) => {
                let plain = name.strip_prefix("token:").unwrap_or(name);
                let made = store::token_by_name(connection, plain, handle.clock().wall_ms())?;
                made.map(|made| made.hash)
            }
            _ => None,
        };
        Ok((subject, with))
    })
}
