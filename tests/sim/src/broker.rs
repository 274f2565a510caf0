//! A real mosquitto with a configuration of its own in a temporary folder, which can be stopped, killed, paused
//! and started again on the same port.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::crm::certs::Authority;
use crate::crm::serve::PortHold;

mod config;
mod folder;
mod watcher;

pub use watcher::{Message, Watcher};

use folder::Folder;

/// How long mosquitto may take to begin or to end before that counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the broker shows who it is, and whether clients must too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Plain MQTT.
    #[default]
    Off,
    /// The broker has a certificate for `localhost` and `127.0.0.1`, signed by [`Broker::ca_pem`].
    Server,
    /// Clients need one too: [`Broker::client_pem`].
    Mutual,
}

/// How to start a [`Broker`]; the default is plain, open to anybody, and forgets all when it ends.
#[derive(Debug, Clone, Default)]
pub struct BrokerConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// User and password that clients must give.
    pub login: Option<(String, String)>,
    /// Sessions and retained messages are written to disk on each change, so they are there again after
    /// [`Broker::start_again`]. mosquitto 2.0.11 acknowledges first and writes then, so [`Broker::kill`] may
    /// still lose the very last one. Without persistence it forgets all of them when it ends.
    pub persistence: bool,
    /// The largest payload in bytes that it takes; mosquitto drops the connection of who sends a larger one.
    pub message_size_limit: Option<u32>,
}

/// A running (or stopped) mosquitto; dropping it kills the process and removes the folder.
pub struct Broker {
    config: BrokerConfig,
    port: PortHold,
    program: PathBuf,
    process: Mutex<Option<Process>>,
    credentials: Option<Credentials>,
    // Last, so that the folder goes after the process.
    folder: Folder,
}

struct Process {
    child: Child,
    paused: bool,
}

struct Credentials {
    ca_pem: String,
    client_cert_pem: String,
    client_key_pem: String,
}

/// True if mosquitto is installed. Tests that need it print a line and end well if it isn't.
pub fn available() -> bool {
    find_program("mosquitto").is_some()
}

/// A program in `PATH`, or where Debian puts servers, which is not in everybody's `PATH`.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

