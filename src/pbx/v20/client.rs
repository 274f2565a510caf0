//! Asking XAPI: the token, one new login on a 401, and a name for each way in which an answer can be wrong.

use std::sync::PoisonError;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::loose::Int;
use super::{Error, Kind, LastAnswer, V20};
use crate::http::{Answer, Headers};
use crate::when;

/// The most that one JSON answer may have.
const MOST_JSON: u64 = 32 << 20;

/// How long a question that a fresh token doesn't open costs no further login.
const BARRED_MS: i64 = 1_800_000;

/// A page of a collection.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(rename = "@odata.count", default)]
    count: Int,
    pub value: Vec<T>,
}

/// What an OData answer says when it is an error, with whatever status.
#[derive(Deserialize)]
struct Failure {
    error: FailureBody,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FailureBody {
    code: String,
    message: String,
}

impl V20 {
    /// Asks `path` (below `/xapi/v1/`) and reads the JSON answer; `what` names the question in errors. A field in
    /// `$select` that this build doesn't know is left out of it from then on.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Error> {
        let mut asked = self.without_unknown(path);
        loop {
            match self.json_once(&asked, what) {
                Err(error) if error.kind == Kind::Nonsense => {
                    let Some(shorter) = unknown_field(&error.text).and_then(|name| without(&asked, name)) else {
                        return Err(error);
                    };
                    log::debug!("the PBX has no {}", unknown_field(&error.text).unwrap_or_default());
                    let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
                    unknown
                        .extend(unknown_field(&error.text).map(|name| (set_of(path).to_owned(), name.to_owned())));
                    asked = shorter;
                }
                other => return other,
            }
        }
    }

    /// `path` without the fields that this build is known not to know.
    fn without_unknown(&self, path: &str) -> String {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = unknown.iter().filter(|(set, _)| set == set_of(path));
        of_it.fold(path.to_owned(), |path, (_, name)| without(&path, name).unwrap_or(path))
    }

    fn json_once<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Error> {
        let answer = self.ask(path, what)?;
        let html = answer.media_type() == "text/html";
        let text = answer.text(MOST_JSON)?;
        if html || text.trim_start().starts_with('<') {
            let told = format!("{what} was answered with a web page instead of JSON");
            return Err(Error::new(Kind::Nonsense, told));
        }
        // Looked for first, as reading every page of rows a second time would cost as much as reading it once.
        if text.contains("\"error\"")
            && let Ok(failure) = serde_json::from_str::<Failure>(&text)
        {
            return Err(inside(&failure.error, what));
        }
        serde_json::from_str(&text).map_err(|error| {
            Error::new(
                Kind::Nonsense,
                format!("{what} was answered with JSON that can't be read: {error}"),
            )
        })
    }

    /// Asks all pages of a collection. `path` must hold a `?`. The count that the first page tells is what is read
    /// up to; neither a short page nor a missing link ends it (seen in the field: both lie).
    pub(super) fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        what: &str,
        take: &mut dyn FnMut(Vec<T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut skip = 0;
        loop {
            let page: Page<T> =
                self.with_page(|top| self.json(&format!("{path}&$top={top}&$skip={skip}&$count=true"), what))?;
            let got = page.value.len();
            skip += got;
            if got > 0 {
                take(page.value)?;
            }
            if got == 0 || page.count.0.is_some_and(|count| skip as i64 >= count) {
                return Ok(());
            }
        }
    }

    /// Asks `path` and gives the answer if its status is 200.
    pub(super) fn ask(&self, path: &str, what: &str) -> Result<Answer, Error> {
        let url = format!("{}/xapi/v1/{path}", self.url).replace(' ', "%20");
        let mut token = self.token.get(self, None)?;
        let mut answer = self.send(|| self.client.get(&url, &[("authorization", &bearer(&token))]))?;
        if answer.status() == 401 && !self.is_barred(what) {
            // The token ended early, or somebody else logged in with our name. Once is enough: a 401 that comes back
            // with a fresh token is a missing right (seen in the field).
            token = self.token.get(self, Some(&token))?;
            answer = self.send(|| self.client.get(&url, &[("authorization", &bearer(&token))]))?;
            if answer.status() == 401 {
                self.bar(what);
            } else {
                self.token.died_early(self.clock.mono_ms());
            }
        }
        match answer.status() {
            200 => {
                self.barred.lock().unwrap_or_else(PoisonError::into_inner).remove(what);
                Ok(answer)
            }
            401 => Err(Error::new(
                Kind::RightMissing,
                format!("the PBX does not let this client read {what} (401)"),
            )),
            // A right that is missing is told in JSON; a web page comes from what stands before the API.
            403 if answer.media_type() == "text/html" => Err(super::token::shut_out()),
            403 => Err(Error::new(
                Kind::RightMissing,
                format!("the PBX does not let this client read {what} (403)"),
            )),
            _ => Err(self.unexpected(answer, what)),
        }
    }

