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
    beside: Option<Folder>,
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

    /// Starts one with users, all with the password `secret`, and an access list.
    pub fn with_acl(users: &[&str], acl: &str) -> Broker {
        let folder = Folder::new();
        let (passwords, list) = (folder.path().join("passwords"), folder.path().join("acl"));
        std::fs::write(&passwords, "").unwrap();
        for user in users {
            let made = Command::new("mosquitto_passwd")
                .args(["-b", &passwords.to_string_lossy(), user, "secret"])
                .status();
            assert!(made.unwrap().success());
        }
        std::fs::write(&list, acl).unwrap();
        let (passwords, list) = (passwords.display(), list.display());
        let mut broker = Broker::start(&format!(
            "allow_anonymous false\npassword_file {passwords}\nacl_file {list}"
        ));
        broker.beside = Some(folder);
        broker
    }

    /// Another access list, taken up while clients are connected.
    pub fn set_acl(&self, acl: &str) {
        let folder = self.beside.as_ref().expect("a broker with an access list");
        std::fs::write(folder.path().join("acl"), acl).unwrap();
        let pid = self.process.as_ref().expect("a running broker").id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    fn with(lines: &str) -> Broker {
        let (folder, port) = (Folder::new(), free_port());
        let log = folder.path().join("broker.log");
        let persistence = lines.contains("# persistent");
        let config = format!(
            "user root\npersistence {persistence}\npersistence_location {}/\nautosave_on_changes true\nautosave_interval 1\nlog_type all\nlog_dest file {}\nlistener {port} 127.0.0.1\n{lines}\n",
            folder.path().display(),
            log.display()
        );
        std::fs::write(folder.path().join("broker.conf"), config).unwrap();
        let mut broker = Broker {
            folder,
            port,
            process: None,
            beside: None,
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
