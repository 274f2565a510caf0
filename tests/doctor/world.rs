//! A box whose doctor is asked, and what he found.

pub(crate) use crate::rig;
pub use crate::rig::world::{item, over, quiet};
pub use crate::rig::{InProcess, Process, Setup, callspool, rewrite_secret};
pub use callspool::agent::checks_without_agent;
pub use callspool::clock::Clock;
pub use callspool::doctor::{Check, Options, Outcome, Verdict};
pub use callspool::findings::{self, FINDINGS};
pub use callspool::pbx::{Error, Generation, Kind};
pub use callspool::store;
pub use callspool_sim::pbx::{self, Fault, FaultKind, Licence, PathKind, Pbx, PbxConfig, Principal};
pub use callspool_sim::time::SimTime;
pub use serde_json::Value;
pub use std::collections::BTreeSet;
pub use std::fs;
pub use std::net::TcpListener;
pub use std::path::Path;
pub use std::sync::Mutex;
pub use std::sync::atomic::{AtomicUsize, Ordering};
pub use std::time::{Duration, Instant};

/// One build of each kind: before and after the change of the token's unit (.9), of the call log (.6), and of what a
/// recording tells (.7, .8).
pub const BUILDS: [&str; 7] = [
    "20.0.4.561",
    "20.0.5.848",
    "20.0.6.724",
    "20.0.7.1080",
    "20.0.8.1109",
    "20.0.9.995",
    "20.0.10.101",
];

/// Quick, so that a row takes a moment.
pub const QUICK: &str =
    "poll = \"100ms\"\nsweep = \"300ms\"\nsettle = \"300ms\"\nrights_every = \"2s\"\nbackfill = \"1d\"";

/// Long enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(40);

pub struct Seen {
    pub lines: Vec<Check>,
    pub verdict: Verdict,
}

pub fn examine(setup: &Setup, clock: &Clock, options: &Options) -> Seen {
    let mut lines = Vec::new();
    let verdict = checks_without_agent(&setup.config(), clock, options, &mut |line| lines.push(line)).unwrap();
    Seen { lines, verdict }
}

pub fn setup(name: &str, pbx: &pbx::Handle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url()).set(QUICK);
    fs::create_dir_all(setup.state_dir()).unwrap();
    setup
}
