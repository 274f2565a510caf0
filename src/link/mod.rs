//! The link to the dashboards: MQTT 3.1.1.
//!
//! Under `<topic>/<id>/` it keeps `status`, `birth` and `state` retained and publishes every event of the outbox. The
//! outbox in the store is the only queue: a row goes when the broker has acknowledged it, and every row that is left
//! is offered again on the next connection. Each connection is made anew, with files read anew, and the pause between
//! two of them is ours: the client library below keeps neither promises nor pauses.
//!
//! [`run`] (this file) makes connections one after another, `session` lives through one, `window` knows which rows
//! are under way, `envelope` is what they look like on the wire, `suspicion` which event breaks connections, `proof` whether
//! anybody hears them, `snapshot` when `state` is due, `commands` takes what dashboards ask for, `discovery` is what Home
//! Assistant is told, `client` and `tls` are the library and its security, `failure` puts into words what went wrong,
//! `report` tells it; [`forget()`] takes away what the broker keeps of a box. What is said stands in [`crate::contract`].

pub(crate) mod client;
mod commands;
mod discovery;
mod envelope;
pub(crate) mod expiry;
pub(crate) mod failure;
mod forget;
mod inbox;
mod knock;
mod proof;
mod report;
pub(crate) mod retry;
mod session;
mod snapshot;
mod status;
mod suspicion;
pub(crate) mod tls;
mod window;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::config;
use crate::contract::{self, Birth, State, Update};
use crate::health::Health;
use crate::store::Store;
use report::Report;
use retry::Retry;
use session::End;
use suspicion::Suspicion;

pub use commands::Remote;
pub use forget::{forget, kept};
pub(crate) use knock::try_login;
pub use status::LinkStatus;

/// What the link is made of. It stands below the agent, so identity and state come as plain data.
#[derive(Clone)]
pub struct Setup {
    /// The broker and how to reach it.
    pub config: config::Mqtt,
    /// Where the outbox of events is.
    pub store: Store,
    /// The agent's clock: pauses and periods follow it. Keep-alive and time limits on the wire are real time.
    pub clock: Clock,
    /// Where the items `mqtt-…` are put.
    pub health: Health,
    /// The box's id: its topics are `<topic>/<id>/…`, its MQTT client id is `callspool-<id>`.
    pub id: String,
    /// `birth`, published after each connect.
    pub birth: Birth,
    /// `update`, published after each connect and when it changes; made at once, without a look at the disk.
    pub update: Arc<dyn Fn() -> Update + Send + Sync>,
    /// The targets' names, for Home Assistant.
    pub targets: Vec<String>,
    /// Makes a fresh `state`. It may read the store: it is called on a thread that may block.
    pub state: Arc<dyn Fn() -> State + Send + Sync>,
    /// Does what commands ask for; `None`: there are none.
    pub remote: Option<Arc<dyn Remote>>,
    /// Told (`notify_one`) of each new event row.
    pub events: Arc<Notify>,
    /// Told (`notify_one`) when something that `state` shows has changed. The link must be the only one who waits
    /// for it: `notify_one` wakes one.
    pub changed: Arc<Notify>,
    /// Kept up to date by the link.
    pub status: Arc<Mutex<LinkStatus>>,
}

/// Keeps the link until `stop` becomes `true` (or its sender is dropped), and returns after a clean end: `offline`
/// published and acknowledged, disconnected, at the latest two seconds later. It never fails: what goes wrong is a
/// health item, and it is tried again.
pub async fn run(setup: Setup, mut stop: watch::Receiver<bool>) {
    let report = Report::new(&setup);
    let mut retry = Retry::default();
    let mut suspicion = Suspicion::default();
    let mut first = true;
    loop {
        let mut healthy_for = Duration::ZERO;
        let failure =
            match session::run(&setup, &report, &mut stop, &mut healthy_for, &mut suspicion, &mut first).await {
                End::Stopped => break,
                End::Failed(failure) => failure,
            };
        let pause = retry.pause_after(healthy_for);
        report.down(&failure, pause);
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = tokio::time::sleep(setup.clock.real(pause)) => {}
        }
    }
    report.stopped();
}

/// Returns when the agent stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender is an agent that is gone: an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}
