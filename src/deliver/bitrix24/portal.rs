//! One portal on the wire: every method is asked through [`Portal::call`], which keeps the rate, renews the token when the
//! portal says that it has expired, and sorts what is the portal's trouble from what is the delivery's.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::oauth::Tokens;
use super::trip::{Refusal, Trip};
use crate::clock::Clock;
use crate::config::{self, BitrixDoor, Trust, read_secret};
use crate::deliver::crm::Bucket;
use crate::deliver::line::of_line;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::{self, Answer, Belief, Client, TrustError};
use crate::store::Store;

/// The most of an answer that is read: a page of 50 employees with all their fields.
const MOST_ANSWER: u64 = 1 << 20;

/// A method that used so many seconds of its ten minutes is left alone until its oldest minute is over. Bitrix24's
/// documentation names 480 s as an example and 420 s as the default of its boxed product.
const OPERATING_MOST: f64 = 400.0;

/// A portal and how to speak to it.
pub(super) struct Portal {
    pub(super) name: String,
    pub(super) settings: config::Bitrix24,
    pub(super) clock: Clock,
    pub(super) client: Client,
    pub(super) tokens: RefCell<Tokens>,
    /// Until when (Unix milliseconds) a method is left alone.
    blocked: RefCell<HashMap<&'static str, i64>>,
    /// Answers in a row that said that the bucket is full.
    full: Cell<u32>,
}

impl Portal {
    pub(super) fn new(name: &str, settings: &config::Bitrix24, clock: &Clock) -> Result<Portal, TrustError> {
        let belief = match &settings.trust {
            Trust::CaFile(path) => Belief::CaFile(path.clone()),
            Trust::Pin | Trust::Public => Belief::Public,
        };
        Ok(Portal {
            name: name.to_owned(),
            settings: settings.clone(),
            clock: clock.clone(),
            client: Client::new(&belief, settings.timeout)?,
            tokens: RefCell::default(),
            blocked: RefCell::default(),
            full: Cell::new(0),
        })
    }

    /// Whether the way in is an inbound webhook.
    pub(super) fn by_webhook(&self) -> bool {
        matches!(self.settings.door, BitrixDoor::Webhook { .. })
    }

    /// The employee who gets what belongs to nobody.
    pub(super) fn default_user(&self) -> Result<u64, Trip> {
        if self.settings.default_user > 0 {
            return Ok(self.settings.default_user);
        }
        // The owner stands in the webhook's address: …/rest/USER/CODE/
        let base = self.base()?;
        let mut parts = base.rsplit('/').filter(|part| !part.is_empty());
        let owner = parts.nth(1).and_then(|part| part.parse().ok());
        owner.ok_or_else(|| {
            Trip::failed(
                Blame::Target,
                "no-default-user",
                "it is not known who gets calls of nobody",
            )
        })
    }

    /// Where methods are asked, with a slash at its end. For a webhook this is a secret.
    fn base(&self) -> Result<String, Trip> {
        match &self.settings.door {
            BitrixDoor::Application { url, .. } => Ok(format!("{url}/rest/")),
            BitrixDoor::Webhook { file } => {
                let url = read_secret(file).map_err(|text| Trip::for_a_person("secret", text))?;
                let whole = url.starts_with("https://") || url.starts_with("http://");
                match url.split_once("/rest/") {
                    Some((_, rest)) if whole && rest.trim_end_matches('/').split('/').count() == 2 => {
                        Ok(format!("{}/", url.trim_end_matches('/')))
                    }
                    _ => Err(Trip::for_a_person(
                        "webhook-address",
                        "webhook_file holds no webhook's address",
                    )),
                }
            }
        }
    }

    /// The bucket that this portal's requests go through.
    fn bucket(&self, url: &str) -> Arc<Bucket> {
        let host = url.split('/').nth(2).unwrap_or_default();
        Bucket::of(host, self.settings.burst, &self.clock)
    }

    /// Waits for a place within the rate.
    pub(super) fn wait_for_turn(&self, url: &str) -> Result<(), Trip> {
        self.bucket(url)
            .wait(self.settings.rate, self.settings.burst, &self.clock)
    }

