//! A correct sender, as small as it can be, to try receivers with. Each test file uses a part of it.
#![allow(dead_code)]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac};
use serde_json::{Value, json};

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub struct Client {
    agent: ureq::Agent,
    hook: String,
    key: hmac::Key,
}

impl Client {
    pub fn new(hook: &str, secret: &str, ca_pem: Option<&str>) -> Self {
        let mut tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
        if let Some(pem) = ca_pem {
            let ca = ureq::tls::Certificate::from_pem(pem.as_bytes()).unwrap();
            tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&[ca]));
        }
        let agent = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .into();
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        Self {
            agent,
            hook: hook.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    /// The same sender with less patience.
    pub fn patience(mut self, patience: Duration) -> Self {
        let config = self.agent.config().clone();
        let tls = config.tls_config().clone();
        self.agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .build()
            .into();
        self
    }

    pub fn sign(&self, id: &str, at: u64, body: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{id}.{at}.{body}").as_bytes());
        format!("v1,{}", BASE64.encode(tag))
    }

    pub fn post(&self, id: &str, body: &Value) -> Result<Reply, ureq::Error> {
        let (at, body) = (now(), body.to_string());
        self.post_raw(id, at, &body, &self.sign(id, at, &body))
    }

    pub fn post_raw(&self, id: &str, at: u64, body: &str, signature: &str) -> Result<Reply, ureq::Error> {
        let response = self
            .agent
            .post(&self.hook)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature)
            .send(body)?;
        read(response)
    }

    /// Puts these bytes where the answer to `recording.ready` says.
    pub fn upload(&self, place: &Reply, id: &str, audio: &[u8]) -> Result<Reply, ureq::Error> {
        self.upload_as(place, id, audio, &digest_header(audio))
    }

    pub fn upload_as(&self, place: &Reply, id: &str, audio: &[u8], digest: &str) -> Result<Reply, ureq::Error> {
        let place = place.json();
        let mut request = self
            .agent
            .put(place["upload"]["url"].as_str().unwrap())
            .header("content-type", "audio/wav")
            .header("content-digest", digest)
            .header("webhook-id", id);
        for (name, value) in place["upload"]["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        read(request.send(audio)?)
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Reply, ureq::Error> {
    let text = response.body_mut().read_to_string()?;
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text,
    })
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes)
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

pub fn digest_header(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(digest::digest(&digest::SHA256, bytes)))
}

/// `call.completed` and its like.
pub fn call(kind: &str, call: &str) -> Value {
    json!({"type": kind, "timestamp": "2026-08-27T10:00:00Z", "data": {"call": call, "seconds": 61}})
}

pub fn ready(call: &str, recording: &str, audio: &[u8]) -> Value {
    json!({"type": "recording.ready", "timestamp": "2026-08-27T10:01:00Z", "data": {
        "call": call, "recording": recording, "bytes": audio.len(), "sha256": sha256_hex(audio),
        "content_type": "audio/wav"}})
}

/// Bytes that differ by seed and have no short period.
pub fn audio(seed: u64, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2_685_821_657_736_338_717) | 1;
    (0..length)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x as u8
        })
        .collect()
}
