//! Recordings: taken from the PBX and held, and then delivered; beside curl and sync for the same files.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use callspool_sim::crm::{Crm, CrmConfig};
use callspool_sim::pbx::{CallKind, CallPlan, PathKind, Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port, number};
use crate::beside::{Curl, sync};
use crate::figures::Figures;

const SMALL: usize = 300;

/// 16 bytes a millisecond: 1 MB and 100 MB.
const SMALL_MS: i64 = 62_500;
const LARGE_MS: i64 = 6_250_000;

const PATIENCE: Duration = Duration::from_secs(120);

/// Takes everything while the CRM is away, then lets it come back.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let (small, large) = (vec![SMALL_MS; SMALL], vec![LARGE_MS]);
    one(bench, figures, "300 x 1 MB", &small)?;
    one(bench, figures, "1 x 100 MB", &large)
}

fn one(bench: &Bench, figures: &mut Figures, name: &str, talks: &[i64]) -> io::Result<()> {
    let pbx = Pbx::start(PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        ..PbxConfig::default()
    })?;
    let mut ids = Vec::new();
    let mut bytes = 0;
    for talk in talks {
        let call = pbx.place_call(CallPlan {
            kind: Some(CallKind::Outbound),
            ended: true,
            talk_ms: Some(*talk),
            recorded: Some(true),
            row_delay_ms: Some(0),
            recording_delay_ms: Some(0),
            ..CallPlan::default()
        });
        for recording in call.recordings {
            ids.push(recording.id);
            bytes += recording.length;
        }
    }
    let megabytes = bytes as f64 / 1e6;
    let crm = Crm::start(CrmConfig::default())?;
    crm.stop();
    let folder = bench.room(&format!("intake-{}", ids.len()))?;
    let setup = Setup::new(folder, &pbx, free_port()?, "settle = \"1s\"")?.target(&crm)?;
    let mut agent = Agent::start(bench, &setup)?;

    let quick = Duration::from_millis(2);
    agent.wait("the first download", quick, PATIENCE, |_| {
        pbx.requests(PathKind::Download) > 0
    })?;
    let (began, before) = (Instant::now(), agent.sample());
    agent.wait("all recordings held", Duration::from_millis(10), PATIENCE, |status| {
        number(status, "/counts/recordings_held") as usize == ids.len()
    })?;
    let took = began.elapsed().as_secs_f64();
    let after = agent.sample();
    figures.add(
        &format!("intake, {name}"),
        megabytes / took,
        "MB/s",
        "from the PBX (plain HTTP) to held: hashed, checked, file and folder synced, row committed; each by itself",
    );
    figures.add(
        &format!("intake, written, {name}"),
        (after.written - before.written) as f64 / bytes as f64,
        "bytes/byte",
        "bytes that reach the disk for each byte of recording",
    );
    figures.add(
        &format!("intake, processor, {name}"),
        (after.cpu - before.cpu).as_secs_f64() * 1e3 / megabytes,
        "ms/MB",
        "processor time of the agent for each MB taken",
    );

    // Everything is to be handed over before the CRM is back, so that only sending is measured.
    agent.wait("the hand-over", Duration::from_millis(50), PATIENCE, |status| {
        number(status, "/counts/deliveries_waiting") as usize == 2 * ids.len()
    })?;
    crm.start_again()?;
    let began = Instant::now();
    agent.ask("{\"do\":\"resume\",\"target\":\"crm\"}")?;
    agent.wait("the delivery", Duration::from_millis(20), PATIENCE, |status| {
        number(status, "/counts/deliveries_waiting") == 0
    })?;
    figures.add(
        &format!("delivery, {name}"),
        megabytes / began.elapsed().as_secs_f64(),
        "MB/s",
        &format!(
            "{} events and {} uploads to the CRM (plain HTTP), each confirmed and committed",
            ids.len() * 2,
            ids.len()
        ),
    );
    drop(agent);
    compare(bench, figures, name, &pbx, &ids, megabytes)
}

fn compare(
    bench: &Bench,
    figures: &mut Figures,
    name: &str,
    pbx: &callspool_sim::pbx::Handle,
    ids: &[i32],
    megabytes: f64,
) -> io::Result<()> {
    let paths: Vec<String> = ids
        .iter()
        .map(|id| format!("/xapi/v1/Recordings/Pbx.DownloadRecording(recId={id})"))
        .collect();
    let curl = Curl::new(bench.room("curl")?, pbx)?;
    let fetched = curl.fetch(&paths)?;
    let files: Vec<_> = (0..ids.len()).map(|n| curl.file(n)).collect();
    let all: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let synced = sync(&all)?;
    figures.add(
        &format!("curl, {name}"),
        megabytes / (fetched + synced).as_secs_f64(),
        "MB/s",
        "the same files with one curl on one connection, then one sync of them all; nothing checked",
    );
    curl.clear()?;
    if ids.len() > 1 {
        let began = Instant::now();
        for path in &paths {
            curl.fetch(std::slice::from_ref(path))?;
            sync(&[&curl.file(0)])?;
        }
        figures.add(
            &format!("curl one by one, {name}"),
            megabytes / began.elapsed().as_secs_f64(),
            "MB/s",
            "the same as a script would do it to be safe: curl and sync for each file",
        );
        curl.clear()?;
    }
    Ok(())
}
