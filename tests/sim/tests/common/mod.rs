//! A tiny client and a quiet PBX for the simulator's own tests.

#![allow(dead_code)] // every test file uses its own part

use std::time::Duration;

use callspool_sim::pbx::{Handle, Pbx, PbxConfig};
use callspool_sim::time::{SimTime, iso};
use serde_json::Value;

/// 2026-03-04T12:00:00Z, a Wednesday.
pub const NOON_MS: i64 = 1_772_625_600_000;

/// A PBX at a standing moment with two days of short calls behind it.
pub fn config() -> PbxConfig {
    PbxConfig {
        seed: 11,
        time: SimTime::standing(NOON_MS),
        talk_s: (1, 4),
        calls_per_day: 120,
        ..PbxConfig::default()
    }
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub version: Option<String>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    pub kind: Option<String>,
    pub disposition: Option<String>,
    pub body: Result<Vec<u8>, String>,
}

impl Answer {
    pub fn json(&self) -> Value {
        let body = self.body.as_ref().expect("a whole body");
        serde_json::from_slice(body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(body)))
    }

    pub fn rows(&self) -> Vec<Value> {
        self.json()["value"].as_array().cloned().expect("value is a list")
    }
}

/// A client with a token of its own.
pub struct Client<'a> {
    pub pbx: &'a Handle,
    pub token: String,
    agent: ureq::Agent,
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(20)));
    config.build().into()
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned)
    };
    let (version, retry_after) = (header("x-3cx-version"), header("retry-after"));
    let (location, kind, disposition) = (
        header("location"),
        header("content-type"),
        header("content-disposition"),
    );
    let body = response
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_vec()
        .map_err(|e| e.to_string());
    Answer {
        status: response.status().as_u16(),
        version,
        retry_after,
        location,
        kind,
        disposition,
        body,
    }
}

/// Asks for a token with any form.
pub fn ask_token(pbx: &Handle, form: &str) -> Answer {
    let request = agent().post(format!("{}/connect/token", pbx.url()));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    read(request.send(form).expect("an answer"))
}

impl<'a> Client<'a> {
    pub fn login(pbx: &'a Handle) -> Self {
        let (id, secret) = pbx.credentials();
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let answer = ask_token(pbx, &form).json();
        let token = answer["access_token"].as_str().expect("a token").to_owned();
        Self {
            pbx,
            token,
            agent: agent(),
        }
    }

    /// GET below `/xapi/v1`; spaces may stand as they are.
    pub fn get(&self, path: &str) -> Answer {
        let url = format!("{}/xapi/v1{}", self.pbx.url(), path.replace(' ', "%20"));
        let request = self
            .agent
            .get(url)
            .header("authorization", format!("Bearer {}", self.token));
        read(request.call().expect("an answer"))
    }

    pub fn report(&self, from_ms: i64, to_ms: i64, options: &str) -> Answer {
        self.get(&report_path("GetCallLogData", &iso(from_ms), &iso(to_ms), options))
    }
}

/// The address of a report.
pub fn report_path(function: &str, from: &str, to: &str, options: &str) -> String {
    format!(
        "/ReportCallLogData/Pbx.{function}(periodFrom={from},periodTo={to},sourceType=0,sourceFilter='',\
         destinationType=0,destinationFilter='',callsType=0,callTimeFilterType=0,callTimeFilterFrom='0:00:0',\
         callTimeFilterTo='0:00:0',hidePcalls=true){options}"
    )
}

pub fn start(config: PbxConfig) -> Handle {
    Pbx::start(config).expect("a free port")
}
