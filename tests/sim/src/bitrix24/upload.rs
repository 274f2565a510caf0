//! The second step of `attachRecord`: the file, as `multipart/form-data`, to the address that was given for it.

use std::collections::HashMap;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::portal::{Portal, Record};
use super::refusal::Refusal;
use crate::crm::sign::hex;

impl Portal {
    pub(super) fn take_upload(
        &mut self,
        query: &HashMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, Refusal> {
        self.pour()?;
        let now_ms = self.now_ms();
        let token = query.get("token").map(String::as_str).unwrap_or_default();
        let upload = self
            .uploads
            .get(token)
            .ok_or_else(|| Refusal::new(401, "invalid_token", "Unable to get application by token"))?;
        if upload.until_ms <= now_ms {
            return Err(Refusal::new(
                401,
                "expired_token",
                "The access token provided has expired.",
            ));
        }
        let (call_id, promised) = (upload.call_id.clone(), upload.name.clone());
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if header("content-length").parse() != Ok(body.len()) {
            return Err(Refusal::new(
                411,
                "SIM_WRONG_TYPE",
                "an upload needs its content-length",
            ));
        }
        let (name, content) = only_part(header("content-type"), body).map_err(|why| {
            Refusal::new(
                400,
                "SIM_WRONG_TYPE",
                format!("not the multipart that is documented: {why}"),
            )
        })?;
        if name != promised {
            return Err(Refusal::new(
                400,
                "SIM_WRONG_TYPE",
                format!("the file is called {name}"),
            ));
        }
        if content.is_empty() {
            return Err(Refusal::core("File content is empty."));
        }
        let file_id = self.id();
        let keep = self.config.keep_audio;
        let record = self.record(name, content, file_id, keep);
        let Some(call) = self.finished(&call_id) else {
            return Err(Refusal::nameless("Call is not found in the statistic table."));
        };
        let times = call.record.as_ref().map_or(0, |old| old.times);
        call.record = Some(Record {
            times: times + 1,
            ..record
        });
        Ok(json!({ "result": { "FILE_ID": file_id } }))
    }

    /// A file that was taken.
    pub(super) fn record(&self, name: &str, content: &[u8], file_id: u64, keep: bool) -> Record {
        Record {
            file_id,
            name: name.to_owned(),
            sha256: hex(ring::digest::digest(&ring::digest::SHA256, content).as_ref()),
            bytes: content.len() as u64,
            audio: if keep { content.to_vec() } else { Vec::new() },
            times: 1,
        }
    }
}

/// Name and content of the one part, whose field is `file` (RFC 7578).
fn only_part<'a>(media: &str, body: &'a [u8]) -> Result<(&'a str, &'a [u8]), String> {
    let boundary = media
        .strip_prefix("multipart/form-data; boundary=")
        .ok_or_else(|| format!("content-type {media}"))?
        .trim_matches('"');
    let open = format!("--{boundary}\r\n");
    let close = format!("\r\n--{boundary}--\r\n");
    let rest = body
        .strip_prefix(open.as_bytes())
        .ok_or("it doesn't begin with its boundary")?;
    let rest = rest
        .strip_suffix(close.as_bytes())
        .ok_or("it doesn't end with its boundary")?;
    let end = rest
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("its part has no head")?;
    let head = std::str::from_utf8(&rest[..end]).map_err(|error| error.to_string())?;
    let disposition = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition: form-data;"))
        .ok_or("no content-disposition")?;
    if !disposition.contains(" name=\"file\"") {
        return Err("the field is not called file".to_owned());
    }
    let (_, name) = disposition.split_once("filename=\"").ok_or("no filename")?;
    let name = name.split('"').next().unwrap_or_default();
    Ok((name, &rest[end + 4..]))
}
