//! The CDR socket: a PBX without an API still gives its calls, and one with an API is read at once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use callspool::agent::Handle;
use callspool::config;
use callspool::store;
use callspool_sim::pbx::call::Row;
use callspool_sim::pbx::cdr::SHORT_FIELDS;
use callspool_sim::pbx::{self, CallKind, CallPlan, CdrHandle, CdrOutput, CdrWay, PathKind, PbxConfig};
use rusqlite::Connection;

use rig::look::wait_for;
use rig::world::{PATIENCE, crm, delivered, item, over, pbx_at, quiet, why};
use rig::{Folder, InProcess, Setup, same_clock};

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A box beside a PBX without an API: it listens at `cdr` (or connects there).
struct Box {
    folder: Folder,
    text: String,
}

impl Box {
    fn new(name: &str, cdr: &str, crm: &callspool_sim::crm::Handle) -> Box {
        let folder = Folder::new(name);
        let secret = folder.0.join("crm.secret");
        std::fs::write(&secret, crm.secret()).unwrap();
        let text = format!(
            "name = {name:?}\nstate_dir = {:?}\n[web]\nlisten = [\"127.0.0.1:0\"]\n[pbx]\ngeneration = \"cdr\"\n\
             settle = \"2s\"\n[[target]]\nname = \"crm\"\nurl = {:?}\nsecret_file = {secret:?}\n[cdr]\n{cdr}\n",
            folder.0.join("state"),
            crm.hook_url()
        );
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        Box { folder, text }
    }

    fn config(&self) -> config::Config {
        config::parse(&self.text, &self.folder.0.join("callspool.toml")).unwrap_or_else(|p| panic!("{p:?}"))
    }

    fn start(&self, pbx: &pbx::Handle) -> InProcess {
        InProcess::with(self.config(), same_clock(&pbx.time()))
    }

    fn sql(&self, query: &str) -> i64 {
        let connection = Connection::open(self.folder.0.join("state/callspool.db")).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }
}

fn state(handle: &Handle) -> &'static str {
    handle.status().cdr.unwrap().state
}