    /// Asks a method and gives its `result`, for lists with `total` and `next` the whole answer.
    pub(super) fn call(&self, store: Option<&Store>, method: &'static str, params: Value) -> Result<Value, Trip> {
        self.call_with(store, method, |url, auth| {
            let mut params = params.as_object().cloned().unwrap_or_else(Map::new);
            if let Some(token) = auth {
                params.insert("auth".to_owned(), token.into());
            }
            let body = Value::Object(params).to_string();
            self.client
                .post(url, &[("content-type", "application/json")], body.as_bytes())
        })
    }

    /// The same with a body of the caller's making, which is given the address and the token (if there is one).
    pub(super) fn call_with(
        &self,
        store: Option<&Store>,
        method: &'static str,
        send: impl Fn(&str, Option<&str>) -> Result<Answer, http::Error>,
    ) -> Result<Value, Trip> {
        self.is_allowed_now(method)?;
        let url = format!("{}{method}", self.base()?);
        let mut renewed = false;
        loop {
            let token = if self.by_webhook() {
                None
            } else {
                Some(self.token(store)?)
            };
            self.wait_for_turn(&url)?;
            let answer = send(&url, token.as_deref()).map_err(|error| line_failed(&error))?;
            match self.read(answer, method, &url) {
                Err(Trip::Refused(refusal)) if refusal.is("expired_token") && !renewed && token.is_some() => {
                    self.renew(store, token.as_deref().unwrap_or_default())?;
                    renewed = true;
                }
                Err(Trip::Refused(refusal)) => return Err(self.sorted(refusal, &url)),
                other => return other,
            }
        }
    }

    /// Whether the method has time left.
    fn is_allowed_now(&self, method: &'static str) -> Result<(), Trip> {
        let until = self.blocked.borrow().get(method).copied().unwrap_or(0);
        let left = until - self.clock.wall_ms();
        if left <= 0 {
            return Ok(());
        }
        Err(Trip::Over(Verdict::Waiting {
            code: "operating-time".to_owned(),
            reason: format!("the portal gives {method} no more time for the moment"),
            pause: Duration::from_millis(left.min(600_000) as u64),
        }))
    }

    /// Reads an answer: what the method gave, or what it refused.
    fn read(&self, answer: Answer, method: &'static str, url: &str) -> Result<Value, Trip> {
        let json = self.whole(answer, method, url)?;
        Ok(match json.get("total") {
            Some(_) => json,
            None => json.get("result").cloned().unwrap_or(Value::Null),
        })
    }

    /// The same with all that stands around the result.
    pub(super) fn whole(&self, answer: Answer, method: &'static str, url: &str) -> Result<Value, Trip> {
        let status = answer.status();
        if (300..400).contains(&status) {
            let to = answer.header("location").and_then(|to| to.split('/').nth(2));
            let host = to.filter(|host| url.split('/').nth(2) != Some(*host));
            let to = host.map_or(String::new(), |host| format!(" to {host}"));
            return Err(Trip::for_a_person(
                "portal-moved",
                format!("the portal redirects{to}, and redirects are not followed"),
            ));
        }
        let text = answer.text(MOST_ANSWER).map_err(|error| line_failed(&error))?;
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let Some(json) = json.filter(Value::is_object) else {
            return Err(not_the_portal(status));
        };
        self.note_time(&json, method);
        let word = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !(200..300).contains(&status) || json.get("error").is_some() {
            return Err(Trip::Refused(Refusal {
                method,
                status,
                code: word("error"),
                text: word("error_description"),
            }));
        }
        self.full.set(0);
        Ok(json)
    }

    /// Obeys `time.operating` before the portal has to say no.
    fn note_time(&self, json: &Value, method: &'static str) {
        let Some(time) = json.get("time") else { return };
        let used = time.get("operating").and_then(Value::as_f64).unwrap_or(0.0);
        let reset = time.get("operating_reset_at").and_then(Value::as_i64).unwrap_or(0) * 1_000;
        if used >= OPERATING_MOST && reset > self.clock.wall_ms() {
            self.blocked.borrow_mut().insert(method, reset);
        }
    }

