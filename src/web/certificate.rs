//! The page's own key and certificate, made on the box and nowhere else.
//!
//! The key (EC P-256) stays for good, so that whoever has pinned it keeps its trust; the certificate is renewed when
//! the box's names change and a month before it expires. Nobody has signed it but the box itself: the fingerprint on
//! the console is what a technician compares with the browser's.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};
use ring::digest;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{Error, hosts};
use crate::{config, files};

/// Apple's devices refuse server certificates that hold for more than 825 days.
const DAYS: i64 = 820;
/// Renewed when fewer are left.
const DAYS_LEFT: i64 = 30;
/// No box is older: a clock before this moment (2026-01-01) isn't set yet, and a certificate by it would be refused.
const EARLIEST: i64 = 1_767_225_600;

/// A certificate that is ready to be shown.
#[derive(Clone)]
pub(crate) struct Shown {
    /// SHA-256 of the certificate as browsers write it: pairs of capital digits with colons.
    pub fingerprint: String,
    /// What a connection is accepted with.
    pub tls: Arc<ServerConfig>,
}

/// What stands beside the certificate, so that nobody has to read it to know when it must be renewed.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Made {
    fingerprint: String,
    names: Vec<String>,
    until: i64,
}

/// Gives the key and certificate in `folder`, made or renewed if need be. Blocking.
pub(crate) fn keep(folder: &Path, web: &config::Web, now_ms: i64) -> Result<Shown, Error> {
    files::make_folder(folder)?;
    let key = key(&folder.join("key.pem"))?;
    let names = names(web);
    let (path, beside) = (folder.join("cert.pem"), folder.join("cert.json"));
    let now = (now_ms / 1000).max(EARLIEST);
    let certificate = match known(&path, &beside, &names, now) {
        Some(certificate) => certificate,
        None => {
            let (pem, certificate, until) = make(&key, &names, now)?;
            // The note comes last: a certificate without its note is made again.
            files::write_whole(&path, pem.as_bytes())?;
            let made = Made {
                fingerprint: fingerprint(&certificate),
                names,
                until,
            };
            let note = serde_json::to_vec(&made).map_err(|e| Error::Certificate(e.to_string()))?;
            files::write_whole(&beside, &note)?;
            certificate
        }
    };
    let shown = fingerprint(&certificate);
    Ok(Shown {
        tls: accept_with(certificate, &key)?,
        fingerprint: shown,
    })
}

fn key(path: &Path) -> Result<KeyPair, Error> {
    let unusable = |error: rcgen::Error| Error::Certificate(format!("the page's key can't be used: {error}"));
    match std::fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(unusable),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unusable)?;
            files::write_whole(path, key.serialize_pem().as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(files::told("read", path)(error).into()),
    }
}

/// The certificate in the file, if it is the one that the note speaks of and still good.
fn known(path: &Path, beside: &Path, names: &[String], now: i64) -> Option<CertificateDer<'static>> {
    let made: Made = serde_json::from_slice(&std::fs::read(beside).ok()?).ok()?;
    let certificate = CertificateDer::from_pem_file(path).ok()?;
    let left = (made.until - now) / 86_400;
    // Made by a clock that was far ahead: browsers would say that it doesn't hold yet. A clock that isn't set judges
    // nothing, or each boot of a board without a battery would change the fingerprint.
    let from_the_future = now > EARLIEST && left > DAYS + 1;
    let good = made.fingerprint == fingerprint(&certificate)
        && made.names == names
        && left >= DAYS_LEFT
        && !from_the_future;
    good.then_some(certificate)
}

