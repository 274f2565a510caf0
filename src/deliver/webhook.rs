//! The webhook target, by the Standard Webhooks convention.
//!
//! Events are small signed JSON. Audio goes in a second step: `recording.ready` announces it, the receiver answers
//! where it wants it, and the bytes are streamed there by PUT. So the body is never in memory, the receiver may be
//! backed by object storage, a receiver may decline, and announcing again is also the way to look up whether a lost
//! answer was a yes.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::checked::Checked;
use super::erase::Erased;
use super::line::{clip, of_line, unhex};
use super::linked::{Linked, Links};
use super::permission;
use super::sign::Secret;
use super::target::{Target, Trouble, common_remedy};
use super::verdict::{Blame, Verdict};
use crate::clock::Clock;
use crate::config::{self, Trust, read_secret};
use crate::http::{Answer, Belief, Client, TrustError};
use crate::model::{Delivery, DeliveryKind, Recording};
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};
use crate::when;

/// The most of an answer that is read.
const MOST_ANSWER: u64 = 64 << 10;

/// A receiver of webhooks.
pub struct Webhook {
    client: Client,
    url: String,
    secret_file: PathBuf,
    erases: bool,
    clock: Clock,
    links: Option<Links>,
}

impl Target for Webhook {
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
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
        let linked = match &self.links {
            Some(links) if delivery.kind == DeliveryKind::RecordingReady => match links.of(delivery, store)? {
                Ok(linked) => Some(linked),
                Err(verdict) => return Ok(verdict),
            },
            _ => None,
        };
        if let Some(linked) = linked {
            let told = self.announce(&secret, &delivery.id, &with_link(body, &linked));
            return Ok(told.map_or_else(
                |verdict| verdict,
                |taken| Verdict::Delivered {
                    receipt: format!("link taken with {}", taken.receipt),
                },
            ));
        }
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

    fn takes(&self, _kind: DeliveryKind) -> bool {
        true
    }

    /// Its secret, its name, its port, its certificate: nothing is posted.
    fn check(&self, _store: Option<&Store>) -> Result<String, Trouble> {
        self.secret().map_err(|text| Trouble::new("secret", text))?;
        match self.client.get(&self.url, &[]) {
            Ok(answer) => Ok(format!(
                "it answers (status {} to a GET, which it need not accept)",
                answer.status()
            )),
            Err(error) => Err(of_line(&error).into_trouble()),
        }
    }

    fn remedy(&self, code: &str) -> &'static str {
        match code {
            permission::CODE => permission::REMEDY,
            "http-401" | "http-403" => {
                "Check the signing secret on both sides, and whether the receiver accepts this box."
            }
            "http-404" | "http-405" => {
                "Check the target's url in the configuration: the receiver has no such address."
            }
            "redirected" => "Give the final address as url: callspool follows no redirects.",
            "web-page" => {
                "Something else answers in the receiver's place (a proxy, a captive portal): open the url in a browser."
            }
            "http-429" | "http-503" => "The receiver asks for a pause; callspool obeys and goes on by itself.",
            "secret" => "Put the receiver's signing secret into the secret file (mode 600).",
            "certificate" => {
                "Check the receiver's certificate, this box's clock, and `trust` in the configuration."
            }
            other => common_remedy(other),
        }
    }

    /// A receiver knows calls and recordings by the PBX's ids, however often it was told of them.
    fn traces(&self, deliveries: &[Delivery], store: &Store) -> store::Result<Vec<String>> {
        let mut traces = Vec::new();
        for delivery in deliveries {
            let (call, recording) = store.read(|c| {
                let recording = delivery
                    .recording
                    .map(|id| store::recording(c, id))
                    .transpose()?
                    .flatten();
                Ok((store::call(c, delivery.call)?, recording))
            })?;
            let Some(call) = call else { continue };
            let trace = match recording {
                Some(recording) => format!("recording {} of call {}", recording.pbx_id, call.key),
                None => format!("call {}", call.key),
            };
            if !traces.contains(&trace) {
                traces.push(trace);
            }
        }
        Ok(traces)
    }

    fn erase(&self, item: &ErasureItem, _store: &Store) -> store::Result<Erased> {
        if !self.erases {
            let reason = "the receiver is not told of erasures (erases = false): remove it there by hand";
            return Ok(Erased::ByHand {
                reason: reason.to_owned(),
            });
        }
        Ok(self.tell_erased(&item.what, item.asked_ms))
    }
}

/// The body about a recording, with the address where it is: nothing is uploaded then.
fn with_link(body: &str, linked: &Linked) -> String {
    let mut whole: Value = serde_json::from_str(body).unwrap_or_default();
    whole["data"]["link"] = json!({ "url": linked.url, "until": when::rfc3339(linked.until_ms) });
    whole.to_string()
}

impl Webhook {
    /// A receiver; nothing is sent yet.
    pub fn new(target: &config::Webhook, clock: Clock) -> Result<Webhook, TrustError> {
        let belief = match &target.trust {
            Trust::CaFile(path) => Belief::CaFile(path.clone()),
            Trust::Pin | Trust::Public => Belief::Public,
        };
        let client = Client::new(&belief, target.timeout)?;
        Ok(Webhook {
            client,
            url: target.url.clone(),
            secret_file: target.secret_file.clone(),
            erases: target.erases,
            clock,
            links: None,
        })
    }

    /// The same, told links to recordings in the place of their audio, if there are any.
    pub(super) fn with(mut self, links: Option<Links>) -> Webhook {
        self.links = links;
        self
    }

    /// Tells the receiver that something is to be erased; its 2xx says that it is.
    fn tell_erased(&self, trace: &str, asked_ms: i64) -> Erased {
        let (kind, data) = match trace
            .strip_prefix("recording ")
            .and_then(|rest| rest.split_once(" of call "))
        {
            Some((recording, call)) => {
                let recording = recording.parse::<i64>().unwrap_or_default();
                ("recording.erased", json!({ "call": call, "recording": recording }))
            }
            None => {
                let call = trace.strip_prefix("call ").unwrap_or(trace);
                ("call.erased", json!({ "call": call }))
            }
        };
        // The same bytes under the same id at every try.
        let body = json!({ "type": kind, "timestamp": when::rfc3339(asked_ms), "data": data }).to_string();
        let hash = ring::digest::digest(
            &ring::digest::SHA256,
            [self.url.as_str(), &body].join("\u{1f}").as_bytes(),
        );
        let id = format!("msg_{}", &crate::random::hex(hash.as_ref())[..32]);
        let told = self
            .secret()
            .map_err(|text| Verdict::failed(Blame::Target, "secret", text))
            .and_then(|secret| self.announce(&secret, &id, &body));
        match told {
            Ok(taken) => Erased::Gone {
                receipt: format!("the receiver confirmed it, {}", taken.receipt),
            },
            // Not the receiver's words: they may quote who was erased.
            Err(Verdict::Failed {
                blame: Blame::Hopeless,
                code,
                ..
            }) => Erased::Refused {
                reason: format!("the receiver refused ({code})"),
            },
            Err(Verdict::Failed { code, retry_after, .. }) => Erased::Later {
                reason: format!("it can't be told at the moment ({code})"),
                retry_after,
            },
            Err(verdict) => Erased::of_verdict(verdict),
        }
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
        let mut source = Checked::new(file, bytes as u64, ours);
        let answer = self.client.put(url, &headers, &mut source);
        if source.is_damaged() {
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

#[cfg(test)]
mod tests {
    use super::*;

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
