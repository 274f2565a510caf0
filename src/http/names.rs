//! From a name to addresses. ureq asks before every request, also before one that goes out on a connection that is
//! open, and starts a thread for each question: at the usual poll that would be some seventeen thousand threads and
//! look-ups a day, and a name server's pause would look like the peer's.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is believed. A peer that moves to another address is found again after that.
const KEEP: Duration = Duration::from_secs(30);

/// Names that are kept: the peer's own, and where it may send uploads to.
const MOST: usize = 4;

/// Remembers what names were resolved to, and resolves plain addresses by itself.
#[derive(Debug, Default)]
pub(super) struct Names {
    asks: DefaultResolver,
    known: Mutex<Vec<Known>>,
}

#[derive(Debug)]
struct Known {
    name: String,
    until: Instant,
    addresses: Vec<SocketAddr>,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let place = uri.scheme().zip(uri.authority());
        let Some(name) = place.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority))
        else {
            return self.asks.resolve(uri, config, timeout);
        };
        let mut found = self.empty();
        if let Ok(address) = name.parse() {
            found.push(address);
            return Ok(found);
        }
        let now = Instant::now();
        if let Some(known) = self
            .known()
            .iter()
            .find(|known| known.name == name && known.until > now)
        {
            known.addresses.iter().for_each(|address| found.push(*address));
            return Ok(found);
        }
        let found = self.asks.resolve(uri, config, timeout)?;
        let mut known = self.known();
        known.retain(|known| known.name != name && known.until > now);
        if known.len() < MOST {
            known.push(Known {
                name,
                until: now + KEEP,
                addresses: found.to_vec(),
            });
        }
        Ok(found)
    }
}

impl Names {
    fn known(&self) -> std::sync::MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(names: &Names, uri: &str) -> Result<Vec<SocketAddr>, ureq::Error> {
        let never = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            reason: ureq::Timeout::Resolve,
            per_read: None,
            per_write: None,
        };
        let found = names.resolve(&uri.parse().unwrap(), &Config::default(), never)?;
        Ok(found.to_vec())
    }

    #[test]
    fn an_address_is_itself_and_asks_nobody() {
        let names = Names::default();
        assert_eq!(
            resolve(&names, "https://192.0.2.7/x").unwrap(),
            ["192.0.2.7:443".parse().unwrap()]
        );
        assert_eq!(
            resolve(&names, "http://[2001:db8::1]:81/").unwrap(),
            ["[2001:db8::1]:81".parse().unwrap()]
        );
        assert!(names.known().is_empty());
    }

    #[test]
    fn a_name_is_asked_for_again_when_its_answer_is_old() {
        let names = Names::default();
        let here = resolve(&names, "http://localhost:81/").unwrap();
        assert!(here.iter().all(|address| address.ip().is_loopback()));
        let moved: SocketAddr = "192.0.2.7:81".parse().unwrap();
        names.known()[0].addresses = vec![moved];
        assert_eq!(resolve(&names, "http://localhost:81/x").unwrap(), [moved]);
        names.known()[0].until = Instant::now();
        assert_eq!(resolve(&names, "http://localhost:81/").unwrap(), here);
        assert_eq!(names.known().len(), 1);
    }
}