/// A leg as far as a line tells of it, in whole seconds.
type Told = (
    i64,
    i64,
    i64,
    bool,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// All legs by call, each call's in order.
fn truth(rows: &[Row]) -> BTreeMap<String, Vec<Told>> {
    let mut calls: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    let whole = |ms: i64| ms.div_euclid(1000);
    for row in rows {
        let (start, answer) = (row.start_ms, row.start_ms + row.ring_ms);
        let end = answer + row.talk_ms;
        let ring_end = if row.answered { answer } else { end };
        let told = (
            whole(start),
            whole(ring_end) - whole(start),
            whole(end) - whole(ring_end),
            row.answered,
            Some(row.source.dn.clone()),
            Some(row.source.caller_id.clone()),
            Some(row.destination.dn.clone()),
            Some(row.destination.caller_id.clone()),
        );
        calls.entry(row.main_id.clone()).or_default().push(told);
    }
    calls.values_mut().for_each(|legs| legs.sort());
    calls
}

fn stored(handle: &Handle) -> BTreeMap<String, Vec<Told>> {
    let read = handle.store().read(|connection| {
        let filter = store::CallFilter {
            most: 100_000,
            ..store::CallFilter::default()
        };
        let mut calls = BTreeMap::new();
        for row in store::calls(connection, &filter)? {
            let legs = store::legs_of(connection, row.call.id)?;
            let mut told: Vec<Told> = legs
                .into_iter()
                .map(|leg| {
                    (
                        leg.started_ms / 1000,
                        leg.ringing_ms / 1000,
                        leg.talking_ms / 1000,
                        leg.answered,
                        leg.from.dn,
                        leg.from.number,
                        leg.to.dn,
                        leg.to.number,
                    )
                })
                .collect();
            told.sort();
            calls.insert(row.call.key, told);
        }
        Ok(calls)
    });
    read.unwrap()
}

/// A day of calls in all their kinds, and the PBX that writes about them.
fn busy(seed: u64) -> PbxConfig {
    PbxConfig {
        seed,
        history_days: 0,
        future_hours: 1,
        calls_per_day: 2_400,
        even_traffic: true,
        talk_s: (2, 90),
        ..PbxConfig::default()
    }
}

#[test]
fn a_day_without_an_api_is_row_by_row_what_the_pbx_had_whatever_its_lines_look_like() {
    let listening = |at: SocketAddr| CdrOutput::new(CdrWay::ConnectTo(at));
    type Variant = fn(CdrOutput) -> CdrOutput;
    let cases: [(&str, Variant); 4] = [
        ("27", |output| output),
        ("23", |output| CdrOutput {
            fields: SHORT_FIELDS.to_vec(),
            date: '.',
            end: "\n",
            commas: true,
            ..output
        }),
        ("twice", |output| CdrOutput {
            twice: true,
            pieces: 0.5,
            commas: true,
            ..output
        }),
        ("rubbish", |output| CdrOutput {
            rubbish: 0.3,
            pieces: 0.2,
            end: "\r",
            ..output
        }),
    ];
    for (n, (name, change)) in cases.into_iter().enumerate() {
        let pbx = pbx_at(1200.0, busy(n as u64));
        let (crm, at) = (crm(), free_port());
        let own = Box::new(
            &format!("cdr-{name}"),
            &format!("listen = \"{at}\"\nallow = [\"127.0.0.1\"]"),
            &crm,
        );
        let agent = own.start(&pbx);
        agent.wait("it listens", PATIENCE, |handle| state(handle) == "listening");
        let output = pbx.start_cdr(change(listening(at))).unwrap();
        agent.wait("it is connected", PATIENCE, |handle| state(handle) == "connected");
        // What ended before somebody listened is of no account.
        let scheduled = pbx.calls_total_scheduled();
        agent.wait("the day is over", PATIENCE, |_| pbx.truth().len() == scheduled);
        let ended = |row: &Row| row.start_ms + row.ring_ms + row.talk_ms;
        let rows = pbx.legs().into_iter().filter(|row| ended(row) > output.began_ms());
        let rows: Vec<Row> = rows.collect();
        agent.wait("all lines are sent", PATIENCE, |_| {
            output.sent() as usize + output.lost().len() >= rows.len()
        });
        assert!(
            output.lost().len() < 10,
            "{name}: {} lines were sent to nobody",
            output.lost().len()
        );
        let lost = output.lost();
        let rows: Vec<Row> = rows.into_iter().filter(|row| !lost.contains(&row.cdr_id)).collect();
        let expected = truth(&rows);
        let mut last = BTreeMap::new();
        let end = std::time::Instant::now() + PATIENCE;
        while last != expected && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
            last = stored(agent.handle());
        }
        for (call, legs) in &expected {
            assert_eq!(last.get(call), Some(legs), "{name}: {call}");
        }
        assert_eq!(last.len(), expected.len(), "{name}");
        assert!(rows.len() > 100, "{}", rows.len());
        agent.wait("all is in the CRM", PATIENCE, |handle| {
            let counts = handle.status().counts.unwrap();
            counts.deliveries_waiting == 0 && crm.calls().len() >= expected.len()
        });
        let told = crm.calls();
        let first = told.iter().filter(|event| event.kind != "call.updated").count();
        assert_eq!(first, expected.len(), "{name}");
        assert_eq!(crm.violations(), []);
        let unreadable = agent.handle().status().cdr.unwrap().unreadable;
        // Somebody's name holds the end of a line; where commas are in names as well, half of it is left over.
        match name {
            "27" => assert_eq!(unreadable, 0),
            "rubbish" => assert!(unreadable > 0),
            _ => {}
        }
    }
}

