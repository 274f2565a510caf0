//! `cargo run --example demo`: callspool at its main job, with nothing but this machine.
//!
//! A simulated 3CX makes calls, a receiving CRM prints what arrives, a broker runs if the machine has mosquitto, and
//! the agent stands between them as it does on a box: same code, same page. `-- --outage` cuts the network for a while.

mod parts;

use std::process::ExitCode;
use std::time::Duration;

use callspool::agent::Agent;
use callspool::clock::Clock;
use callspool::{cli, config};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use parts::Parts;

/// callspool on simulated parts: calls, recordings, a CRM, and the page of the box.
#[derive(Parser)]
struct Arguments {
    /// Cut the network to CRM and broker for 30 seconds, 20 seconds after the start, and again
    #[arg(long)]
    outage: bool,
    /// End by itself after this many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// Port of the page
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Seed of the simulated company and its calls
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Warn)
        .format_target(false)
        .init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demo can't run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let parts = Parts::start(arguments.seed, arguments.port)?;
    let config = config::load(&parts.configuration)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let agent = Agent::start(config, Clock::system())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let has_broker = parts.broker.is_some();
        let faces = tokio::spawn(cli::serve(agent.handle(), stopped, move |page| {
            let Some(page) = page else { return };
            println!();
            for address in &page.addresses {
                println!(
                    "  page      https://{address}/   (your browser warns: the certificate is the box's own)"
                );
            }
            println!("  password  {}", page.first_password.as_deref().unwrap_or("as before"));
            if !has_broker {
                println!("  MQTT      off: this machine has no mosquitto (Debian package `mosquitto`)");
            }
            println!("\nCalls are being made. What the CRM gets is printed here; Ctrl-C ends.\n");
        }));
        let end = async {
            match arguments.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            () = end => {}
            () = parts.tell(agent.handle(), arguments.outage) => {}
        }
        println!("\nending");
        stop.send_replace(true);
        let _ = faces.await;
        agent.stop();
        std::io::Result::Ok(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
