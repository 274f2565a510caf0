//! What the stand-ins of CRMs with a REST interface of their own share: the desk that takes requests, faults on demand, the
//! rate, the credential, and one kind of truth for tests to look at. Each CRM is a `Vendor` with its own addresses, words
//! and refusals: [`hubspot`](crate::hubspot), [`pipedrive`](crate::pipedrive), [`espocrm`](crate::espocrm).

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod ask;
mod desk;
mod form;
mod truth;

pub(crate) use ask::{Ask, Reply, decoded, number, only, text};
pub use truth::{Call, Contact, Recording, Request, Task, Truth, User};

use crate::bitrix24::{Fault, Times};
use crate::crm::serve::Server;
use crate::crm::sign::{hex, random_bytes};
use crate::time::SimTime;
pub(crate) use desk::Why;
use desk::{Desk, router};
pub(crate) use form::parts;

/// The settings of a stand-in. Start from `Default` and change what the test is about.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The clock of limits and of what is indexed late.
    pub time: SimTime,
    /// Requests that a window takes, and its length in ms; `None` for the CRM's documented one.
    pub rate: Option<(usize, i64)>,
    /// Who works there. The first is the one whose credential it is.
    pub users: Vec<User>,
    /// Whom the CRM knows.
    pub contacts: Vec<Contact>,
    /// Keep the bytes of recordings in memory.
    pub keep_audio: bool,
    /// The CRM has another name now: everything is redirected there.
    pub moved_to: Option<String>,
    /// After so many ms an object is found by the search (HubSpot: "may take a few moments").
    pub search_lag_ms: i64,
    /// Whether a property that must be unique can be made (HubSpot).
    pub unique_properties: bool,
}

impl Default for Config {
    /// One user, nobody known, the documented rate.
    fn default() -> Self {
        Self {
            port: 0,
            time: SimTime::real(),
            rate: None,
            users: vec![User::new("1", "Owner of the token", "")],
            contacts: Vec::new(),
            keep_audio: true,
            moved_to: None,
            search_lag_ms: 10_000,
            unique_properties: true,
        }
    }
}

/// One CRM's own ways.
pub(crate) trait Vendor: Send {
    /// The name of what is asked, for faults and counts; `None` if there is no such address.
    fn route(&self, ask: &Ask) -> Option<&'static str>;

    /// Whether the credential is the right one.
    fn knows(&self, ask: &Ask, token: &str) -> bool;

    /// How it says no.
    fn refuse(&self, why: &Why) -> Reply;

    /// Its documented window: requests and ms.
    fn rate(&self) -> (usize, i64);

    /// Does what is asked.
    fn serve(&mut self, desk: &mut State, route: &str, ask: &Ask) -> Result<Reply, Why>;
}

/// What the vendor works on.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) truth: Truth,
    pub(crate) token: String,
    pub(crate) denied: BTreeSet<String>,
    /// When each request of the window came.
    recent: Vec<i64>,
    next: u64,
}

impl State {
    /// The next id of whatever it is.
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.config.time.now_ms()
    }

    /// A recording that came in.
    pub(crate) fn recording(&self, id: String, name: &str, content: &[u8]) -> Recording {
        Recording {
            id,
            name: name.to_owned(),
            sha256: hex(ring::digest::digest(&ring::digest::SHA256, content).as_ref()),
            bytes: content.len() as u64,
            audio: if self.config.keep_audio {
                content.to_vec()
            } else {
                Vec::new()
            },
        }
    }

    /// Deletes a call; whether there was one. What hangs at it hangs at nothing then.
    pub(crate) fn delete_call(&mut self, id: &str) -> bool {
        let Some(at) = self.truth.calls.iter().position(|call| call.id == id) else {
            return false;
        };
        let call = self.truth.calls.remove(at);
        self.truth.loose.extend(call.recordings);
        true
    }

    /// Deletes a task; whether there was one.
    pub(crate) fn delete_task(&mut self, id: &str) -> bool {
        let before = self.truth.tasks.len();
        self.truth.tasks.retain(|task| task.id != id);
        self.truth.tasks.len() < before
    }

    /// Deletes a file, wherever it hangs; whether there was one.
    pub(crate) fn delete_file(&mut self, id: &str) -> bool {
        let truth = &mut self.truth;
        let places = truth.calls.iter_mut().map(|call| &mut call.recordings);
        places.chain([&mut truth.loose]).any(|files| {
            let before = files.len();
            files.retain(|file| file.id != id);
            files.len() < before
        })
    }

    /// The call with this id.
    pub(crate) fn call(&mut self, id: &str) -> Option<&mut Call> {
        self.truth.calls.iter_mut().find(|call| call.id == id)
    }
}

/// A running stand-in; dropping it stops it.
pub struct Handle {
    server: Server,
    desk: Arc<Desk>,
}

pub(crate) fn start(config: Config, vendor: Box<dyn Vendor>) -> io::Result<Handle> {
    let port = config.port;
    let state = State {
        config,
        truth: Truth::default(),
        token: token(),
        denied: BTreeSet::new(),
        recent: Vec::new(),
        next: 1_000,
    };
    let desk = Arc::new(Desk {
        state: Mutex::new(state),
        vendor: Mutex::new(vendor),
        faults: Mutex::default(),
    });
    let server = Server::start(port, None, router(Arc::clone(&desk)))?;
    Ok(Handle { server, desk })
}

/// 40 hexadecimal digits.
fn token() -> String {
    hex(&random_bytes::<20>().unwrap_or_default())
}

impl Handle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Its address, `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// The credential that it takes.
    pub fn token(&self) -> String {
        self.state().token.clone()
    }

    /// The credential is revoked; gives the new one.
    pub fn renew_token(&self) -> String {
        let mut state = self.state();
        state.token = token();
        state.token.clone()
    }

    /// Takes or gives the right to a route: it is then refused as the CRM refuses for want of a right.
    pub fn deny(&self, route: &str, denied: bool) {
        let mut state = self.state();
        if denied {
            state.denied.insert(route.to_owned());
        } else {
            state.denied.remove(route);
        }
    }

    /// Changes any of the settings while it runs.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        change(&mut self.state().config);
    }

    /// Arms a fault for the next requests of a route, or `*` for all. The code of [`Fault::Refuse`] is left out.
    pub fn fault(&self, route: &str, fault: Fault, times: Times) {
        self.desk.faults().arm(route, fault, times);
    }

    /// Whether an armed fault waits for its request still.
    pub fn has_faults(&self) -> bool {
        !self.desk.faults().is_empty()
    }

    /// Behaves well again.
    pub fn clear_faults(&self) {
        self.desk.faults().clear();
    }

    /// The calls that it holds, with their recordings.
    pub fn calls(&self) -> Vec<Call> {
        self.state().truth.calls.clone()
    }

    /// The recordings that hang at calls.
    pub fn recordings(&self) -> Vec<Recording> {
        let state = self.state();
        state
            .truth
            .calls
            .iter()
            .flat_map(|call| call.recordings.clone())
            .collect()
    }

    /// The tasks that it holds.
    pub fn tasks(&self) -> Vec<Task> {
        self.state().truth.tasks.clone()
    }

    /// Looks at all that is true there.
    pub fn with_truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.state().truth)
    }

    /// Requests of a route so far, refused ones included; of all for `*`.
    pub fn requests(&self, route: &str) -> usize {
        let state = self.state();
        let asked = state.truth.requests.iter();
        asked.filter(|one| route == "*" || one.route == route).count()
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.desk.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