/// A box that listens and a quiet PBX that is connected to it.
fn beside(
    name: &str,
    rate: f64,
    change: impl Fn(CdrOutput) -> CdrOutput,
) -> (pbx::Handle, CdrHandle, Box, InProcess) {
    let (pbx, crm, at) = (pbx_at(rate, quiet()), crm(), free_port());
    // The CRM's answers are of no account here.
    let own = Box::new(name, &format!("listen = \"{at}\"\nallow = [\"127.0.0.1\"]"), &crm);
    let agent = own.start(&pbx);
    agent.wait("it listens", PATIENCE, |handle| state(handle) == "listening");
    let output = pbx.start_cdr(change(CdrOutput::new(CdrWay::ConnectTo(at)))).unwrap();
    agent.wait("it is connected", PATIENCE, |handle| state(handle) == "connected");
    (pbx, output, own, agent)
}

fn knows(handle: &Handle, key: &str) -> bool {
    handle
        .store()
        .read(|connection| store::call_by_key(connection, key))
        .unwrap()
        .is_some()
}

#[test]
fn without_an_api_a_recording_never_comes_and_why_says_so() {
    let (pbx, _output, _own, agent) = beside("cdr-why", 30.0, |output| output);
    let call = pbx.place_call(over(true)).main_call_history_id;
    agent.wait("the call is known", PATIENCE, |handle| knows(handle, &call));
    let answer = why(agent.handle(), &call).unwrap().answer;
    assert!(answer.contains("never come") && answer.contains("no API"), "{answer}");
    let status = agent.handle().status();
    assert!(status.health.is_empty(), "{:?}", status.health);
    assert!(status.pbx.reachable);
    assert_eq!(pbx.logins() + pbx.requests(PathKind::Token), 0);
    let queue = pbx.place_call(CallPlan {
        kind: Some(CallKind::QueueMissed),
        ..over(false)
    });
    agent.wait(
        "a call that a queue took and nobody answered is missed",
        PATIENCE,
        |handle| {
            let key = &queue.main_call_history_id;
            let call = handle
                .store()
                .read(|connection| store::call_by_key(connection, key))
                .unwrap();
            call.is_some_and(|call| call.outcome.word() == "missed" && call.direction.word() == "inbound")
        },
    );
}

#[test]
fn calls_that_are_named_by_a_counter_keep_their_legs_together() {
    let change = |output| CdrOutput {
        counter: true,
        ..output
    };
    let (pbx, output, _own, agent) = beside("cdr-counter", 30.0, change);
    for kind in [
        CallKind::Inbound,
        CallKind::BlindTransfer,
        CallKind::Queue,
        CallKind::AttendedTransfer,
    ] {
        pbx.place_call(CallPlan {
            kind: Some(kind),
            ..over(false)
        });
    }
    let expected: Vec<Vec<Told>> = truth(&pbx.legs()).into_values().collect();
    let groups = |handle: &Handle| {
        let mut groups: Vec<Vec<Told>> = stored(handle).into_values().collect();
        groups.sort();
        groups
    };
    let mut sorted = expected.clone();
    sorted.sort();
    agent.wait("all calls have their legs", PATIENCE, |handle| groups(handle) == sorted);
    assert_eq!(output.lost(), Vec::<String>::new());
}

#[test]
fn nobody_but_the_pbx_may_connect() {
    let (pbx, crm, at) = (pbx_at(30.0, quiet()), crm(), free_port());
    let own = Box::new(
        "cdr-stranger",
        &format!("listen = \"{at}\"\nallow = [\"192.0.2.7\"]"),
        &crm,
    );
    let agent = own.start(&pbx);
    agent.wait("it listens", PATIENCE, |handle| state(handle) == "listening");
    let mut stranger = TcpStream::connect(at).unwrap();
    let _ = stranger.write_all(b"a line of a stranger\n");
    agent.wait("he is refused", PATIENCE, |handle| {
        handle.status().cdr.unwrap().refused == 1
    });
    assert_eq!(agent.handle().status().cdr.unwrap().lines, 0);
    assert_eq!(own.sql("SELECT count(*) FROM cdr_line"), 0);
    let open = own.text.replace("allow = [\"192.0.2.7\"]", "");
    let problems = config::parse(&open, &own.folder.0.join("callspool.toml")).unwrap_err();
    assert!(problems[0].to_string().contains("cdr.allow"), "{problems:?}");
}

