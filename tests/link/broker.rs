//! A real mosquitto of our own, that can be frozen, killed and started again.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::pki::Pki;
use crate::rig::{Folder, until};

pub struct Broker {
    folder: Folder,
    port: u16,
    process: Option<Child>,
}

impl Broker {
    /// Starts one with these lines added to its configuration.
    pub fn start(lines: &str) -> Broker {
        let anonymous = if lines.contains("allow_anonymous") {
            ""
        } else {
            "allow_anonymous true"
        };
        Broker::with(&format!("{anonymous}\n{lines}"))
    }

    /// Starts one that wants client certificates.
    pub fn start_tls(pki: &Pki) -> Broker {
        let (ca, cert, key) = (pki.ca(), pki.server_cert(), pki.server_key());
        let (ca, cert, key) = (ca.display(), cert.display(), key.display());
        Broker::start(&format!(
            "cafile {ca}\ncertfile {cert}\nkeyfile {key}\nrequire_certificate true"
        ))
    }

    fn with(lines: &str) -> Broker {
        let (folder, port) = (Folder::new(), free_port());
        let log = folder.path().join("broker.log");
        let config = format!(
            "user root\npersistence false\nlog_type all\nlog_dest file {}\nlistener {port} 127.0.0.1\n{lines}\n",
            log.display()
        );
        std::fs::write(folder.path().join("broker.conf"), config).unwrap();
        let mut broker = Broker {
            folder,
            port,
            process: None,
        };
        broker.restart();
        broker
    }

    pub fn restart(&mut self) {
        let started = Command::new(mosquitto())
            .arg("-c")
            .arg(self.folder.path().join("broker.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(started.expect("mosquitto can't be started; install it: apt-get install mosquitto"));
        until(Duration::from_secs(10), "the broker listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    #[allow(dead_code)]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("a running broker").id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// SIGSTOP: its sockets stay open, nobody answers.
    pub fn freeze(&self) {
        let pid = self.process.as_ref().expect("a running broker").id().to_string();
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    }

    /// SIGKILL, and its sessions are gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("broker.log")).unwrap_or_default()
    }

    /// How often a client with this id has connected.
    pub fn connections_of(&self, client: &str) -> usize {
        let sign = format!("as {client} ");
        self.log()
            .lines()
            .filter(|line| line.contains("New client connected") && line.contains(&sign))
            .count()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn mosquitto() -> PathBuf {
    // Debian puts it where only root's PATH looks.
    let known = PathBuf::from("/usr/sbin/mosquitto");
    if known.exists() {
        known
    } else {
        PathBuf::from("mosquitto")
    }
}
