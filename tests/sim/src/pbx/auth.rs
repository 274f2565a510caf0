//! `/connect/token` and the tokens that it gave out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::config::PbxConfig;
use super::filter::pairs;
use super::reply::{Content, Reply};

/// The desk that gives out tokens and knows which ones are good.
pub struct Tokens {
    key: Option<EcdsaKeyPair>,
    random: SystemRandom,
    good: Vec<(String, i64)>,
    given: u64,
    refused: u64,
    refused_in_a_row: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok();
        let read = |der: ring::pkcs8::Document| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).ok()
        };
        Self {
            key: pkcs8.and_then(read),
            random,
            good: Vec::new(),
            given: 0,
            refused: 0,
            refused_in_a_row: 0,
        }
    }
}

impl Tokens {
    /// Answers a token request (`application/x-www-form-urlencoded`, RFC 6749 §4.4).
    pub fn request(&mut self, config: &PbxConfig, role: &str, form: &str, now_ms: i64) -> Reply {
        let fields = pairs(form);
        let field = |name: &str| {
            fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        if field("grant_type") != Some("client_credentials") {
            self.refused += 1;
            return problem(400, "unsupported_grant_type", "The grant type is not supported.");
        }
        let right =
            field("client_id") == Some(&config.client_id) && field("client_secret") == Some(&config.client_secret);
        if !right {
            self.refused += 1;
            self.refused_in_a_row += 1;
            return if config.wrong_login_is_401 {
                problem(401, "unauthorized", "The request requires valid user authentication.")
            } else {
                problem(400, "invalid_client", "The client credentials are not valid.")
            };
        }
        if config.one_active_token {
            self.good.clear();
        }
        self.given += 1;
        self.refused_in_a_row = 0;
        let expires_ms = now_ms + config.token_life_s * 1_000;
        let token = self.sign(config, role, now_ms, expires_ms);
        self.good.push((token.clone(), expires_ms));
        // Seconds since 20.0.9, minutes before.
        let expires_in = if config.at_least_update(9) {
            config.token_life_s
        } else {
            config.token_life_s / 60
        };
        Reply::json(json!({
            "token_type": "Bearer",
            "expires_in": expires_in,
            "access_token": token,
            "refresh_token": null,
        }))
    }

    /// Whether an `Authorization` header's value lets its bearer in.
    pub fn lets_in(&self, authorization: Option<&str>, now_ms: i64) -> bool {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
        token.is_some_and(|token| self.good.iter().any(|(good, until)| good == token && now_ms < *until))
    }

    /// Makes every token worthless.
    pub fn revoke(&mut self) {
        self.good.clear();
    }

    /// Whether there were so many wrong logins in a row that the PBX shuts the asking address out.
    pub fn is_enough(&self, most: Option<u64>) -> bool {
        most.is_some_and(|most| self.refused_in_a_row >= most)
    }

    /// Counts a login elsewhere (at the console).
    pub fn count(&mut self, was_right: bool) {
        self.refused += u64::from(!was_right);
        self.refused_in_a_row = if was_right { 0 } else { self.refused_in_a_row + 1 };
    }

    /// Forgets the wrong logins in a row.
    pub fn forgive(&mut self) {
        self.refused_in_a_row = 0;
    }

    /// How many tokens were given out, and how many logins refused.
    pub fn logins(&self) -> (u64, u64) {
        (self.given, self.refused)
    }

    fn sign(&self, config: &PbxConfig, role: &str, now_ms: i64, expires_ms: i64) -> String {
        let head = json!({"alg": "ES256", "typ": "at+jwt"});
        let claims = json!({
            "iss": "https://pbx.example.invalid",
            "unique_name": config.client_id,
            "MaxRole": role,
            "jti": format!("{}-{}", config.seed, self.given),
            "nbf": now_ms / 1_000,
            "iat": now_ms / 1_000,
            "exp": expires_ms / 1_000,
        });
        let text = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", text(head), text(claims));
        let signature = self
            .key
            .as_ref()
            .and_then(|key| key.sign(&self.random, signed.as_bytes()).ok());
        let signature = signature
            .map(|s| URL_SAFE_NO_PAD.encode(s.as_ref()))
            .unwrap_or_default();
        format!("{signed}.{signature}")
    }
}

fn problem(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({"error": error, "error_description": description});
    Reply {
        status,
        headers: Vec::new(),
        content: Content::Json(body),
    }
}
