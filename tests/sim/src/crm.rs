//! A receiving CRM that speaks callspool's webhook contract (Standard Webhooks 1.0.0), records what it gets,
//! complains about what it should not get, and misbehaves on demand.
//!
//! - `POST /hook`: `{"type", "timestamp", "data": {"call", ...}}` with type `call.completed`, `call.missed`,
//!   `call.updated` (answer 204) or `recording.ready` with `data.{call, recording, bytes, sha256,
//!   content_type}`. To the last it answers `{"upload": {"url", "headers"}}`, or `{"stored": {"sha256"}}` for
//!   what it holds already.
//! - `PUT <url>` with the given headers, `content-length`, `content-type`, `content-digest` (RFC 9530) and the
//!   announcement's `webhook-id`: 201 `{"stored": {"sha256"}}`, 200 for a repeat.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use axum::Router;
use axum::routing::{post, put};

mod by_hand;
pub(crate) mod certs;
mod desk;
mod fault;
mod hook;
mod reply;
pub(crate) mod serve;
pub(crate) mod sign;
mod state;
mod upload;

pub use by_hand::{ByHand, run_by_hand};
pub use fault::{At, Fault, RetryAfter, Times};
pub use state::{Announcement, Answer, Attempt, CallEvent, Door, State, StoredRecording, Violation};

use certs::Authority;
use desk::Desk;
use serve::Server;
use sign::Secret;

/// How to start a [`Crm`]; the default is plain HTTP on a free port with a random secret.
#[derive(Debug, Clone)]
pub struct CrmConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// HTTPS with a certificate for `localhost` and `127.0.0.1`, signed by [`Handle::ca_pem`].
    pub tls: bool,
    /// `whsec_<base64>` of 24 to 64 bytes; `None` makes a random one.
    pub secret: Option<String>,
    /// How far `webhook-timestamp` may be from this machine's clock; `None` doesn't look, for tests whose
    /// clock runs at another speed. The default is the standard's 5 minutes.
    pub tolerance: Option<Duration>,
    /// Keep the bytes of uploads in memory.
    pub keep_audio: bool,
    /// What upload addresses begin with. By default the `Host` that the sender wrote, so that who comes by way
    /// of a [`Line`](crate::line::Line) also uploads by way of it.
    pub base: Option<String>,
    /// Gets one line for a human about each thing that arrives. Ids only: no numbers, no names.
    pub on_event: Option<Sender<String>>,
}

impl Default for CrmConfig {
    fn default() -> Self {
        Self {
            port: 0,
            tls: false,
            secret: None,
            tolerance: Some(Duration::from_secs(300)),
            keep_audio: false,
            base: None,
            on_event: None,
        }
    }
}

/// The simulated CRM.
pub struct Crm;

impl Crm {
    /// Starts it in a thread of its own; it serves when this returns.
    ///
    /// # Errors
    /// When the port is taken or the secret is not a `whsec_` one.
    pub fn start(config: CrmConfig) -> io::Result<Handle> {
        let secret = match &config.secret {
            Some(text) => Secret::parse(text),
            None => Secret::random(),
        };
        let secret = secret.map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let desk = Arc::new(Desk::new(secret, &config));
        let router = Router::new()
            .route("/hook", post(hook::take))
            .route("/upload/{token}", put(upload::take))
            .with_state(Arc::clone(&desk));
        let (tls, ca_pem) = if config.tls {
            let authority = Authority::new("callspool simulated CRM CA")?;
            (
                Some(authority.server()?.server_config()?),
                Some(authority.pem().to_owned()),
            )
        } else {
            (None, None)
        };
        let server = Server::start(config.port, tls, router)?;
        Ok(Handle { server, desk, ca_pem })
    }
}

/// A running CRM; dropping it stops it.
pub struct Handle {
    server: Server,
    desk: Arc<Desk>,
    ca_pem: Option<String>,
}

impl Handle {
    /// Where events go to.
    pub fn hook_url(&self) -> String {
        self.hook_url_by_way_of(self.addr())
    }

    /// The same through another address that leads here, such as a [`Line`](crate::line::Line)'s.
    pub fn hook_url_by_way_of(&self, addr: std::net::SocketAddr) -> String {
        format!("{}://{addr}/hook", if self.desk.tls { "https" } else { "http" })
    }

    /// Where it listens; the port stays the same, and reserved, over `stop` and `start_again`.
    pub fn addr(&self) -> std::net::SocketAddr {
        self.server.addr()
    }

    /// The shared secret, `whsec_...`.
    pub fn secret(&self) -> &str {
        self.desk.secret.text()
    }

    /// The CA that signed its certificate; `None` for plain HTTP.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Refuses connections and drops the open ones. What it knows, it keeps.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Serves again on the same port.
    ///
    /// # Errors
    /// When the thread or its listener can't be made.
    pub fn start_again(&self) -> io::Result<()> {
        self.server.start_again()
    }

    /// Arms a fault; several wait in line, and a request meets the first that is meant for it.
    pub fn fault(&self, at: At, fault: Fault, times: Times) {
        self.desk.faults().arm(at, fault, times);
    }

    /// Behaves well again.
    pub fn clear_faults(&self) {
        self.desk.faults().clear();
    }

    /// Applied events of calls, in order of arrival.
    pub fn calls(&self) -> Vec<CallEvent> {
        self.desk.state().calls.clone()
    }

    /// Recordings held.
    pub fn recordings(&self) -> Vec<StoredRecording> {
        self.desk.state().recordings.clone()
    }

    /// Every request so far, those in work included.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.desk.state().attempts.clone()
    }

    /// Every breach of the contract so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.desk.state().violations.clone()
    }

    /// Looks at everything at once.
    pub fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.desk.state())
    }

    /// Waits until the state is as wished; false when `within` is over first. Looks after each change, so
    /// there is nothing to poll.
    pub fn wait_until(&self, within: Duration, wished: impl FnMut(&State) -> bool) -> bool {
        self.desk.wait_until(within, wished)
    }
}
