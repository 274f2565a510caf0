//! Certificates made on the spot, so that a test's agent can be given a CA file like a technician would.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that lives as long as the test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, signed by an [`Authority`].
pub(crate) struct Identity {
    pub(crate) cert_pem: String,
    pub(crate) key_pem: String,
    cert: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// What the other side must trust.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// For a server on this machine, by name and by number.
    pub(crate) fn server(&self) -> io::Result<Identity> {
        self.sign(
            "localhost",
            &["localhost", "127.0.0.1"],
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    }

    /// For a client that shows who it is.
    pub(crate) fn client(&self, name: &str) -> io::Result<Identity> {
        self.sign(name, &[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, name: &str, also: &[&str], usage: ExtendedKeyUsagePurpose) -> io::Result<Identity> {
        let also: Vec<String> = also.iter().map(|n| n.to_string()).collect();
        let mut params = CertificateParams::new(also).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let cert = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        Ok(Identity {
            cert_pem: cert.pem(),
            key_pem: key.serialize_pem(),
            cert: cert.der().clone(),
            key: key.serialize_der(),
        })
    }
}

impl Identity {
    /// A rustls server that shows this certificate; ring is named so that no process-wide default is needed.
    pub(crate) fn server_config(self) -> io::Result<Arc<rustls::ServerConfig>> {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(
                vec![self.cert],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key)),
            )
            .map_err(io::Error::other)?;
        Ok(Arc::new(config))
    }
}
