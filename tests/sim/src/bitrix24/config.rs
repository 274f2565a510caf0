//! Everything about a simulated portal that a test may want to choose.

use crate::time::SimTime;

/// Somebody who works at the portal's company.
#[derive(Debug, Clone)]
pub struct Employee {
    /// User id.
    pub id: u64,
    /// `UF_PHONE_INNER`.
    pub inner: Option<String>,
    /// Whether the account is active.
    pub active: bool,
}

/// The settings of a simulated portal. Start from `Default` and change what the test is about.
#[derive(Debug, Clone)]
pub struct PortalConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The clock of tokens, limits and the 30 minutes of re-registration.
    pub time: SimTime,
    /// The local application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Life of an access token in seconds.
    pub token_life_s: i64,
    /// Life of an upload address in seconds. UNVERIFIED: the documentation gives none.
    pub upload_life_s: i64,
    /// The user whose inbound webhook it is.
    pub webhook_user: u64,
    /// Whether an inbound webhook may register and finish calls. The documentation says no, older code does it.
    pub webhook_may_call: bool,
    /// Scopes of application and webhook.
    pub scopes: Vec<&'static str>,
    /// The plan has no REST.
    pub no_rest: bool,
    /// The portal has another name now: everything is redirected there.
    pub moved_to: Option<String>,
    /// Requests that leak out of the bucket a second; the documentation: 2, Enterprise 5.
    pub rate: f64,
    /// How full the bucket may be; the documentation: 50, Enterprise 250.
    pub burst: f64,
    /// Seconds that each request is charged to its method, and how many a method has in ten minutes.
    pub operating: (f64, f64),
    /// Who works there.
    pub employees: Vec<Employee>,
    /// Users for whom telephony is refused (a role without the right).
    pub refused_users: Vec<u64>,
    /// Keep the bytes of recordings in memory.
    pub keep_audio: bool,
}

impl Default for PortalConfig {
    /// An hour's tokens, the documented rate, one employee with the extension 100 as user 1.
    fn default() -> Self {
        Self {
            port: 0,
            time: SimTime::real(),
            client_id: "local.5f0c6a3e8b1d42.71936520".to_owned(),
            client_secret: "sim-client-secret-not-a-secret".to_owned(),
            token_life_s: 3_600,
            upload_life_s: 3_600,
            webhook_user: 1,
            webhook_may_call: false,
            scopes: vec!["crm", "task", "telephony", "user"],
            no_rest: false,
            moved_to: None,
            rate: 2.0,
            burst: 50.0,
            operating: (0.2, 480.0),
            employees: vec![Employee {
                id: 1,
                inner: Some("100".to_owned()),
                active: true,
            }],
            refused_users: Vec::new(),
            keep_audio: true,
        }
    }
}