#[test]
fn where_there_is_an_api_lines_only_say_when_to_read_it() {
    let (pbx, crm, at) = (pbx_at(30.0, PbxConfig { tls: true, ..quiet() }), crm(), free_port());
    let setup = Setup::new("cdr-trigger", &pbx, &pbx.url())
        // Only a ring brings a call before the test has lost its patience.
        .set("poll = \"1d\"\nsweep = \"1d\"\nsettle = \"1s\"\nrights_every = \"1d\"\nbackfill = \"1h\"")
        .target("crm", &crm, &crm.hook_url())
        .set(&format!("[cdr]\nlisten = \"{at}\""));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("it listens", PATIENCE, |handle| {
        state(handle) == "listening" && handle.status().pbx.reachable
    });
    let change = CdrOutput {
        twice: true,
        rubbish: 0.5,
        ..CdrOutput::new(CdrWay::ConnectTo(at))
    };
    let _output = pbx.start_cdr(change).unwrap();
    agent.wait("the PBX, and only it, may connect", PATIENCE, |handle| {
        state(handle) == "connected"
    });
    for _ in 0..4 {
        pbx.place_call(CallPlan {
            row_delay_ms: Some(3_000),
            ..over(true)
        });
        agent.wait("the call is in the CRM", PATIENCE, |_| delivered(&pbx, &crm).is_ok());
    }
    let lines = agent.handle().store().read(store::cdr_mark).unwrap();
    assert_eq!(lines, None, "nothing of a line is kept");
    assert_eq!(agent.handle().status().cdr.unwrap().gaps, []);
    assert_eq!(pbx.logins(), 1);
}

#[test]
fn when_nobody_listened_is_told_and_nothing_that_came_is_lost_or_doubled() {
    let (pbx, crm) = (pbx_at(60.0, quiet()), crm());
    let output = pbx.start_cdr(CdrOutput::new(CdrWay::Listen(0))).unwrap();
    let port = output.addr().unwrap().port();
    let own = Box::new("cdr-gap", &format!("connect = \"127.0.0.1:{port}\""), &crm);
    let agent = own.start(&pbx);
    agent.wait("it is connected", PATIENCE, |handle| state(handle) == "connected");
    assert_eq!(
        agent.handle().status().cdr.unwrap().gaps,
        [],
        "a new box has missed nothing"
    );
    let first = pbx.place_call(over(false)).main_call_history_id;
    agent.wait("the first call is known", PATIENCE, |handle| knows(handle, &first));
    // The box is off.
    drop(agent);
    let sent = output.sent();
    wait_for("the PBX has noticed", PATIENCE, || {
        pbx.place_call(over(false));
        std::thread::sleep(Duration::from_millis(50));
        !output.lost().is_empty()
    });
    let off_ms = pbx.time().now_ms();
    std::thread::sleep(Duration::from_secs(1));
    let agent = own.start(&pbx);
    agent.wait("the gap is told", PATIENCE, |handle| item(handle, "cdr-gap").is_some());
    let gaps = agent.handle().status().cdr.unwrap().gaps;
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].from_ms < off_ms && off_ms < gaps[0].to_ms, "{gaps:?} {off_ms}");
    // The PBX restarts: its socket is away for a while.
    drop(output);
    agent.wait("it is down", PATIENCE, |handle| {
        state(handle) == "down" && item(handle, "cdr-down").is_some()
    });
    std::thread::sleep(Duration::from_millis(200));
    let output = pbx.start_cdr(CdrOutput::new(CdrWay::Listen(port))).unwrap();
    agent.wait("it is connected again", PATIENCE, |handle| state(handle) == "connected");
    assert!(item(agent.handle(), "cdr-down").is_none());
    assert_eq!(agent.handle().status().cdr.unwrap().gaps.len(), 2);
    let last = pbx.place_call(over(false)).main_call_history_id;
    agent.wait("the last call is known", PATIENCE, |handle| knows(handle, &last));
    agent.wait("both are in the CRM", PATIENCE, |handle| {
        let told = |key: &str| crm.calls().iter().filter(|event| event.call == *key).count();
        handle.status().counts.unwrap().deliveries_waiting == 0 && told(&first) == 1 && told(&last) == 1
    });
    assert!(sent >= 1 && output.sent() >= 1);
}

