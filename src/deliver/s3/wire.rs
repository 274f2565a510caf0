//! Requests to one bucket, signed.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use super::sign::{self, Credentials, EMPTY};
use crate::clock::Clock;
use crate::config::{self, Trust, read_secret};
use crate::deliver::line::of_line;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::{Answer, Belief, Client, TrustError};

/// A request, before it is signed.
pub(super) struct Ask<'a> {
    method: &'static str,
    /// The object, or nothing for the bucket itself.
    key: &'a str,
    query: Vec<(&'a str, String)>,
    headers: BTreeMap<String, String>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: &'static str, key: &'a str) -> Ask<'a> {
        Ask {
            method,
            key,
            query: Vec::new(),
            headers: BTreeMap::new(),
        }
    }

    pub(super) fn query(mut self, name: &'a str, value: impl ToString) -> Ask<'a> {
        self.query.push((name, value.to_string()));
        self
    }

    /// A header; its name in lower case.
    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Ask<'a> {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn headers(mut self, more: impl IntoIterator<Item = (String, String)>) -> Ask<'a> {
        self.headers.extend(more);
        self
    }
}

/// The body of a request.
pub(super) enum Body<'a> {
    None,
    Text(&'a str),
    /// So many bytes with this SHA-256 (hexadecimal).
    Stream(&'a mut dyn Read, u64, &'a str),
}

/// The way to one bucket. Clones share their connections.
#[derive(Clone)]
pub(super) struct Wire {
    client: Client,
    /// `https://` or `http://`
    scheme: String,
    host: String,
    /// What stands before the key in every path.
    root: String,
    region: String,
    secret_file: std::path::PathBuf,
    clock: Clock,
}

impl Wire {
    pub(super) fn new(settings: &config::S3, clock: Clock) -> Result<Wire, TrustError> {
        let belief = match &settings.trust {
            Trust::CaFile(path) => Belief::CaFile(path.clone()),
            Trust::Pin | Trust::Public => Belief::Public,
        };
        let (scheme, host, root) = address(&settings.url, &settings.bucket, settings.bucket_in_host);
        Ok(Wire {
            client: Client::keeping(settings.at_once.max(2), &belief, settings.timeout)?,
            scheme,
            host,
            root,
            region: settings.region.clone(),
            secret_file: settings.secret_file.clone(),
            clock,
        })
    }

    /// The time by the box's clock, Unix milliseconds.
    pub(super) fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// Sends a request. An error is a line that failed, or credentials that can't be read; any status is an answer.
    pub(super) fn send(&self, ask: Ask, body: Body) -> Result<Answer, Verdict> {
        let who = self.credentials()?;
        let stamp = sign::stamp(self.clock.wall_ms());
        let text_hash;
        let hash = match &body {
            Body::None => EMPTY,
            Body::Text(text) => {
                let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
                text_hash = crate::random::hex(digest.as_ref());
                &text_hash
            }
            Body::Stream(_, _, hash) => hash,
        };
        let mut headers = ask.headers;
        headers.insert("host".to_owned(), self.host.clone());
        headers.insert("x-amz-date".to_owned(), stamp.clone());
        headers.insert("x-amz-content-sha256".to_owned(), hash.to_owned());
        if let Some(token) = &who.token {
            headers.insert("x-amz-security-token".to_owned(), token.clone());
        }
        let path = self.path(ask.key);
        let query = sign::encode_query(ask.query);
        let request = sign::Request {
            method: ask.method,
            path: &path,
            query: &query,
            headers: &headers,
        };
        let signed = sign::authorization(&who, &self.region, &stamp, &request, hash);
        // The client writes this one itself, from the address.
        headers.remove("host");
        headers.insert("authorization".to_owned(), signed);
        let length = match &body {
            Body::Stream(_, length, _) => length.to_string(),
            Body::Text(text) => text.len().to_string(),
            Body::None => "0".to_owned(),
        };
        if ask.method == "PUT" {
            headers.insert("content-length".to_owned(), length);
        }
        let pairs: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut url = format!("{}{}{path}", self.scheme, self.host);
        if !query.is_empty() {
            url = format!("{url}?{query}");
        }
        let answer = match (ask.method, body) {
            ("PUT", Body::Stream(source, ..)) => self.client.put(&url, &pairs, source),
            ("PUT", Body::Text(text)) => self.client.put(&url, &pairs, &mut text.as_bytes()),
            ("POST", Body::Text(text)) => self.client.post(&url, &pairs, text.as_bytes()),
            ("POST", _) => self.client.post(&url, &pairs, b""),
            ("HEAD", _) => self.client.head(&url, &pairs),
            ("DELETE", _) => self.client.delete(&url, &pairs),
            _ => self.client.get(&url, &pairs),
        };
        let answer = answer.map_err(|error| of_line(&error))?;
        // Every store signs its answers with one of these; frameworks of some call even an empty one a web page.
        let its_own = ["x-amz-request-id", "x-amzn-requestid", "etag"]
            .iter()
            .any(|name| answer.header(name).is_some());
        if (200..300).contains(&answer.status()) && answer.media_type() == "text/html" && !its_own {
            let reason = "a web page came: something else answers in the store's place";
            return Err(Verdict::failed(Blame::Target, "web-page", reason));
        }
        Ok(answer)
    }

