//! By which names the page may be called. A web page from elsewhere can make a browser come here under a name of its
//! own (DNS rebinding); that name is not on the list, so it gets nothing.

use std::net::{IpAddr, SocketAddr};

use crate::config;

/// The port that a browser leaves out.
const HTTPS: u16 = 443;

/// The names on the list; addresses are judged connection by connection.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<(String, Option<u16>)>);

impl Hosts {
    /// Configured names, the host's own name, and that name in the local domain. A configured name may carry the port
    /// that a forwarding in front of the box shows.
    pub fn new(web: &config::Web, hostname: &str) -> Hosts {
        let own = [hostname.to_owned(), format!("{hostname}.local")];
        let names = web.names.iter().chain(own.iter().filter(|_| !hostname.is_empty()));
        Hosts(names.filter_map(|name| split(name)).collect())
    }

    /// Whether `host`, as it stands in the Host header, may be answered on a connection that came in at `local`.
    pub fn allow(&self, host: &str, local: SocketAddr) -> bool {
        let Some((name, port)) = split(host) else {
            return false;
        };
        let port = port.unwrap_or(HTTPS);
        let here = local.ip().to_canonical();
        let own = match name.parse::<IpAddr>() {
            Ok(address) => address.to_canonical() == here,
            Err(_) => name == "localhost" && here.is_loopback(),
        };
        if own {
            return port == local.port();
        }
        self.0
            .iter()
            .any(|(known, known_port)| *known == name && known_port.unwrap_or(local.port()) == port)
    }
}

/// The name in small letters without its last dot, and the port. `None` if it is neither.
fn split(host: &str) -> Option<(String, Option<u16>)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']')?;
            (name, after.strip_prefix(':'))
        }
        // Two colons outside brackets: an IPv6 address from the configuration.
        None if host.matches(':').count() > 1 => (host, None),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let port = port.map(str::parse::<u16>).transpose().ok()?;
    (!name.is_empty()).then_some((name, port))
}

/// The name of this host, empty if it has none.
pub(crate) fn hostname() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    text.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let web = config::Web {
            listen: Vec::new(),
            names: vec!["Spool.Example.com".to_owned(), "front.example.com:8080".to_owned()],
            scrape_file: None,
            session_idle: std::time::Duration::from_secs(1),
        };
        Hosts::new(&web, "box7")
    }

    #[test]
    fn own_names_and_addresses_with_the_own_port_are_allowed() {
        let local: SocketAddr = "192.0.2.7:8443".parse().unwrap();
        for good in [
            "192.0.2.7:8443",
            "box7:8443",
            "BOX7.local:8443",
            "spool.example.com.:8443",
            "front.example.com:8080",
        ] {
            assert!(hosts().allow(good, local), "{good}");
        }
        for bad in [
            "evil.example:8443",
            "192.0.2.7",
            "192.0.2.7:443",
            "192.0.2.8:8443",
            "localhost:8443",
            "box7",
            "",
            ":8443",
            "box7:8443:1",
            "box7.local.evil.example:8443",
            "front.example.com:8443",
            "box7:x",
        ] {
            assert!(!hosts().allow(bad, local), "{bad}");
        }
    }

    #[test]
    fn loopback_and_six_are_understood() {
        assert!(hosts().allow("localhost:9", "127.0.0.1:9".parse().unwrap()));
        assert!(hosts().allow("[::1]:9", "[::1]:9".parse().unwrap()));
        assert!(hosts().allow("127.0.0.1:9", "[::ffff:127.0.0.1]:9".parse().unwrap()));
        assert!(hosts().allow("box7", "192.0.2.7:443".parse().unwrap()));
        assert!(!hosts().allow("[::1", "[::1]:9".parse().unwrap()));
    }
}
