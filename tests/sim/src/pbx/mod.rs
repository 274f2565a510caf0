//! A simulated 3CX v20 with its Configuration API (XAPI), after the 20.0.10 specification and what public clients
//! report of real ones.
//!
//! Its content is a pure function of seed, settings and simulated time: calls are scheduled from the seed, a row
//! shows up some seconds after its call's end, a recording some more later. Tests may place calls besides.

pub mod audio;
pub mod auth;
pub mod call;
mod callcontrol;
pub mod cdr;
pub mod company;
pub mod config;
mod control;
pub mod directory;
pub mod faults;
mod filter;
pub mod ids;
mod layout;
pub mod odata;
pub mod recordings;
mod reply;
pub mod report;
mod system;
pub mod traffic;
pub mod v18;
mod view;
pub mod world;
mod xapi;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use callcontrol::CallControl;
pub use cdr::{CdrHandle, CdrOutput, CdrWay};
pub use config::{Codec, Licence, PbxConfig, Principal};
pub use faults::{Fault, FaultKind, Faults, PathKind};
pub use traffic::{CallKind, CallPlan};
pub use world::{TrueCall, TrueRecording, TrueRow};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use axum::middleware::map_response_with_state;

use crate::http::Server;
use crate::time::{SimTime, http_date};
use auth::Tokens;
use world::World;

/// Everything that the handlers of requests share.
pub(crate) struct Shared {
    world: World,
    tokens: Tokens,
    sessions: v18::Sessions,
    requests: BTreeMap<PathKind, u64>,
    secrets_served: u64,
    sockets_opened: u64,
    sockets_cut: u64,
}

/// What a running PBX is made of; clones are the same PBX.
#[derive(Clone)]
pub(crate) struct Exchange {
    shared: Arc<Mutex<Shared>>,
    faults: Faults,
    time: SimTime,
}

impl Exchange {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A test that panicked while it held the lock shouldn't hide its own message behind a poisoned lock.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The build that is shown now.
    fn version(&self) -> String {
        self.lock().world.config.version.clone()
    }

    /// Shows and simulates another build from now on. From before Update 6 to it or later, calls so far move to the old
    /// source. The PBX restarts with it, so nobody's token is good any more.
    fn upgrade(&self, version: &str) {
        let now_ms = self.time.now_ms();
        let mut shared = self.lock();
        let before = shared.world.config.at_least_update(6);
        shared.world.config.version = version.to_owned();
        if !before && shared.world.config.at_least_update(6) {
            shared.world.config.upgraded_at_ms = Some(now_ms);
        }
        shared.sessions.end();
        shared.tokens.revoke();
        shared.sessions.end();
    }
}

/// Every answer carries the PBX's own time.
async fn dated(State(pbx): State<Exchange>, mut response: Response<Body>) -> Response<Body> {
    let clock_ms = pbx.lock().world.clock_ms(pbx.time.now_ms());
    if let Ok(value) = HeaderValue::from_str(&http_date(clock_ms)) {
        response.headers_mut().insert(header::DATE, value);
    }
    response
}

/// The simulated PBX.
pub struct Pbx;

impl Pbx {
    /// Generates the company and its calls, and starts to answer.
    ///
    /// # Errors
    /// If the port is taken or no certificate can be made.
    pub fn start(config: PbxConfig) -> io::Result<Handle> {
        let (port, tls) = (config.port, config.tls);
        let inner = Exchange {
            time: config.time.clone(),
            faults: Faults::default(),
            shared: Arc::new(Mutex::new(Shared {
                world: World::generate(config),
                tokens: Tokens::default(),
                sessions: v18::Sessions::default(),
                requests: BTreeMap::new(),
                secrets_served: 0,
                sockets_opened: 0,
                sockets_cut: 0,
            })),
        };
        let router = xapi::router(inner.clone()).layer(map_response_with_state(inner.clone(), dated));
        let server = Server::start(router, port, tls)?;
        Ok(Handle {
            inner,
            server: Mutex::new(server),
        })
    }
}

/// A running PBX in a test's hand. Dropping it stops the PBX.
pub struct Handle {
    inner: Exchange,
    server: Mutex<Server>,
}

