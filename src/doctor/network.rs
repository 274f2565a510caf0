//! The network of this box, as far as it can be seen from here: cable, address, way out, name servers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::examination::{Examination, Found, fine, found, skipped};
use super::{Subject, targets};

/// Reading the kernel's tables.
const LIMIT: Duration = Duration::from_secs(2);
/// How long a name server may take, and how often it is asked: UDP may get lost.
const DNS_PATIENCE: Duration = Duration::from_millis(1200);
const DNS_TRIES: u32 = 2;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let peers = targets::hosts(subject);
    let outside = peers.iter().any(|host| !is_local(host));
    let mut look = |code, look: fn(&Path) -> Found| {
        let root = subject.root.clone();
        examination.check::<()>(code, LIMIT, move || {
            let told = match outside {
                true => look(&root),
                false => skipped("everything that is configured is on this machine itself"),
            };
            (told, None)
        });
    };
    look("link", link);
    look("address", address);
    look("route", route);
    let name = peers
        .into_iter()
        .find(|host| !is_local(host) && host.parse::<IpAddr>().is_err());
    let root = subject.root.clone();
    examination.check::<()>("dns", DNS_PATIENCE * DNS_TRIES + LIMIT, move || {
        let told = match name {
            Some(name) => dns(&root, &name),
            None => skipped("no names are used: everything is given by its address"),
        };
        (told, None)
    });
}

/// Whether a host is this machine itself, by how it is written.
pub(super) fn is_local(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn link(root: &Path) -> Found {
    let Ok(entries) = fs::read_dir(root.join("sys/class/net")) else {
        return skipped("this system does not tell of its network interfaces");
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "lo")
        .collect();
    names.sort();
    let is_up = |name: &&String| {
        let folder = root.join("sys/class/net").join(name);
        let state = read(folder.join("operstate"));
        // Some virtual interfaces say "unknown" when they work.
        read(folder.join("carrier")).trim() == "1" && matches!(state.trim(), "up" | "unknown")
    };
    match names.iter().filter(is_up).cloned().collect::<Vec<_>>() {
        up if !up.is_empty() => fine(format!("{} is up", up.join(", "))),
        _ if names.is_empty() => found("link-down", "there is no network interface"),
        _ => found("link-down", format!("{}: no signal", names.join(", "))),
    }
}

fn address(root: &Path) -> Found {
    let v4 = v4_addresses(&read(root.join("proc/net/fib_trie")));
    let v6_global = read(root.join("proc/net/if_inet6"));
    let v6_global = v6_global.lines().filter(|line| {
        let mut parts = line.split_whitespace();
        parts.nth(3) == Some("00") && parts.nth(1) != Some("lo")
    });
    let (usable, self_made): (Vec<_>, Vec<_>) = v4.into_iter().partition(|address| !address.is_link_local());
    let mut all: Vec<String> = usable.iter().map(ToString::to_string).collect();
    match v6_global.count() {
        0 => {}
        1 => all.push("one of IPv6".to_owned()),
        n => all.push(format!("{n} of IPv6")),
    }
    match (all.is_empty(), self_made.first()) {
        (false, _) => fine(all.join(", ")),
        (true, Some(own)) => found(
            "address-missing",
            format!("it has only {own}, which it made up itself because no DHCP server answered"),
        ),
        (true, None) => found("address-missing", "it has none"),
    }
}

/// The addresses of this machine from `/proc/net/fib_trie`: a leaf's address stands in the line before `host LOCAL`.
fn v4_addresses(trie: &str) -> Vec<Ipv4Addr> {
    let mut leaf = None;
    let mut found = Vec::new();
    for line in trie.lines() {
        if let Some(address) = line.trim().strip_prefix("|-- ") {
            leaf = address.trim().parse::<Ipv4Addr>().ok();
        } else if line.contains("host LOCAL")
            && let Some(address) = leaf.filter(|address| !address.is_loopback() && !found.contains(address))
        {
            found.push(address);
        }
    }
    found
}

fn route(root: &Path) -> Found {
    let v4 = read(root.join("proc/net/route"));
    let gateway = v4.lines().skip(1).find_map(|line| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let is_default = parts.get(1) == Some(&"00000000") && parts.get(7) == Some(&"00000000");
        let raw = u32::from_str_radix(parts.get(2)?, 16).ok()?;
        is_default.then(|| (Ipv4Addr::from(raw.to_le_bytes()), parts[0].to_owned()))
    });
    let v6 = read(root.join("proc/net/ipv6_route"));
    let v6 = v6.lines().any(|line| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let nothing = "00000000000000000000000000000000";
        parts.first() == Some(&nothing) && parts.get(1) == Some(&"00") && parts.last() != Some(&"lo")
    });
    match gateway {
        Some((gateway, interface)) if gateway.is_unspecified() => fine(format!("over {interface}")),
        Some((gateway, interface)) => fine(format!("over {gateway} ({interface})")),
        None if v6 => fine("over IPv6"),
        None => found("route-missing", "there is no default gateway"),
    }
}

