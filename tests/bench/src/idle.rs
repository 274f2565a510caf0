//! The agent at rest, with TLS to the PBX, to the CRM and to the broker, as it is on a box.

use std::io;
use std::time::Duration;

use callspool_sim::broker::{self, Broker, BrokerConfig, Tls};
use callspool_sim::crm::{Crm, CrmConfig};
use callspool_sim::pbx::{Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port, number};
use crate::figures::Figures;
use crate::latency;
use crate::process::Sample;

const CALLS: u32 = 5000;
const PATIENCE: Duration = Duration::from_secs(120);

/// After the start, after a sync, and at rest for a while; then, as everything stands ready, how long a call takes.
pub fn measure(bench: &Bench, idle: Duration, figures: &mut Figures) -> io::Result<()> {
    let pbx = Pbx::start(PbxConfig {
        tls: true,
        history_days: 5,
        future_hours: 0,
        calls_per_day: CALLS / 5,
        recorded_share: 0.12,
        late_share: 0.0,
        // A transcript that comes minutes later is news, and this is about a box without any.
        transcribed_share: 0.0,
        talk_s: (2, 10),
        ..PbxConfig::default()
    })?;
    let recordings: usize = pbx.truth().iter().map(|call| call.recordings.len()).sum();
    let crm = Crm::start(CrmConfig {
        tls: true,
        ..CrmConfig::default()
    })?;
    let folder = bench.room("idle")?;
    let mut setup = Setup::new(folder, &pbx, free_port()?, "backfill = \"5d\"")?.target(&crm)?;
    let broker = if broker::available() {
        let broker = Broker::start(BrokerConfig {
            tls: Tls::Server,
            ..BrokerConfig::default()
        })?;
        if let Some(ca_file) = broker.ca_file() {
            setup = setup.broker(broker.addr(), &ca_file);
        }
        Some(broker)
    } else {
        eprintln!("  mosquitto is not installed: no MQTT link in these figures");
        None
    };

    let mut agent = Agent::start(bench, &setup)?;
    let often = Duration::from_millis(100);
    agent.wait("an answer", often, PATIENCE, |_| true)?;
    memory(
        figures,
        "just started",
        agent.sample(),
        "when the control socket first answers",
    );
    // The CRM's word, for a call is handed over only when it has settled: nothing waits before that either.
    let calls = CALLS as usize;
    agent.wait("the sync and the delivery", often, PATIENCE, |status| {
        let all = crm.with_state(|state| state.recordings.len() >= recordings && state.calls.len() >= calls);
        all && number(status, "/counts/deliveries_waiting") == 0 && number(status, "/counts/events") == 0
    })?;
    let told = format!("when {CALLS} calls and {recordings} recordings are synced and delivered");
    memory(figures, "after a sync", agent.sample(), &told);
    std::thread::sleep(idle);
    let seconds = idle.as_secs();
    memory(
        figures,
        "idle",
        agent.sample(),
        &format!("{seconds} s later, TLS to PBX, CRM and broker"),
    );

    let before = agent.sample();
    std::thread::sleep(idle);
    let after = agent.sample();
    figures.add(
        "idle, threads",
        after.threads as f64,
        "",
        "main (page, MQTT, control), history, audio, hand-over, one a target, and any that still waits for work",
    );
    let cpu = (after.cpu - before.cpu).as_secs_f64() * 1e3;
    figures.add(
        "idle, processor",
        cpu * 60.0 / idle.as_secs_f64(),
        "ms/min",
        &format!("processor time a minute at the default 5 s poll, over {seconds} s, told in steps of 10 ms"),
    );
    figures.add(
        "idle, written",
        (after.written - before.written) as f64 * 3600.0 / idle.as_secs_f64() / 1024.0,
        "KiB/h",
        &format!("bytes that reach the disk while nothing happens, over {seconds} s"),
    );
    latency::measure(&pbx, &crm, figures)?;
    drop(agent);
    drop(broker);
    Ok(())
}

fn memory(figures: &mut Figures, name: &str, sample: Sample, told: &str) {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    figures.add(
        &format!("RSS, {name}"),
        mib(sample.rss),
        "MiB",
        &format!("resident memory {told}"),
    );
    figures.add(
        &format!("PSS, {name}"),
        mib(sample.pss),
        "MiB",
        "the same with shared pages by share",
    );
    figures.add(
        &format!("heap and stacks, {name}"),
        mib(sample.anonymous),
        "MiB",
        "of it heap, stacks and changed data; the rest is the binary itself, which the kernel can drop and read again",
    );
}