#[test]
fn lines_that_come_while_the_store_is_locked_wait_and_are_kept() {
    let (pbx, _output, own, agent) = beside("cdr-locked", 1.0, |output| output);
    let locker = Connection::open(own.folder.0.join("state/callspool.db")).unwrap();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let call = pbx.place_call(over(false)).main_call_history_id;
    agent.wait("they wait", PATIENCE, |handle| item(handle, "cdr-not-kept").is_some());
    let second = pbx.place_call(over(false)).main_call_history_id;
    locker.execute_batch("ROLLBACK").unwrap();
    agent.wait("they are kept", PATIENCE, |handle| {
        knows(handle, &call) && knows(handle, &second)
    });
    agent.wait("the item is gone", PATIENCE, |handle| {
        item(handle, "cdr-not-kept").is_none()
    });
}

#[test]
fn lines_in_an_unknown_order_are_kept_and_read_when_the_order_is_set_right() {
    let fields = vec![
        "callid",
        "from-no",
        "to-no",
        "time-start",
        "skip",
        "time-end",
        "time-answered",
    ];
    let written = fields.clone();
    let change = move |output| CdrOutput {
        fields: written.clone(),
        ..output
    };
    let (pbx, output, own, agent) = beside("cdr-order", 30.0, change);
    pbx.place_call(over(false));
    agent.wait("the line can't be read", PATIENCE, |handle| {
        item(handle, "cdr-unreadable").is_some()
    });
    assert_eq!(own.sql("SELECT count(*) FROM call"), 0);
    drop((agent, output));
    let own = Box {
        text: format!("{}fields = {fields:?}\n", own.text),
        ..own
    };
    let agent = own.start(&pbx);
    agent.wait("the call is known", PATIENCE, |handle| {
        handle.status().counts.is_some_and(|c| c.calls == 1)
    });
    assert!(item(agent.handle(), "cdr-unreadable").is_none());
}

#[test]
fn the_binary_runs_beside_a_pbx_without_an_api_and_its_doctor_asks_for_nothing_that_is_not_there() {
    let crm = crm();
    let at = free_port();
    let own = Box::new("binary", &format!("listen = \"{at}\"\nallow = [\"127.0.0.1\"]"), &crm);
    let file = own.folder.0.join("callspool.toml");
    std::fs::write(&file, &own.text).unwrap();
    let callspool = |arguments: &[&str]| {
        let mut command = std::process::Command::new(rig::binary());
        command.args(arguments).arg("--config").arg(&file).output().unwrap()
    };
    let mut agent = std::process::Command::new(rig::binary())
        .arg("run")
        .arg("--config")
        .arg(&file)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the agent answers", PATIENCE, || {
        callspool(&["status"]).status.success() && TcpStream::connect(at).is_ok()
    });
    let told = callspool(&["doctor"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert!(
        text.contains("PBX: CDR lines: ") && text.contains("only source of calls"),
        "{text}"
    );
    for absent in [
        "PBX: name",
        "PBX: login",
        "API user and rights",
        "Secret files: the secret file",
    ] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    let alone = callspool(&["doctor", "--only", "cdr"]);
    assert!(String::from_utf8_lossy(&alone.stdout).contains("only the running agent"));
}
