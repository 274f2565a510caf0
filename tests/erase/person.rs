//! A PBX with calls of one person and of others, a box beside it, and the looks that tell whether the person is gone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callspool_sim::crm;
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig, TrueCall};
use serde_json::Value;

use crate::rig::look::files_below;
use crate::rig::{Process, Setup, callspool};

/// Long enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Whose calls are erased, as the PBX writes the number.
pub const NUMBER: &str = "+4917155500417";

/// The same as a technician may type it.
pub const TYPED: &str = "0171 555 00417";

/// What stands in every way of writing it.
pub const DIGITS: &[u8] = b"17155500417";

/// A PBX on which nobody calls unless a test places a call.
pub fn pbx() -> pbx::Handle {
    Pbx::start(PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        row_delay_max_s: 0,
        transcribed_share: 1.0,
        ..PbxConfig::default()
    })
    .unwrap()
}

pub fn crm() -> crm::Handle {
    crm::Crm::start(crm::CrmConfig {
        tolerance: None,
        ..crm::CrmConfig::default()
    })
    .unwrap()
}

/// A call that is over, of `number`.
pub fn place(pbx: &pbx::Handle, number: &str, kind: CallKind) -> TrueCall {
    pbx.place_call(CallPlan {
        kind: Some(kind),
        outside: Some(number.to_owned()),
        ended: true,
        ring_ms: Some(100),
        talk_ms: Some(600),
        recorded: Some(true),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        transcript_delay_ms: Some(0),
        ..CallPlan::default()
    })
}

/// Three calls of the person and two of others.
pub fn place_all(pbx: &pbx::Handle) -> (Vec<TrueCall>, Vec<TrueCall>) {
    let of = |number: &str, kinds: &[CallKind]| kinds.iter().map(|kind| place(pbx, number, *kind)).collect();
    (
        of(NUMBER, &[CallKind::Inbound, CallKind::Outbound, CallKind::Queue]),
        of("+4930901820", &[CallKind::Inbound, CallKind::Outbound]),
    )
}

/// A box that reads the PBX again and again.
pub fn a_box(name: &str, pbx: &pbx::Handle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url()).before_all("numbers = { country = \"49\" }");
    setup.set(
        "backfill = \"1h\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"\n[spool]\nmin_free = \"1 MiB\"",
    )
}

/// One value out of the store, by SQL.
pub fn ask(setup: &Setup, sql: &str) -> i64 {
    let open = callspool::store::Store::open_read_only(&setup.state_dir().join("callspool.db"));
    let asked = open.and_then(|open| open.read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)));
    asked.unwrap_or(-1)
}

pub fn wait_for(what: &str, process: &mut Process, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        assert!(
            Instant::now() < end,
            "after {PATIENCE:?} still not: {what}\n{}",
            process.said()
        );
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Waits until the box has all of the PBX and every delivery is confirmed.
pub fn wait_settled(setup: &Setup, pbx: &pbx::Handle, process: &mut Process) {
    let truth = pbx.truth();
    let recordings: usize = truth.iter().map(|call| call.recordings.len()).sum();
    wait_for("everything is delivered", process, || {
        ask(setup, "SELECT count(*) FROM call WHERE handed_revision = revision") == truth.len() as i64
            && ask(setup, "SELECT count(*) FROM recording WHERE handed = 1") == recordings as i64
            && ask(setup, "SELECT count(*) FROM delivery WHERE state <> 'delivered'") == 0
    });
}

/// What a verb says as JSON, and how it ended.
pub fn json(setup: &Setup, arguments: &[&str]) -> (Value, Option<i32>) {
    let asked = callspool(setup, &[arguments, &["--json"]].concat());
    let said = serde_json::from_slice(&asked.stdout);
    (said.unwrap_or(Value::Null), asked.status.code())
}

/// Orders the erasure and gives its number.
pub fn order(setup: &Setup) -> i64 {
    let (said, code) = json(setup, &["erase", TYPED, "--yes", "--why", "letter of 0171 55500417"]);
    assert_eq!(code, Some(0), "{said}");
    said["erasure"].as_i64().unwrap()
}

/// The report of an erasure.
pub fn report(setup: &Setup, id: i64) -> Value {
    json(setup, &["erase", "show", &id.to_string()]).0
}

pub fn wait_state(setup: &Setup, process: &mut Process, id: i64, states: &[&str]) {
    wait_for(&format!("erasure {id} is {states:?}"), process, || {
        let report = report(setup, id);
        states.iter().any(|state| report["erasure"]["state"] == *state)
    });
}

/// Files below `folder` in which `digits` stand, byte for byte.
pub fn files_with(folder: &Path, digits: &[u8]) -> Vec<PathBuf> {
    let has = |path: &PathBuf| {
        let content = std::fs::read(path).unwrap_or_default();
        content.windows(digits.len()).any(|window| window == digits)
    };
    files_below(folder).into_iter().filter(has).collect()
}

/// The person is gone here, the others are as they were, and so it stays while the PBX lists everything again.
pub fn assert_gone(setup: &Setup, process: &mut Process, gone: &[TrueCall], stay: &[TrueCall]) {
    let before = ask(setup, "SELECT value FROM setting WHERE name = 'sync.cursor'");
    let readings = Instant::now() + Duration::from_secs(3);
    while Instant::now() < readings {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = before;
    assert_eq!(ask(setup, "SELECT count(*) FROM call"), stay.len() as i64);
    for call in gone {
        let key = &call.main_call_history_id;
        assert_eq!(ask(setup, &format!("SELECT count(*) FROM call WHERE key = '{key}'")), 0);
        for recording in &call.recordings {
            let sql = format!("SELECT count(*) FROM recording WHERE pbx_id = {}", recording.id);
            assert_eq!(ask(setup, &sql), 0, "recording {} came back", recording.id);
        }
    }
    let kept: usize = stay.iter().map(|call| call.recordings.len()).sum();
    assert_eq!(files_below(&setup.state_dir().join("recordings")).len(), kept);
}
