//! From nothing to an answer.

use std::io;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use callspool_sim::pbx::{Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port};
use crate::figures::{Figures, quantile};

const RUNS: usize = 9;

/// Starts the agent several times on the same store.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let pbx = Pbx::start(PbxConfig {
        history_days: 1,
        future_hours: 0,
        calls_per_day: 20,
        ..PbxConfig::default()
    })?;
    let folder = bench.room("start")?;
    let (mut control, mut page) = (Vec::new(), Vec::new());
    let mut serves = false;
    for run in 0..=RUNS {
        let port = free_port()?;
        let setup = Setup::new(folder.clone(), &pbx, port, "")?;
        let agent = Agent::start(bench, &setup)?;
        while agent.status().is_err() {
            if agent.began.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::other("the agent does not answer"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let answered = agent.began.elapsed();
        // Whoever shows no page in the first run is not waited for again.
        let shown = (run == 0 || serves).then(|| first_page(port, agent.began)).flatten();
        serves = shown.is_some();
        // The first run makes the store, the page's certificate and its first password; no later one does.
        if run > 0 {
            control.push(answered.as_secs_f64() * 1e3);
            page.extend(shown.map(|shown| shown.as_secs_f64() * 1e3));
        }
    }
    figures.add(
        "start to control",
        quantile(&control, 0.5),
        "ms",
        "from exec to the first answered request on the control socket, median of 9 starts",
    );
    if page.is_empty() {
        eprintln!("  this binary serves no page, or none that answers /ping");
    } else {
        figures.add(
            "start to page",
            quantile(&page, 0.5),
            "ms",
            "from exec to the end of the first GET /ping over HTTPS (TCP and TLS handshake included), median of 9",
        );
    }
    Ok(())
}

/// Waits until the page's port is open, and adds what curl says that one request takes from there.
fn first_page(port: u16, began: Instant) -> Option<Duration> {
    let end = Instant::now() + Duration::from_secs(2);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let open = began.elapsed();
    let asked = Command::new("curl")
        .args(["-skf", "-o", "/dev/null", "-w", "%{time_total}"])
        .arg(format!("https://127.0.0.1:{port}/ping"))
        .output()
        .ok()?;
    let seconds: f64 = String::from_utf8_lossy(&asked.stdout).parse().ok()?;
    asked.status.success().then(|| open + Duration::from_secs_f64(seconds))
}
