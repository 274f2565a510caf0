//! What callspool costs and how fast it is, in figures: `cargo run -p callspool-bench --release`.
//!
//! It measures the binary that was built before (it builds nothing), against the simulated PBX, the simulated CRM and
//! a real mosquitto, and sets curl and sync beside it where they can do the same work. It judges nothing: figures
//! depend on the machine, and a limit that holds on one is noise on the next.

#![forbid(unsafe_code)]

mod agent;
mod archive;
mod beside;
mod figures;
mod idle;
mod latency;
mod live;
mod page;
mod process;
mod recordings;
mod rights;
mod rows;
mod start;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use figures::Figures;

/// Measures a callspool binary; prints figures, asserts nothing.
#[derive(Parser)]
#[command(name = "callspool-bench")]
struct Arguments {
    /// The binary; by default the release build of packaging/build if there is one, else cargo's release build
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Folder for state and recordings, on a real disk; by default beside the binary
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Only these: start, idle, live, rows, recordings, rights, page, archive (several with commas)
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Seconds that the idle agent settles, and then is watched
    #[arg(long, default_value_t = 20)]
    idle: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(figures) => {
            if arguments.json {
                println!("{}", figures.json());
            } else {
                print!("{}", figures.table());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("callspool-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<Figures> {
    let binary = find_binary(arguments)?;
    let bench = agent::Bench::new(binary, arguments.folder.clone())?;
    let mut figures = Figures::new(&bench);
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let idle = Duration::from_secs(arguments.idle);
    if wanted("start") {
        start::measure(&bench, &mut figures)?;
    }
    if wanted("rows") {
        rows::measure(&bench, &mut figures)?;
    }
    if wanted("recordings") {
        recordings::measure(&bench, &mut figures)?;
    }
    if wanted("rights") {
        rights::measure(&bench, &mut figures)?;
    }
    if wanted("page") {
        page::measure(&bench, &mut figures)?;
    }
    if wanted("live") {
        live::measure(&bench, &mut figures)?;
    }
    if wanted("archive") {
        archive::measure(&bench, &mut figures)?;
    }
    if wanted("idle") {
        idle::measure(&bench, idle, &mut figures)?;
    }
    Ok(figures)
}

fn find_binary(arguments: &Arguments) -> io::Result<PathBuf> {
    if let Some(binary) = &arguments.binary {
        return binary.canonicalize();
    }
    // This program is <target folder>/<profile>/callspool-bench.
    let own = std::env::current_exe()?;
    let out = own.ancestors().nth(2).unwrap_or(&own);
    let candidates = [
        out.join("x86_64-unknown-linux-musl/dist/callspool"),
        out.join("release/callspool"),
    ];
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "there is no binary to measure: run packaging/build (or cargo build --release) first, or give --binary",
        )
    })
}