fn make(key: &KeyPair, names: &[String], now: i64) -> Result<(String, CertificateDer<'static>, i64), Error> {
    let failed = |what: String| Error::Certificate(format!("the page's certificate can't be made: {what}"));
    let begin = OffsetDateTime::from_unix_timestamp(now).map_err(|e| failed(e.to_string()))? - Duration::days(1);
    let end = begin + Duration::days(DAYS);
    let mut parameters = CertificateParams::default();
    (parameters.not_before, parameters.not_after) = (begin, end);
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let common = names.first().map_or("callspool", String::as_str);
    parameters.distinguished_name.push(DnType::CommonName, common);
    for name in names {
        match (name.parse::<IpAddr>(), name.as_str().try_into()) {
            (Ok(address), _) => parameters.subject_alt_names.push(SanType::IpAddress(address)),
            (_, Ok(name)) => parameters.subject_alt_names.push(SanType::DnsName(name)),
            // A name that no certificate can hold can't be typed into a browser either.
            _ => {}
        }
    }
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.self_signed(key).map_err(|e| failed(e.to_string()))?;
    Ok((certificate.pem(), certificate.der().clone(), end.unix_timestamp()))
}

fn accept_with(certificate: CertificateDer<'static>, key: &KeyPair) -> Result<Arc<ServerConfig>, Error> {
    let unusable =
        |error: rustls::Error| Error::Certificate(format!("the page's certificate can't be used: {error}"));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(unusable)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(tls))
}

/// Everything by which the box may be called, without repetition.
fn names(web: &config::Web) -> Vec<String> {
    let host = hosts::hostname();
    let mut names = Vec::new();
    if !host.is_empty() {
        names.extend([host.clone(), format!("{host}.local")]);
    }
    names.extend(web.names.iter().map(|name| match name.rsplit_once(':') {
        // A port that a forwarding shows is no part of a name.
        Some((alone, _)) if !alone.contains(':') => alone.to_ascii_lowercase(),
        _ => name.to_ascii_lowercase(),
    }));
    names.push("localhost".to_owned());
    for address in &web.listen {
        names.extend(addresses(*address).iter().map(IpAddr::to_string));
    }
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    names
}

/// The address itself; or, where all are listened on, loopback and the address by which this box goes out.
fn addresses(listen: SocketAddr) -> Vec<IpAddr> {
    if !listen.ip().is_unspecified() {
        return vec![listen.ip()];
    }
    let loopback: IpAddr = if listen.is_ipv4() {
        [127, 0, 0, 1].into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    // "Connecting" a datagram socket sends nothing; it only asks the routing table. The addresses are for documentation.
    let towards = if listen.is_ipv4() {
        "192.0.2.1:9"
    } else {
        "[2001:db8::1]:9"
    };
    let out = UdpSocket::bind(SocketAddr::new(listen.ip(), 0))
        .and_then(|socket| socket.connect(towards).and_then(|()| socket.local_addr()));
    let out = out.ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified());
    [Some(loopback), out].into_iter().flatten().collect()
}

fn fingerprint(certificate: &CertificateDer) -> String {
    let digest = digest::digest(&digest::SHA256, certificate);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(names: &[&str]) -> config::Web {
        config::Web {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            scrape_file: None,
            session_idle: std::time::Duration::from_secs(1),
        }
    }

    #[test]
    fn the_certificate_is_renewed_for_new_names_and_before_its_end_and_the_key_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("callspool-tls-{}", crate::random::token::<6>()));
        let day = 86_400_000;
        let now = 1_800_000_000_000;
        let first = keep(&folder, &web(&[]), now).unwrap().fingerprint;
        let key = std::fs::read(folder.join("key.pem")).unwrap();
        assert_eq!(keep(&folder, &web(&[]), now + 700 * day).unwrap().fingerprint, first);
        let renamed = keep(&folder, &web(&["spool.example.com"]), now).unwrap().fingerprint;
        assert_ne!(renamed, first);
        let renewed = keep(&folder, &web(&["spool.example.com"]), now + 800 * day)
            .unwrap()
            .fingerprint;
        assert_ne!(renewed, renamed);
        std::fs::remove_file(folder.join("cert.json")).unwrap();
        keep(&folder, &web(&[]), 0).unwrap();
        assert_eq!(std::fs::read(folder.join("key.pem")).unwrap(), key);
        let mode = std::fs::metadata(folder.join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_hold_the_configured_ones_the_addresses_and_no_port() {
        let names = names(&web(&["Front.example.com:8080", "2001:db8::7"]));
        for name in ["front.example.com", "2001:db8::7", "localhost", "127.0.0.1"] {
            assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
        }
    }
}
