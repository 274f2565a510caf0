//! The access token: one at a time, fetched under a lock, because a new one may end the old ("only one active access
//! token at a time", 3CX's own tutorial), and because the PBX bans addresses that log in badly about ten times.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::loose::Text;
use super::{Error, Kind, Refusals, V20};
use crate::config::read_secret;

/// After a refused login nothing is tried for this long, unless the secret file changes.
const AFTER_REFUSAL: Duration = Duration::from_secs(1800);

/// A token is renewed this long before it ends, or in the last tenth of a shorter life.
const MARGIN_MS: i64 = 60_000;

/// A token that died counts as "somebody else uses our name" for this long.
const DEATHS_KEPT_MS: i64 = 3_600_000;

pub(super) struct Keeper {
    client_id: String,
    secret_file: PathBuf,
    refusals: Refusals,
    /// When tokens died before their time, monotonic; the youngest hour of them.
    deaths: Mutex<Vec<i64>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    refused: Option<Refused>,
}

#[derive(Clone)]
struct Token {
    value: String,
    renew_mono: i64,
}

struct Refused {
    until_mono: i64,
    secret_changed: Option<SystemTime>,
    error: Error,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: Text,
    #[serde(default)]
    expires_in: Text,
}

impl Keeper {
    pub(super) fn new(client_id: String, secret_file: PathBuf, refusals: Refusals) -> Keeper {
        Keeper {
            client_id,
            secret_file,
            refusals,
            deaths: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// A token that is good for a minute at least. `spent` is one that the PBX has just refused: whoever comes first
    /// with it logs in, the others get the new one.
    pub(super) fn get(&self, pbx: &V20, spent: Option<&str>) -> Result<String, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = pbx.clock.mono_ms();
        if let Some(token) = &state.token
            && spent != Some(token.value.as_str())
            && token.renew_mono > now
        {
            return Ok(token.value.clone());
        }
        let secret_changed = std::fs::metadata(&self.secret_file)
            .and_then(|file| file.modified())
            .ok();
        if let Some(refused) = &state.refused
            && refused.until_mono > now
            && refused.secret_changed == secret_changed
        {
            return Err(refused.error.clone());
        }
        state.token = None;
        // What an earlier run was refused with this very file is not tried again (the PBX counts bad logins).
        if let Some(error) = self
            .refusals
            .standing(&self.client_id, &self.secret_file, pbx.clock.wall_ms())
        {
            return Err(error);
        }
        // Nobody was asked yet, so there is nothing to rest from: a mended file is taken up at the next try.
        let secret = read_secret(&self.secret_file).map_err(|text| Error::new(Kind::LoginRefused, text))?;
        match self.log_in(pbx, &secret) {
            Ok(token) => {
                state.refused = None;
                self.refusals.forget();
                state.token = Some(token.clone());
                Ok(token.value)
            }
            Err(error) => {
                if error.kind == Kind::LoginRefused {
                    self.refusals
                        .note(&self.client_id, &self.secret_file, &error.text, pbx.clock.wall_ms());
                    let until_mono = now + AFTER_REFUSAL.as_millis() as i64;
                    state.refused = Some(Refused {
                        until_mono,
                        secret_changed,
                        error: error.clone(),
                    });
                }
                Err(error)
            }
        }
    }

    /// A token was refused before its time, and a new one was taken: somebody else has logged in with our name.
    pub(super) fn died_early(&self, now_mono: i64) {
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        deaths.retain(|at| now_mono - at < DEATHS_KEPT_MS);
        deaths.push(now_mono);
    }

    /// How often that happened in the last hour.
    pub(super) fn early_deaths(&self, now_mono: i64) -> u32 {
        let deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        deaths.iter().filter(|at| now_mono - **at < DEATHS_KEPT_MS).count() as u32
    }

    fn log_in(&self, pbx: &V20, secret: &str) -> Result<Token, Error> {
        let body = format!(
            "client_id={}&client_secret={}&grant_type=client_credentials",
            form(&self.client_id),
            form(secret)
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let asked_mono = pbx.clock.mono_ms();
        let answer = pbx.post_plain("/connect/token", &headers, body.as_bytes())?;
        pbx.missing
            .store(answer.status() == 404, std::sync::atomic::Ordering::Relaxed);
        match answer.status() {
            200 => {}
            400 | 401 => {
                return Err(Error::new(Kind::LoginRefused, "the PBX refuses client ID or API key"));
            }
            403 => return Err(shut_out()),
            404 => {
                let text = "the PBX has no /connect/token: it is older than v20, or this is not its address";
                return Err(Error::new(Kind::NotThere, text));
            }
            _ => return Err(pbx.unexpected(answer, "the login")),
        }
        let text = answer.text(64 << 10)?;
        let parsed: Answer = serde_json::from_str(&text)
            .map_err(|_| Error::new(Kind::Nonsense, "the login was answered with something that is not JSON"))?;
        let value = parsed.access_token.0;
        let value = value.ok_or_else(|| Error::new(Kind::Nonsense, "the login was answered without a token"))?;
        let expires_in = parsed.expires_in.0.and_then(|text| text.trim().parse().ok());
        let lifetime_ms = lifetime_ms(&value, expires_in, pbx.clock.wall_ms());
        let margin_ms = MARGIN_MS.min(lifetime_ms / 10);
        Ok(Token {
            value,
            renew_mono: asked_mono + lifetime_ms - margin_ms,
        })
    }
}

/// The error of a PBX that does not talk to this box: it refuses before it looks at any name or key.
pub(super) fn shut_out() -> Error {
    Error::new(
        Kind::ShutOut,
        "the PBX answers 403 before it looks at the login: this box's address is blacklisted or not among the allowed ones",
    )
}

/// How long a token lives: by its own `exp` against its own `iat` or `nbf` (the PBX's clock may be off ours), else
/// against our clock, else by `expires_in`, which is minutes up to 20.0.8 and seconds since 20.0.9.
fn lifetime_ms(token: &str, expires_in: Option<f64>, now_ms: i64) -> i64 {
    let told = match expires_in {
        Some(minutes) if minutes <= 120.0 => (minutes * 60_000.0) as i64,
        Some(seconds) => (seconds * 1000.0) as i64,
        None => 600_000,
    };
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok())
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let Some(claims) = claims else { return told };
    let seconds = |name: &str| claims.get(name).and_then(serde_json::Value::as_f64);
    let Some(exp) = seconds("exp") else { return told };
    let began = seconds("iat")
        .or_else(|| seconds("nbf"))
        .unwrap_or(now_ms as f64 / 1000.0);
    let lifetime = ((exp - began) * 1000.0) as i64;
    if (1..=7 * 86_400_000).contains(&lifetime) {
        lifetime
    } else {
        told
    }
}

/// A value for an `application/x-www-form-urlencoded` body.
fn form(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    text.bytes()
        .map(|byte| {
            if keep(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_tokens_own_expiry_wins_over_the_answers_whatever_its_unit() {
        assert_eq!(
            lifetime_ms(&jwt(r#"{"iat":1000,"exp":4600}"#), Some(60.0), 0),
            3_600_000
        );
        assert_eq!(lifetime_ms(&jwt(r#"{"exp":4600}"#), Some(60.0), 1_000_000), 3_600_000);
        assert_eq!(lifetime_ms("opaque", Some(60.0), 0), 3_600_000);
        assert_eq!(lifetime_ms("opaque", Some(3600.0), 0), 3_600_000);
        assert_eq!(
            lifetime_ms(&jwt(r#"{"iat":5000,"exp":4600}"#), Some(60.0), 0),
            3_600_000
        );
    }

    #[test]
    fn a_secret_with_signs_survives_the_form() {
        assert_eq!(form("a+b&c=d é"), "a%2Bb%26c%3Dd%20%C3%A9");
    }
}