impl Broker {
    /// Starts mosquitto; it takes connections when this returns.
    ///
    /// # Errors
    /// When it isn't installed, or ends at once; then the error holds what it logged.
    pub fn start(config: BrokerConfig) -> io::Result<Self> {
        let program = find_program("mosquitto")
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "mosquitto is not installed"))?;
        let folder = Folder::new("broker")?;
        let port = PortHold::new(config.port)?;
        let credentials = match config.tls {
            Tls::Off => None,
            Tls::Server | Tls::Mutual => Some(write_certificates(&folder)?),
        };
        config::write(&config, port.addr(), &folder)?;
        let broker = Self {
            config,
            port,
            program,
            process: Mutex::new(None),
            credentials,
            folder,
        };
        broker.start_again()?;
        Ok(broker)
    }

    /// Where it listens; the port stays the same, and reserved, as long as this lives.
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// The CA that signed its certificate; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.credentials.as_ref().map(|c| c.ca_pem.as_str())
    }

    /// The same as a file, for who wants a path.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.credentials.as_ref().map(|_| self.folder.path("ca.pem"))
    }

    /// A client's certificate and key that it accepts; `None` without TLS.
    pub fn client_pem(&self) -> Option<(&str, &str)> {
        self.credentials
            .as_ref()
            .map(|c| (c.client_cert_pem.as_str(), c.client_key_pem.as_str()))
    }

    /// What mosquitto has logged since the first start.
    pub fn log(&self) -> String {
        fs::read(self.folder.path("log"))
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .unwrap_or_default()
    }

    /// Starts it again with the same port, configuration and, with persistence, memory. Does nothing if it
    /// runs.
    ///
    /// # Errors
    /// When it ends at once or doesn't listen in time; the error holds what it logged.
    pub fn start_again(&self) -> io::Result<()> {
        let mut process = self.process();
        if process.is_some() {
            return Ok(());
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path("log"))?;
        let mut child = Command::new(&self.program)
            .arg("-c")
            .arg(self.folder.path("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let end = Instant::now() + PATIENCE;
        let why = loop {
            if TcpStream::connect(self.addr()).is_ok() {
                *process = Some(Process { child, paused: false });
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                break format!("mosquitto ended at once ({status})");
            }
            if Instant::now() > end {
                child.kill()?;
                child.wait()?;
                break "mosquitto does not listen".to_owned();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Err(io::Error::other(format!("{why}; its log:\n{}", self.log())))
    }

    /// Ends it in good order (SIGTERM): it says goodbye to its clients and, with persistence, writes all down.
    ///
    /// # Errors
    /// When it can't be signalled or doesn't end in time (it is then killed).
    pub fn stop(&self) -> io::Result<()> {
        let Some(mut process) = self.process().take() else {
            return Ok(());
        };
        let pid = process.child.id();
        if process.paused {
            signal("CONT", pid)?;
        }
        signal("TERM", pid)?;
        if wait(&mut process.child, PATIENCE)?.is_none() {
            process.child.kill()?;
            process.child.wait()?;
            return Err(io::Error::other("mosquitto did not end on SIGTERM and was killed"));
        }
        Ok(())
    }

    /// Ends it at once (SIGKILL), as a crash or a power cut would.
    ///
    /// # Errors
    /// When it can't be signalled.
    pub fn kill(&self) -> io::Result<()> {
        let Some(mut process) = self.process().take() else {
            return Ok(());
        };
        process.child.kill()?;
        process.child.wait()?;
        Ok(())
    }

    /// Freezes it (SIGSTOP): connections stay open, new ones are accepted by the kernel, nobody answers.
    ///
    /// # Errors
    /// When it isn't running or can't be signalled.
    pub fn pause(&self) -> io::Result<()> {
        self.set_paused(true)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When it isn't running or can't be signalled.
    pub fn resume(&self) -> io::Result<()> {
        self.set_paused(false)
    }

    fn set_paused(&self, paused: bool) -> io::Result<()> {
        let mut process = self.process();
        let process = process
            .as_mut()
            .ok_or_else(|| io::Error::other("mosquitto is not running"))?;
        signal(if paused { "STOP" } else { "CONT" }, process.child.id())?;
        process.paused = paused;
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // SIGKILL ends a frozen process too.
        let _ = self.kill();
    }
}

fn write_certificates(folder: &Folder) -> io::Result<Credentials> {
    let authority = Authority::new("callspool simulated broker CA")?;
    let server = authority.server()?;
    let client = authority.client("callspool-test")?;
    folder.write("ca.pem", authority.pem())?;
    folder.write("server.pem", &server.cert_pem)?;
    folder.write("server.key", &server.key_pem)?;
    folder.write("client.pem", &client.cert_pem)?;
    folder.write("client.key", &client.key_pem)?;
    Ok(Credentials {
        ca_pem: authority.pem().to_owned(),
        client_cert_pem: client.cert_pem,
        client_key_pem: client.key_pem,
    })
}

/// Sends a signal by the shell's own `kill`, which is everywhere and needs no unsafe code.
fn signal(name: &str, pid: u32) -> io::Result<()> {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("kill -s {name} {pid}: {status}")))
    }
}

fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Arguments for mosquitto's own clients to reach this broker.
fn client_arguments(broker: &Broker) -> Vec<String> {
    let mut arguments: Vec<String> = ["-h", "127.0.0.1", "-p"].map(String::from).to_vec();
    arguments.push(broker.addr().port().to_string());
    let file = |name: &str| Path::to_string_lossy(&broker.folder.path(name)).into_owned();
    if broker.config.tls != Tls::Off {
        arguments.extend(["--cafile".into(), file("ca.pem")]);
    }
    if broker.config.tls == Tls::Mutual {
        arguments.extend(["--cert".into(), file("client.pem"), "--key".into(), file("client.key")]);
    }
    if let Some((user, password)) = &broker.config.login {
        arguments.extend(["-u".into(), user.clone(), "-P".into(), password.clone()]);
    }
    arguments
}
