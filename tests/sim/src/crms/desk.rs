//! The desk: every request passes the address, the rate, the credential and the right before its CRM looks at it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::State as Shared;
use axum::http::{Request as Asked, Response};
use axum::{Extension, Router};
use serde_json::Value;

use super::ask::{Ask, Reply, pairs};
use super::truth::Request;
use super::{State, Vendor};
use crate::bitrix24::{Fault, Faults};
use crate::crm::serve::Hangup;

/// Longer bodies are refused.
const BODY_LIMIT: usize = 256 << 20;

/// Why something is refused; each CRM has its own words for it.
pub(crate) enum Why {
    /// There is no such address.
    NoRoute,
    /// The credential is not good.
    Nobody,
    /// A right is missing for this route.
    Denied(String),
    /// Too many requests; so many seconds until there is room.
    Rate(u64),
    /// There is no such object.
    Missing(String),
    /// There is one already.
    Exists(String),
    /// What was sent is wrong, and a real CRM says so too.
    Invalid(String),
    /// What was sent is not documented: a real CRM may overlook it, a test should hear of it.
    Undocumented(String),
    /// As a fault says.
    Told(u16, String),
}

impl Why {
    pub(crate) fn undocumented(text: impl Into<String>) -> Self {
        Self::Undocumented(text.into())
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }
}

/// What the handlers share.
pub(super) struct Desk {
    pub(super) state: Mutex<State>,
    pub(super) vendor: Mutex<Box<dyn Vendor>>,
    pub(super) faults: Mutex<Faults>,
}

impl Desk {
    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn served(&self, route: Option<&'static str>, fault: Option<&Fault>, ask: &Ask) -> Reply {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut vendor = self.vendor.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match fault {
            Some(Fault::Refuse(status, _, text)) => Err(Why::Told(*status, (*text).to_owned())),
            _ => state
                .pass(&**vendor, route, ask)
                .and_then(|route| vendor.serve(&mut state, route, ask)),
        };
        let name = route.unwrap_or("?");
        let reply = result.unwrap_or_else(|why| {
            if let Why::Undocumented(text) = &why {
                state.truth.violations.push(format!("{name}: {text}"));
            }
            vendor.refuse(&why)
        });
        state.note(name, reply.status);
        reply
    }
}

impl State {
    fn pass(&mut self, vendor: &dyn Vendor, route: Option<&'static str>, ask: &Ask) -> Result<&'static str, Why> {
        let now = self.now_ms();
        let (most, window) = self.config.rate.unwrap_or_else(|| vendor.rate());
        self.recent.retain(|at| now - at < window);
        if self.recent.len() >= most {
            self.truth.refused_for_rate += 1;
            let left = self.recent.first().map_or(0, |first| window - (now - first));
            return Err(Why::Rate((left as u64).div_ceil(1_000).max(1)));
        }
        self.recent.push(now);
        let route = route.ok_or(Why::NoRoute)?;
        if !vendor.knows(ask, &self.token) {
            return Err(Why::Nobody);
        }
        if self.denied.contains(route) {
            return Err(Why::Denied(route.to_owned()));
        }
        Ok(route)
    }

    fn note(&mut self, route: &str, status: u16) {
        let (at_ms, route) = (self.now_ms(), route.to_owned());
        self.truth.requests.push(Request { at_ms, route, status });
    }
}

pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new().fallback(any).with_state(desk)
}

async fn any(
    Shared(desk): Shared<Arc<Desk>>,
    Extension(hangup): Extension<Hangup>,
    request: Asked<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        hangup.now().await
    };
    let ask = Ask {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body: body.to_vec(),
    };
    let moved = {
        let state = desk.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.config.moved_to.clone()
    };
    let route = desk.vendor.lock().unwrap_or_else(PoisonError::into_inner).route(&ask);
    if let Some(moved) = moved {
        desk.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(route.unwrap_or("?"), 302);
        let mut reply = Reply::new(302, Value::Null);
        reply.headers.push(("location", format!("http://{moved}{}", ask.path)));
        return reply.response();
    }
    let fault = desk.faults().take(route.unwrap_or("?"));
    if fault == Some(Fault::ServerError) {
        desk.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(route.unwrap_or("?"), 500);
        let mut response = Reply::new(500, Value::Null).response();
        *response.body_mut() = Body::from("<html><body>Internal Server Error</body></html>");
        return response;
    }
    let reply = desk.served(route, fault.as_ref(), &ask);
    match fault {
        Some(Fault::LoseAnswer) => hangup.now().await,
        Some(Fault::Delay(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    reply.response()
}
