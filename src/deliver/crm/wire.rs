//! JSON over HTTP to a CRM: the credential read anew for each request, the rate kept, redirects, refusals and web pages told
//! apart.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::bucket::Bucket;
use super::trip::{Refusal, Trip};
use crate::clock::Clock;
use crate::config::{self, CrmKind, Trust, read_secret};
use crate::deliver::line::of_line;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::{self, Answer, Belief, Client, Headers, TrustError};
use crate::when;

/// The most of an answer that is read.
const MOST_ANSWER: u64 = 2 << 20;

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deliver) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// A CRM and how to speak to it.
pub(in crate::deliver) struct Wire {
    /// The target's name.
    pub(in crate::deliver) name: String,
    pub(in crate::deliver) clock: Clock,
    client: Client,
    kind: CrmKind,
    base: String,
    secret_file: PathBuf,
    rate: u64,
    burst: u64,
    /// Answers in a row that said that it is too much.
    full: Cell<u32>,
}

impl Wire {
    pub(in crate::deliver) fn new(name: &str, settings: &config::Crm, clock: &Clock) -> Result<Wire, TrustError> {
        let belief = match &settings.trust {
            Trust::CaFile(path) => Belief::CaFile(path.clone()),
            Trust::Pin | Trust::Public => Belief::Public,
        };
        Ok(Wire {
            name: name.to_owned(),
            clock: clock.clone(),
            client: Client::new(&belief, settings.timeout)?,
            kind: settings.kind,
            base: settings.url.clone(),
            secret_file: settings.secret_file.clone(),
            rate: settings.rate,
            burst: settings.burst,
            full: Cell::new(0),
        })
    }

    /// Asks for something; `what` names it in a word that may be shown.
    pub(in crate::deliver) fn get(&self, what: &'static str, path: &str) -> Result<Value, Trip> {
        self.send(what, Verb::Get, path, &Value::Null)
    }

    /// Deletes what stands at an address.
    pub(in crate::deliver) fn delete(&self, what: &'static str, path: &str) -> Result<(), Trip> {
        self.send(what, Verb::Delete, path, &Value::Null).map(drop)
    }

    /// Sends something and gives what was answered.
    pub(in crate::deliver) fn send(
        &self,
        what: &'static str,
        verb: Verb,
        path: &str,
        body: &Value,
    ) -> Result<Value, Trip> {
        let bare = matches!(verb, Verb::Get | Verb::Delete);
        let text = if bare { String::new() } else { body.to_string() };
        let length = text.len().to_string();
        let headers = [
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
        ];
        self.ask(
            what,
            path,
            if bare { &[] } else { &headers },
            |client, url, headers| match verb {
                Verb::Get => client.get(url, headers),
                Verb::Delete => client.delete(url, headers),
                Verb::Post => client.post_from(url, headers, &mut text.as_bytes()),
                Verb::Put => client.put(url, headers, &mut text.as_bytes()),
                Verb::Patch => client.patch(url, headers, text.as_bytes()),
            },
        )
    }

    /// The same with a request of the caller's making.
    pub(in crate::deliver) fn ask(
        &self,
        what: &'static str,
        path: &str,
        headers: Headers,
        send: impl FnOnce(&Client, &str, Headers) -> Result<Answer, http::Error>,
    ) -> Result<Value, Trip> {
        let secret = read_secret(&self.secret_file).map_err(|text| Trip::for_a_person("secret", text))?;
        // Counted by account or by token, never by host alone: two targets must not slow each other down.
        Bucket::of(&format!("{} {}", self.name, self.base), self.burst, &self.clock).wait(
            self.rate,
            self.burst,
            &self.clock,
        )?;
        let bearer = format!("Bearer {secret}");
        let plain = secret.len() == 40 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        let credential = match self.kind {
            CrmKind::EspoCrm => ("x-api-key", secret.as_str()),
            // An API token has 40 hexadecimal digits; anything else is an access token that somebody keeps fresh.
            CrmKind::Pipedrive if plain => ("x-api-token", secret.as_str()),
            _ => ("authorization", bearer.as_str()),
        };
        let mut all = vec![credential, ("accept", "application/json")];
        all.extend(headers);
        let url = format!("{}{path}", self.base);
        let answer = send(&self.client, &url, &all).map_err(|error| Trip::Over(of_line(&error)))?;
        self.read(what, answer)
    }

