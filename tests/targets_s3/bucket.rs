//! The bucket as somebody else sees it, past callspool and past the bad line.

use std::collections::BTreeMap;

use super::server::Server;

/// A bucket on a store.
pub struct Bucket {
    base: String,
    name: String,
}

impl Bucket {
    /// Makes a bucket that keeps every version of an object, so that one that was written over shows; `locks`: with
    /// object lock.
    pub fn make(server: &Server, name: &str, locks: bool) -> Bucket {
        let bucket = Bucket {
            base: server.url(),
            name: name.to_owned(),
        };
        let made = agent().put(bucket.at("")).header("authorization", LOGIN);
        let made = if locks {
            made.header("x-amz-bucket-object-lock-enabled", "true")
        } else {
            made
        };
        assert_eq!(made.send_empty().unwrap().status(), 200);
        let versions = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                        <Status>Enabled</Status></VersioningConfiguration>";
        let asked = agent().put(bucket.at("?versioning")).header("authorization", LOGIN);
        assert_eq!(asked.send(versions).unwrap().status(), 200);
        bucket
    }

    /// Puts an object of somebody else's.
    pub fn put(&self, key: &str, content: &[u8]) {
        let asked = agent().put(self.at(&format!("/{key}"))).header("authorization", LOGIN);
        assert_eq!(asked.send(content).unwrap().status(), 200);
    }

    /// Begins an upload in parts and leaves it.
    pub fn begin_upload(&self, key: &str) {
        let asked = agent()
            .post(self.at(&format!("/{key}?uploads")))
            .header("authorization", LOGIN);
        assert_eq!(asked.send_empty().unwrap().status(), 200);
    }

    /// An object's content and headers.
    pub fn get(&self, key: &str) -> (Vec<u8>, ureq::http::HeaderMap) {
        let asked = agent().get(self.at(&format!("/{key}"))).header("authorization", LOGIN);
        let mut answer = asked.call().unwrap();
        assert_eq!(answer.status(), 200, "{key}");
        let content = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        (content, answer.headers().clone())
    }

    /// How many versions each object has.
    pub fn versions(&self) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        let mut marker = String::new();
        loop {
            let page = self.text(&format!("?versions&max-keys=1000{marker}"));
            for version in elements(&page, "Version") {
                *found.entry(element(version, "Key").unwrap().to_owned()).or_default() += 1;
            }
            if element(&page, "IsTruncated") != Some("true") {
                return found;
            }
            let key = element(&page, "NextKeyMarker").unwrap();
            marker = format!("&key-marker={key}");
            if let Some(version) = element(&page, "NextVersionIdMarker") {
                marker.push_str(&format!("&version-id-marker={version}"));
            }
        }
    }

    /// Uploads in parts that were begun and neither finished nor aborted.
    pub fn open_uploads(&self) -> usize {
        elements(&self.text("?uploads"), "Upload").len()
    }

    fn text(&self, query: &str) -> String {
        let asked = agent().get(self.at(query)).header("authorization", LOGIN);
        asked
            .call()
            .unwrap()
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string()
            .unwrap()
    }

    fn at(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.base, self.name)
    }
}

/// What the store asks of somebody whom it need not know.
const LOGIN: &str =
    "AWS4-HMAC-SHA256 Credential=judge/20261122/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0";

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn elements<'a>(document: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let inside = document.split(&*open).skip(1);
    inside.filter_map(|rest| rest.split(&*close).next()).collect()
}

fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    elements(document, name).first().copied()
}
