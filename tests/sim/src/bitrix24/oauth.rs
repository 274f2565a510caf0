//! The authorization server: a refresh token for a new pair, once.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::portal::{Portal, secret};
use super::refusal::Refusal;

impl Portal {
    /// `GET /oauth/token/`: the old refresh token dies with its use. That it does at once is the strict reading of "a new
    /// value to store instead": UNVERIFIED.
    pub(super) fn renew(&mut self, query: &HashMap<String, String>, host: &str) -> Result<Value, Refusal> {
        let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        if let Some(stranger) = query
            .keys()
            .find(|name| !["grant_type", "client_id", "client_secret", "refresh_token"].contains(&name.as_str()))
        {
            return Err(Refusal::new(400, "invalid_request", format!("{stranger} is unknown")));
        }
        if given("grant_type") != "refresh_token" {
            return Err(Refusal::new(400, "invalid_request", "grant_type must be refresh_token"));
        }
        if given("client_id") != self.config.client_id || given("client_secret") != self.config.client_secret {
            return Err(Refusal::new(400, "invalid_client", "Invalid client"));
        }
        if self.config.no_rest {
            return Err(Refusal::new(400, "PAYMENT_REQUIRED", "Payment required"));
        }
        if self.refresh_token.as_deref() != Some(given("refresh_token")) {
            return Err(Refusal::new(400, "invalid_grant", "Invalid grant"));
        }
        let (access, refresh) = (secret(), secret());
        let until = self.now_ms() + self.config.token_life_s * 1_000;
        self.access.insert(access.clone(), until);
        self.refresh_token = Some(refresh.clone());
        self.truth.refreshes += 1;
        let portal = self.config.moved_to.clone().unwrap_or_else(|| host.to_owned());
        Ok(json!({
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.config.token_life_s,
            "client_endpoint": format!("http://{portal}/rest/"),
            "server_endpoint": "https://oauth.bitrix.info/rest/",
            "domain": "oauth.bitrix.info",
            "member_id": "a223c6b3710f85df22e9377d6c4f7553",
            "scope": "app",
            "status": "L",
            "user_id": self.config.webhook_user,
        }))
    }
}
