//! The network of a machine that is ours to change: applied, and taken back by itself unless somebody confirms it.
//!
//! Only a small helper of root's does it (`callspool network-helper`), because the agent may write nothing outside of its
//! own folders. It listens on a Unix socket, knows a fixed list of verbs ([`Order`]), never runs a shell, and puts nothing
//! into a file but what it has parsed. Where its socket is not there, the network is the system's and not ours.
//!
//! A change that nobody has confirmed within [`PATIENCE`] is taken back, also if the helper was stopped or the power was
//! cut in between: the file of before lies beside the new one until somebody has confirmed.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::files;

/// How long a change waits to be confirmed. OpenWrt's LuCI waits as long (`luci.apply.rollback`).
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How an interface gets its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Addressing {
    /// By DHCP.
    Dhcp,
    /// A fixed one.
    Fixed {
        /// The address.
        address: Ipv4Addr,
        /// Length of the network's prefix, 1 to 30.
        prefix: u8,
        /// The way out.
        gateway: Ipv4Addr,
        /// Name servers.
        dns: Vec<IpAddr>,
    },
}

/// What the helper can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Order {
    /// How it is.
    Show,
    /// Apply this, and take it back unless it is confirmed.
    Apply {
        /// What.
        addressing: Addressing,
    },
    /// It works: keep it.
    Confirm,
    /// Take it back now.
    TakeBack,
}

/// What the helper answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What is in force; `None` if the file was not written by us.
    pub addressing: Option<Addressing>,
    /// For so many milliseconds more it waits to be confirmed.
    pub waits_ms: Option<u64>,
    /// Why the order was not carried out; empty if it was.
    #[serde(default)]
    pub error: String,
}

impl Addressing {
    /// Reads what somebody typed: `192.0.2.7/24`, a gateway, and name servers with blanks or commas between them.
    ///
    /// # Errors
    /// Names the field (`address`, `gateway`, `dns`) and says what would be right.
    pub fn fixed(address: &str, gateway: &str, dns: &str) -> Result<Addressing, (&'static str, &'static str)> {
        let wrong = ("address", "write it with the length of its network, like 192.0.2.7/24");
        let (ip, prefix) = address.trim().split_once('/').ok_or(wrong)?;
        let address: Ipv4Addr = ip.trim().parse().map_err(|_| wrong)?;
        let prefix: u8 = prefix.trim().parse().map_err(|_| wrong)?;
        if !(1..=30).contains(&prefix) {
            return Err(wrong);
        }
        let mask = u32::MAX << (32 - u32::from(prefix));
        let (own, net) = (u32::from(address), u32::from(address) & mask);
        if own == net || own == net | !mask || address.is_loopback() || address.is_multicast() {
            return Err((
                "address",
                "this is the address of a network or of all in it, and not of one machine",
            ));
        }
        let gateway: Ipv4Addr = gateway
            .trim()
            .parse()
            .map_err(|_| ("gateway", "write an address, like 192.0.2.1"))?;
        if u32::from(gateway) & mask != net || gateway == address {
            return Err(("gateway", "it must be another address in the same network"));
        }
        let servers = dns.split([' ', ',', ';']).filter(|part| !part.is_empty());
        let dns: Result<Vec<IpAddr>, _> = servers.map(str::parse).collect();
        Ok(Addressing::Fixed {
            address,
            prefix,
            gateway,
            dns: dns.map_err(|_| ("dns", "write addresses with blanks between them"))?,
        })
    }

    /// It as a file of systemd-networkd (systemd.network(5)).
    fn as_network_file(&self) -> String {
        let mut text = format!("{MARK}\n[Match]\nType=ether\n\n[Network]\n");
        match self {
            Addressing::Dhcp => text.push_str("DHCP=yes\n"),
            Addressing::Fixed {
                address,
                prefix,
                gateway,
                dns,
            } => {
                let _ = write!(text, "DHCP=no\nAddress={address}/{prefix}\nGateway={gateway}\n");
                dns.iter().for_each(|server| {
                    let _ = writeln!(text, "DNS={server}");
                });
            }
        }
        text
    }

    /// What such a file says; `None` if we did not write it.
    fn of_network_file(text: &str) -> Option<Addressing> {
        let mut lines = text.lines();
        if lines.next() != Some(MARK) {
            return None;
        }
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let Some(address) = value("Address=") else {
            return Some(Addressing::Dhcp);
        };
        let dns: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("DNS=")).collect();
        Addressing::fixed(address, value("Gateway=")?, &dns.join(" ")).ok()
    }
}

const MARK: &str = "# Written by callspool network-helper; change it on the box's page.";

/// Keeps one file of systemd-networkd, and takes changes back that nobody confirms.
#[derive(Debug)]
pub struct Keeper {
    file: PathBuf,
    patience: Duration,
    /// Until when the change waits.
    until: Option<Instant>,
}

