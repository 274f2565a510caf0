//! AWS Signature Version 4, for requests and for links ("Authenticating Requests (AWS Signature Version 4)", Amazon S3
//! API reference).
//!
//! Requests are signed with the hash of their body, which is known before the first byte leaves: so the store itself
//! refuses a body that was damaged on its way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::random::hex;
use crate::when;

/// SHA-256 of nothing, which a request without a body is signed with.
pub(super) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Who signs.
pub(super) struct Credentials {
    /// Access key ID.
    pub access: String,
    secret: String,
    /// Token of credentials that end by themselves.
    pub token: Option<String>,
}

impl Credentials {
    /// Reads a secret file: access key ID and secret key (and a session token), one a line, or as lines
    /// `aws_access_key_id = …` of a credentials file.
    pub(super) fn parse(text: &str) -> Result<Credentials, String> {
        let mut lines = Vec::new();
        let mut named = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once('=') {
                Some((name, value)) if name.starts_with("aws_") => {
                    named.insert(name.trim().to_owned(), value.trim().to_owned());
                }
                _ if line.starts_with(['[', '#']) => {}
                _ => lines.push(line.to_owned()),
            }
        }
        if lines.is_empty() {
            let take = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
            lines = take.iter().map_while(|name| named.remove(*name)).collect();
        }
        let mut lines = lines.into_iter();
        match (lines.next(), lines.next(), lines.next()) {
            (Some(access), Some(secret), token) => Ok(Credentials { access, secret, token }),
            _ => Err("the secret file must hold two lines: the access key ID and the secret key".to_owned()),
        }
    }
}

/// What is signed.
pub(super) struct Request<'a> {
    pub method: &'static str,
    /// Path with its characters encoded.
    pub path: &'a str,
    /// Query, sorted by name, encoded; empty for none.
    pub query: &'a str,
    /// Headers that are signed, names in lower case; `host` must be there.
    pub headers: &'a BTreeMap<String, String>,
}

/// The moment `wall_ms` as the signature writes it, `20130524T000000Z`.
pub(super) fn stamp(wall_ms: i64) -> String {
    let text = when::rfc3339(wall_ms);
    let digits: String = text[..text.len().min(19)]
        .chars()
        .filter(|c| !"-:".contains(*c))
        .collect();
    format!("{digits}Z")
}

/// The `authorization` header of `request`, whose headers hold `x-amz-date` = `stamp`.
pub(super) fn authorization(
    who: &Credentials,
    region: &str,
    stamp: &str,
    request: &Request,
    body_sha256: &str,
) -> String {
    let scope = scope(region, stamp);
    let signature = signature(who, region, stamp, request, body_sha256);
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={},Signature={signature}",
        who.access,
        names(request.headers)
    )
}

/// The query of a link that anybody can use to GET `path` from `host` until `valid` is over.
pub(super) fn link(
    who: &Credentials,
    region: &str,
    stamp: &str,
    host: &str,
    path: &str,
    valid: Duration,
) -> String {
    let headers = BTreeMap::from([("host".to_owned(), host.to_owned())]);
    let mut query = BTreeMap::from([
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential", format!("{}/{}", who.access, scope(region, stamp))),
        ("X-Amz-Date", stamp.to_owned()),
        ("X-Amz-Expires", valid.as_secs().to_string()),
        ("X-Amz-SignedHeaders", "host".to_owned()),
    ]);
    if let Some(token) = &who.token {
        query.insert("X-Amz-Security-Token", token.clone());
    }
    let query = encode_query(query);
    let request = Request {
        method: "GET",
        path,
        query: &query,
        headers: &headers,
    };
    let signature = signature(who, region, stamp, &request, "UNSIGNED-PAYLOAD");
    format!("{query}&X-Amz-Signature={signature}")
}

/// Names and values as a query, encoded, sorted.
pub(super) fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name, false), encode(&value, false)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Encodes all but unreserved characters, and `/` where it stands between steps of a path.
pub(super) fn encode(text: &str, path: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (path && byte == b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn signature(who: &Credentials, region: &str, stamp: &str, request: &Request, body_sha256: &str) -> String {
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
    for (name, value) in request.headers {
        canonical.push_str(&format!("{name}:{}\n", value.trim()));
    }
    canonical.push_str(&format!("\n{}\n{body_sha256}", names(request.headers)));
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n{hash}", scope(region, stamp));
    let mut key = format!("AWS4{}", who.secret).into_bytes();
    for step in [&stamp[..8], region, "s3", "aws4_request"] {
        key = mac(&key, step);
    }
    hex(&mac(&key, &text))
}

fn scope(region: &str, stamp: &str) -> String {
    format!("{}/{region}/s3/aws4_request", &stamp[..8])
}

fn names(headers: &BTreeMap<String, String>) -> String {
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    names.join(";")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "20130524T000000Z";

    fn example() -> Credentials {
        Credentials::parse("AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap()
    }

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let all = [("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", STAMP)];
        let pairs = all.iter().chain(pairs);
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    // The examples of "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query
    // Parameters" in the Amazon S3 API reference.
    #[test]
    fn signatures_are_those_of_the_vendors_examples() {
        let get = headers(&[("range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY)]);
        let request = Request {
            method: "GET",
            path: "/test.txt",
            query: "",
            headers: &get,
        };
        let signed = authorization(&example(), "us-east-1", STAMP, &request, EMPTY);
        assert!(
            signed.ends_with("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            "{signed}"
        );
        assert!(signed.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"));

        let body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let put = headers(&[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-content-sha256", body),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]);
        let request = Request {
            method: "PUT",
            path: &encode("/test$file.text", true),
            query: "",
            headers: &put,
        };
        let signed = authorization(&example(), "us-east-1", STAMP, &request, body);
        assert!(
            signed.ends_with("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
            "{signed}"
        );

        let host = "examplebucket.s3.amazonaws.com";
        let day = Duration::from_secs(86_400);
        let link = link(&example(), "us-east-1", STAMP, host, "/test.txt", day);
        assert!(
            link.ends_with("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
            "{link}"
        );
    }

    #[test]
    fn credentials_are_read_in_both_forms() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key = b/c=\n";
        let read = Credentials::parse(text).unwrap();
        assert_eq!(
            (read.access.as_str(), read.secret.as_str(), read.token),
            ("A", "b/c=", None)
        );
        assert_eq!(Credentials::parse("A\nb\nt\n").unwrap().token.as_deref(), Some("t"));
        assert!(Credentials::parse("A\n").is_err());
        assert_eq!(stamp(1_369_353_600_000), STAMP);
    }
}