    /// Whether a fresh token was of no use for this question a while ago.
    pub(super) fn is_barred(&self, what: &str) -> bool {
        let barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        barred.get(what).is_some_and(|until| *until > self.clock.mono_ms())
    }

    /// For a while a 401 to this question is believed at once: a login at each would be a storm of logins.
    pub(super) fn bar(&self, what: &str) {
        let until = self.clock.mono_ms() + BARRED_MS;
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        barred.insert(what.to_owned(), until);
    }

    /// The PBX showed its version. Another one than before may know other fields and sources.
    fn meet(&self, version: &str) {
        let mut known = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() == Some(version) {
            return;
        }
        *known = Some(version.to_owned());
        drop(known);
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.history.lock().unwrap_or_else(PoisonError::into_inner) = super::history::Ways::default();
    }

    /// POST without a token.
    pub(super) fn post_plain(&self, path: &str, headers: Headers, body: &[u8]) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.url);
        self.send(|| self.client.post(&url, headers, body))
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
        let failure = answer
            .text(64 << 10)
            .ok()
            .and_then(|text| serde_json::from_str::<Failure>(&text).ok());
        let failure = failure.map(|failure| failure.error).unwrap_or_default();
        let kind = match status {
            429 => Kind::Throttled,
            503 if retry_after.is_some() => Kind::Throttled,
            504 => Kind::TooMuch,
            500.. => Kind::ItsFault,
            404 => Kind::NotThere,
            _ if failure.code.contains("FILE_NOT_FOUND") || failure.message.contains("FILE_NOT_FOUND") => {
                Kind::Gone
            }
            _ => Kind::Nonsense,
        };
        let said = if failure.message.is_empty() {
            String::new()
        } else {
            format!(": {}", clip(&failure.message))
        };
        Error {
            kind,
            text: format!("{what} was answered with status {status}{said}"),
            retry_after,
        }
    }

    fn send(&self, request: impl FnOnce() -> Result<Answer, crate::http::Error>) -> Result<Answer, Error> {
        let began = self.clock.mono_ms();
        match request() {
            Ok(answer) => {
                let now_ms = self.clock.wall_ms();
                if let Some(version) = answer.header("x-3cx-version") {
                    self.meet(version);
                }
                let ahead = answer
                    .header("date")
                    .and_then(when::http_date)
                    .map(|theirs| theirs - now_ms);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = LastAnswer {
                    at_ms: Some(now_ms),
                    took_ms: self.clock.mono_ms() - began,
                    clock_ahead_ms: ahead,
                };
                Ok(answer)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// No answer came: because of its certificate, or for another reason.
    pub(super) fn failed(&self, error: crate::http::Error) -> Error {
        match self.pin.as_ref().and_then(|pin| pin.offered()) {
            Some(_) => Error::new(
                Kind::PinChanged,
                "the PBX shows another certificate than the one it was known by; nothing was sent to it",
            ),
            None => error.into(),
        }
    }
}

/// The entity set that a path asks: what stands before its `?`.
fn set_of(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// The name in "Could not find a property named 'X' on type 'Pbx.Y'", in Microsoft's words.
fn unknown_field(text: &str) -> Option<&str> {
    text.split_once("property named '")?.1.split('\'').next()
}

/// `path` with `name` taken out of its `$select`, if it stands there beside others.
fn without(path: &str, name: &str) -> Option<String> {
    let (before, list) = path.split_once("$select=")?;
    let (list, after) = list.split_at(list.find('&').unwrap_or(list.len()));
    let kept: Vec<&str> = list.split(',').filter(|field| *field != name).collect();
    let shorter = kept.len() < list.split(',').count() && !kept.is_empty();
    shorter.then(|| format!("{before}$select={}{after}", kept.join(",")))
}

pub(super) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn inside(failure: &FailureBody, what: &str) -> Error {
    let said = if failure.message.is_empty() {
        &failure.code
    } else {
        &failure.message
    };
    let kind = if said.contains("FILE_NOT_FOUND") {
        Kind::Gone
    } else {
        Kind::Nonsense
    };
    Error::new(
        kind,
        format!(
            "{what} was answered with status 200 and an error inside: {}",
            clip(said)
        ),
    )
}

/// A foreign message, short and on one line.
pub(super) fn clip(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_a_build_lacks_is_taken_out_of_the_question_and_nothing_else() {
        let told = "Could not find a property named 'IsTranscribed' on type 'Pbx.Recording'.";
        let name = unknown_field(told).unwrap();
        let path = "Recordings?$filter=Id eq 5&$select=Id,IsTranscribed,StartTime&$top=1";
        let shorter = without(path, name).unwrap();
        assert_eq!(shorter, "Recordings?$filter=Id eq 5&$select=Id,StartTime&$top=1");
        assert_eq!(without(&shorter, name), None);
        assert_eq!(without("Users?$select=Id", "Id"), None, "nothing would be left");
        assert_eq!(unknown_field("An error has occurred."), None);
    }
}
