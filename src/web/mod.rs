//! The local page, over HTTPS, after a login: for technicians how the box is, its calls masked, what is on its way, and a
//! few buttons; for people their calls and recordings, exactly as far as they may. Every page works without JavaScript.
//!
//! [`prepare`] makes or loads what the page needs (key, certificate, password) and listens; [`serve`] answers until it
//! is told to stop. The page reads and asks flows to act, it never does their work. A store that doesn't answer can't
//! keep it from answering: each look into the store has its time, and what is known without it is shown.
//!
//! | file | what |
//! |---|---|
//! | `routes` | every route with the right that it needs: the one table behind router and tests |
//! | `server`, `certificate` | connections, TLS and their limits |
//! | `guard`, `hosts` | what every request must pass: name, origin, size, login; and the headers of every answer |
//! | `access`, `lock`, `password`, `accounts`, `limiter`, `sessions`, `login` | who is let in |
//! | `asker`, `visitor`, `objects` | what they hold, and how much of what they are shown |
//! | `listen`, `range`, `send` | recordings, to be heard and taken away |
//! | `metrics`, `scrape` | figures for a Prometheus, and the token that it shows |
//! | `audit`, `record` | what is written down about it, and who may read that |
//! | `me`, `who_may`, `explained` | rights in words |
//! | `site` | what all handlers share; looks into the store with a time limit |
//! | `overview` of `parts`, `ailments`, `figures`, `graphs` (drawn by `chart`); `calls` with `calls_form`, `call` with `timeline`, `queue`, `targets`, `checks`, `actions`, `live`, `api` | the pages, buttons, live updates, JSON |
//! | `setup`, `settings`, `forms`, `network`, `system`, `first_call` | the first set-up, and the settings afterwards |
//! | `update`, `multipart` | newer releases, and the form that sends one |
//! | `layout`, `words`, `language`, `assets` | how it looks, and in which language |

mod access;
mod accounts;
mod actions;
mod ailments;
mod api;
mod asker;
pub(crate) mod assets;
mod audit;
mod backup;
mod call;
mod calls;
mod calls_form;
mod certificate;
pub(crate) mod chart;
mod checks;
mod error;
mod explained;
mod figures;
mod first_call;
mod follow;
mod forms;
mod graphs;
mod guard;
mod hearing;
mod hosts;
mod keeping;
pub(crate) mod language;
mod layout;
mod limiter;
mod listen;
mod live;
mod lock;
mod login;
mod logs;
mod me;
mod metrics;
mod multipart;
mod network;
mod objects;
mod overview;
mod pace;
mod packed;
mod parts;
mod password;
mod queue;
mod range;
mod record;
mod routes;
pub(crate) mod scrape;
mod send;
mod server;
mod sessions;
mod settings;
mod setup;
mod site;
mod system;
mod targets;
mod timeline;
mod tokens;
mod update;
mod visitor;
mod who_may;
mod words;

use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::path::PathBuf;

use tokio::sync::watch;

pub use error::Error;
pub use password::{SHORTEST, hash_chosen, set_password};
pub use record::{as_csv, as_json_lines};
pub use routes::{Door, Needs, ROUTES, Route, SETUP_ROUTES};

use crate::agent::Handle;
use crate::config;
use crate::setup::BeginError;

/// What another page of this binary is built of: the same look, the same lock, the same limits.
pub(crate) mod frame {
    pub(crate) use super::certificate::{Shown, keep as keep_certificate};
    pub(crate) use super::guard::{AUTO, BODY, Ends, by_name, headers, origin, session_id, token as token_of};
    pub(crate) use super::hosts::{Hosts, hostname};
    pub(crate) use super::layout::{Mark, Refusal, as_json, bare, fact, icon, not_found, refuse, to, whole};
    pub(crate) use super::live::{END, RETRY, SAME, Stream, main as main_event};
    pub(crate) use super::lock::Lock;
    pub(crate) use super::login::{BUSY, pause, problem_of, rule, too_many, with_cookie};
    pub(crate) use super::password::{first_file, make_first};
    pub(crate) use super::server::{LOOK, open, renew, stopped};
    pub(crate) use super::sessions::{Found, Sessions};
    pub(crate) use super::site::lock;
    pub(crate) use super::words::{count, encoded, exact_moment, moment, size, stranger};
}