impl Keeper {
    /// For the file at `file`, `/etc/systemd/network/10-callspool.network`. A change that an earlier run left
    /// unconfirmed is taken back at once.
    ///
    /// # Errors
    /// If that is impossible.
    pub fn new(file: &Path, patience: Duration) -> Result<Keeper, String> {
        let mut keeper = Keeper {
            file: file.to_owned(),
            patience,
            until: None,
        };
        if keeper.before().exists() {
            keeper.take_back()?;
        }
        Ok(keeper)
    }

    /// Carries an order out.
    pub fn obey(&mut self, order: &Order) -> Standing {
        let done = match order {
            Order::Show => Ok(()),
            Order::Apply { addressing } => self.apply(addressing),
            Order::Confirm => self.confirm(),
            Order::TakeBack => self.take_back(),
        };
        Standing {
            error: done.err().unwrap_or_default(),
            ..self.standing()
        }
    }

    /// Takes back what nobody confirmed in time. To be called every second or so; `true` if something was.
    pub fn look(&mut self) -> bool {
        if self.until.is_none_or(|until| Instant::now() < until) {
            return false;
        }
        match self.take_back() {
            Ok(()) => log::warn!("nobody confirmed the network's change: it is as it was before"),
            Err(error) => log::error!("the network's change can't be taken back: {error}"),
        }
        true
    }

    fn standing(&self) -> Standing {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let left = |until: Instant| until.saturating_duration_since(Instant::now()).as_millis();
        Standing {
            addressing: Addressing::of_network_file(&text),
            waits_ms: self.until.map(|until| u64::try_from(left(until)).unwrap_or(0)),
            error: String::new(),
        }
    }

    /// Where the file of before lies; empty, if there was none.
    fn before(&self) -> PathBuf {
        self.file.with_extension("before")
    }

    fn apply(&mut self, addressing: &Addressing) -> Result<(), String> {
        // Of two changes in a row the one before both is gone back to.
        if self.until.is_none() {
            let text = std::fs::read_to_string(&self.file).unwrap_or_default();
            write(&self.before(), &text)?;
        }
        self.until = Some(Instant::now() + self.patience);
        write(&self.file, &addressing.as_network_file())?;
        reload().inspect_err(|_| drop(self.take_back()))
    }

    fn confirm(&mut self) -> Result<(), String> {
        if self.until.take().is_none() {
            return Err("nothing waits to be confirmed; it may have been taken back already".to_owned());
        }
        files::remove(&self.before()).map_err(|error| error.to_string())
    }

    fn take_back(&mut self) -> Result<(), String> {
        let Ok(text) = std::fs::read_to_string(self.before()) else {
            return Err("there is nothing to take back".to_owned());
        };
        match text.is_empty() {
            true if self.file.exists() => files::remove(&self.file).map_err(|error| error.to_string())?,
            true => {}
            false => write(&self.file, &text)?,
        }
        self.until = None;
        let done = reload();
        // Last: what can't be loaded anew is tried again at the next start.
        if done.is_ok() {
            files::remove(&self.before()).map_err(|error| error.to_string())?;
        }
        done
    }
}

/// Readable by all, as networkd runs as a user of its own.
fn write(path: &Path, text: &str) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    files::write_whole(path, text.as_bytes()).map_err(|error| error.to_string())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).map_err(|error| error.to_string())
}

/// Lets systemd-networkd read its files anew (networkctl(1): `reload` also applies what changed for links).
fn reload() -> Result<(), String> {
    let ran = Command::new("networkctl")
        .arg("reload")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("networkctl can't be run: {error}"))?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(format!(
            "networkctl reload: {}",
            String::from_utf8_lossy(&ran.stderr).trim()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_only_with_a_network_in_which_it_and_its_gateway_can_be() {
        let good = Addressing::fixed("192.0.2.7/24", "192.0.2.1", "9.9.9.9, 2620:fe::fe").unwrap();
        assert_eq!(Addressing::of_network_file(&good.as_network_file()), Some(good));
        let dhcp = Addressing::Dhcp;
        assert_eq!(Addressing::of_network_file(&dhcp.as_network_file()), Some(dhcp));
        assert_eq!(Addressing::of_network_file("[Match]\nName=eth0\n"), None);
        for (address, gateway, dns, field) in [
            ("192.0.2.7", "192.0.2.1", "", "address"),
            ("192.0.2.0/24", "192.0.2.1", "", "address"),
            ("192.0.2.255/24", "192.0.2.1", "", "address"),
            ("192.0.2.7/31", "192.0.2.6", "", "address"),
            ("192.0.2.7/24", "198.51.100.1", "", "gateway"),
            ("192.0.2.7/24", "192.0.2.7", "", "gateway"),
            ("192.0.2.7/24\nDNS=evil", "192.0.2.1", "", "address"),
            ("192.0.2.7/24", "192.0.2.1", "one.example", "dns"),
        ] {
            assert_eq!(
                Addressing::fixed(address, gateway, dns).unwrap_err().0,
                field,
                "{address} {gateway}"
            );
        }
    }
}