impl Handle {
    pub(crate) fn exchange(&self) -> Exchange {
        self.inner.clone()
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The base address, without a slash at its end.
    pub fn url(&self) -> String {
        self.server().url()
    }

    /// SHA-256 of the certificate's SubjectPublicKeyInfo; `None` over plain HTTP.
    pub fn spki_sha256(&self) -> Option<[u8; 32]> {
        self.server().certificate().map(|c| c.spki_sha256)
    }

    /// The certificate, DER; `None` over plain HTTP.
    pub fn certificate_der(&self) -> Option<Vec<u8>> {
        self.server().certificate().map(|c| c.der.clone())
    }

    /// Client id and API key.
    pub fn credentials(&self) -> (String, String) {
        let shared = self.inner.lock();
        (
            shared.world.config.client_id.clone(),
            shared.world.config.client_secret.clone(),
        )
    }

    /// The clock.
    pub fn time(&self) -> SimTime {
        self.inner.time.clone()
    }

    /// Cuts the line: stops listening and drops open connections. The company goes on telephoning.
    pub fn stop(&self) {
        self.server().stop();
    }

    /// Listens again, on the same port, with the same content.
    ///
    /// # Errors
    /// If somebody else took the port meanwhile.
    pub fn start_again(&self) -> io::Result<()> {
        self.server().start_again()
    }

    /// Restarts on the same port with another key.
    ///
    /// # Errors
    /// As [`Handle::start_again`].
    pub fn regenerate_certificate(&self) -> io::Result<()> {
        self.server().regenerate_certificate()
    }

    /// The switchboard of faults.
    pub fn faults(&self) -> Faults {
        self.inner.faults.clone()
    }

    /// Tokens that were given out.
    pub fn logins(&self) -> u64 {
        self.inner.lock().tokens.logins().0
    }

    /// Sessions of the management console that were given out.
    pub fn console_logins(&self) -> u64 {
        self.inner.lock().sessions.given()
    }

    /// Ends all sessions of the management console.
    pub fn end_sessions(&self) {
        self.inner.lock().sessions.end();
    }

    /// How often an object was opened in the console's editor, and how often one was saved.
    pub fn editor(&self) -> (u64, u64) {
        let shared = self.inner.lock();
        (shared.sessions.opened, shared.sessions.saved)
    }

    /// The calls as the management console shows them now, oldest first.
    pub fn console_calls(&self) -> Vec<v18::ConsoleCall> {
        let now_ms = self.inner.time.now_ms();
        v18::console_calls(&self.inner.lock().world, now_ms)
    }

    /// Gives a person another name. False if there is no such extension.
    pub fn rename(&self, extension: &str, first: &str, last: &str) -> bool {
        let mut shared = self.inner.lock();
        let person = shared.world.company.people.iter_mut().find(|p| p.number == extension);
        person
            .map(|p| (p.first, p.last) = (first.to_owned(), last.to_owned()))
            .is_some()
    }

    /// Makes a call longer in the log than it was written at first.
    pub fn lengthen(&self, main_id: &str, by_ms: i64) {
        self.inner.lock().world.change_rows(main_id, |row| {
            if row.talk_ms > 0 {
                row.talk_ms += by_ms;
            }
        });
    }

    /// Logins that were refused.
    pub fn refused_logins(&self) -> u64 {
        self.inner.lock().tokens.logins().1
    }

    /// Makes all tokens worthless.
    pub fn revoke_tokens(&self) {
        self.inner.lock().tokens.revoke();
    }

    /// Gives the API client another key.
    pub fn change_secret(&self, secret: &str) {
        self.inner.lock().world.config.client_secret = secret.to_owned();
    }

    /// Requests of one kind so far.
    pub fn requests(&self, path: PathKind) -> u64 {
        self.inner.lock().requests.get(&path).copied().unwrap_or(0)
    }

    /// Changes how the Call Control API behaves; open sockets stay as they are until they are cut.
    pub fn set_call_control(&self, settings: CallControl) {
        self.inner.lock().world.config.call_control = settings;
    }

    /// Cuts every open Call Control socket.
    pub fn cut_sockets(&self) {
        self.inner.lock().sockets_cut += 1;
    }

    /// Call Control sockets that were opened so far.
    pub fn sockets_opened(&self) -> u64 {
        self.inner.lock().sockets_opened
    }

    /// Answers of `/Users` that held passwords because the client didn't choose its fields.
    pub fn secrets_served(&self) -> u64 {
        self.inner.lock().secrets_served
    }

    /// All calls that are over by now, whether or not the API shows them yet.
    pub fn truth(&self) -> Vec<TrueCall> {
        let now_ms = self.inner.time.now_ms();
        self.inner.lock().world.truth(now_ms)
    }

    /// The file of a recording as it was made; `None` if there never was one.
    pub fn audio(&self, recording_id: i32) -> Option<Vec<u8>> {
        self.inner.lock().world.audio(recording_id)
    }

    /// Places a call and says what it is (or is going to be).
    pub fn place_call(&self, plan: CallPlan) -> TrueCall {
        let now_ms = self.inner.time.now_ms();
        self.inner.lock().world.place(&plan, now_ms)
    }

    /// Deletes a recording, as somebody in the web client would. False if there is none.
    pub fn delete_recording(&self, id: i32) -> bool {
        self.change_recording(id, |r| r.deleted = true)
    }

    /// Loses a recording's file; it is still listed. False if there is none.
    pub fn lose_file(&self, id: i32) -> bool {
        self.change_recording(id, |r| r.file_lost = true)
    }

    /// Moves a recording to remote storage. It can still be downloaded; see [`Handle::lose_file`] for one that can't.
    pub fn archive_recording(&self, id: i32) -> bool {
        self.change_recording(id, |r| r.archived = true)
    }

    /// Gives a recording its transcript now.
    pub fn transcribe_recording(&self, id: i32, text: &str) -> bool {
        let now_ms = self.inner.time.now_ms();
        self.change_recording(id, |r| {
            (r.transcript, r.transcribed_ms) = (text.to_owned(), Some(now_ms))
        })
    }

    fn change_recording(&self, id: i32, change: impl FnOnce(&mut call::Recording)) -> bool {
        self.inner.lock().world.recording_mut(id).map(change).is_some()
    }

    /// Gives a person another role in the primary department. False if there is no such extension.
    pub fn change_role(&self, extension: &str, role: &str) -> bool {
        let mut shared = self.inner.lock();
        let person = shared.world.company.people.iter_mut().find(|p| p.number == extension);
        person
            .and_then(|p| p.memberships.first_mut())
            .map(|m| m.role = role.to_owned())
            .is_some()
    }

    /// Removes a person. The calls stay. False if there is no such extension.
    pub fn remove_user(&self, extension: &str) -> bool {
        let mut shared = self.inner.lock();
        let people = &mut shared.world.company.people;
        let before = people.len();
        people.retain(|p| p.number != extension);
        people.len() < before
    }

    /// Changes what the API client may see; `department: None` is "System Wide".
    pub fn set_principal(&self, principal: Principal) {
        self.inner.lock().world.config.principal = principal;
    }

    /// What the API client may see now, and whether its address was blacklisted meanwhile.
    pub fn principal(&self) -> Principal {
        self.inner.lock().world.config.principal.clone()
    }

    /// Takes the asking address off the PBX's blacklist.
    pub fn take_off_blacklist(&self) {
        let mut shared = self.inner.lock();
        shared.world.config.principal.blacklisted = false;
        shared.tokens.forgive();
    }

    /// Shows and simulates another build from now on, as after an upgrade: calls of before Update 6 move to the old
    /// source, and tokens and sessions are worth nothing any more.
    pub fn upgrade(&self, version: &str) {
        self.inner.upgrade(version);
    }

    /// Restores the PBX from a backup of the time `to_ms`: calls that ended later are forgotten, and the ids of their
    /// recordings are given to new ones.
    pub fn restore_backup(&self, to_ms: i64) {
        let now_ms = self.inner.time.now_ms();
        let mut shared = self.inner.lock();
        shared.world.restore_backup(to_ms, now_ms);
        shared.tokens.revoke();
    }

    /// The PBX's clock jumps: calls that begin from now on, answers and tokens are stamped by it.
    pub fn jump_clock(&self, ms: i64) {
        let now_ms = self.inner.time.now_ms();
        self.inner.lock().world.jump_clock(ms, now_ms);
    }

    /// Changes settings of the running PBX: retention, archive, quota, and whatever is read anew with each request.
    pub fn configure(&self, change: impl FnOnce(&mut PbxConfig)) {
        change(&mut self.inner.lock().world.config);
    }

    /// The company as it is now.
    pub fn company(&self) -> company::Company {
        self.inner.lock().world.company.clone()
    }

    /// Number of calls in the schedule, past and future, without placed ones.
    pub fn calls_total_scheduled(&self) -> usize {
        self.inner.lock().world.scheduled()
    }
}
