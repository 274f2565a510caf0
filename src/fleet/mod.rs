//! The page of many boxes: `callspool-fleet --broker mqtts://…`, made of what they say over MQTT and of nothing else.
//!
//! [`prepare`] opens the history and listens; [`run`] subscribes, keeps, and answers until it is told to stop. Nothing of
//! a box's own software runs here, and nothing here is needed by a box.
//!
//! | file | what |
//! |---|---|
//! | `boxes` | what is known of every box, and how it is judged |
//! | `broker` | the subscription, and commands on their way out |
//! | `history` | the file that outlives a restart |
//! | `hub` | what all of it shares |
//! | `routes`, `door`, `login` | every route with what it needs; who is let in |
//! | `list`, `one`, `graph`, `live`, `orders` | the pages, live updates, the buttons |
//! | `export` | Prometheus and JSON |

mod boxes;
mod broker;
mod door;
mod export;
mod graph;
mod history;
mod hub;
mod list;
mod live;
mod login;
mod one;
mod orders;
mod routes;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::interval;

pub use routes::{Needs, ROUTES, Route};

use crate::clock::Clock;
use crate::config;
use crate::files;
use crate::random;
use crate::web::{self, frame};
use hub::Hub;

/// Connections at a time: a desk of people, each with a page that is kept up to date.
const CONNECTIONS: usize = 256;

/// A fleet's page that is ready: it listens already.
pub struct Prepared {
    /// The password, only on the run that made it.
    pub first_password: Option<String>,
    /// Where it stands until somebody has logged in with it.
    pub first_file: PathBuf,
    /// SHA-256 of the page's certificate.
    pub fingerprint: String,
    /// Where it listens; the ports are the real ones.
    pub addresses: Vec<SocketAddr>,
    hub: Hub,
    orders: mpsc::Receiver<broker::Outgoing>,
    shown: frame::Shown,
    listeners: Vec<TcpListener>,
}

/// Opens history and page. Blocking: a first start makes a key and hashes a password.
///
/// # Errors
/// In words: the folder, the file, the certificate or an address can't be used.
pub fn prepare(config: config::Fleet, clock: Clock) -> Result<Prepared, String> {
    files::make_folder(&config.state_dir).map_err(|error| error.to_string())?;
    let history = history::History::open(&config.state_dir).map_err(|error| error.to_string())?;
    let mut settings = history.settings();
    let said = |error: web::Error| error.to_string();
    let first_password = frame::make_first(&mut settings, &config.state_dir).map_err(said)?;
    let shown =
        frame::keep_certificate(&config.state_dir.join("tls"), &config.web, clock.wall_ms()).map_err(said)?;
    let listeners = web::listen(&config.web).map_err(said)?;
    let addresses = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let (send, orders) = mpsc::channel(64);
    let first_file = frame::first_file(&config.state_dir);
    let hub = Hub::new(config, clock, history, send).map_err(|error| error.to_string())?;
    Ok(Prepared {
        first_password,
        first_file,
        fingerprint: shown.fingerprint.clone(),
        addresses,
        hub,
        orders,
        shown,
        listeners,
    })
}

/// Asks the broker once for all that it keeps, and gives it as JSON or in Prometheus' text format. It needs no page and
/// leaves nothing behind.
///
/// # Errors
/// In words, if the broker did not tell everything within `patience`.
pub async fn export(
    config: config::Fleet,
    clock: Clock,
    as_json: bool,
    patience: Duration,
) -> Result<String, String> {
    // A page may be running on the state folder.
    let folder = std::env::temp_dir().join(format!("callspool-fleet-{}", random::token::<8>()));
    files::make_folder(&folder).map_err(|error| error.to_string())?;
    let made = history::History::open(&folder).and_then(|history| {
        let (send, orders) = mpsc::channel(1);
        Ok((Hub::new(config, clock, history, send)?, orders))
    });
    let told = match made {
        Err(error) => Err(error.to_string()),
        Ok((hub, orders)) => {
            let (stop, stopped) = watch::channel(false);
            let link = tokio::spawn(broker::run(hub.clone(), orders, stopped));
            let told = match hub.settled(patience).await {
                true if as_json => Ok(format!("{:#}\n", export::json(&hub))),
                true => Ok(export::prometheus(&hub)),
                false => Err(hub
                    .link()
                    .trouble
                    .unwrap_or_else(|| "the broker has not told everything in time".to_owned())),
            };
            stop.send_replace(true);
            let _ = link.await;
            told
        }
    };
    let _ = std::fs::remove_dir_all(&folder);
    told
}

/// Runs until `stop` says `true`.
///
/// # Errors
/// If the page can't be served.
pub async fn run(prepared: Prepared, mut stop: watch::Receiver<bool>) -> Result<(), web::Error> {
    let hub = prepared.hub;
    let link = tokio::spawn(broker::run(hub.clone(), prepared.orders, stop.clone()));
    let keeper = tokio::spawn(hub.clone().keep_history());
    let (show, showing) = watch::channel(prepared.shown);
    let router = routes::router(hub.clone(), stop.clone());
    let mut doors = frame::open(router, prepared.listeners, showing, CONNECTIONS, &stop)?;
    let mut look = interval(frame::LOOK);
    look.tick().await;
    loop {
        tokio::select! {
            () = frame::stopped(&mut stop) => break,
            _ = look.tick() => {
                let folder = hub.config().state_dir.join("tls");
                frame::renew(folder, hub.config().web.clone(), hub.now(), &show).await;
            }
        }
    }
    while doors.join_next().await.is_some() {}
    let _ = link.await;
    keeper.abort();
    hub.keep(false).await;
    Ok(())
}
