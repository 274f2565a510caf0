//! Reading the call log: the agent on a new store, and curl for the same pages.

use std::io;
use std::time::{Duration, Instant};

use callspool_sim::pbx::{Pbx, PbxConfig};
use callspool_sim::time::{DAY_MS, iso};

use crate::agent::{Agent, Bench, Setup, free_port, number};
use crate::beside::Curl;
use crate::figures::Figures;

const DAYS: u32 = 10;
const CALLS_A_DAY: u32 = 1000;

/// Rows a page, as the agent asks for them.
const PAGE: usize = 100;

/// Syncs a history without recordings and without targets.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let pbx = Pbx::start(PbxConfig {
        history_days: DAYS,
        future_hours: 0,
        calls_per_day: CALLS_A_DAY,
        recorded_share: 0.0,
        row_delay_max_s: 0,
        talk_s: (2, 5),
        ..PbxConfig::default()
    })?;
    let now_ms = pbx.time().now_ms();
    let truth = pbx.truth();
    let rows: usize = truth.iter().map(|call| call.rows.len()).sum();
    let calls = truth.len();

    let folder = bench.room("rows")?;
    let setup = Setup::new(folder, &pbx, free_port()?, &format!("backfill = \"{DAYS}d\""))?;
    let mut agent = Agent::start(bench, &setup)?;
    let began = Instant::now();
    agent.wait(
        "the sync of the history",
        Duration::from_millis(20),
        Duration::from_secs(120),
        |status| number(status, "/counts/calls") as usize >= calls && number(status, "/sync/backlog_ms") == 0,
    )?;
    let took = began.elapsed().as_secs_f64();
    let sample = agent.sample();
    drop(agent);
    figures.add(
        "sync, calls",
        calls as f64 / took,
        "calls/s",
        &format!("{calls} calls of {DAYS} days read, summed up and committed on a new store, from exec on"),
    );
    figures.add(
        "sync, rows",
        rows as f64 / took,
        "rows/s",
        &format!("the same in rows of the call log ({rows})"),
    );
    let processor = sample.cpu.as_secs_f64() * 1e6 / rows as f64;
    figures.add(
        "sync, processor",
        processor,
        "us/row",
        "processor time of the agent for each row",
    );
    let written = sample.written as f64 / rows as f64;
    figures.add(
        "sync, written",
        written,
        "bytes/row",
        "bytes that reach the disk for each row",
    );

    // One stretch a day, as the agent reads it.
    let mut paths = Vec::new();
    for day in 0..i64::from(DAYS) {
        let (from, to) = (now_ms - (day + 1) * DAY_MS, now_ms - day * DAY_MS);
        let inside = |start: i64| from <= start && start < to;
        let starts = truth
            .iter()
            .flat_map(|call| &call.rows)
            .filter(|row| inside(row.start_ms));
        for page in 0..starts.count().div_ceil(PAGE) {
            paths.push(report(from, to, page * PAGE));
        }
    }
    let curl = Curl::new(bench.room("rows-curl")?, &pbx)?;
    let beside = curl.fetch(&paths)?.as_secs_f64();
    figures.add(
        "curl, rows",
        rows as f64 / beside,
        "rows/s",
        &format!(
            "the same {} report pages with one curl on one connection, nothing kept",
            paths.len()
        ),
    );
    Ok(())
}

fn report(from: i64, to: i64, skip: usize) -> String {
    format!(
        "/xapi/v1/ReportCallLogData/Pbx.GetCallLogData(periodFrom={},periodTo={},sourceType=0,sourceFilter='',\
         destinationType=0,destinationFilter='',callsType=0,callTimeFilterType=0,callTimeFilterFrom='0:00:0',\
         callTimeFilterTo='0:00:0',hidePcalls=true)?$orderby=StartTime asc&$top={PAGE}&$skip={skip}&$count=true",
        iso(from),
        iso(to)
    )
}
