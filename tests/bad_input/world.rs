//! A box at work, what is done to the systems around it, and what must then be shown.

pub use crate::rig::world::{PATIENCE, crm, delivered, item, over, pbx_at, quiet, told, why};
pub use crate::rig::{InProcess, Setup, callspool, rewrite_secret, same_clock};
pub use callspool::store;
pub use callspool_sim::crm::{self, At, Crm, CrmConfig, RetryAfter, Times};
pub use callspool_sim::line::Line;
pub use callspool_sim::pbx::{self, CallPlan, Fault, FaultKind, PathKind, PbxConfig};
pub use std::os::unix::fs::PermissionsExt;
pub use std::time::{Duration, Instant};

/// Simulated seconds a second: pauses of a minute pass in a third of a second.
pub const RATE: f64 = 180.0;

/// A box beside a PBX and before a CRM, at work.
pub struct Site {
    pub pbx: pbx::Handle,
    pub crm: crm::Handle,
    pub agent: InProcess,
    // After the agent that works in it.
    pub _setup: Setup,
}

impl Site {
    pub fn start(name: &str) -> Site {
        Site::start_with(name, quiet(), |_| {})
    }

    pub fn start_with(name: &str, config: PbxConfig, before: impl FnOnce(&pbx::Handle)) -> Site {
        let (pbx, crm) = (pbx_at(RATE, config), crm());
        before(&pbx);
        let setup =
            Setup::new(name, &pbx, &pbx.url())
                .set("backfill = \"1d\"")
                .target("crm", &crm, &crm.hook_url());
        let agent = InProcess::start(&setup, same_clock(&pbx.time()));
        Site {
            pbx,
            crm,
            agent,
            _setup: setup,
        }
    }

    /// Waits until all is in the CRM and nothing is waited for.
    pub fn wait_all(&self, row: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let counts = self.agent.handle().status().counts.unwrap_or_default();
            let waiting = (
                counts.deliveries_waiting,
                counts.deliveries_held,
                counts.recordings_waiting,
            );
            let all = delivered(&self.pbx, &self.crm);
            if waiting == (0, 0, 0) && all.is_ok() {
                return;
            }
            assert!(
                Instant::now() < end,
                "{row}: {all:?}; waiting {waiting:?}; {:#?}; {:#?}",
                self.agent.handle().health().items(),
                self.queue(),
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn wait(&self, row: &str, what: &str, done: impl FnMut(&callspool::agent::Handle) -> bool) {
        self.agent.wait(&format!("{row}: {what}"), PATIENCE, done);
    }

    pub fn wait_told(&self, row: &str, key: &str) {
        self.wait(row, "the call is told", |_| told(&self.crm, key));
    }

    pub fn wait_item(&self, row: &str, code: &str, words: &str) {
        self.wait(row, &format!("{code} with: {words}"), |handle| {
            item(handle, code).is_some_and(|item| item.text.contains(words) && !item.fix.is_empty())
        });
    }

    pub fn wait_well(&self, row: &str) {
        self.wait(row, "all is well", |handle| handle.health().items().is_empty());
    }

    /// What is not delivered: code and reason.
    pub fn queue(&self) -> Vec<(String, String)> {
        let rows = self.agent.handle().store().read(|c| store::waiting_deliveries(c, 100));
        rows.unwrap().into_iter().map(|row| (row.code, row.reason)).collect()
    }
}

pub fn status(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: None,
    }
}

pub fn busy(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: Some(20),
    }
}

pub fn missing(names: &[&str]) -> FaultKind {
    FaultKind::MissingFields {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

pub fn redirect() -> FaultKind {
    FaultKind::Redirect {
        to: "https://elsewhere.example.invalid/".to_owned(),
    }
}

pub fn cut() -> FaultKind {
    FaultKind::CutBody { share: 0.5 }
}
