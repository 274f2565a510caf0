//! The webhook target, by the Standard Webhooks convention.
//!
//! Events are small signed JSON. Audio goes in a second step: `recording.ready` announces it, the receiver answers
//! where it wants it, and the bytes are streamed there by PUT. So the body is never in memory, the receiver may be
//! backed by object storage, a receiver may decline, and announcing again is also the way to look up whether a lost
//! answer was a yes.

use std::io::{Error, ErrorKind, Read, Result as IoResult};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};
use serde_json::Value;

use super::permission;
use super::sign::Secret;
use super::verdict::{Blame, Verdict};
use crate::clock::Clock;
use crate::config::{self, Trust, read_secret};
use crate::http::{self, Answer, Belief, Client, TrustError};
use crate::model::{Delivery, DeliveryKind, Recording};
use crate::random::hex;
use crate::spool::Spool;
use crate::store::{self, Store};
use crate::when;

/// The most of an answer that is read.
const MOST_ANSWER: u64 = 64 << 10;

/// A receiver of webhooks.
pub struct Webhook {
    client: Client,
    url: String,
    secret_file: PathBuf,
    clock: Clock,
}

impl Webhook {
    /// A receiver; nothing is sent yet.
    pub fn new(target: &config::Target, clock: Clock) -> Result<Webhook, TrustError> {
        let belief = match &target.trust {
            Trust::CaFile(path) => Belief::CaFile(path.clone()),
            Trust::Pin | Trust::Public => Belief::Public,
        };
        let client = Client::new(&belief, target.timeout)?;
        Ok(Webhook {
            client,
            url: target.url.clone(),
            secret_file: target.secret_file.clone(),
            clock,
        })
    }