fn dns(root: &Path, name: &str) -> Found {
    let servers = name_servers(&read(root.join("etc/resolv.conf")));
    if servers.is_empty() {
        return found("dns-silent", "no name server is set");
    }
    let answers: Vec<(IpAddr, bool)> = std::thread::scope(|scope| {
        let asked: Vec<_> = servers
            .iter()
            .map(|server| scope.spawn(move || (*server, answers(*server, name))))
            .collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
    });
    let silent: Vec<String> = answers
        .iter()
        .filter(|(_, ok)| !ok)
        .map(|(server, _)| server.to_string())
        .collect();
    match (silent.len(), answers.len()) {
        (0, 1) => fine(format!("{} answers", servers[0])),
        (0, all) => fine(format!("all {all} answer")),
        (n, all) if n == all => found("dns-silent", format!("no answer from {}", silent.join(", "))),
        _ => found(
            "dns-partly",
            format!("no answer from {}, the others answer", silent.join(", ")),
        ),
    }
}

fn name_servers(resolv_conf: &str) -> Vec<IpAddr> {
    let lines = resolv_conf
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"));
    lines
        .filter_map(|rest| rest.trim().split('%').next()?.parse().ok())
        .take(3)
        .collect()
}

/// Whether a name server says anything to a question for `name`, be it that there is no such name.
fn answers(server: IpAddr, name: &str) -> bool {
    let from: SocketAddr = match server {
        IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        IpAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let Ok(socket) = UdpSocket::bind(from) else {
        return false;
    };
    let id = crate::random::bytes::<2>();
    let question = question(id, name);
    let ready = socket
        .connect((server, 53))
        .and_then(|()| socket.set_read_timeout(Some(DNS_PATIENCE)));
    if ready.is_err() {
        return false;
    }
    (0..DNS_TRIES).any(|_| {
        let mut room = [0; 1500];
        socket.send(&question).is_ok()
            && matches!(socket.recv(&mut room), Ok(got) if got >= 12 && room[..2] == id && room[2] & 0x80 != 0)
    })
}

/// A question for the IPv4 address of `name` (RFC 1035 §4.1), with recursion asked for.
fn question(id: [u8; 2], name: &str) -> Vec<u8> {
    let mut packet = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        packet.push(label.len() as u8);
        packet.extend(label);
    }
    packet.extend([0, 0, 1, 0, 1]);
    packet
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    /// A made-up machine below a folder of its own.
    struct Machine(PathBuf);

    impl Machine {
        fn new() -> Machine {
            let folder = std::env::temp_dir().join(format!("callspool-net-{}", crate::random::token::<6>()));
            fs::create_dir_all(&folder).unwrap();
            Machine(folder)
        }

        fn file(&self, path: &str, text: &str) -> &Machine {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn told(found: &Found) -> (Outcome, Option<&str>, &str) {
        found.told()
    }

    #[test]
    fn a_pulled_cable_is_named() {
        let machine = Machine::new();
        machine
            .file("sys/class/net/lo/operstate", "unknown")
            .file("sys/class/net/lo/carrier", "1");
        assert_eq!(told(&link(&machine.0)).1, Some("link-down"));
        machine
            .file("sys/class/net/eth0/operstate", "down\n")
            .file("sys/class/net/eth0/carrier", "0\n");
        assert_eq!(
            told(&link(&machine.0)),
            (Outcome::Failed, Some("link-down"), "eth0: no signal")
        );
        machine
            .file("sys/class/net/eth0/operstate", "up\n")
            .file("sys/class/net/eth0/carrier", "1\n");
        assert_eq!(told(&link(&machine.0)), (Outcome::Ok, None, "eth0 is up"));
    }

    #[test]
    fn an_address_that_the_box_made_up_is_no_address() {
        let leaf = |address: &str| {
            format!(
                "Local:\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- {address}\n        /32 host LOCAL\n"
            )
        };
        let machine = Machine::new();
        machine.file("proc/net/fib_trie", &leaf("169.254.7.9"));
        let found = address(&machine.0);
        assert_eq!(told(&found).1, Some("address-missing"));
        assert!(told(&found).2.contains("169.254.7.9") && told(&found).2.contains("DHCP"));
        machine.file("proc/net/fib_trie", &leaf("192.168.7.9"));
        assert_eq!(told(&address(&machine.0)), (Outcome::Ok, None, "192.168.7.9"));
    }

    #[test]
    fn a_way_out_is_read_from_the_kernels_table() {
        let machine = Machine::new();
        let head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n";
        machine.file(
            "proc/net/route",
            &format!("{head}eth0\t0007A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"),
        );
        assert_eq!(told(&route(&machine.0)).1, Some("route-missing"));
        machine.file(
            "proc/net/route",
            &format!("{head}eth0\t00000000\t0107A8C0\t0003\t0\t0\t0\t00000000\n"),
        );
        assert_eq!(told(&route(&machine.0)), (Outcome::Ok, None, "over 192.168.7.1 (eth0)"));
    }

    #[test]
    fn a_silent_name_server_is_named_within_its_time() {
        let machine = Machine::new();
        machine.file("etc/resolv.conf", "search x\nnameserver 127.66.6.6\n");
        let began = std::time::Instant::now();
        let found = dns(&machine.0, "pbx.example.com");
        assert_eq!(
            told(&found),
            (Outcome::Failed, Some("dns-silent"), "no answer from 127.66.6.6")
        );
        assert!(began.elapsed() < Duration::from_secs(4));
        machine.file("etc/resolv.conf", "");
        assert_eq!(told(&dns(&machine.0, "pbx.example.com")).1, Some("dns-silent"));
    }

    #[test]
    fn a_question_is_what_rfc_1035_says() {
        assert_eq!(
            question([7, 9], "a.bc."),
            [
                7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1
            ]
        );
    }
}
