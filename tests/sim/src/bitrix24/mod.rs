//! A Bitrix24 portal as far as a telephony integration sees it: written from the vendor's documentation (Bitrix24 REST
//! API, state of August 2026), strict about what it accepts, and with misbehaviour on demand.
//!
//! - OAuth: `GET /oauth/token/`; an access token lives an hour, a refresh gives a new pair and the old refresh token dies.
//! - REST: `POST /rest/METHOD` with `auth` in the JSON body, or `POST /rest/USER/CODE/METHOD` by inbound webhook.
//! - Upload: `POST /rest/upload.json?auth=…&token=…`, `multipart/form-data`, for what `attachRecord` was asked.
//!
//! What the documentation leaves open and is a guess here is marked UNVERIFIED where it is decided.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod config;
mod crm;
mod fault;
mod gate;
mod oauth;
mod params;
mod portal;
mod refusal;
mod rest;
mod tasks;
mod telephony;
mod upload;

pub use config::{Employee, PortalConfig};
pub use fault::{Fault, Times};
pub use portal::{Activity, Call, Record, Request, Task, Truth};

use crate::crm::serve::Server;
pub(crate) use fault::Faults;
use portal::Portal;

/// What the handlers share.
pub(crate) struct Desk {
    portal: Mutex<Portal>,
    faults: Mutex<Faults>,
}

impl Desk {
    fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulated portal.
pub struct Bitrix24;

impl Bitrix24 {
    /// Starts it in a thread of its own, with its authorization server on the same port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(config: PortalConfig) -> io::Result<Handle> {
        let port = config.port;
        let desk = Arc::new(Desk {
            portal: Mutex::new(Portal::new(config)),
            faults: Mutex::default(),
        });
        let server = Server::start(port, None, rest::router(Arc::clone(&desk)))?;
        Ok(Handle { server, desk })
    }
}

/// A running portal; dropping it stops it.
pub struct Handle {
    server: Server,
    desk: Arc<Desk>,
}

impl Handle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Its address, `http://127.0.0.1:port`; also that of its authorization server.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// The address of the inbound webhook, by way of `addr`.
    pub fn webhook_by_way_of(&self, addr: SocketAddr) -> String {
        let portal = self.desk.portal();
        format!(
            "http://{addr}/rest/{}/{}/",
            portal.config.webhook_user, portal.webhook_code
        )
    }

    /// The address of the inbound webhook.
    pub fn webhook(&self) -> String {
        self.webhook_by_way_of(self.addr())
    }

    /// A refresh token as a new installation of the application gives it; earlier ones die.
    pub fn install(&self) -> String {
        self.desk.portal().install()
    }

    /// Every access token is expired from now on.
    pub fn expire_tokens(&self) {
        self.desk.portal().expire_tokens();
    }

    /// The installation is taken away: no refresh token is good any more.
    pub fn uninstall(&self) {
        self.desk.portal().uninstall();
    }

    /// Upload addresses that were given out are stale from now on.
    pub fn expire_uploads(&self) {
        self.desk.portal().expire_uploads();
    }

    /// Somebody deletes the inbound webhook.
    pub fn delete_webhook(&self) {
        self.desk.portal().webhook_code.clear();
    }

    /// Takes or gives a method (any case): it then answers 403 `ACCESS_DENIED`.
    pub fn deny(&self, method: &str, denied: bool) {
        let mut portal = self.desk.portal();
        let method = method.to_ascii_lowercase();
        if denied {
            portal.denied.insert(method);
        } else {
            portal.denied.remove(&method);
        }
    }

    /// Changes any of the settings while it runs.
    pub fn configure(&self, change: impl FnOnce(&mut PortalConfig)) {
        change(&mut self.desk.portal().config);
    }

    /// Arms a fault for the next requests of `method` (any case; `upload`, `oauth`, or `*` for all).
    pub fn fault(&self, method: &str, fault: Fault, times: Times) {
        self.desk.faults().arm(method, fault, times);
    }

    /// Behaves well again.
    pub fn clear_faults(&self) {
        self.desk.faults().clear();
    }

    /// Looks at what the portal holds.
    pub fn with_truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.desk.portal().truth)
    }

    /// Requests of `method` (any case; `upload`, `oauth`) so far, refused ones included.
    pub fn requests(&self, method: &str) -> usize {
        let method = method.to_ascii_lowercase();
        self.desk
            .portal()
            .truth
            .requests
            .iter()
            .filter(|r| r.method == method)
            .count()
    }

    /// Stops listening and drops the open connections.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Listens again on the same port.
    ///
    /// # Errors
    /// When the thread can't be made.
    pub fn start_again(&self) -> io::Result<()> {
        self.server.start_again()
    }
}
