//! The binary beside a simulated PBX, and what it printed.

pub(crate) use crate::rig;
pub use crate::rig::front::Front;
pub use crate::rig::world::{PATIENCE, crm, delivered, over, quiet, told};
pub use crate::rig::{Process, Setup, callspool, status};
pub use callspool_sim::crm::{At, Fault, Times};
pub use callspool_sim::pbx::{self, CallPlan, PathKind, Pbx, PbxConfig};
pub use callspool_sim::time::SimTime;
pub use serde_json::Value;
pub use std::fs;
pub use std::process::{Command, Output};
pub use std::time::{Duration, Instant};

/// What makes the agent quick enough for a test in real time.
pub const QUICK: &str =
    "poll = \"200ms\"\nsweep = \"500ms\"\nsettle = \"300ms\"\nrights_every = \"2s\"\nbackfill = \"1d\"";

pub fn pbx(config: PbxConfig) -> pbx::Handle {
    Pbx::start(PbxConfig {
        time: SimTime::real(),
        ..config
    })
    .unwrap()
}

pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", out(output), err(output)))
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Outcomes of the doctor's checks by code.
pub fn outcomes(report: &Value) -> Vec<(String, String)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .map(|check| (text(&check["code"]), text(&check["outcome"])))
        .collect()
}

pub fn running(setup: &Setup) -> Process {
    let mut agent = Process::start(setup);
    agent.wait_until_up(setup);
    agent
}
