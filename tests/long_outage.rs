//! A target that is down for weeks, beside one that is not: nothing is lost, the other one notices nothing, nobody is
//! stormed, memory stays flat, and when it is back the backlog drains within the target's rate limit, oldest first,
//! while new calls overtake it.
//!
//! `CALLSPOOL_OUTAGE_DAYS=30` takes an hour or more; without it two thirds of a day are enough for every rule to show. With
//! `CALLSPOOL_OUTAGE_CONTROL=1` the target that is down is not there at all: whatever grows then as well is the machine's or
//! the simulators', not the backlog's. Both print what a call costs in processor time, of the agent and of the simulators,
//! in the first and in the last quarter.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "long_outage/cost.rs"]
mod cost;
#[path = "long_outage/own.rs"]
mod own;
#[path = "long_outage/pace.rs"]
mod pace;
mod rig;

use std::time::{Duration, Instant};

use callspool::store::Store;
use callspool_sim::bitrix24::{Bitrix24, Employee, PortalConfig};
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{Codec, Pbx, PbxConfig};

use cost::Cost;
use own::Own;
use pace::Pace;
use rig::world::{crm, delivered, over};
use rig::{MORNING_MS, Setup, rewrite_secret};

const TEST: &str = "weeks_of_a_target_that_is_down_cost_the_other_nothing_and_drain_in_order_within_its_limit";

const HOUR_MS: i64 = 3_600_000;

/// 60,000 in 30 days.
const CALLS_A_DAY: u32 = 2_000;

/// What the portal's plan allows, requests a second, and at once.
const LIMIT: (u64, u64) = (2, 50);

/// Simulated seconds in a real one while it is down, and while it drains. Weeks of calls make the simulated PBX slower.
const FAST: [f64; 2] = [2_160.0, 1_440.0];
const DRAINING: f64 = 100.0;

/// Whether there is no target that is down.
fn is_control() -> bool {
    std::env::var_os("CALLSPOOL_OUTAGE_CONTROL").is_some()
}

/// Days and hours.
fn outage_hours() -> u32 {
    match std::env::var("CALLSPOOL_OUTAGE_DAYS") {
        Ok(days) => days.parse::<u32>().unwrap() * 24,
        Err(_) => 16,
    }
}

fn ask<T: rusqlite::types::FromSql>(setup: &Setup, sql: &str) -> T {
    let store = Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
    store.read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap()
}

/// Deliveries of a target that are not confirmed.
fn open(setup: &Setup, target: &str) -> i64 {
    ask(
        setup,
        &format!("SELECT count(*) FROM delivery WHERE target = '{target}' AND state <> 'delivered'"),
    )
}

/// The largest figure of a series, and the largest of its beginning.
#[derive(Default)]
struct Memory {
    early: Option<u64>,
    most: u64,
}

impl Memory {
    fn look(&mut self, agent: &Own, is_early: bool) {
        let now = agent.rss_kib();
        self.most = self.most.max(now);
        if is_early {
            self.early = Some(self.early.unwrap_or(0).max(now));
        }
    }
}

