//! Asking the console API: the session, one new login on a 401, and a name for each way in which an answer can be wrong.

use std::sync::PoisonError;

use serde::de::DeserializeOwned;

use super::{Error, Kind, LastAnswer, V18};
use crate::http::{self, Answer};
use crate::when;

/// The most that one JSON answer may have.
const MOST_JSON: u64 = 32 << 20;

/// How long a question that a fresh session doesn't open costs no further login.
const BARRED_MS: i64 = 1_800_000;

impl V18 {
    /// Asks `path` (with its query) and reads the JSON answer; `what` names the question in errors.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Error> {
        read(self.get(path, what)?, what)
    }

    /// The same with a body.
    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &str, what: &str) -> Result<T, Error> {
        let url = format!("{}{path}", self.url);
        let answer = self.with_session(what, |cookie| {
            let headers = [("cookie", cookie), ("content-type", "application/json")];
            self.client.post(&url, &headers, body.as_bytes())
        })?;
        match answer.status() {
            200 => read(answer, what),
            _ => Err(self.unexpected(answer, what)),
        }
    }

    fn get(&self, path: &str, what: &str) -> Result<Answer, Error> {
        let answer = self.ask(path, what)?;
        match answer.status() {
            200 => Ok(answer),
            _ => Err(self.unexpected(answer, what)),
        }
    }

    /// Asks `path` and gives the answer, whatever its status but 401 and 403.
    pub(super) fn ask(&self, path: &str, what: &str) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.url);
        self.with_session(what, |cookie| self.client.get(&url, &[("cookie", cookie)]))
    }

    fn with_session(
        &self,
        what: &str,
        request: impl Fn(&str) -> Result<Answer, http::Error>,
    ) -> Result<Answer, Error> {
        let mut cookie = self.session.get(self, None)?;
        let mut answer = self.send(|| request(&cookie))?;
        if answer.status() == 401 && !self.is_barred(what) {
            // The session is over. Once is enough: a 401 that comes back with a fresh one is a missing right.
            cookie = self.session.get(self, Some(&cookie))?;
            answer = self.send(|| request(&cookie))?;
            if answer.status() == 401 {
                self.bar(what);
            }
        }
        match answer.status() {
            401 | 403 => Err(Error::new(
                Kind::RightMissing,
                format!("the PBX does not let this user read {what} ({})", answer.status()),
            )),
            _ => {
                self.session.renew(&cookie, &answer);
                self.barred.lock().unwrap_or_else(PoisonError::into_inner).remove(what);
                Ok(answer)
            }
        }
    }

    fn is_barred(&self, what: &str) -> bool {
        let barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        barred.get(what).is_some_and(|until| *until > self.clock.mono_ms())
    }

    fn bar(&self, what: &str) {
        let until = self.clock.mono_ms() + BARRED_MS;
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        barred.insert(what.to_owned(), until);
    }

    /// The error that an answer stands for.
    pub(super) fn unexpected(&self, answer: Answer, what: &str) -> Error {
        let status = answer.status();
        let asked = answer.header("retry-after").map(str::to_owned);
        let retry_after = asked.and_then(|value| when::retry_after(&value, self.clock.wall_ms()));
        if (300..400).contains(&status) {
            let told = format!("{what} was answered with a redirect ({status}) to somewhere else");
            return Error::new(Kind::Nonsense, told);
        }
        let kind = match status {
            429 => Kind::Throttled,
            503 if retry_after.is_some() => Kind::Throttled,
            504 => Kind::TooMuch,
            500.. => Kind::ItsFault,
            404 => Kind::NotThere,
            _ => Kind::Nonsense,
        };
        Error {
            kind,
            text: format!("{what} was answered with status {status}"),
            retry_after,
        }
    }

    pub(super) fn send(&self, request: impl FnOnce() -> Result<Answer, http::Error>) -> Result<Answer, Error> {
        let began = self.clock.mono_ms();
        match request() {
            Ok(answer) => {
                let now_ms = self.clock.wall_ms();
                let theirs = answer.header("date").and_then(when::http_date);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = LastAnswer {
                    at_ms: Some(now_ms),
                    took_ms: self.clock.mono_ms() - began,
                    clock_ahead_ms: theirs.map(|theirs| theirs - now_ms),
                };
                Ok(answer)
            }
            Err(error) => match self.pin.as_ref().and_then(|pin| pin.offered()) {
                Some(_) => Err(Error::new(
                    Kind::PinChanged,
                    "the PBX shows another certificate than the one it was known by; nothing was sent to it",
                )),
                None => Err(error.into()),
            },
        }
    }
}

fn read<T: DeserializeOwned>(answer: Answer, what: &str) -> Result<T, Error> {
    let html = answer.media_type() == "text/html";
    let text = answer.text(MOST_JSON)?;
    if html || text.trim_start().starts_with('<') {
        let told = format!("{what} was answered with a web page instead of JSON");
        return Err(Error::new(Kind::Nonsense, told));
    }
    serde_json::from_str(&text).map_err(|error| {
        let told = format!("{what} was answered with JSON that can't be read: {error}");
        Error::new(Kind::Nonsense, told)
    })
}

/// A value for a query: everything but letters, digits and `-._~` is escaped.
pub(super) fn escaped(text: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| {
            if keep(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
