//! Delivering to object storage, beside `rclone copy` of the same files to the same store: moto's S3 server in the Python
//! environment that `tests/run` makes. Left out, with a word, where the store or rclone is not installed.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callspool_sim::pbx::{CallKind, CallPlan, Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port, number};
use crate::figures::Figures;

const FILES: usize = 1_000;

/// 16 bytes a millisecond: 32 kB, a call of two seconds. The store is what takes the time, in both.
const TALK_MS: i64 = 2_000;

const PATIENCE: Duration = Duration::from_secs(600);

/// Takes a thousand recordings while the store is away, then lets it come back and watches them go.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let Some(python) = python() else {
        eprintln!("  object storage: left out, run tests/run once: it installs a store to measure against");
        return Ok(());
    };
    let pbx = Pbx::start(PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        ..PbxConfig::default()
    })?;
    let mut ids = Vec::new();
    while ids.len() < FILES {
        let call = pbx.place_call(CallPlan {
            kind: Some(CallKind::Outbound),
            ended: true,
            talk_ms: Some(TALK_MS),
            recorded: Some(true),
            row_delay_ms: Some(0),
            recording_delay_ms: Some(0),
            ..CallPlan::default()
        });
        ids.extend(call.recordings.iter().map(|recording| recording.id));
    }
    let port = free_port()?;
    let folder = bench.room("archive")?;
    let setup = Setup::new(folder, &pbx, free_port()?, "settle = \"1s\"")?.bucket(port)?;
    let mut agent = Agent::start(bench, &setup)?;
    agent.wait("the hand-over", Duration::from_millis(50), PATIENCE, |status| {
        number(status, "/counts/deliveries_waiting") as usize >= 2 * ids.len()
    })?;
    let server = Server::start(&python, port)?;
    let began = Instant::now();
    agent.ask("{\"do\":\"resume\",\"target\":\"archive\"}")?;
    agent.wait("the delivery", Duration::from_millis(50), PATIENCE, |status| {
        number(status, "/counts/deliveries_waiting") == 0
    })?;
    let ours = ids.len() as f64 / began.elapsed().as_secs_f64();
    drop(agent);
    figures.add(
        "object storage, recordings",
        ours,
        "files/s",
        "1,000 recordings of 32 kB, each with its JSON and its call's JSON: three objects, created only, checksums compared, two commits",
    );
    figures.add(
        "object storage, objects",
        ours * 3.0,
        "objects/s",
        "the same, counted in objects",
    );
    let source = bench.room("archive-files")?;
    for id in &ids {
        fs::write(source.join(format!("{id}.wav")), pbx.audio(*id).unwrap_or_default())?;
    }
    // One after the other, as callspool does it, and four at a time, which is rclone's default.
    for (name, transfers) in [("1 at a time", "1"), ("4 at a time", "4")] {
        let Some(took) = rclone(&source, &server.url, transfers)? else {
            eprintln!("  rclone: left out, it is not installed (apt-get install rclone)");
            return Ok(());
        };
        let theirs = ids.len() as f64 / took.as_secs_f64();
        let meaning = "rclone copy of the same 1,000 files to the same store: one object each, nothing committed";
        figures.add(&format!("rclone, {name}"), theirs, "objects/s", meaning);
        figures.add(
            &format!("object storage beside rclone, {name}"),
            ours * 3.0 / theirs,
            "ratio",
            "objects a second of callspool for each of rclone",
        );
    }
    Ok(())
}

/// The Python that has the store, beside the folder of this program.
fn python() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let python = own.ancestors().nth(2)?.join("s3/bin/python");
    let asked = Command::new(&python).args(["-c", "import moto.server, flask"]).output();
    asked.is_ok_and(|output| output.status.success()).then_some(python)
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts the store with a bucket in it.
    fn start(python: &Path, port: u16) -> io::Result<Server> {
        let run = "from moto.server import main; import sys; main(sys.argv[1:])";
        let child = Command::new(python)
            .args(["-c", run, "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Server {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > end {
                return Err(io::Error::other("the object store did not come up"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        for bucket in ["rec", "beside"] {
            let login = "authorization: AWS4-HMAC-SHA256 Credential=b/20261122/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0";
            let url = format!("{}/{bucket}", server.url);
            Command::new("curl")
                .args(["-sf", "-X", "PUT", "-H", login, &url])
                .output()?;
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long `rclone copy` of a folder takes; `None` if there is no rclone.
fn rclone(source: &Path, url: &str, transfers: &str) -> io::Result<Option<Duration>> {
    let remote = format!(":s3:beside/{transfers}");
    let began = Instant::now();
    let copied = Command::new("rclone")
        // rclone can't take a CA bundle from there; the store is plain HTTP.
        .env_remove("AWS_CA_BUNDLE")
        .args([
            "copy",
            "--transfers",
            transfers,
            "--config",
            "/dev/null",
            "--s3-provider",
            "Other",
        ])
        .args([
            "--s3-access-key-id",
            "bench",
            "--s3-secret-access-key",
            "bench",
            "--s3-endpoint",
            url,
        ])
        .arg("--s3-no-check-bucket")
        .arg(source)
        .arg(remote)
        .output();
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(output) if output.status.success() => Ok(Some(began.elapsed())),
        Ok(output) => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
