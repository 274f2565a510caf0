//! What black-box tests share: a folder of their own, a configuration in it, and an agent that runs on it — in this
//! process with a clock that runs faster, or as the real binary that can be killed.

#![allow(dead_code, clippy::unwrap_used)]

pub mod archive;
pub mod erasing;
pub mod look;
pub mod strace;
pub mod volume;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use callspool::agent::{Agent, Handle};
use callspool::clock::Clock;
use callspool::config::{self, Config};
use callspool_sim::crm;
use callspool_sim::pbx;
use callspool_sim::time::SimTime;

/// The moment at which simulated days begin: a Monday morning.
pub const MORNING_MS: i64 = 1_792_994_400_000;

/// A folder of this test alone, removed when the test has passed and kept when it failed.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new folder below the system's folder for temporary files.
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("callspool-{name}-{}", callspool::random::token::<6>()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The configuration of one box, as a technician would type it.
pub struct Setup {
    /// Its folder.
    pub folder: Folder,
    text: String,
}

impl Setup {
    /// A box beside `pbx`, reached at `pbx_url` (its own address, or a line's).
    pub fn new(name: &str, pbx: &pbx::Handle, pbx_url: &str) -> Setup {
        let folder = Folder::new(name);
        let (client_id, secret) = pbx.credentials();
        write_secret(&folder.0.join("pbx.secret"), &secret);
        let mut text = format!("name = \"{name}\"\nstate_dir = {:?}\n", folder.0.join("state"));
        write!(
            text,
            "[web]\nlisten = [\"127.0.0.1:0\"]\n[pbx]\nurl = {pbx_url:?}\nclient_id = {client_id:?}\n"
        )
        .unwrap();
        text.push_str("secret_file = \"pbx.secret\"\n");
        Setup { folder, text }
    }

    /// More settings of the table that was begun last; at first that is `[pbx]`.
    pub fn set(mut self, lines: &str) -> Setup {
        self.text.push_str(lines.trim());
        self.text.push('\n');
        self
    }

    /// Settings that stand before all tables.
    pub fn before_all(mut self, lines: &str) -> Setup {
        self.text.insert_str(0, &format!("{}\n", lines.trim()));
        self
    }

    /// A target that is reached at `url`; further [`Setup::set`] lines belong to it.
    pub fn target(mut self, name: &str, crm: &crm::Handle, url: &str) -> Setup {
        write_secret(&self.folder.0.join(format!("{name}.secret")), crm.secret());
        write!(
            self.text,
            "[[target]]\nname = {name:?}\nurl = {url:?}\nsecret_file = \"{name}.secret\"\n"
        )
        .unwrap();
        self
    }

    /// The state folder.
    pub fn state_dir(&self) -> PathBuf {
        self.folder.0.join("state")
    }

    /// Writes the file and gives its path.
    pub fn file(&self) -> PathBuf {
        let path = self.folder.0.join("callspool.toml");
        // Written once: an agent that just starts must not find it half written by who asks for its status.
        if fs::read_to_string(&path).ok().as_ref() != Some(&self.text) {
            fs::write(&path, &self.text).unwrap();
        }
        path
    }

    /// The configuration, resolved.
    pub fn config(&self) -> Config {
        config::load(&self.file()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }
}

fn write_secret(path: &Path, secret: &str) {
    fs::write(path, secret).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A clock for the agent that shows what `time` shows to the simulated parts.
pub fn same_clock(time: &SimTime) -> Clock {
    Clock::scaled(time.wall_at_start_ms, time.started, time.rate)
}

/// An agent in this process, without faces.
pub struct InProcess {
    agent: Option<Agent>,
    handle: Handle,
}

impl InProcess {
    /// Starts it.
    pub fn start(setup: &Setup, clock: Clock) -> InProcess {
        InProcess::with(setup.config(), clock)
    }

    /// The same with a configuration.
    pub fn with(config: Config, clock: Clock) -> InProcess {
        let agent = Agent::start(config, clock).unwrap();
        let handle = agent.handle();
        InProcess {
            agent: Some(agent),
            handle,
        }
    }

    /// The agent as faces see it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether a flow met something fatal.
    pub fn fatal(&self) -> Option<String> {
        self.agent.as_ref().and_then(|agent| agent.fatal().borrow().clone())
    }

    /// Waits until `done` holds; shows the state when it never does.
    pub fn wait(&self, what: &str, within: Duration, mut done: impl FnMut(&Handle) -> bool) {
        let end = Instant::now() + within;
        while !done(&self.handle) {
            if Instant::now() > end {
                let status = serde_json::to_string_pretty(&self.handle.status()).unwrap();
                panic!("after {within:?} still not: {what}\n{status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.stop();
        }
    }
}

/// The real binary, running.
pub struct Process {
    child: Child,
    /// Where its messages go.
    pub log: PathBuf,
    socket: PathBuf,
}

impl Process {
    /// `callspool run` on `setup`.
    pub fn start(setup: &Setup) -> Process {
        Process::start_with(setup, Command::new(binary()))
    }

    /// The same, begun by `command` (for example `strace … callspool`), to which the arguments are added.
    pub fn start_with(setup: &Setup, mut command: Command) -> Process {
        let log = setup.folder.0.join("agent.log");
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = command
            .arg("run")
            .arg("--config")
            .arg(setup.file())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .unwrap();
        let socket = callspool::cli::control::socket(&setup.state_dir());
        Process { child, log, socket }
    }

    /// Waits until its control socket answers.
    pub fn wait_until_up(&mut self, setup: &Setup) {
        let end = Instant::now() + Duration::from_secs(20);
        while status(setup).is_none() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the agent ended: {}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            assert!(Instant::now() < end, "the agent did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn exit(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// What it has said so far, in this and earlier runs on the same folder.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Pulls the plug.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop, and waits; gives whether it ended well.
    pub fn stop(&mut self) -> bool {
        // Before its control socket answers it may not listen to signals either.
        let end = Instant::now() + Duration::from_secs(20);
        while self.exit().is_none() && Instant::now() < end && UnixStream::connect(&self.socket).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary under test.
pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_callspool")
}

/// Runs a verb of the command line on `setup`.
pub fn callspool(setup: &Setup, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .arg("--config")
        .arg(setup.file())
        .output()
        .unwrap()
}

/// What `callspool status --json` says, if the agent answers.
pub fn status(setup: &Setup) -> Option<serde_json::Value> {
    let asked = callspool(setup, &["status", "--json"]);
    serde_json::from_slice(&asked.stdout).ok()
}

pub mod front;
pub mod truth;
pub mod world;

/// Replaces the content of a secret file of `setup`, for example `pbx.secret`.
pub fn rewrite_secret(setup: &Setup, name: &str, secret: &str) {
    write_secret(&setup.folder.0.join(name), secret);
}
