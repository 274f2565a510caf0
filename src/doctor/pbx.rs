//! The way to the PBX, up to the login.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Subject;
use super::examination::{Examination, Found, consequence_of, fine, found, skipped};
use super::network::is_local;
use crate::config::read_secret;
use crate::pbx::{Error, Kind, LastAnswer, Pbx, Probe, SHARED_DEATHS};
use crate::when;

/// Resolving a name.
const NAME: Duration = Duration::from_secs(5);
/// Connecting, all addresses together.
const PORT: Duration = Duration::from_secs(4);
/// TLS, login and the first question.
const LOGIN: Duration = Duration::from_secs(10);
/// A clock that is off by more than this confuses people who compare times.
const OFF_MS: i64 = 60_000;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let (host, port) = authority(&subject.config.pbx.url);
    examination.local = is_local(&host);
    let dns_failed = examination.has_failed("dns");
    let addresses = examination.check("pbx-dns", NAME, move || match (host.as_str(), port).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            let told = match addresses.len() {
                1 => fine(addresses[0].ip().to_string()),
                n => fine(format!("it has {n} addresses")),
            };
            (told, Some(addresses))
        }
        Err(_) if dns_failed => (consequence_of("dns"), None),
        Err(error) => (
            found("pbx-name-unknown", format!("\"{host}\" can't be resolved: {error}")),
            None,
        ),
    });
    let addresses = addresses.unwrap_or_default();
    examination.check::<()>("pbx-tcp", PORT, move || (knock(&addresses, port), None));
    let driver = match &subject.pbx {
        Ok(driver) => Arc::clone(driver),
        Err(text) => {
            let text = text.clone();
            examination.check::<()>("pbx-tls", LOGIN, move || (found("pbx-trust-unusable", text), None));
            return;
        }
    };
    let (asked, plain) = (Arc::clone(&driver), subject.config.pbx.url.starts_with("http://"));
    let probed = examination.check("pbx-tls", LOGIN, move || {
        let answer = asked.probe();
        (tls(&answer, asked.as_ref(), plain), Some(answer))
    });
    examination.learn(driver.generation());
    let secret_file = subject.config.pbx.secret_file.clone();
    let asked = Arc::clone(&driver);
    examination.check::<()>("pbx-token", LOGIN, move || {
        let told = match probed {
            Some(Ok(probe)) => fine(format!(
                "client ID and API key are accepted; 3CX {}",
                probe.version.unwrap_or_else(|| asked.generation().word().to_owned())
            )),
            Some(Err(_)) if read_secret(&secret_file).is_err() => consequence_of("secrets"),
            Some(Err(error)) => refused(&error),
            None => skipped("not asked"),
        };
        (told, None)
    });
    let last = driver.last_answer();
    examination.check::<()>("pbx-clock", LOGIN, move || (clock(last), None));
    let deaths = driver.early_token_deaths();
    let runs = subject.link.is_some();
    examination.check::<()>("token-life", LOGIN, move || {
        let told = match deaths {
            _ if !runs => skipped("only the running agent sees whether somebody else ends its token"),
            0 => fine("none died early in the last hour"),
            few if few < SHARED_DEATHS => fine(format!("{few} died early in the last hour, as when the PBX restarts")),
            many => found(
                "pbx-token-shared",
                format!("{many} tokens died before their time in the last hour: somebody else logs in with the same client"),
            ),
        };
        (told, None)
    });
}