    fn read(&self, what: &'static str, answer: Answer) -> Result<Value, Trip> {
        let status = answer.status();
        let header = |name: &str| answer.header(name).map(str::to_owned);
        if (300..400).contains(&status) {
            let to = header("location").and_then(|to| to.split('/').nth(2).map(str::to_owned));
            let to = to.map_or(String::new(), |host| format!(" to {host}"));
            let reason = format!("it redirects{to}, and redirects are not followed");
            return Err(Trip::for_a_person("portal-moved", reason));
        }
        let asked = header("retry-after").and_then(|value| when::retry_after(&value, self.clock.wall_ms()));
        let asked = asked.or_else(|| header("x-ratelimit-reset")?.parse().ok().map(Duration::from_secs));
        let reason = header("x-status-reason").unwrap_or_default();
        let text = answer.text(MOST_ANSWER).map_err(|error| Trip::Over(of_line(&error)))?;
        let json: Option<Value> = serde_json::from_str(&text).ok();
        if (200..300).contains(&status) {
            self.full.set(0);
            // Nothing else is answered so than what was deleted.
            if status == 204 && text.is_empty() {
                return Ok(Value::Null);
            }
            return json.ok_or_else(|| {
                let reason =
                    format!("status {status} came with something else than JSON: something answers in its place");
                Trip::failed(Blame::Target, "web-page", reason)
            });
        }
        let word = |name: &str| {
            let found = json.as_ref().and_then(|json| json.get(name)).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let said = [reason, word("message"), word("error")];
        let refusal = Refusal {
            method: what,
            status,
            code: word("category"),
            text: said.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
        };
        Err(match status {
            401 => Trip::for_a_person("token-dead", "it doesn't know the token (any more)"),
            429 => self.too_much(&refusal, asked),
            _ => Trip::Refused(refusal),
        })
    }

    /// Too many requests: what it asks for is obeyed; else the pause grows, and what lasts for a day is asked about hourly.
    fn too_much(&self, refusal: &Refusal, asked: Option<Duration>) -> Trip {
        let times = self.full.get().min(9);
        self.full.set(times + 1);
        let grown = match refusal.says("daily") {
            true => Duration::from_secs(3_600),
            false => Duration::from_secs(2 << times),
        };
        let pause = asked
            .unwrap_or(grown)
            .clamp(Duration::from_secs(1), Duration::from_secs(86_400));
        // A moment's pause is no news.
        let long = times > 2 || pause >= Duration::from_secs(60);
        let told = |text: &str| if long { text.to_owned() } else { String::new() };
        Trip::Over(Verdict::Waiting {
            code: told("rate"),
            reason: told("it says that too much is asked of it"),
            pause,
        })
    }
}

/// What a refusal means that no step knew better about.
pub(in crate::deliver) fn judged(refusal: Refusal) -> Verdict {
    let said = super::super::line::clip(&refusal.text);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    let (what, status) = (refusal.method, refusal.status);
    let (blame, code, reason) = match status {
        402 => (Blame::Permission, "no-plan", format!("its plan doesn't include {what}")),
        403 => (
            Blame::Permission,
            "right",
            format!("it refuses {what} to this token{said}"),
        ),
        404 | 410 => (
            Blame::Target,
            "portal-moved",
            format!("there is nothing at the address of {what} (status {status})"),
        ),
        408 | 500.. => (
            Blame::Either,
            "crm-error",
            format!("{what}: it answered with status {status}"),
        ),
        409 | 423 => (Blame::Delivery, "conflict", format!("{what}: status {status}{said}")),
        _ => (
            Blame::Hopeless,
            "refused-by-crm",
            format!("{what}: status {status}{said}"),
        ),
    };
    Verdict::Failed {
        blame,
        code: code.to_owned(),
        reason,
        retry_after: matches!(blame, Blame::Target | Blame::Permission).then_some(super::trip::SELDOM),
        unsure: blame == Blame::Either,
    }
}

/// A refusal at an address that names one object: a 404 there says that somebody deleted it.
pub(in crate::deliver) fn of_object(trip: Trip) -> Trip {
    match trip {
        Trip::Refused(refusal) if matches!(refusal.status, 404 | 410) => Trip::failed(
            Blame::Hopeless,
            "deleted-there",
            "its call was deleted at the CRM, so there is nothing to attach it to",
        ),
        other => other,
    }
}

/// Text out of an answer, however it is written.
pub(in crate::deliver) fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id that an answer must have.
pub(in crate::deliver) fn id_of(value: Option<&Value>) -> Result<String, Trip> {
    word(value).ok_or_else(|| Trip::failed(Blame::Either, "no-id", "it was answered without an id"))
}
