//! The simulated parts, by hand: `cargo run -p callspool-sim -- pbx --port 5001 --seed 7`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use callspool_sim::crm::{ByHand, run_by_hand};
use callspool_sim::pbx::cdr::SHORT_FIELDS;
use callspool_sim::pbx::v18::{Console, wall};
use callspool_sim::pbx::{CallControl, CdrOutput, CdrWay, Pbx, PbxConfig};
use callspool_sim::time::SimTime;
use clap::{Args, Parser, Subcommand};

/// The simulated parts of callspool's tests and demo.
#[derive(Parser)]
#[command(name = "callspool-sim")]
struct Cli {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// A 3CX v20 with calls, recordings, people and faults.
    Pbx(PbxArgs),
    /// A CRM that takes calls and recordings over a webhook and prints what arrives.
    Crm(CrmArgs),
}

#[derive(Args)]
struct CrmArgs {
    /// Port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// HTTPS, with the authority's certificate written to this file
    #[arg(long)]
    ca_file: Option<std::path::PathBuf>,
    /// The signing secret, whsec_…; one is made if none is given
    #[arg(long)]
    secret: Option<String>,
}

#[derive(Args)]
struct PbxArgs {
    /// Port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 5001)]
    port: u16,
    /// Seed: the same one gives the same company and calls
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Calls an hour, spread evenly
    #[arg(long, default_value_t = 60)]
    calls_per_hour: u32,
    /// Days of calls before now
    #[arg(long, default_value_t = 1)]
    history_days: u32,
    /// Hours of calls to come
    #[arg(long, default_value_t = 72)]
    future_hours: u32,
    /// Simulated seconds per real second
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Generation to simulate: v20, v18, v16 or v15; the build of `--pbx-version` goes before it
    #[arg(long, value_parser = ["v20", "v18", "v16", "v15"])]
    generation: Option<String>,
    /// Build to simulate; one below 20 is a management console without the Configuration API
    #[arg(long)]
    pbx_version: Option<String>,
    /// Before v20: write local times of Berlin, whatever zone is asked for
    #[arg(long)]
    local_times: bool,
    /// Plain HTTP instead of HTTPS
    #[arg(long)]
    http: bool,
    /// How the Call Control API is: allowed, forbidden, absent, silent or dead
    #[arg(long, default_value = "allowed")]
    call_control: String,
    /// Connects there and writes CDR lines, for example 127.0.0.1:5015
    #[arg(long)]
    cdr_connect: Option<std::net::SocketAddr>,
    /// Listens there on 127.0.0.1 and writes CDR lines
    #[arg(long)]
    cdr_listen: Option<u16>,
    /// CDR lines in the other form: 23 fields, dots in dates, commas in names, calls named by a counter
    #[arg(long)]
    cdr_other: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().part {
        Part::Pbx(args) => pbx(args),
        Part::Crm(args) => crm(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("callspool-sim: the simulated part could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn crm(args: CrmArgs) -> std::io::Result<()> {
    run_by_hand(ByHand {
        port: args.port,
        tls: args.ca_file.is_some(),
        ca_file: args.ca_file,
        secret: args.secret,
        any_time: false,
    })
}

fn call_control(word: &str) -> std::io::Result<CallControl> {
    let usual = CallControl::default();
    Ok(match word {
        "allowed" => usual,
        "forbidden" => CallControl {
            allowed: false,
            ..usual
        },
        "absent" => CallControl { absent: true, ..usual },
        "silent" => CallControl { silent: true, ..usual },
        "dead" => CallControl { dead: true, ..usual },
        _ => {
            return Err(std::io::Error::other(
                "--call-control is allowed, forbidden, absent, silent or dead",
            ));
        }
    })
}

fn cdr(way: CdrWay, other: bool) -> CdrOutput {
    let usual = CdrOutput::new(way);
    if !other {
        return usual;
    }
    CdrOutput {
        fields: SHORT_FIELDS.to_vec(),
        date: '.',
        commas: true,
        counter: true,
        ..usual
    }
}

/// The newest build of a generation.
fn newest(generation: Option<&str>) -> &'static str {
    match generation {
        Some("v18") => "18.0.9.20",
        Some("v16") => "16.0.8.9",
        Some("v15") => "15.5.15502.6",
        _ => "20.0.10.101",
    }
}

fn pbx(args: PbxArgs) -> std::io::Result<()> {
    let real = SimTime::real();
    let config = PbxConfig {
        seed: args.seed,
        time: SimTime::scaled(real.wall_at_start_ms, args.rate),
        tls: !args.http,
        port: args.port,
        version: args
            .pbx_version
            .unwrap_or_else(|| newest(args.generation.as_deref()).to_owned()),
        console: Console {
            local_times: args.local_times.then_some(wall::berlin as fn(i64) -> i64),
            ..Console::default()
        },
        history_days: args.history_days,
        future_hours: args.future_hours,
        calls_per_day: args.calls_per_hour * 24,
        even_traffic: true,
        call_control: call_control(&args.call_control)?,
        ..PbxConfig::default()
    };
    let console = config.build().0 < 20;
    let pbx = Pbx::start(config)?;
    let way = match (args.cdr_connect, args.cdr_listen) {
        (Some(to), _) => Some(CdrWay::ConnectTo(to)),
        (None, port) => port.map(CdrWay::Listen),
    };
    let _cdr = way.map(|way| pbx.start_cdr(cdr(way, args.cdr_other))).transpose()?;
    let url = pbx.url();
    let (id, secret) = pbx.credentials();
    println!("PBX            {url}");
    println!("client id      {id}");
    println!("client secret  {secret}   (simulated, no secret)");
    if let Some(digest) = pbx.spki_sha256() {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("SPKI SHA-256   {hex}");
    }
    println!(
        "calls          {} scheduled, seed {}",
        pbx.calls_total_scheduled(),
        args.seed
    );
    println!("\nTry:");
    if console {
        println!(
            "  curl -sk -c jar {url}/api/login -H 'content-type: application/json' -d '{{\"Username\":\"{id}\",\"Password\":\"{secret}\"}}'"
        );
        println!(
            "  curl -sk -b jar '{url}/api/CallLog?TimeZoneName=Etc%2FUTC&callState=All&dateRangeType=Today&numberOfRows=2&startRow=0'"
        );
    } else {
        println!(
            "  TOKEN=$(curl -sk {url}/connect/token -d grant_type=client_credentials -d client_id={id} \
             -d client_secret={secret} | sed 's/.*access_token\":\"\\([^\"]*\\).*/\\1/')"
        );
        println!(
            "  curl -skg -H \"Authorization: Bearer $TOKEN\" '{url}/xapi/v1/Recordings?$top=2&$orderby=Id%20desc&$count=true'"
        );
    }
    println!(
        "  curl -sk {url}/sim/call -H 'content-type: application/json' -d '{{\"kind\":\"queue\",\"ended\":true}}'"
    );
    println!(
        "  curl -sk {url}/sim/fault -H 'content-type: application/json' -d '{{\"what\":\"status\",\"code\":503,\"retry_after\":5,\"times\":3}}'"
    );
    println!("  curl -sk {url}/sim/state ; curl -sk {url}/sim/truth\n\nCtrl-C stops it.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    pbx.stop();
    Ok(())
}