/// Tries all addresses until one lets us in.
fn knock(addresses: &[SocketAddr], port: u16) -> Found {
    let end = Instant::now() + PORT - Duration::from_millis(500);
    let mut last = None;
    for (n, at) in addresses.iter().take(3).enumerate() {
        let left = end.saturating_duration_since(Instant::now()) / (addresses.len().min(3) - n) as u32;
        match TcpStream::connect_timeout(at, left.max(Duration::from_millis(100))) {
            Ok(_) => return fine(format!("port {port} answers")),
            Err(error) => last = Some(error),
        }
    }
    match last {
        None => found("pbx-name-unknown", "the name has no address"),
        Some(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => found(
            "pbx-port-refused",
            format!("port {port} does not answer: the connection is refused"),
        ),
        Some(error) => found("pbx-port-silent", format!("port {port} does not answer: {error}")),
    }
}

/// What the first question says about the way to the PBX; what it says about the login comes on the next line.
fn tls(answer: &Result<Probe, Error>, driver: &dyn Pbx, plain: bool) -> Found {
    match answer {
        Err(error) if error.kind == Kind::PinChanged => found(
            "pbx-pin-changed",
            format!(
                "{}; known pin {}, shown pin {}",
                error.text,
                driver.pin().unwrap_or_default(),
                driver.offered_pin().unwrap_or_default()
            ),
        ),
        Err(error) if error.kind == Kind::Untrusted => found("pbx-certificate-untrusted", &error.text),
        Err(error) if error.kind == Kind::Unreachable && error.text.contains("TLS failed") => {
            found("pbx-tls-failed", &error.text)
        }
        Err(error) if error.kind == Kind::Unreachable => found("pbx-no-answer", &error.text),
        _ if plain => found("pbx-plain", "plain HTTP"),
        _ => fine(match driver.pin() {
            Some(pin) => format!("pinned, SHA-256 of its key {pin}"),
            None => "trusted by its authority".to_owned(),
        }),
    }
}

/// What a refused login or first question is called.
fn refused(error: &Error) -> Found {
    match error.kind {
        // Known, let in, and refused what every token may ask.
        Kind::RightMissing => found("pbx-right-missing", &error.text),
        Kind::TooMuch => found("pbx-fault", &error.text),
        Kind::Gone | Kind::Ours | Kind::Unreachable => found("pbx-fault", &error.text),
        _ => found(error.code(), &error.text),
    }
}

fn clock(last: LastAnswer) -> Found {
    let Some(ahead) = last.clock_ahead_ms else {
        return skipped("the PBX tells no time");
    };
    if ahead.abs() <= OFF_MS {
        return fine("it agrees with this box");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let told = format!("its clock is {} {side} this box", when::span(ahead.abs()));
    // Zones differ by quarters of an hour at least, and by less than a day.
    let quarters = (ahead as f64 / 900_000.0).round() as i64;
    let rest = (ahead - quarters * 900_000).abs();
    if rest <= OFF_MS && (1..=56).contains(&quarters.abs()) {
        found(
            "pbx-zone-wrong",
            format!("{told}, which is a whole number of quarter hours"),
        )
    } else {
        found("pbx-clock-differs", told)
    }
}

/// Host and port of an address.
pub(super) fn authority(url: &str) -> (String, u16) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let default = if scheme == "http" { 80 } else { 443 };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (
            host.trim_matches(['[', ']']).to_owned(),
            port.parse().unwrap_or(default),
        ),
        _ => (authority.trim_matches(['[', ']']).to_owned(), default),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    fn of(ahead_ms: i64) -> Found {
        clock(LastAnswer {
            clock_ahead_ms: Some(ahead_ms),
            ..LastAnswer::default()
        })
    }

    #[test]
    fn a_clock_that_is_hours_off_is_a_zone_and_one_that_is_minutes_off_is_not() {
        assert_eq!(of(3_000).told().0, Outcome::Ok);
        assert_eq!(of(200_000).told().1, Some("pbx-clock-differs"));
        assert_eq!(of(-7_190_000).told().1, Some("pbx-zone-wrong"));
        assert_eq!(of(5 * 3_600_000 + 1_800_000).told().1, Some("pbx-zone-wrong"));
        assert_eq!(of(-86_400_000).told().1, Some("pbx-clock-differs"));
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        assert_eq!(
            authority("https://pbx.example.com/x"),
            ("pbx.example.com".to_owned(), 443)
        );
        assert_eq!(authority("http://[::1]:5000"), ("::1".to_owned(), 5000));
        assert_eq!(authority("https://[::1]"), ("::1".to_owned(), 443));
    }
}