#[test]
fn weeks_of_a_target_that_is_down_cost_the_other_nothing_and_drain_in_order_within_its_limit() {
    if own::was_the_agent() {
        return;
    }
    let (hours, began) = (outage_hours(), Instant::now());
    let fast = FAST[usize::from(hours > 48)];
    let pace = Pace::start(MORNING_MS, fast);
    let time = pace.time();
    let pbx = Pbx::start(PbxConfig {
        time: time.clone(),
        history_days: 0,
        future_hours: hours,
        calls_per_day: CALLS_A_DAY,
        even_traffic: true,
        recorded_share: 0.2,
        late_share: 0.0,
        transcribed_share: 0.0,
        talk_s: (1, 2),
        codec: Codec::MuLaw,
        token_life_s: 12 * 3_600,
        ..PbxConfig::default()
    })
    .unwrap();
    let crm = crm();
    let people = pbx.company().people;
    let employees = people.iter().enumerate().map(|(n, person)| Employee {
        id: 10 + n as u64,
        inner: Some(person.number.clone()),
        active: true,
    });
    let mut config = PortalConfig {
        time: time.clone(),
        rate: LIMIT.0 as f64,
        burst: LIMIT.1 as f64,
        operating: (0.0, 480.0),
        keep_audio: false,
        webhook_may_call: true,
        ..PortalConfig::default()
    };
    config.employees.extend(employees);
    let portal = Bitrix24::start(config).unwrap();
    let line = Line::start(portal.addr()).unwrap();
    // Refused by the line, so that it counts the tries.
    let down = Chances {
        refuse: 1.0,
        ..Chances::default()
    };
    line.chaos(1, down);
    let setup = Setup::new("weeks", &pbx, &pbx.url())
        .set("backfill = \"2d\"\npoll = \"30m\"\nsweep = \"2h\"\nsettle = \"1m\"\nrights_every = \"1d\"")
        .set("[spool]\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url());
    let dead =
        "[[target]]\nname = \"b24\"\nkind = \"bitrix24\"\nwebhook_file = \"b24.webhook\"\ntimeout = \"10s\"";
    let setup = match is_control() {
        true => setup,
        false => setup.set(dead).set(&format!("rate = {}\nburst = {}", LIMIT.0, LIMIT.1)),
    };
    rewrite_secret(&setup, "b24.webhook", &portal.webhook_by_way_of(line.addr()));

    let mut agent = Own::start(&setup, pace.mark(), TEST);
    let end_ms = MORNING_MS + i64::from(hours) * HOUR_MS;
    let (mut memory, mut most_open) = (Memory::default(), 0);
    let mut cost = Cost::begin(&agent);
    while time.now_ms() < end_ms + HOUR_MS {
        assert!(!agent.has_ended(), "the agent ended");
        let quarter = (time.now_ms() - MORNING_MS) * 4 / (end_ms - MORNING_MS);
        cost.look(quarter, &agent, || ask(&setup, "SELECT count(*) FROM call"));
        memory.look(&agent, time.now_ms() < MORNING_MS + (end_ms - MORNING_MS) / 4);
        most_open = most_open.max(open(&setup, "crm"));
        std::thread::sleep(Duration::from_millis(200));
    }
    // A machine that is busy falls behind a clock that runs so fast: the calls are there, reading goes on.
    let calls = pbx.truth().len();
    let caught_up = Instant::now() + Duration::from_secs(600 + 4 * u64::from(hours));
    let is_behind = || {
        let known: i64 = ask(&setup, "SELECT count(*) FROM call");
        open(&setup, "crm") > 0 || known < calls as i64 || delivered(&pbx, &crm).is_err()
    };
    while is_behind() {
        assert!(Instant::now() < caught_up, "{:?}", delivered(&pbx, &crm));
        memory.look(&agent, false);
        std::thread::sleep(Duration::from_millis(500));
    }
    let recordings: i64 = ask(&setup, "SELECT count(*) FROM recording");
    let backlog = open(&setup, "b24");
    let down_hours = (time.now_ms() - MORNING_MS) as f64 / HOUR_MS as f64;
    let tries = line.counts().refused as f64 / down_hours;
    println!(
        "{down_hours:.0} h down ({:.0?}): {calls} calls, {recordings} recordings, {backlog} deliveries wait, {tries:.1} tries an hour; the \
         other target had {most_open} open at most; memory {} MiB in the first quarter, {} MiB at most",
        began.elapsed(),
        memory.early.unwrap_or(0) / 1024,
        memory.most / 1024,
    );
    let held: i64 = ask(&setup, "SELECT count(*) FROM delivery WHERE state = 'held'");
    assert!(
        (is_control() || backlog >= calls as i64 + recordings) && held == 0,
        "{backlog} wait, {held} are held"
    );
    let expected = 3_600.0 / (callspool::backoff::Backoff::NETWORK.cap.as_secs_f64() / 2.0);
    assert!(
        tries <= 1.5 * expected + 20.0 / down_hours,
        "{tries} tries an hour, {expected} are planned"
    );
    // A real second is more than a simulated hour here, so this is told in real time: what a delivery that could go out
    // at once waited for the machine.
    let waited = |share: &str| {
        let sql = format!(
            "SELECT delivered_ms - created_ms FROM delivery WHERE target = 'crm' ORDER BY delivered_ms - created_ms
             LIMIT 1 OFFSET (SELECT count(*) * {share} / 100 FROM delivery WHERE target = 'crm')"
        );
        ask::<i64>(&setup, &sql) as f64 / fast / 1_000.0
    };
    println!("{}", cost.said());
    let (median, slow) = (waited("50"), waited("99"));
    println!(
        "the other target confirmed a delivery {median:.2} s after it was made, 99 of 100 within {slow:.2} s (real time)"
    );
    assert!(
        slow < 20.0,
        "the other target waited: {slow} s; does it without the other (CALLSPOOL_OUTAGE_CONTROL=1)?"
    );
    if is_control() {
        return agent.stop();
    }

    // It is back. The clock goes slower, for the portal's limit is of its seconds.
    agent.stop();
    pace.change(DRAINING);
    line.calm();
    let mut agent = Own::start(&setup, pace.mark(), TEST);
    let back_ms = time.now_ms();
    let mut next_call = back_ms;
    let (mut fresh, drain) = (Vec::new(), Instant::now());
    let mut early = Memory::default();
    let patience = Duration::from_secs(600 + backlog as u64 / 10);
    loop {
        assert!(!agent.has_ended(), "the agent ended");
        let left = open(&setup, "b24");
        memory.look(&agent, false);
        early.look(&agent, left > backlog * 3 / 4);
        if time.now_ms() >= next_call && left > backlog / 20 {
            fresh.push(pbx.place_call(over(true)));
            next_call = time.now_ms() + HOUR_MS / 4;
        }
        let unhanded: i64 = ask(
            &setup,
            "SELECT (SELECT count(*) FROM call WHERE handed_revision < revision)
                  + (SELECT count(*) FROM recording WHERE state = 'waiting' OR handed = 0)",
        );
        let known: i64 = ask(&setup, "SELECT count(*) FROM call");
        if unhanded == 0 && open(&setup, "b24") == 0 && pbx.truth().len() as i64 == known {
            break;
        }
        assert!(drain.elapsed() < patience, "{left} of {backlog} left");
        std::thread::sleep(Duration::from_millis(250));
    }
    let took_ms = time.now_ms() - back_ms;
    agent.stop();
    memory_is_flat(&memory);

    // Oldest first: what waited goes out in the order in which it was made.
    let overtaken: i64 = ask(
        &setup,
        &format!(
            "SELECT count(*) FROM (SELECT delivered_ms < lag(delivered_ms) OVER (ORDER BY seq) AS early FROM delivery
             JOIN call ON call.id = delivery.call WHERE target = 'b24' AND started_ms < {back_ms}) WHERE early"
        ),
    );
    // Those that were being tried when it came back have a pause of their own to wait for.
    assert!(
        overtaken <= 3,
        "{overtaken} of the backlog went out before what was older"
    );

    let started = |rest: &str| {
        let sql = format!(
            "SELECT max(delivered_ms - created_ms) FROM delivery JOIN call ON call.id = delivery.call
             WHERE target = 'b24' AND started_ms >= {back_ms} {rest}"
        );
        ask::<i64>(&setup, &sql) / 1_000
    };
    let (slowest, slowest_audio) = (started("AND recording IS NULL"), started(""));
    portal.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        let refused = truth.requests.iter().filter(|one| one.status == 503).count();
        let rate = truth.requests.len() as f64 * 1_000.0 / took_ms as f64;
        println!(
            "drained in {:.1} simulated h ({:.0?}): {} requests, {rate:.2} a second of {} allowed, {refused} refused for rate; {} new calls \
             told after {slowest} s at most, their recordings after {slowest_audio} s; memory {} MiB early, {} MiB at most",
            took_ms as f64 / HOUR_MS as f64,
            drain.elapsed(),
            truth.requests.len(),
            LIMIT.0,
            fresh.len(),
            early.early.unwrap_or(0) / 1024,
            memory.most / 1024,
        );
        assert!(refused <= 3, "{refused} refused for rate");
        assert!(rate <= LIMIT.0 as f64 + (LIMIT.1 as f64 * 1_000.0) / took_ms as f64, "{rate} requests a second");
        let extra: usize = pbx.truth().iter().map(|call| call.recordings.len().saturating_sub(1)).sum();
        assert_eq!(truth.calls.len(), pbx.truth().len() + extra, "each call once");
        let records = truth.calls.iter().filter(|call| call.record.is_some()).count();
        assert_eq!(records as i64, recordings + fresh.len() as i64, "each recording once");
    });
    assert!(!fresh.is_empty() && slowest <= 1_200, "a new call waited {slowest} s");
}

/// Weeks of backlog cost the disk, not memory.
fn memory_is_flat(memory: &Memory) {
    let early = memory.early.unwrap();
    assert!(
        memory.most <= early + 16 * 1024,
        "memory grew from {early} to {} KiB",
        memory.most
    );
}
