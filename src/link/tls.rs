//! How the broker's certificate is judged, and ours shown. Files are read anew for each connection, so that a renewed
//! certificate is taken up without a restart.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::expiry::{self, Noting, Seen};
use super::failure::{Failure, Reason};
use crate::config::{self, Trust};

/// What rustls needs for one connection. The failure names the file. `ours` and `theirs` become until when the certificates
/// hold.
pub(crate) fn client_config(
    config: &config::Mqtt,
    ours: &Seen,
    theirs: &Seen,
) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots(&config.trust)?);
    let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|e| files(e.to_string()))?;
    let seen = Arc::clone(theirs);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| files(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Noting { inner, seen }));
    let tls = match &config.client_cert {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let certificates = certificates(chain)?;
            let until = certificates.first().and_then(|own| expiry::ends_ms(own));
            *ours.lock().unwrap_or_else(PoisonError::into_inner) = until;
            let pem = config::read_secret(key).map_err(files)?;
            let private = PrivateKeyDer::from_pem_slice(pem.as_bytes())
                .map_err(|_| files(format!("{} holds no private key in PEM", key.display())))?;
            builder.with_client_auth_cert(certificates, private).map_err(|e| {
                let (chain, key) = (chain.display(), key.display());
                files(format!("{key} is not the key of {chain}: {e}"))
            })?
        }
    };
    Ok(Arc::new(tls))
}

fn roots(trust: &Trust) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Public => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Trust::CaFile(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| {
                    files(format!(
                        "{} holds a certificate that can't be used: {e}",
                        path.display()
                    ))
                })?;
            }
        }
        // The configuration refuses it; a setup made by other means gets the same answer.
        Trust::Pin => {
            return Err(files(
                "mqtt.trust can't be \"pin\": use \"public\" or a CA file".to_owned(),
            ));
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = std::fs::read(path).map_err(|e| files(format!("{} can't be read: {e}", path.display())))?;
    match CertificateDer::pem_slice_iter(&read).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(files(format!("{} holds no certificate in PEM", path.display()))),
    }
}

fn files(detail: String) -> Failure {
    Failure::new(Reason::Files, detail)
}
