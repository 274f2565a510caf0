//! A box whose agent is supervised as systemd does it: started anew whenever it ends, killed when it gives no sign.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use callspool_sim::crm;
pub use callspool_sim::pbx::{self, Pbx, PbxConfig};
pub use callspool_sim::time::SimTime;
pub use serde_json::Value;

pub use crate::rig::world::{crm, over, quiet, told};
pub use crate::rig::{Process, Setup, binary, callspool, status};

/// Long: everything runs on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A box beside a PBX and a CRM that run in real time.
pub struct Site {
    pub setup: Setup,
    pub pbx: pbx::Handle,
    pub crm: crm::Handle,
    pub agent: Process,
}

impl Site {
    /// A box that believes the test's key and keeps a release that was well for a second; `update` are more settings.
    pub fn new(name: &str, update: &str) -> Site {
        let pbx = Pbx::start(PbxConfig {
            time: SimTime::real(),
            ..quiet()
        })
        .unwrap();
        let crm = crm();
        let setup = Setup::new(name, &pbx, &pbx.url())
            .set("poll = \"200ms\"\nsweep = \"500ms\"\nsettle = \"300ms\"\nrights_every = \"2s\"\nbackfill = \"1d\"")
            .target("crm", &crm, &crm.hook_url())
            .set(&format!("[update]\nkeys_file = \"keys\"\ntrial = \"1s\"\n{update}"));
        fs::write(setup.folder.0.join("keys"), crate::maker::keys()).unwrap();
        let mut agent = Process::start(&setup);
        agent.wait_until_up(&setup);
        Site { setup, pbx, crm, agent }
    }

    /// `callspool update …`: its exit code and what it printed.
    pub fn update(&self, words: &[&str]) -> (i32, String) {
        let all: Vec<&str> = [&["update"], words].concat();
        let output = callspool(&self.setup, &all);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    /// What `update status --json` says, if the agent answers.
    pub fn standing(&self) -> Option<Value> {
        let output = callspool(&self.setup, &["update", "status", "--json"]);
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Starts the agent anew whenever it ends, and kills it if it is not up within `sign`, until `done`.
    pub fn supervise(&mut self, what: &str, sign: Duration, mut done: impl FnMut(&Site) -> bool) {
        let (end, mut since) = (Instant::now() + PATIENCE, Instant::now());
        while !done(self) {
            assert!(Instant::now() < end, "still not: {what}\n{}", self.agent.said());
            if self.agent.ended() {
                self.agent = Process::start(&self.setup);
                since = Instant::now();
            } else if status(&self.setup).is_some() {
                since = Instant::now();
            } else if since.elapsed() > sign {
                self.agent.kill();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The same until this version runs and is in this state.
    pub fn until_runs(&mut self, version: &str, state: &str, sign: Duration) -> Value {
        let mut last = Value::Null;
        self.supervise(&format!("{version} is {state}"), sign, |site| {
            if status(&site.setup).is_none() {
                return false;
            }
            last = site.standing().unwrap_or_default();
            last["version"] == version && last["state"] == state
        });
        last
    }

    /// A call that ends now comes to the CRM.
    pub fn delivers(&mut self) {
        let call = self.pbx.place_call(over(true));
        self.supervise("a call is delivered", PATIENCE, |site| {
            told(&site.crm, &call.main_call_history_id)
        });
    }
}

/// This very program as if it were another version: every place where its version is written says the other.
pub fn this_as(version: &str) -> Vec<u8> {
    let own = env!("CARGO_PKG_VERSION").as_bytes();
    assert_eq!(own.len(), version.len());
    let mut program = fs::read(binary()).unwrap();
    let mut at = 0;
    while let Some(found) = program[at..].windows(own.len()).position(|window| window == own) {
        program[at + found..at + found + own.len()].copy_from_slice(version.as_bytes());
        at += found + own.len();
    }
    program
}

/// Puts a release beside the box.
pub fn put(setup: &Setup, bytes: &[u8]) -> PathBuf {
    let file = setup.folder.0.join("release");
    fs::write(&file, bytes).unwrap();
    file
}
