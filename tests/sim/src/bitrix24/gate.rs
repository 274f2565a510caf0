//! What every request passes before its method is looked at: the portal's address, plan, rate, credential, scope and
//! role, and the time that methods may take.

use serde_json::{Map, Value, json};

use super::portal::Portal;
use super::refusal::Refusal;

/// How a request proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// By an access token of the application.
    Application,
    /// By the inbound webhook.
    Webhook,
}

/// Methods that only work in the context of an application, by the documentation.
const APPLICATION_ONLY: [&str; 3] = [
    "telephony.externalcall.register",
    "telephony.externalcall.finish",
    "telephony.externalline.add",
];

impl Portal {
    /// The leaky bucket: 503 `QUERY_LIMIT_EXCEEDED` above the burst. A refused request is not counted: UNVERIFIED.
    pub(super) fn pour(&mut self) -> Result<(), Refusal> {
        let now = self.now_ms();
        let (level, at) = self.bucket;
        let level = (level - (now - at) as f64 / 1_000.0 * self.config.rate).max(0.0);
        if level + 1.0 > self.config.burst {
            self.bucket = (level, now);
            self.truth.refused_for_rate += 1;
            return Err(Refusal::new(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
        }
        self.bucket = (level + 1.0, now);
        Ok(())
    }

    /// Who asks, by `auth` or by the webhook's user and code.
    pub(super) fn who(&self, webhook: Option<(&str, &str)>, params: &Map<String, Value>) -> Result<Door, Refusal> {
        if self.config.no_rest {
            let text = "REST API is available only on commercial plans";
            return Err(Refusal::new(403, "ACCESS_DENIED", text));
        }
        let nobody = || Refusal::new(401, "NO_AUTH_FOUND", "Wrong authorization data");
        if let Some((user, code)) = webhook {
            let known = !self.webhook_code.is_empty()
                && code == self.webhook_code
                && user == self.config.webhook_user.to_string();
            return if known { Ok(Door::Webhook) } else { Err(nobody()) };
        }
        let token = params.get("auth").and_then(Value::as_str).unwrap_or_default();
        self.token(token)?;
        Ok(Door::Application)
    }

    /// Whether an access token is good.
    pub(super) fn token(&self, token: &str) -> Result<(), Refusal> {
        match self.access.get(token) {
            None => Err(Refusal::new(401, "NO_AUTH_FOUND", "Wrong authorization data")),
            Some(until) if *until <= self.now_ms() => Err(Refusal::new(
                401,
                "expired_token",
                "The access token provided has expired.",
            )),
            Some(_) => Ok(()),
        }
    }

    /// Scope, kind of authorization and role.
    pub(super) fn may(&self, door: Door, method: &str) -> Result<(), Refusal> {
        if let Some(scope) = scope_of(method)
            && !self.config.scopes.contains(&scope)
        {
            let text = "The request requires higher privileges than provided by the access token";
            return Err(Refusal::new(403, "insufficient_scope", text));
        }
        if door == Door::Webhook && !self.config.webhook_may_call && APPLICATION_ONLY.contains(&method) {
            let text = "Current authorization type is denied for this method";
            return Err(Refusal::new(403, "WRONG_AUTH_TYPE", text));
        }
        if self.denied.contains(method) {
            return Err(Refusal::new(403, "ACCESS_DENIED", "Access denied!"));
        }
        Ok(())
    }

    /// Charges a method; 429 when it used up what it has in ten minutes. Ten buckets of a minute, as documented.
    pub(super) fn operate(&mut self, method: &str) -> Result<Value, Refusal> {
        let now = self.now_ms();
        let minute = now / 60_000;
        self.operated.retain(|(_, at), _| *at > minute - 10);
        let mine = || self.operated.iter().filter(|((of, _), _)| of == method);
        let used: f64 = mine().map(|(_, seconds)| seconds).sum();
        let oldest = mine().map(|((_, at), _)| *at).next().unwrap_or(minute);
        let (cost, limit) = self.config.operating;
        if used >= limit {
            let text = "Method is blocked due to operation time limit.";
            return Err(Refusal::new(429, "OPERATION_TIME_LIMIT", text));
        }
        *self.operated.entry((method.to_owned(), minute)).or_default() += cost;
        Ok(json!({
            "start": now as f64 / 1_000.0,
            "finish": now as f64 / 1_000.0,
            "duration": cost,
            "processing": 0,
            "date_start": crate::time::iso(now),
            "date_finish": crate::time::iso(now),
            "operating_reset_at": (oldest + 10) * 60,
            "operating": used + cost,
        }))
    }
}

fn scope_of(method: &str) -> Option<&'static str> {
    [
        ("telephony.", "telephony"),
        ("voximplant.", "telephony"),
        ("crm.", "crm"),
        ("tasks.", "task"),
        ("user.", "user"),
    ]
    .into_iter()
    .find_map(|(prefix, scope)| method.starts_with(prefix).then_some(scope))
}
