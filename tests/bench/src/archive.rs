//! Delivering to object storage, beside `rclone copy` of the same files to the same store: moto's S3 server in the Python
//! environment that `tests/run` makes. Left out, with a word, where the store or rclone is not installed.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};

use crate::agent::{Agent, Bench, Setup, free_port, number};
use crate::figures::{Figures, quantile};

/// So many recordings of one length.
struct Load {
    name: &'static str,
    files: usize,
    /// 16 bytes a millisecond.
    talk_ms: i64,
}

/// Calls of two seconds, where the requests are what takes the time; of a minute; and one of most of two hours, which goes
/// in parts.
const LOADS: [Load; 3] = [
    Load {
        name: "300 × 32 kB",
        files: 300,
        talk_ms: 2_000,
    },
    Load {
        name: "300 × 1 MB",
        files: 300,
        talk_ms: 62_500,
    },
    Load {
        name: "1 × 100 MB",
        files: 1,
        talk_ms: 6_250_000,
    },
];

/// Both are measured by turns, because the machine may have other things to do; the medians are told.
const ROUNDS: usize = 3;

const PATIENCE: Duration = Duration::from_secs(600);

/// Measures each load.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let Some(python) = python() else {
        eprintln!("  object storage: left out, run tests/run once: it installs a store to measure against");
        return Ok(());
    };
    for (n, load) in LOADS.iter().enumerate() {
        let mut archiving = Archiving::start(bench, n)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let files = archiving.take(load)?;
            let server = Server::start(&python, archiving.port)?;
            ours.push(archiving.deliver(load)?.as_secs_f64());
            drop(server);
            let source = bench.room(&format!("archive-{n}-{round}"))?;
            for id in files {
                fs::write(
                    source.join(format!("{id}.wav")),
                    archiving.pbx.audio(id).unwrap_or_default(),
                )?;
            }
            let server = Server::start(&python, free_port()?)?;
            match rclone(&source, &server.url)? {
                Some(took) => theirs.push(took.as_secs_f64()),
                None => eprintln!("  rclone: left out, it is not installed (apt-get install rclone)"),
            }
            fs::remove_dir_all(&source)?;
        }
        let ours = quantile(&ours, 0.5);
        figures.add(
            &format!("object storage, {}", load.name),
            load.files as f64 / ours,
            "files/s",
            "recordings delivered, each with its JSON and its call's JSON: three objects, created only, checksums compared, two commits",
        );
        if theirs.is_empty() {
            continue;
        }
        let theirs = quantile(&theirs, 0.5);
        figures.add(
            &format!("rclone copy, {}", load.name),
            load.files as f64 / theirs,
            "files/s",
            "the same files to the same store with rclone's defaults: one object each, nothing committed",
        );
        figures.add(
            &format!("object storage beside rclone, {}", load.name),
            theirs / ours,
            "ratio",
            "recordings a second of callspool for each of rclone",
        );
        figures.add(
            &format!("the same in objects, {}", load.name),
            3.0 * theirs / ours,
            "ratio",
            "objects a second of callspool for each of rclone",
        );
    }
    Ok(())
}

/// A box whose object store comes and goes.
struct Archiving {
    pbx: pbx::Handle,
    agent: Agent,
    port: u16,
}

impl Archiving {
    fn start(bench: &Bench, n: usize) -> io::Result<Archiving> {
        let pbx = Pbx::start(PbxConfig {
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            ..PbxConfig::default()
        })?;
        let port = free_port()?;
        let folder = bench.room(&format!("archive-{n}"))?;
        let lines = "settle = \"1s\"\npoll = \"200ms\"\nsweep = \"500ms\"";
        let setup = Setup::new(folder, &pbx, free_port()?, lines)?.bucket(port)?;
        let agent = Agent::start(bench, &setup)?;
        Ok(Archiving { pbx, agent, port })
    }

    fn place(&self, talk_ms: i64) -> Vec<i32> {
        let call = self.pbx.place_call(CallPlan {
            kind: Some(CallKind::Outbound),
            ended: true,
            talk_ms: Some(talk_ms),
            recorded: Some(true),
            row_delay_ms: Some(0),
            recording_delay_ms: Some(0),
            ..CallPlan::default()
        });
        call.recordings.iter().map(|recording| recording.id).collect()
    }

    /// Takes the recordings of a load from the PBX while the store is away.
    fn take(&mut self, load: &Load) -> io::Result<Vec<i32>> {
        let mut ids = Vec::new();
        while ids.len() < load.files {
            ids.extend(self.place(load.talk_ms));
        }
        let due = 2 * ids.len() as i64;
        self.agent
            .wait("the hand-over", Duration::from_millis(50), PATIENCE, |status| {
                number(status, "/counts/deliveries_waiting") >= due
            })?;
        Ok(ids)
    }

    /// The store is back: how long until all is there.
    fn deliver(&mut self, load: &Load) -> io::Result<Duration> {
        let began = Instant::now();
        self.agent.ask("{\"do\":\"resume\",\"target\":\"archive\"}")?;
        let pause = Duration::from_millis(if load.files > 1 { 50 } else { 10 });
        self.agent.wait("the delivery", pause, PATIENCE, |status| {
            number(status, "/counts/deliveries_waiting") == 0
        })?;
        Ok(began.elapsed())
    }
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

/// How long `rclone copy` of a folder takes, four files at a time as is its default; `None` if there is no rclone.
fn rclone(source: &Path, url: &str) -> io::Result<Option<Duration>> {
    let began = Instant::now();
    let copied = Command::new("rclone")
        // rclone can't take a CA bundle from there; the store is plain HTTP.
        .env_remove("AWS_CA_BUNDLE")
        .args(["copy", "--config", "/dev/null", "--s3-provider", "Other"])
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
        .arg(":s3:beside/copy")
        .output();
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(output) if output.status.success() => Ok(Some(began.elapsed())),
        Ok(output) => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
