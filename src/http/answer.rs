//! An answer, read with a bound.

use std::io::Read;

use super::error::Error;

/// Status, headers, and a body that is still to be read.
pub struct Answer(ureq::http::Response<ureq::Body>);

impl Answer {
    pub(super) fn new(response: ureq::http::Response<ureq::Body>) -> Answer {
        crate::pulse::beat();
        Answer(response)
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// All values of a header that may come more than once, those that are text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .headers()
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
    }

    /// The length that the answer promises.
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// The media type without parameters, lower case; empty if none is given.
    pub fn media_type(&self) -> String {
        let whole = self.header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The whole body as text, of `most` bytes at most.
    pub fn text(self, most: u64) -> Result<String, Error> {
        let mut bytes = Vec::new();
        self.into_reader()
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::of_io)?;
        if bytes.len() as u64 > most {
            return Err(Error::too_long(most));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The body as a stream.
    pub fn into_reader(self) -> impl Read {
        self.0.into_body().into_with_config().limit(u64::MAX).reader()
    }
}
