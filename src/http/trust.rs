//! How a peer's certificate is judged: by authorities, or by a pin that was taken at the first contact.
//!
//! A pin replaces the judgement of the chain, never that of the handshake: whoever shows the pinned certificate must
//! also prove that they hold its key. (Leaving that out is the classic hole of home-made verifiers.)

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::Belief;
use crate::random::hex;

/// Why no client could be made.
#[derive(Debug)]
pub struct TrustError(String);

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TrustError {}

/// The key that a peer is known by: SHA-256 of its certificate's SubjectPublicKeyInfo, in hexadecimal.
#[derive(Debug, Default)]
pub struct Pin(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    pinned: Option<String>,
    offered: Option<String>,
}

impl Pin {
    /// A pin that is known already, or is taken at the first contact.
    pub fn new(pinned: Option<String>) -> Pin {
        Pin(Mutex::new(Seen { pinned, offered: None }))
    }

    /// What the peer is known by; `None` before the first contact.
    pub fn pinned(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pinned.clone()
    }

    /// The other pin that was offered and refused since the last contact that was fine.
    pub fn offered(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).offered.clone()
    }

    /// From now on the peer is known by `pin`.
    pub fn accept(&self, pin: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            pinned: Some(pin),
            offered: None,
        };
    }

    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let key = digest::digest(&digest::SHA256, &parsed.subject_public_key_info());
        let shown = hex(key.as_ref());
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &seen.pinned {
            None => seen.pinned = Some(shown),
            Some(pinned) if *pinned == shown => seen.offered = None,
            Some(_) => {
                seen.offered = Some(shown);
                return Err(rustls::Error::InvalidCertificate(
                    CertificateError::ApplicationVerificationFailure,
                ));
            }
        }
        Ok(ServerCertVerified::assertion())
    }
}

/// A TLS client configuration for `belief`, TLS 1.2 and 1.3, with ring.
pub fn client_config(belief: &Belief) -> Result<Arc<ClientConfig>, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError(format!("TLS can't be set up: {error}")))?;
    let builder = match belief {
        Belief::Public => builder.with_root_certificates(public_roots()),
        Belief::CaFile(path) => builder.with_root_certificates(roots_of_file(path)?),
        Belief::Pinned(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinVerifier {
                pin: Arc::clone(pin),
                provider,
            })),
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// The public authorities, compiled in: a box has no package manager that would keep a file of them fresh.
pub fn public_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

/// The authorities in a PEM file.
pub fn roots_of_file(path: &Path) -> Result<RootCertStore, TrustError> {
    let about = |what: String| TrustError(format!("the CA file {} {what}", path.display()));
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| about(format!("can't be read: {e}")))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| about(format!("is no PEM: {e}")))?;
        store
            .add(certificate)
            .map_err(|e| about(format!("holds no usable authority: {e}")))?;
    }
    if store.is_empty() {
        Err(about("holds no certificate".to_owned()))
    } else {
        Ok(store)
    }
}

#[derive(Debug)]
struct PinVerifier {
    pin: Arc<Pin>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.pin.judge(end_entity)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
