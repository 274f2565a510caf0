//! Who is let in: whoever knows the page's one password. It is the same lock as on a box.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::hub::Hub;
use super::routes::{Needs, Route};
use crate::clock::Clock;
use crate::config;
use crate::rights::Who;
use crate::store::Settings;
use crate::web::frame::{
    AUTO, BODY, Ends, Found, Lock, Refusal, Sessions, by_name, refuse, session_id, to, token_of,
};
use crate::web::scrape;

/// See the module.
pub struct Door {
    pub sessions: Sessions,
    pub lock: Lock,
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct Visitor {
    /// The session's name.
    pub key: [u8; 32],
    /// What its forms must carry.
    pub token: String,
    /// Where they are.
    pub source: IpAddr,
}

/// How a try went.
pub enum Verdict {
    /// The id for the cookie.
    Right(String),
    Wrong,
    /// So many milliseconds to wait.
    Pause(i64),
    /// Not looked at.
    Busy,
    /// The new password is unfit, or could not be stored.
    Unfit(String),
}

/// There is one account. The limiter counts it by this name.
const ACCOUNT: &str = "fleet";

impl Door {
    pub fn new(settings: Settings, clock: Clock, config: &config::Fleet) -> Door {
        Door {
            sessions: Sessions::new(config.web.session_idle),
            lock: Lock::new(settings, clock, &config.state_dir),
        }
    }

    /// Tries the password, and puts another in force if `new` is given: then all sessions end.
    pub async fn judge(&self, source: IpAddr, tried: String, new: Option<String>, now: i64) -> Verdict {
        if let Err(wait) = self.lock.count(source, ACCOUNT).await {
            return Verdict::Pause(wait);
        }
        self.lock.refresh(true).await;
        let Some(hash) = self.lock.known() else {
            return Verdict::Busy;
        };
        match self.lock.verify(tried, hash.clone()).await {
            None => return Verdict::Busy,
            Some(false) => {
                let failures = self.lock.failures(source);
                log::warn!("{source} tried a wrong password, {failures} in a row");
                return Verdict::Wrong;
            }
            Some(true) => self.lock.succeeded(source, ACCOUNT).await,
        }
        let Some(new) = new else {
            self.lock.remove_first_file().await;
            log::info!("{source} logged in");
            return Verdict::Right(self.sessions.begin(Who::Technician, hash, now));
        };
        let hash = match self.lock.hash(new).await {
            None => return Verdict::Busy,
            Some(Err(why)) => return Verdict::Unfit(why),
            Some(Ok(hash)) => hash,
        };
        match self.lock.put(hash).await {
            None => Verdict::Busy,
            Some(Err(why)) => Verdict::Unfit(why),
            Some(Ok(())) => {
                self.sessions.end_of(&Who::Technician);
                log::info!("{source} changed the password; all sessions ended");
                Verdict::Right(String::new())
            }
        }
    }
}

/// Refuses a request that came under a name that isn't ours.
pub async fn host(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    by_name(hub.hosts(), request, next).await
}

/// Lets a request through to a route that is not public: with a session, and a form with the session's token too.
pub async fn right(
    State((hub, route)): State<(Hub, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(ends) = request.extensions().get::<Ends>().copied() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if route.needs == Needs::Scrape && scrape::fits(hub.config().web.scrape_file.clone(), request.headers()).await
    {
        return next.run(request).await;
    }
    if hub.door().lock.refresh(false).await {
        hub.door().sessions.end_of(&Who::Technician);
    }
    // What a page does by itself is no use of it: a page that was left open does not keep its session on.
    let alone = |query: &str| query.split('&').any(|part| part == AUTO);
    let by_itself = route.needs == Needs::Live || request.uri().query().is_some_and(alone);
    let Some(found) = session(&hub, request.headers(), !by_itself) else {
        return not_logged_in(route.needs, &request);
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let (parts, body) = request.into_parts();
        // It was taken in whole already.
        let bytes = to_bytes(body, BODY).await.unwrap_or_default();
        if !found.sent(&token_of(&parts, bytes.clone()).await) {
            let refusal = Refusal {
                status: StatusCode::FORBIDDEN,
                title: "This form is not from your session",
                why: "It may have been open since before your last login.",
                next: "Reload the page and press the button again.",
            };
            return refuse(&parts.uri, refusal);
        }
        request = Request::from_parts(parts, Body::from(bytes));
    }
    request.extensions_mut().insert(Visitor {
        key: found.key,
        token: found.token,
        source: ends.peer.ip().to_canonical(),
    });
    next.run(request).await
}

fn session(hub: &Hub, headers: &HeaderMap, touch: bool) -> Option<Found> {
    hub.door().sessions.find(&session_id(headers)?, hub.mono(), touch)
}

fn not_logged_in(needs: Needs, request: &Request) -> Response {
    if needs == Needs::Page {
        let status = match *request.method() {
            Method::GET | Method::HEAD => StatusCode::FOUND,
            _ => StatusCode::SEE_OTHER,
        };
        return to(status, "/login");
    }
    let refusal = Refusal {
        status: StatusCode::UNAUTHORIZED,
        title: "Not logged in",
        why: "This needs a session, or where it is scraped the token of web.scrape_token_file.",
        next: "Log in at /login.",
    };
    let mut response = refuse(request.uri(), refusal);
    let bearer = header::HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    response
}
