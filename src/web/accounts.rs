//! People's accounts, as the login needs them: each look and each change with the store's time limit.

use std::net::IpAddr;

use rusqlite::Connection;

use super::audit;
use super::site::{Site, Unread};
use crate::accounts;
use crate::rights::Who;
use crate::store::{self, Account};

/// An account, and whether its person may enter.
pub(super) struct Known {
    account: Account,
    /// The hash of the password, once one was chosen.
    pub password: Option<String>,
    /// On the PBX, enabled there, and the account isn't closed.
    pub may_enter: bool,
}

impl Known {
    /// Whether this is the account's one-time code, and still good.
    pub fn is_code(&self, code: &str, now_ms: i64) -> bool {
        accounts::is_code(&self.account, code, now_ms)
    }
}

/// The account of whoever has `extension` now.
pub(super) async fn find(site: &Site, extension: &str) -> Result<Option<Known>, Unread> {
    let extension = extension.to_owned();
    site.read(move |handle| {
        handle.store().read(|connection| {
            let Some(account) = store::account(connection, &extension)? else {
                return Ok(None);
            };
            Ok(Some(Known {
                password: account.password_hash.clone(),
                may_enter: accounts::may_enter(connection, &account)?,
                account,
            }))
        })
    })
    .await
}

/// The hash of the password that sessions of `extension` must have been begun with; `None` if there must be none.
pub(super) fn password_of(connection: &Connection, extension: &str) -> store::Result<Option<String>> {
    let account = store::account(connection, extension)?;
    Ok(account
        .filter(|account| !account.disabled)
        .and_then(|account| account.password_hash))
}

/// Puts another password in force.
pub(super) async fn put_password(
    site: &Site,
    source: IpAddr,
    extension: &str,
    hash: String,
) -> Result<bool, Unread> {
    let extension = extension.to_owned();
    let entry = audit::event(
        &Who::Extension(extension.clone()),
        source,
        audit::PASSWORD,
        Ok("chose another password"),
    );
    site.act(move |handle| accounts::set_password(handle.store(), &extension, hash, entry, handle.clock()))
        .await
}

/// Puts the password in force that was chosen with `code`; `false` if the code is used or too old by now.
pub(super) async fn use_code(
    site: &Site,
    source: IpAddr,
    extension: &str,
    code: &str,
    hash: String,
) -> Result<bool, Unread> {
    let (extension, code) = (extension.to_owned(), code.to_owned());
    let entry = audit::event(
        &Who::Extension(extension.clone()),
        source,
        audit::LOG_IN,
        Ok("by a one-time code"),
    );
    site.act(move |handle| accounts::use_code(handle.store(), &extension, &code, hash, entry, handle.clock()))
        .await
}

/// Counts a wrong code.
pub(super) async fn missed_code(site: &Site, extension: &str) {
    let extension = extension.to_owned();
    let counted = site
        .act(move |handle| accounts::missed_code(handle.store(), &extension))
        .await;
    if let Err(error) = counted {
        log::warn!("a wrong one-time code could not be counted: {error:?}");
    }
}