/// A page that is ready to be served: it listens already.
pub struct Prepared {
    /// The password, only on the run that made it: for the console. It also stands in [`Prepared::first_file`].
    pub first_password: Option<String>,
    /// The code that the set-up asks for, while the box waits for it: for the console.
    pub setup_code: Option<String>,
    /// Where the first password stands until somebody has logged in with it.
    pub first_file: PathBuf,
    /// SHA-256 of the certificate, as browsers show it: what a technician compares.
    pub fingerprint: String,
    /// Where it listens; the ports are the real ones where the configuration says 0.
    pub addresses: Vec<SocketAddr>,
    /// The first listener once more: kept open until another run takes its place, so that nobody finds the door locked.
    pub door: Option<TcpListener>,
    setting_up: bool,
    shown: certificate::Shown,
    listeners: Vec<TcpListener>,
}

/// Makes or loads certificate, key and password, and begins to listen. Blocking: a first start hashes and syncs.
pub fn prepare(handle: &Handle) -> Result<Prepared, Error> {
    let config = handle.config();
    let shown = certificate::keep(&tls_folder(handle), &config.web, handle.clock().wall_ms())?;
    let mut settings = handle.settings();
    let known = password::stored(&settings)?.is_some();
    let state = crate::setup::begin(&mut settings, config, known).map_err(|error| match error {
        BeginError::Store(error) => Error::Store(error),
        BeginError::Files(error) => Error::File(error),
    })?;
    let first_password = match state.open {
        true => None,
        false => password::make_first(&mut settings, &config.state_dir)?,
    };
    if let Err(error) = crate::setup::sweep_secrets(&config.state_dir, handle.store()) {
        log::warn!("secrets that are not used any more are left: {error}");
    }
    let listeners = listen(&config.web)?;
    let addresses = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    Ok(Prepared {
        first_password,
        setup_code: state.code,
        setting_up: state.open,
        door: listeners.first().and_then(|listener| listener.try_clone().ok()),
        first_file: password::first_file(&config.state_dir),
        fingerprint: shown.fingerprint.clone(),
        addresses,
        shown,
        listeners,
    })
}

/// Begins to listen on all addresses.
pub(crate) fn listen(web: &config::Web) -> Result<Vec<TcpListener>, Error> {
    let mut kept = handed_over();
    let mut one = |address: &SocketAddr| {
        kept.take_if(|kept| kept.local_addr().is_ok_and(|own| own == *address))
            .map_or_else(|| TcpListener::bind(address), Ok)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|source| Error::Listen {
                address: *address,
                source,
            })
    };
    web.listen.iter().map(&mut one).collect()
}

/// Says that a run before this one has left its listener at the standard input.
pub const HANDED_OVER: &str = "CALLSPOOL_DOOR";

/// The listener of the run before. Browsers that came in between wait in its queue.
fn handed_over() -> Option<TcpListener> {
    std::env::var_os(HANDED_OVER)?;
    let own = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    let nothing = std::fs::File::open("/dev/null").ok()?;
    rustix::stdio::dup2_stdin(&nothing).ok()?;
    let listener = TcpListener::from(own);
    listener.local_addr().is_ok().then_some(listener)
}

/// Answers until `stop` says `true`. Runs on a current-thread runtime beside others: it never blocks it.
pub async fn serve(handle: Handle, prepared: Prepared, stop: watch::Receiver<bool>) -> Result<(), Error> {
    for address in &prepared.addresses {
        log::info!(
            "the page is at https://{address}/, certificate SHA-256 {}",
            prepared.fingerprint
        );
    }
    let site = site::Site::new(handle, prepared.fingerprint, prepared.setting_up, stop.clone());
    site.access().take_sessions(site.handle());
    server::run(site.clone(), prepared.listeners, prepared.shown, stop).await?;
    // Whoever is logged in stays so over a restart that was asked for here.
    if *site.handle().parts().again.borrow() {
        site.access().leave_sessions(site.handle());
    }
    Ok(())
}

fn tls_folder(handle: &Handle) -> PathBuf {
    handle.config().state_dir.join("tls")
}