    /// Read at every request, so that a changed key counts at once.
    fn credentials(&self) -> Result<Credentials, Verdict> {
        credentials(&self.secret_file)
    }

    fn path(&self, key: &str) -> String {
        sign::encode(&format!("{}/{key}", self.root), true)
    }
}

/// An address under which anybody can GET an object until `valid` is over; seven days at most, by the signature's definition.
/// An error is an access key that can't be read.
pub(in crate::deliver) fn presigned(
    settings: &config::S3,
    key: &str,
    valid: Duration,
    clock: &Clock,
) -> Result<String, Verdict> {
    let who = credentials(&settings.secret_file)?;
    let (scheme, host, root) = address(&settings.url, &settings.bucket, settings.bucket_in_host);
    let stamp = sign::stamp(clock.wall_ms());
    let path = sign::encode(&format!("{root}/{key}"), true);
    let valid = valid.clamp(Duration::from_secs(1), Duration::from_secs(7 * 86_400));
    let query = sign::link(&who, &settings.region, &stamp, &host, &path, valid);
    Ok(format!("{scheme}{host}{path}?{query}"))
}

fn credentials(file: &std::path::Path) -> Result<Credentials, Verdict> {
    read_secret(file)
        .and_then(|text| Credentials::parse(&text))
        .map_err(|text| Verdict::failed(Blame::Target, "secret", text))
}

/// Scheme, host, and what stands before the key in the path.
fn address(url: &str, bucket: &str, in_host: bool) -> (String, String, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, folder) = rest.split_once('/').unwrap_or((rest, ""));
    // As a client writes it: the usual port is left out.
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase();
    let folder = folder.trim_end_matches('/');
    let root = if folder.is_empty() {
        String::new()
    } else {
        format!("/{folder}")
    };
    if in_host {
        (format!("{scheme}://"), format!("{bucket}.{host}"), root)
    } else {
        (format!("{scheme}://"), host, format!("{root}/{bucket}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_stands_in_the_path_or_in_the_hosts_name() {
        let of = |url, in_host| {
            let (scheme, host, root) = address(url, "rec", in_host);
            format!("{scheme}{host}{root}/KEY")
        };
        assert_eq!(of("https://s3.example.com", false), "https://s3.example.com/rec/KEY");
        assert_eq!(of("https://S3.example.com:443", true), "https://rec.s3.example.com/KEY");
        assert_eq!(of("http://10.0.0.1:9000/s3", false), "http://10.0.0.1:9000/s3/rec/KEY");
    }
}
