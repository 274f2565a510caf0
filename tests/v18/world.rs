//! A console of before v20 beside a box, and what must be the same on both.

pub use crate::rig::world::{crm, item, over, pbx_at, quiet};
pub use crate::rig::{InProcess, MORNING_MS, Setup, rewrite_secret, same_clock};
pub use callspool::pbx::Generation;
pub use callspool::store::{self, CallFilter, CallRow};
pub use callspool_sim::crm;
pub use callspool_sim::pbx::v18::{Console, ConsoleCall, wall};
pub use callspool_sim::pbx::{self, CallKind, CallPlan, Fault, FaultKind, PathKind, PbxConfig};
pub use callspool_sim::time::SimTime;
pub use std::collections::BTreeMap;
pub use std::time::Duration;

/// Long enough for a machine that is busy with other things.
pub const WAIT: Duration = Duration::from_secs(60);
pub const V18: &str = "18.0.9.20";
pub const V16: &str = "16.0.8.9";
pub const V15: &str = "15.5.15502.6";

pub fn of_version(version: &str) -> PbxConfig {
    PbxConfig {
        version: version.to_owned(),
        ..quiet()
    }
}

pub fn started(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set(settings)
        .target("crm", crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    (setup, agent)
}

pub fn stored(agent: &InProcess) -> Vec<CallRow> {
    let all = CallFilter {
        most: 10_000,
        ..CallFilter::default()
    };
    let mut calls = agent.handle().store().read(|c| store::calls(c, &all)).unwrap();
    calls.reverse();
    calls
}

/// What the console tells of a call, and what the store has of it, in the same words.
pub type Told = (i64, String, String, i64, bool);

pub fn by_console(call: &ConsoleCall) -> Told {
    let second = call.start_ms.div_euclid(1000) * 1000;
    (
        second,
        call.from.clone(),
        call.to.clone(),
        call.duration_s * 1000,
        call.answered,
    )
}

pub fn by_store(row: &CallRow) -> Told {
    let call = &row.call;
    let side = |party: &callspool::model::Party| party.number.clone().or(party.name.clone()).unwrap_or_default();
    let answered = call.outcome == callspool::model::Outcome::Answered;
    (
        call.started_ms,
        side(&call.from),
        side(&call.to),
        call.talking_ms,
        answered,
    )
}

/// What is wrong, if the store has other calls than the console shows.
pub fn compared(pbx: &pbx::Handle, agent: &InProcess) -> Result<(), String> {
    let mut theirs: Vec<Told> = pbx.console_calls().iter().map(by_console).collect();
    let mut ours: Vec<Told> = stored(agent).iter().map(by_store).collect();
    theirs.sort();
    ours.sort();
    match theirs.iter().zip(&ours).find(|(a, b)| a != b) {
        _ if theirs.len() != ours.len() => Err(format!("{} calls on the PBX, {} here", theirs.len(), ours.len())),
        Some((a, b)) => Err(format!("on the PBX {a:?}, here {b:?}")),
        None => Ok(()),
    }
}

/// Whether the CRM has every recording of the PBX once, with its bytes, at the call that it was made in.
pub fn recordings_there(pbx: &pbx::Handle, agent: &InProcess, crm: &crm::Handle) -> Result<(), String> {
    let mut keys: BTreeMap<Told, Vec<String>> = BTreeMap::new();
    for row in stored(agent) {
        keys.entry(by_store(&row)).or_default().push(row.call.key.clone());
    }
    let of: BTreeMap<String, Told> = pbx
        .console_calls()
        .iter()
        .map(|c| (c.main_id.clone(), by_console(c)))
        .collect();
    let there = crm.recordings();
    let mut made = 0;
    for call in pbx.truth() {
        for recording in call.recordings.iter().filter(|r| !r.deleted && !r.file_lost) {
            made += 1;
            let found: Vec<_> = there
                .iter()
                .filter(|stored| stored.sha256 == recording.sha256)
                .collect();
            let [one] = found[..] else {
                return Err(format!("recording {} is there {} times", recording.id, found.len()));
            };
            let told = of.get(&call.main_call_history_id).ok_or("a call is not shown yet")?;
            let fitting = keys.get(told).ok_or("a call is not here yet")?;
            if one.bytes != recording.length || !fitting.contains(&one.call) {
                return Err(format!(
                    "recording {} of {:?} is at {}, not {fitting:?}",
                    recording.id, call.kind, one.call
                ));
            }
        }
    }
    if there.len() == made {
        Ok(())
    } else {
        Err(format!("{} recordings of {made}", there.len()))
    }
}

/// Waits until everything is in the store and the CRM, and nothing is waited for.
pub fn wait_all(agent: &InProcess, pbx: &pbx::Handle, crm: &crm::Handle) {
    let end = std::time::Instant::now() + WAIT;
    loop {
        let counts = agent.handle().status().counts.unwrap_or_default();
        let waiting = (
            counts.deliveries_waiting,
            counts.deliveries_held,
            counts.recordings_waiting,
        );
        let looked = compared(pbx, agent).and_then(|()| recordings_there(pbx, agent, crm));
        if waiting == (0, 0, 0) && looked.is_ok() && pbx.console_calls().len() == pbx.truth().len() {
            break;
        }
        if std::time::Instant::now() > end {
            panic!(
                "{looked:?}; waiting {waiting:?}; {:#?}",
                agent.handle().health().items()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(crm.violations(), []);
    let new = || crm.calls().iter().filter(|event| event.kind != "call.updated").count();
    agent.wait("each call is told", WAIT, |_| new() >= pbx.console_calls().len());
    assert_eq!(new(), pbx.console_calls().len(), "each call is told once");
}

pub fn let_pass(agent: &InProcess, pbx: &pbx::Handle, ms: i64) {
    let end = pbx.time().now_ms() + ms;
    agent.wait("time passes", WAIT, |_| pbx.time().now_ms() >= end);
}

/// A call between the same two, of so many seconds, that began at a moment.
pub fn same_two(start_ms: i64, talk_s: i64) -> CallPlan {
    CallPlan {
        kind: Some(CallKind::Inbound),
        start_ms: Some(start_ms),
        outside: Some("+441632960777".to_owned()),
        agents: vec!["100".to_owned()],
        ring_ms: Some(1_000),
        talk_ms: Some(talk_s * 1000),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        recorded: Some(true),
        ..CallPlan::default()
    }
}
