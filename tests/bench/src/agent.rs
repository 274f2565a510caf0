//! The agent under measurement: its folder, its configuration, its process, its control socket.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callspool_sim::{crm, pbx};
use serde_json::Value;

use crate::process::Sample;

/// What all measurements share: the binary, and a folder that goes when they are done.
pub struct Bench {
    /// The binary that is measured.
    pub binary: PathBuf,
    folder: PathBuf,
}

impl Bench {
    /// Makes the folder, in `within` or else beside the binary.
    pub fn new(binary: PathBuf, within: Option<PathBuf>) -> io::Result<Bench> {
        let within = match (within, binary.parent()) {
            (Some(within), _) => within,
            (None, Some(parent)) => parent.to_owned(),
            (None, None) => PathBuf::from("."),
        };
        let folder = within.join(format!("callspool-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        Ok(Bench { binary, folder })
    }

    /// A new, empty folder.
    pub fn room(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// What kind of file system the folder is on: bytes written mean nothing on tmpfs.
    pub fn file_system(&self) -> String {
        let asked = Command::new("stat").args(["-f", "-c", "%T"]).arg(&self.folder).output();
        asked.map_or_else(
            |_| String::new(),
            |out| String::from_utf8_lossy(&out.stdout).trim().to_owned(),
        )
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The configuration of one box, as a technician would type it.
pub struct Setup {
    folder: PathBuf,
    text: String,
}

impl Setup {
    /// A box beside `pbx`; `lines` are more settings of `[pbx]`. The page listens on `port`.
    pub fn new(folder: PathBuf, pbx: &pbx::Handle, port: u16, lines: &str) -> io::Result<Setup> {
        let (client_id, secret) = pbx.credentials();
        write_secret(&folder.join("pbx.secret"), &secret)?;
        let text = format!(
            "name = \"bench\"\nlog = \"warn\"\nstate_dir = {:?}\n[web]\nlisten = [\"127.0.0.1:{port}\"]\n\
             [pbx]\nurl = {:?}\nclient_id = {client_id:?}\nsecret_file = \"pbx.secret\"\n{lines}\n",
            folder.join("state"),
            pbx.url()
        );
        Ok(Setup { folder, text })
    }

    /// Adds the simulated CRM as a target.
    pub fn target(mut self, crm: &crm::Handle) -> io::Result<Setup> {
        write_secret(&self.folder.join("crm.secret"), crm.secret())?;
        let url = crm.hook_url();
        let mut lines = format!("[[target]]\nname = \"crm\"\nurl = {url:?}\nsecret_file = \"crm.secret\"\n");
        if let Some(pem) = crm.ca_pem() {
            let file = self.folder.join("crm-ca.pem");
            fs::write(&file, pem)?;
            lines.push_str(&format!("trust = {file:?}\n"));
        }
        self.text.push_str(&lines);
        Ok(self)
    }

    /// Adds the bucket `rec` of an object store that answers on `port` of this machine.
    pub fn bucket(mut self, port: u16) -> io::Result<Setup> {
        write_secret(&self.folder.join("s3.secret"), "bench\nbench\n")?;
        self.text.push_str(&format!(
            "[[target]]\nname = \"archive\"\nkind = \"s3\"\nurl = \"http://127.0.0.1:{port}\"\nbucket = \"rec\"\n\
             secret_file = \"s3.secret\"\n"
        ));
        Ok(self)
    }

    /// Adds a broker that is reached with TLS, trusted by the authority in `ca_file`.
    pub fn broker(mut self, address: std::net::SocketAddr, ca_file: &Path) -> Setup {
        self.text
            .push_str(&format!("[mqtt]\nurl = \"mqtts://{address}\"\ntrust = {ca_file:?}\n"));
        self
    }

    fn file(&self) -> io::Result<PathBuf> {
        let path = self.folder.join("callspool.toml");
        fs::write(&path, &self.text)?;
        Ok(path)
    }
}

fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    fs::write(path, secret)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// A running agent; ended when dropped.
pub struct Agent {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
    /// When it was started.
    pub began: Instant,
}

impl Agent {
    /// Starts `callspool run`.
    pub fn start(bench: &Bench, setup: &Setup) -> io::Result<Agent> {
        let config = setup.file()?;
        let log = setup.folder.join("agent.log");
        let err = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let began = Instant::now();
        let child = Command::new(&bench.binary)
            .arg("run")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(err)
            .spawn()?;
        let socket = setup.folder.join("state/control.sock");
        Ok(Agent {
            child,
            socket,
            log,
            began,
        })
    }

    /// Its state, as `callspool status --json` gives it, without the price of another process.
    pub fn status(&self) -> io::Result<Value> {
        self.ask("{\"do\":\"status\"}")
    }

    /// Asks one thing over the control socket.
    pub fn ask(&self, request: &str) -> io::Result<Value> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits until `done` holds of its state, looking every `pause`; gives how long that took.
    pub fn wait(
        &mut self,
        what: &str,
        pause: Duration,
        within: Duration,
        mut done: impl FnMut(&Value) -> bool,
    ) -> io::Result<Duration> {
        let began = Instant::now();
        let mut last = Value::Null;
        loop {
            if let Ok(status) = self.status() {
                if done(&status) {
                    return Ok(began.elapsed());
                }
                last = status;
            }
            if self.child.try_wait()?.is_some() || began.elapsed() > within {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "{what} did not come about; state: {last:#}\nlog:\n{log}"
                )));
            }
            std::thread::sleep(pause);
        }
    }

    /// What the kernel says about it.
    pub fn sample(&self) -> Sample {
        Sample::of(self.child.id())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // SIGTERM by way of kill(1): the standard library can only kill for good, and then the store is left behind
        // with a full log.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(8);
        while asked.is_ok() && Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number in a status, by its JSON pointer; 0 if it isn't there.
pub fn number(status: &Value, pointer: &str) -> i64 {
    status.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// A port that was free a moment ago.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
