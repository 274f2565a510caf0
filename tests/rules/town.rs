//! A small company with rules: a PBX on which nobody calls unless the test does, a CRM, an archive.

use callspool::model::RecordingState;
use callspool::store;
use callspool_sim::crm::{self, CallEvent};
use callspool_sim::pbx::{self, CallKind, CallPlan, PathKind, TrueCall};

use crate::rig::world::{PATIENCE, crm, over, pbx_at, quiet, told};
use crate::rig::{InProcess, Setup, same_clock};

/// The company and its box.
pub struct Town {
    pub pbx: pbx::Handle,
    pub crm: crm::Handle,
    pub archive: crm::Handle,
    pub setup: Setup,
}

impl Town {
    /// With these lines at the end of the configuration; simulated time runs `rate` times as fast.
    pub fn new(name: &str, rate: f64, rules: &str) -> Town {
        let pbx = pbx_at(rate, quiet());
        let (crm, archive) = (crm(), crm_too());
        let setup = Setup::new(name, &pbx, &pbx.url())
            .set(
                "settle = \"5s\"\npoll = \"2s\"\nsweep = \"5s\"\nbackfill = \"1h\"\n[spool]\nmin_free = \"1 MiB\"",
            )
            .target("crm", &crm, &crm.hook_url())
            .target("archive", &archive, &archive.hook_url())
            .set(if rules.contains("[numbers]") {
                ""
            } else {
                "[numbers]\ncountry = \"44\""
            })
            .set(rules);
        Town {
            pbx,
            crm,
            archive,
            setup,
        }
    }

    pub fn start(&self) -> InProcess {
        InProcess::start(&self.setup, same_clock(&self.pbx.time()))
    }

    /// The same, and waits until calls that end now began after the box's first start: those from before are history.
    pub fn start_and_begin(&self) -> InProcess {
        let agent = self.start();
        let begun = agent.handle().clock().wall_ms();
        agent.wait("a minute has passed", PATIENCE, |handle| {
            handle.clock().wall_ms() - begun > 60_000 && handle.status().sync.cursor_ms.is_some()
        });
        agent
    }

    /// A call that is over: of this kind, from or to this number, with these extensions.
    pub fn call(&self, kind: CallKind, outside: &str, agents: &[&str]) -> TrueCall {
        self.pbx.place_call(CallPlan {
            kind: Some(kind),
            outside: Some(outside.to_owned()),
            agents: agents.iter().map(|agent| (*agent).to_owned()).collect(),
            ..over(true)
        })
    }

    /// How often audio was asked of the PBX.
    pub fn asked_for_audio(&self) -> u64 {
        self.pbx.requests(PathKind::Download)
    }

    /// The tasks that the CRM was given.
    pub fn tasks(&self) -> Vec<CallEvent> {
        let is_task = |word: &&CallEvent| word.kind == "task.call_back";
        self.crm
            .with_state(|state| state.words.iter().filter(is_task).cloned().collect())
    }
}

fn crm_too() -> crm::Handle {
    crm()
}

/// Waits until `target` was told of the call.
pub fn wait_told(agent: &InProcess, target: &crm::Handle, call: &TrueCall) {
    let key = call.main_call_history_id.as_str();
    agent.wait("the call is told", PATIENCE, |_| told(target, key));
}

/// The state and the reason's code of the recordings of a call.
pub fn recordings(agent: &InProcess, key: &str) -> Vec<(RecordingState, String)> {
    let read = agent.handle().store().read(|c| {
        let call = store::call_by_key(c, key)?;
        call.map_or(Ok(Vec::new()), |call| store::recordings_of(c, call.id))
    });
    read.unwrap().into_iter().map(|one| (one.state, one.code)).collect()
}
