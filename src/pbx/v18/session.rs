//! The console's session: a cookie that `POST /api/login` gives for user and password.
//!
//! The PBX bans an address after about ten bad logins, for a day or for ever. So a login that was refused is never tried
//! again, not even after a restart, until the secret file or the configuration is changed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ring::digest::{SHA256, digest};
use serde_json::json;

use super::super::memory::REFUSED;
use super::super::refusals::NOT_AGAIN;
use super::{Error, Kind, V18};
use crate::config::read_secret;
use crate::http::Answer;
use crate::random::hex;

/// Before the words of a remembered refusal that was about this box's address and not about the password.
const SHUT_OUT: &str = "address: ";

#[derive(Default)]
pub(super) struct Keeper {
    pub user: String,
    pub secret_file: PathBuf,
    /// `name=value; name=value` of the session.
    cookie: Mutex<Option<String>>,
    /// There was no `/api/login` at the last try: this is no console of before v20.
    pub missing: AtomicBool,
}

impl Keeper {
    pub(super) fn new(user: String, secret_file: PathBuf) -> Keeper {
        Keeper {
            user,
            secret_file,
            ..Keeper::default()
        }
    }

    /// The session's cookie. `spent` is one that the PBX has just refused: whoever comes first with it logs in, the
    /// others get the new one.
    pub(super) fn get(&self, pbx: &V18, spent: Option<&str>) -> Result<String, Error> {
        let mut cookie = self.cookie.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cookie) = cookie.as_deref()
            && spent != Some(cookie)
        {
            return Ok(cookie.to_owned());
        }
        *cookie = None;
        let mark = self.mark(pbx);
        if let Some(refused) = pbx.memory.get(REFUSED)
            && let Some((of, told)) = refused.split_once(' ')
            && of == mark
        {
            return Err(match told.strip_prefix(SHUT_OUT) {
                Some(text) => Error::new(Kind::ShutOut, text),
                None => Error::new(Kind::LoginRefused, told),
            });
        }
        let secret = read_secret(&self.secret_file).map_err(|text| Error::new(Kind::LoginRefused, text))?;
        match self.log_in(pbx, &secret) {
            Ok(fresh) => {
                pbx.memory.forget(REFUSED);
                *cookie = Some(fresh.clone());
                Ok(fresh)
            }
            Err(mut error) => {
                // Asking on while the address is banned may keep it banned.
                if matches!(error.kind, Kind::LoginRefused | Kind::ShutOut) {
                    error.text.push_str(NOT_AGAIN);
                    let kind = if error.kind == Kind::ShutOut { SHUT_OUT } else { "" };
                    pbx.memory.put(REFUSED, &format!("{mark} {kind}{}", error.text));
                }
                Err(error)
            }
        }
    }

    /// Forgets the session, because the PBX behaves as if it were another.
    pub(super) fn drop_session(&self) {
        *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A cookie that the PBX renews in the middle of a session.
    pub(super) fn renew(&self, old: &str, answer: &Answer) {
        let fresh = cookies(answer);
        if fresh.is_empty() {
            return;
        }
        let mut kept = self.cookie.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_deref() == Some(old) {
            *kept = Some(merged(old, fresh));
        }
    }

    fn log_in(&self, pbx: &V18, secret: &str) -> Result<String, Error> {
        let body = json!({"Username": self.user, "Password": secret}).to_string();
        let url = format!("{}/api/login", pbx.url);
        let headers = [("content-type", "application/json")];
        let answer = pbx.send(|| pbx.client.post(&url, &headers, body.as_bytes()))?;
        let status = answer.status();
        self.missing.store(status == 404, Ordering::Relaxed);
        match status {
            200 | 400 | 401 => {}
            404 => {
                let text = "the PBX has no /api/login: it is no 3CX of before v20, or this is not its address";
                return Err(Error::new(Kind::NotThere, text));
            }
            403 => {
                let text = "the PBX refuses logins from this box's address (403): it is on its IP blacklist, or the \
                            console is restricted to other addresses";
                return Err(Error::new(Kind::ShutOut, text));
            }
            _ => return Err(pbx.unexpected(answer, "the login")),
        }
        let fresh = cookies(&answer);
        let html = answer.media_type() == "text/html";
        let text = answer.text(64 << 10)?;
        let word = text.trim().trim_matches('"');
        if status == 200 && word == "AuthSuccess" {
            if fresh.is_empty() {
                return Err(Error::new(
                    Kind::Nonsense,
                    "the login was answered without a session cookie",
                ));
            }
            return Ok(merged("", fresh));
        }
        if html || word.starts_with('<') {
            return Err(Error::new(Kind::Nonsense, "the login was answered with a web page"));
        }
        Err(Error::new(Kind::LoginRefused, refusal(word)))
    }

    /// What must change before a refused login is tried again: the address, the user, or the secret file (its time or
    /// length, so that `touch` is enough).
    fn mark(&self, pbx: &V18) -> String {
        let file = std::fs::metadata(&self.secret_file).ok();
        let changed = file
            .as_ref()
            .and_then(|file| file.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        let (changed, length) = (changed.map_or(0, |at| at.as_nanos()), file.map_or(0, |file| file.len()));
        let whole = format!("{}\u{1f}{}\u{1f}{changed}\u{1f}{length}", pbx.url, self.user);
        hex(&digest(&SHA256, whole.as_bytes()).as_ref()[..16])
    }
}

/// The name for a login that did not succeed. The words are those of the web client's typings; a build may have others.
fn refusal(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let two_factor = ["2fa", "twofactor", "securitycode", "totp"]
        .iter()
        .any(|sign| lower.contains(sign));
    if two_factor {
        return "the PBX wants a second factor for this user: use one without two-factor login".to_owned();
    }
    if lower.contains("block") || lower.contains("blacklist") {
        return "the PBX has put this box's address on its IP blacklist".to_owned();
    }
    if lower.is_empty() || lower.contains("fail") || lower.contains("invalid") || lower.contains("denied") {
        return "the PBX refuses user or password of the console".to_owned();
    }
    let said: String = word
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .take(60)
        .collect();
    format!("the PBX refuses the console login and says \"{said}\"")
}

fn cookies(answer: &Answer) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        let sound = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b';');
        (sound(name.trim()) && sound(value.trim())).then(|| (name.trim().to_owned(), value.trim().to_owned()))
    };
    answer.headers("set-cookie").filter_map(pair).collect()
}

fn merged(old: &str, fresh: Vec<(String, String)>) -> String {
    let mut all: Vec<(String, String)> = old
        .split("; ")
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .filter(|(name, _)| fresh.iter().all(|(newer, _)| newer != name))
        .collect();
    all.extend(fresh);
    let pairs: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_named_by_what_mends_it() {
        assert!(refusal("AuthFailed").contains("user or password"));
        assert!(refusal("TwoFactorRequired").contains("second factor"));
        assert!(refusal("IpBlocked").contains("blacklist"));
        assert!(refusal("Weird\r\nthing").contains("says \"Weirdthing\""));
    }

    #[test]
    fn a_renewed_cookie_takes_the_place_of_its_elder() {
        let fresh = vec![("sid".to_owned(), "2".to_owned()), ("b".to_owned(), "x".to_owned())];
        assert_eq!(merged("a=1; sid=1", fresh), "a=1; sid=2; b=x");
    }
}
