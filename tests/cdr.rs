//! The CDR socket: a PBX without an API still gives its calls, and one with an API is read at once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use callspool::agent::Handle;
use callspool::config;
use callspool::store;
use callspool_sim::pbx::call::Row;
use callspool_sim::pbx::cdr::SHORT_FIELDS;
use callspool_sim::pbx::{self, CallKind, CallPlan, CdrOutput, CdrWay, PbxConfig};
use rusqlite::Connection;

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
    let cases: [(&str, fn(CdrOutput) -> CdrOutput); 4] = [
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
        let rows: Vec<Row> = pbx.legs();
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
        assert_eq!(unreadable > 0, name == "rubbish", "{name}: {unreadable} unreadable");
    }
}