    /// Sends one delivery. An error is one of our own store's.
    pub fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
        let Some(body) = &delivery.body else {
            return Ok(Verdict::failed(
                Blame::Hopeless,
                "no-body",
                "its content is missing in the store",
            ));
        };
        let secret = match self.secret() {
            Ok(secret) => secret,
            Err(text) => return Ok(Verdict::failed(Blame::Target, "secret", text)),
        };
        let answer = match self.announce(&secret, &delivery.id, body) {
            Ok(answer) => answer,
            Err(verdict) => return Ok(verdict),
        };
        if delivery.kind != DeliveryKind::RecordingReady {
            return Ok(Verdict::Delivered {
                receipt: answer.receipt,
            });
        }
        let recording = match delivery.recording {
            Some(id) => store.read(|c| store::recording(c, id))?,
            None => None,
        };
        let Some(recording) = recording else {
            return Ok(Verdict::failed(
                Blame::Hopeless,
                "no-recording",
                "its recording is missing in the store",
            ));
        };
        Ok(self.follow(&answer, delivery, &recording, spool))
    }

    fn secret(&self) -> Result<Secret, String> {
        let text = read_secret(&self.secret_file)?;
        Secret::parse(&text).map_err(|error| error.to_string())
    }

    /// Posts the event and gives the answer of a receiver that took it.
    fn announce(&self, secret: &Secret, id: &str, body: &str) -> Result<Taken, Verdict> {
        let timestamp = self.clock.wall_ms().div_euclid(1000);
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp.to_string()),
            ("webhook-signature", &secret.sign(id, timestamp, body)),
        ];
        let answer = self
            .client
            .post(&self.url, &headers, body.as_bytes())
            .map_err(|error| of_line(&error))?;
        let status = answer.status();
        if !(200..300).contains(&status) {
            return Err(self.refusal(answer));
        }
        Ok(Taken {
            receipt: format!("status {status}"),
            json: said_yes(answer)?,
        })
    }

    /// Does what the receiver answered to the announcement of a recording.
    fn follow(&self, taken: &Taken, delivery: &Delivery, recording: &Recording, spool: &Spool) -> Verdict {
        let ours = recording.sha256.as_deref().unwrap_or_default();
        if let Some(stored) = taken.json.pointer("/stored/sha256").and_then(Value::as_str) {
            return stored_as(stored, ours);
        }
        if let Some(reason) = taken.json.get("declined").and_then(Value::as_str) {
            return Verdict::Delivered {
                receipt: format!("declined by the receiver: {}", clip(reason)),
            };
        }
        let Some(url) = taken.json.pointer("/upload/url").and_then(Value::as_str) else {
            let reason = "the receiver took the announcement but gave no upload.url, so the audio has nowhere to go; \
                          answer with upload, stored or declined, or set audio = false";
            return Verdict::failed(Blame::Hopeless, "no-upload-url", reason);
        };
        let secure =
            url.starts_with("https://") || (url.starts_with("http://") && self.url.starts_with("http://"));
        if !secure {
            let reason = "the receiver gave an upload.url that is not https";
            return Verdict::failed(Blame::Hopeless, "bad-upload-url", reason);
        }
        let given = taken.json.pointer("/upload/headers").and_then(Value::as_object);
        let given: Vec<(&str, &str)> = given
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        self.upload(url, &given, delivery, recording, spool)
    }

    fn upload(
        &self,
        url: &str,
        given: &[(&str, &str)],
        delivery: &Delivery,
        recording: &Recording,
        spool: &Spool,
    ) -> Verdict {
        let Some(file) = recording.file.as_deref().and_then(|name| spool.open_file(name).ok()) else {
            return Verdict::FileLost;
        };
        let (ours, bytes) = (
            recording.sha256.as_deref().unwrap_or_default(),
            recording.bytes.unwrap_or(0),
        );
        let length = bytes.to_string();
        let digest = format!("sha-256=:{}:", STANDARD.encode(unhex(ours)));
        let media = recording
            .media_type
            .as_deref()
            .filter(|media| !media.is_empty())
            .unwrap_or("audio/x-wav");
        let mut headers = vec![
            ("content-type", media),
            ("content-length", length.as_str()),
            ("content-digest", digest.as_str()),
            ("webhook-id", delivery.id.as_str()),
        ];
        // What the receiver gives may add, never replace what says how long and what the body is.
        let own = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let added: Vec<(&str, &str)> = given.iter().copied().filter(|(name, _)| !own(name)).collect();
        headers.extend(added);
        let mut source = Checked {
            file: file.take(bytes as u64),
            hash: Context::new(&SHA256),
            left: bytes as u64,
            expected: ours,
            damaged: false,
        };
        let answer = self.client.put(url, &headers, &mut source);
        if source.damaged {
            return Verdict::FileLost;
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return of_line(&error),
        };
        let status = answer.status();
        match status {
            200..300 => match said_yes(answer) {
                Err(verdict) => verdict,
                Ok(json) => match json.pointer("/stored/sha256").and_then(Value::as_str) {
                    Some(stored) => stored_as(stored, ours),
                    None => Verdict::Delivered {
                        receipt: format!("audio taken with status {status}"),
                    },
                },
            },
            // The place that was given is no more: the next announcement gives a new one.
            401 | 403 | 404 | 410 | 422 => {
                let reason = format!("the upload was answered with status {status}");
                Verdict::failed(Blame::Delivery, format!("upload-{status}"), reason)
            }
            _ => self.refusal(answer),
        }
    }

    /// What an answer outside 2xx means.
    fn refusal(&self, answer: Answer) -> Verdict {
        let status = answer.status();
        let asked = answer.header("retry-after").map(str::to_owned);
        let retry_after = asked.and_then(|value| when::retry_after(&value, self.clock.wall_ms()));
        let code = if (300..400).contains(&status) {
            "redirected".to_owned()
        } else {
            format!("http-{status}")
        };
        let blame = match status {
            410 => return Verdict::Disabled,
            300..=399 | 401 | 402 | 403 | 404 | 405 | 408 | 425 | 429 | 502..=504 => Blame::Target,
            500.. => Blame::Either,
            409 => Blame::Delivery,
            _ => Blame::Hopeless,
        };
        let said = answer.text(MOST_ANSWER).unwrap_or_default();
        let json = serde_json::from_str(&said).unwrap_or(Value::Null);
        if let Some(verdict) = permission::refused(&json).filter(|_| (400..500).contains(&status)) {
            return verdict;
        }
        let said = if said.trim_start().starts_with('<') {
            String::new()
        } else {
            clip(&said)
        };
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let reason = match status {
            300..400 => format!("it answered with a redirect ({status}), which is not followed"),
            _ => format!("it answered with status {status}{said}"),
        };
        Verdict::Failed {
            blame,
            code,
            reason,
            retry_after,
            unsure: status >= 500,
        }
    }
}

