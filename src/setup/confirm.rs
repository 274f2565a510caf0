//! A change of the page's own address that takes itself back: whoever made it must say from the new address that it works,
//! or it is as before after 90 s. What to go back to is noted before the change is made, so that neither a restart nor a
//! power cut in between leaves a box that nobody reaches.

use std::time::Duration;

use embedded_svc::storage::{RawStorage, StorageBase};

use super::page::{self, Change, Refused};
use crate::accounts::By;
use crate::agent::Handle;
use crate::aside::aside;
use crate::board::network::PATIENCE;
use crate::clock::Clock;
use crate::config::Config;
use crate::rights::{self, Action, Freshness, Object};
use crate::store::{self, Settings, Store};

const SETTING: &str = "setup.unconfirmed";

/// Puts changes in force that must be confirmed.
///
/// # Errors
/// See [`Refused`]; nothing was changed then.
pub fn change_to_confirm(
    settings: &mut Settings,
    path: &std::path::Path,
    by: By,
    changes: &[Change],
    clock: &Clock,
) -> Result<Config, Refused> {
    let before = settings.store().read(store::page_text).map_err(Refused::Store)?;
    // Of two changes in a row the one before both is gone back to.
    if !settings.contains(SETTING).map_err(Refused::Store)? {
        settings.set_raw(SETTING, before.as_bytes()).map_err(Refused::Store)?;
    }
    let store = settings.store().clone();
    page::change(&store, path, by, changes, clock).inspect_err(|_| drop(settings.remove(SETTING)))
}

/// Whether a change waits to be confirmed.
///
/// # Errors
/// If the store can't be read.
pub fn waits_for_confirmation(settings: &Settings) -> store::Result<bool> {
    settings.contains(SETTING)
}

/// It works. `false` if nothing waited: it may have been taken back already.
///
/// # Errors
/// If that can't be noted.
pub fn confirm(settings: &mut Settings) -> store::Result<bool> {
    settings.remove(SETTING)
}

/// Takes an unconfirmed change back when its time is over, and lets the agent begin anew.
pub async fn take_back_unless_confirmed(handle: Handle) {
    take_back_after(handle, PATIENCE).await;
}

async fn take_back_after(handle: Handle, patience: Duration) {
    if !matches!(handle.settings().contains(SETTING), Ok(true)) {
        return;
    }
    tokio::time::sleep(handle.clock().real(patience)).await;
    let taken = {
        let handle = handle.clone();
        aside(move || take_back_now(&handle)).await
    };
    match taken {
        Ok(Ok(true)) => {
            log::warn!("nobody confirmed the new address of the page: it is as it was before");
            handle.begin_anew();
        }
        Ok(Ok(false)) => {}
        Ok(Err(error)) => log::error!("the new address of the page can't be taken back: {error}"),
        Err(error) => log::error!("the new address of the page can't be taken back: {error}"),
    }
}

/// Puts back what was before; `false` if it was confirmed, or never made.
fn take_back_now(handle: &Handle) -> Result<bool, Refused> {
    let (mut settings, store): (Settings, &Store) = (handle.settings(), handle.store());
    let Some(before) = settings.text(SETTING).map_err(Refused::Store)? else {
        return Ok(false);
    };
    let subject = rights::console_subject(Vec::new(), Freshness::default(), handle.clock().wall_ms());
    let decision = rights::decide(&subject, Action::BoxConfigure, &Object::Whole);
    let by = By {
        subject,
        way: "by itself",
        decision,
    };
    let done = page::go_back_to(store, by, &before, handle.clock())?;
    settings.remove(SETTING).map_err(Refused::Store)?;
    Ok(done)
}
