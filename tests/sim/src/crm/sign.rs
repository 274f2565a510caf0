//! Standard Webhooks 1.0.0, the receiving side: is this body from who holds the secret, and is it fresh?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

/// The shared secret, written `whsec_<base64>`.
#[derive(Clone)]
pub(crate) struct Secret {
    text: String,
    key: hmac::Key,
}

impl Secret {
    /// Reads a secret; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let coded = text.strip_prefix("whsec_").ok_or("the secret must begin with whsec_")?;
        let bytes = BASE64
            .decode(coded)
            .map_err(|e| format!("the secret is not base64 after whsec_: {e}"))?;
        // Standard Webhooks 1.0.0: 24 to 64 random bytes.
        if !(24..=64).contains(&bytes.len()) {
            return Err(format!(
                "the secret must hold 24 to 64 bytes, this one has {}",
                bytes.len()
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
        })
    }

    /// A new secret of 32 random bytes.
    pub(crate) fn random() -> Result<Self, String> {
        Self::parse(&format!("whsec_{}", BASE64.encode(random_bytes::<32>()?)))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Checks the three headers against the body and gives the `webhook-id`; the error is the reason.
    pub(crate) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        tolerance: Option<Duration>,
    ) -> Result<String, String> {
        let id = header(headers, "webhook-id")?;
        let sent = header(headers, "webhook-timestamp")?;
        let signatures = header(headers, "webhook-signature")?;
        // The dot separates the signed parts, so an id with one could be moved into the timestamp.
        if id.is_empty() || id.contains('.') {
            return Err("webhook-id is empty or has a dot in it".into());
        }
        let seconds: u64 = sent
            .parse()
            .map_err(|_| "webhook-timestamp is not in unix seconds".to_owned())?;
        let mut signed = format!("{id}.{sent}.").into_bytes();
        signed.extend_from_slice(body);
        // A list, so that a secret can be changed without a gap: one good signature is enough.
        let good = signatures
            .split(' ')
            .filter_map(|s| s.strip_prefix("v1,"))
            .filter_map(|s| BASE64.decode(s).ok())
            .any(|s| hmac::verify(&self.key, &signed, &s).is_ok());
        if !good {
            return Err("no signature in the list fits the secret".into());
        }
        if let Some(tolerance) = tolerance {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs();
            if now.abs_diff(seconds) > tolerance.as_secs() {
                return Err(format!("webhook-timestamp is {} s off", now.abs_diff(seconds)));
            }
        }
        Ok(id.to_owned())
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, String> {
    headers
        .get(name)
        .ok_or_else(|| format!("{name} is missing"))?
        .to_str()
        .map_err(|_| format!("{name} is not plain text"))
}

/// Random bytes that nobody can guess.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(bytes)
}

/// Lower-case hexadecimal, as hashes are written in the contract.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