/// A receiver's 2xx.
struct Taken {
    receipt: String,
    json: Value,
}

/// A file that is checked while it is sent, so that damage on our own disk is found before anybody is blamed. The last
/// piece is given only when the whole is what the row says: a receiver gets an upload that is cut, never one that is
/// whole and wrong. An end that comes too early is an error as well, because nobody else would notice: the client
/// would wait for the rest for ever.
struct Checked<'a, R> {
    file: R,
    hash: Context,
    /// Bytes that are still to come.
    left: u64,
    /// SHA-256 of the whole in hexadecimal.
    expected: &'a str,
    damaged: bool,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> IoResult<usize> {
        let got = match self.file.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            // What the disk can't read is as good as lost: the PBX may still have it.
            Err(error) => {
                self.damaged = true;
                return Err(error);
            }
            Ok(got) => got,
        };
        self.hash.update(&room[..got]);
        self.left -= got as u64;
        let ends_early = got == 0 && self.left > 0 && !room.is_empty();
        let ends_wrong = got > 0 && self.left == 0 && hex(self.hash.clone().finish().as_ref()) != self.expected;
        if ends_early || ends_wrong {
            self.damaged = true;
            return Err(Error::new(ErrorKind::InvalidData, "the file is not what was stored"));
        }
        Ok(got)
    }
}

/// What a 2xx says, if it is the receiver's own: neither a web page (a captive portal says yes to everything) nor an
/// error in disguise nor half an answer. Empty and unknown bodies are `Null`.
fn said_yes(answer: Answer) -> Result<Value, Verdict> {
    let (status, media_type) = (answer.status(), answer.media_type());
    let text = answer.text(MOST_ANSWER).map_err(|error| of_line(&error))?;
    if is_web_page(&media_type, &text) {
        let reason = format!("status {status} came with a web page: something answers in the receiver's place");
        return Err(Verdict::failed(Blame::Target, "web-page", reason));
    }
    let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if let Some(verdict) = permission::refused(&json) {
        return Err(verdict);
    }
    match error_inside(&json) {
        Some(error) => {
            let reason = format!("status {status} came with an error inside: {}", clip(&error));
            Err(Verdict::failed(Blame::Delivery, "error-inside", reason))
        }
        None => Ok(json),
    }
}

fn is_web_page(media_type: &str, text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let starts = |word: &str| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    starts("<!doctype html") || starts("<html") || (media_type == "text/html" && starts("<"))
}

fn stored_as(stored: &str, ours: &str) -> Verdict {
    if stored.eq_ignore_ascii_case(ours) {
        return Verdict::Delivered {
            receipt: format!("stored, sha256 {}", &ours[..ours.len().min(12)]),
        };
    }
    let reason = "the receiver stored other bytes than were sent";
    Verdict::failed(Blame::Delivery, "stored-differs", reason)
}