    /// What is the portal's trouble and not one method's.
    fn sorted(&self, refusal: Refusal, url: &str) -> Trip {
        let method = refusal.method;
        if refusal.is("QUERY_LIMIT_EXCEEDED") {
            self.bucket(url).is_full(self.settings.burst, &self.clock);
            let times = self.full.get().min(6);
            self.full.set(times + 1);
            return Trip::Over(Verdict::Waiting {
                code: if times > 2 { "rate" } else { "" }.to_owned(),
                reason: if times > 2 {
                    "the portal says that too much is asked of it"
                } else {
                    ""
                }
                .to_owned(),
                pause: Duration::from_secs(1 << times),
            });
        }
        if refusal.is("OPERATION_TIME_LIMIT") || refusal.status == 429 {
            // The answer that says no may lack the time; then a minute is when the oldest bucket of ten leaves.
            let now = self.clock.wall_ms();
            let mut blocked = self.blocked.borrow_mut();
            let until = blocked.entry(method).or_insert(0);
            *until = (*until).max(now + 60_000);
            return Trip::Over(Verdict::Waiting {
                code: "operating-time".to_owned(),
                reason: format!("the portal gives {method} no more time for the moment"),
                pause: Duration::from_millis((*until - now) as u64),
            });
        }
        if refusal.is("OVERLOAD_LIMIT") {
            return Trip::Over(Verdict::Failed {
                blame: Blame::Target,
                code: "overload".to_owned(),
                reason: "the portal's REST was blocked for overload, by hand".to_owned(),
                retry_after: Some(Duration::from_secs(3_600)),
                unsure: false,
            });
        }
        if refusal.is("PAYMENT_REQUIRED") || refusal.says("only on commercial plans") {
            return Trip::for_a_person("no-rest-plan", "the portal's plan has no REST API");
        }
        if refusal.is("PORTAL_DELETED") || refusal.is("ERROR_MANIFEST_IS_NOT_AVAILABLE") {
            return Trip::for_a_person("portal-deleted", "there is no such portal any more");
        }
        if refusal.status == 401 {
            if self.by_webhook() {
                return Trip::for_a_person(
                    "webhook-deleted",
                    "the portal doesn't know this inbound webhook (any more)",
                );
            }
            // The next try looks whether a person has put a new token in.
            self.tokens.replace(Tokens::default());
            return Trip::for_a_person("no-auth", "the portal doesn't know the application's token");
        }
        if refusal.is("ERROR_METHOD_NOT_FOUND") {
            return Trip::for_a_person("portal-moved", format!("there is no method {method} at this address"));
        }
        Trip::Refused(refusal)
    }
}

/// No answer, or half of one. The library's words may quote the address, and the address of a webhook is a secret.
pub(super) fn line_failed(error: &http::Error) -> Trip {
    let mut verdict = of_line(error);
    if let Verdict::Failed { reason, .. } = &mut verdict {
        match error.kind {
            http::Kind::Address => *reason = "the address can't be used".to_owned(),
            http::Kind::Other => *reason = "the request failed".to_owned(),
            _ => {}
        }
    }
    Trip::Over(verdict)
}

/// An answer that is no JSON: a proxy's, a captive portal's, a web server's own page for errors.
fn not_the_portal(status: u16) -> Trip {
    match status {
        200..300 => Trip::failed(
            Blame::Target,
            "web-page",
            format!(
                "status {status} came with something that is not the portal's: something answers in its place"
            ),
        ),
        404 | 410 => Trip::for_a_person(
            "portal-moved",
            format!("there is no portal at this address (status {status})"),
        ),
        _ => Trip::Over(Verdict::Failed {
            blame: Blame::Either,
            code: format!("http-{status}"),
            reason: format!("it answered with status {status}"),
            retry_after: None,
            unsure: true,
        }),
    }
}
