//! Until when certificates hold: that of the broker is looked at as it is checked, ours as it is read.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

/// When the broker's certificate ends, Unix milliseconds, once one was seen.
pub(crate) type Seen = Arc<Mutex<Option<i64>>>;

/// Checks a certificate as rustls does, and notes until when it holds.
#[derive(Debug)]
pub(super) struct Noting {
    pub inner: Arc<WebPkiServerVerifier>,
    pub seen: Seen,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = ends_ms(end_entity);
        let inner = &self.inner;
        inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// When a certificate ends, Unix milliseconds: `notAfter` of RFC 5280 §4.1. `None` if it is no certificate.
pub(super) fn ends_ms(certificate: &[u8]) -> Option<i64> {
    let (_, whole, _) = part(certificate)?;
    let (_, to_be_signed, _) = part(whole)?;
    let mut rest = to_be_signed;
    // The version is there in every certificate of this century; before it came serial number first.
    let (tag, _, after) = part(rest)?;
    if tag == 0xa0 {
        rest = after;
    }
    for _ in ["serialNumber", "signature", "issuer"] {
        rest = part(rest)?.2;
    }
    let (_, validity, _) = part(rest)?;
    let (_, _, after_begin) = part(validity)?;
    let (tag, end, _) = part(after_begin)?;
    let text = std::str::from_utf8(end).ok()?;
    // UTCTime has two digits of the year, which mean 1950 to 2049; GeneralizedTime has four.
    let text = match tag {
        0x17 if *end.first()? >= b'5' => format!("19{text}"),
        0x17 => format!("20{text}"),
        _ => text.to_owned(),
    };
    let at = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (at(0, 4)?, at(4, 6)?, at(6, 8)?);
    let (hour, minute, second) = (at(8, 10)?, at(10, 12)?, at(12, 14)?);
    crate::when::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The first part of DER: its tag, its content, and what follows it.
fn part(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_of_certificates_of_this_and_of_the_next_half_century() {
        for (year, ms) in [(2027, 1_801_094_400_000), (2060, 2_842_473_600_000)] {
            let mut params = rcgen::CertificateParams::new(vec!["broker".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 28);
            let key = rcgen::KeyPair::generate().unwrap();
            let made = params.self_signed(&key).unwrap();
            assert_eq!(ends_ms(made.der()), Some(ms), "{year}");
            for cut in 0..made.der().len() {
                let _ = ends_ms(&made.der()[..cut]);
            }
        }
        assert_eq!(ends_ms(b"not a certificate"), None);
    }
}