/// No answer came, or only half of one: the receiver may have taken it.
fn of_line(error: &http::Error) -> Verdict {
    use http::Kind as K;
    let (blame, code, unsure) = match error.kind {
        K::NameNotFound => (Blame::Target, "name-not-found", false),
        K::Refused => (Blame::Target, "refused", false),
        K::Certificate | K::Tls => (Blame::Target, "certificate", false),
        K::Address => (Blame::Target, "address", false),
        K::TimedOut => (Blame::Either, "timed-out", true),
        K::Cut => (Blame::Either, "cut", true),
        K::TooLong => (Blame::Delivery, "answer-too-long", true),
        K::Other => (Blame::Either, "line", true),
    };
    Verdict::Failed {
        blame,
        code: code.to_owned(),
        reason: error.to_string(),
        retry_after: None,
        unsure,
    }
}

/// An error that a receiver hides in a 2xx.
fn error_inside(json: &Value) -> Option<String> {
    if let Some(error) = json
        .get("error")
        .filter(|error| !error.is_null() && **error != Value::Bool(false))
    {
        return Some(error.as_str().map_or_else(|| error.to_string(), str::to_owned));
    }
    let no = |name: &str| json.get(name) == Some(&Value::Bool(false));
    (no("ok") || no("success")).then(|| "it says that it failed".to_owned())
}

/// A foreign message, short and on one line.
fn clip(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(160)
        .collect();
    line.trim().to_owned()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Whether the target can be used at all, without sending it anything: its secret, its name, its port, its certificate.
pub fn check_target(target: &config::Target, clock: Clock) -> Result<String, (String, String)> {
    let webhook = Webhook::new(target, clock).map_err(|error| ("certificate".to_owned(), error.to_string()))?;
    webhook.secret().map_err(|text| ("secret".to_owned(), text))?;
    match webhook.client.get(&target.url, &[]) {
        Ok(answer) => Ok(format!(
            "it answers (status {} to a GET, which it need not accept)",
            answer.status()
        )),
        Err(error) => match of_line(&error) {
            Verdict::Failed { code, reason, .. } => Err((code, reason)),
            _ => Err(("line".to_owned(), error.to_string())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(file: &[u8], bytes: usize, expected: &str) -> (IoResult<usize>, Vec<u8>, bool) {
        let mut source = Checked {
            file: file.take(bytes as u64),
            hash: Context::new(&SHA256),
            left: bytes as u64,
            expected,
            damaged: false,
        };
        let mut sent = Vec::new();
        let result = source.read_to_end(&mut sent);
        (result, sent, source.damaged)
    }

    #[test]
    fn a_file_that_is_not_what_was_stored_is_never_sent_whole() {
        let file: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        let digest = ring::digest::digest(&SHA256, &file);
        let sha256 = hex(digest.as_ref());
        let (result, sent, damaged) = send(&file, file.len(), &sha256);
        assert!(result.is_ok() && sent == file && !damaged);
        let mut flipped = file.clone();
        flipped[20] ^= 1;
        for wrong in [&flipped[..], &file[..39_999], &file[..0]] {
            let (result, sent, damaged) = send(wrong, file.len(), &sha256);
            assert!(
                result.is_err() && damaged && sent.len() < file.len(),
                "{} sent",
                sent.len()
            );
        }
    }

    #[test]
    fn a_web_page_is_told_from_what_a_receiver_may_say() {
        for (media, text) in [
            ("text/html", "<script>location='/login'</script>"),
            ("text/html", "\u{feff}\r\n<!-- portal --><HTML>"),
            ("", " <!DOCTYPE html><title>Welcome</title>"),
            ("text/plain", "<HTML>"),
        ] {
            assert!(is_web_page(media, text), "{media} {text}");
        }
        // Frameworks send their empty or plain answers as HTML without being asked.
        for (media, text) in [
            ("text/html", ""),
            ("text/html", "OK"),
            ("application/xml", "<ok/>"),
            ("", "{}"),
        ] {
            assert!(!is_web_page(media, text), "{media} {text}");
        }
    }
}
