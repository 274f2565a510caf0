//! What every request must pass before anything is done for it, and the headers of every answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::timeout;

use super::hosts::Hosts;
use super::layout::{Refusal, refuse, to, unread};
use super::pace::Pace;
use super::routes::{Door, Needs, Route, STREAMED};
use super::site::Site;
use super::visitor::Visitor;
use super::{asker, audit, explained, scrape};
use crate::rights::{Action, Who};

/// The most bytes of a form.
pub(crate) const BODY: usize = 64 * 1024;
/// How long a form may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The cookie. Its prefix makes browsers insist on `Secure`, on `Path=/` and on no `Domain`.
const COOKIE: &str = "__Host-sid";

/// Below this are the answers for scripts.
const API: &str = "/api/v1/";

/// The query with which a page asks for itself again.
pub(crate) const AUTO: &str = "auto";

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// The browser's.
    pub peer: SocketAddr,
    /// Ours.
    pub local: SocketAddr,
}

impl Ends {
    pub fn source(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}

/// Nothing from anywhere else, no frames, no sniffing, no referrer; pages are never kept by a cache.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts the headers on every answer. No HSTS: on a self-signed name it takes away the way past the warning.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        // An asset says itself how long it may be kept.
        if !(name == header::CACHE_CONTROL && response.headers().contains_key(&name)) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Refuses a request that came under a name that isn't ours, without a cookie and without a word about us.
pub(super) async fn host(State(site): State<Site>, request: Request, next: Next) -> Response {
    by_name(site.hosts(), request, next).await
}

/// The same for any page that knows its names.
pub(crate) async fn by_name(hosts: &Hosts, request: Request, next: Next) -> Response {
    let Some(ends) = request.extensions().get::<Ends>().copied() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match called(request.headers(), request.uri()) {
        Some(name) if hosts.allow(name, ends.local) => next.run(request).await,
        _ => refuse(
            request.uri(),
            Refusal {
                status: StatusCode::MISDIRECTED_REQUEST,
                title: t!("Not by this name"),
                why: t!("This page answers only to names and addresses that are known to be its own."),
                next: t!("Open it by its IP address and port, or have this name put into web.names."),
            },
        ),
    }
}

/// The one name that the request came under; `None` if it has none, several, or two that differ.
fn called<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    let alone = hosts.next().is_none() && uri.authority().is_none_or(|authority| authority.as_str() == host);
    alone.then_some(host)
}

/// Takes a request that changes something only from this page itself: browsers say where it comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; one that says neither is refused. Takes its form in whole, in time, and
/// not too big.
pub(crate) async fn origin(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    // A script's token is sent by hand and not by a browser on its own; with a cookie beside it nobody knows who it was.
    let by_script = scripted(&request) && !request.headers().contains_key(header::COOKIE);
    if !by_script && !from_here(request.headers()) {
        return refuse(
            request.uri(),
            Refusal {
                status: StatusCode::FORBIDDEN,
                title: t!("Not from this page"),
                why: t!(
                    "What changes something is taken only from this page itself, and your browser says it came from elsewhere."
                ),
                next: t!("Open this page and press the button there."),
            },
        );
    }
    if request.uri().path() == STREAMED {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let pace = parts.extensions.get::<Arc<Pace>>().cloned();
    if let Some(pace) = &pace {
        pace.waits_for_body();
    }
    let taken = timeout(BODY_TIME, to_bytes(body, BODY)).await;
    if let Some(pace) = &pace {
        pace.asked();
    }
    match taken {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => refuse(
            &parts.uri,
            Refusal {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                title: t!("Too much"),
                why: t!("A form of this page is never that long, or it broke off on its way."),
                next: t!("Go back and send it again."),
            },
        ),
        Err(_) => refuse(
            &parts.uri,
            Refusal {
                status: StatusCode::REQUEST_TIMEOUT,
                title: t!("Too slow"),
                why: t!("The form did not arrive within ten seconds."),
                next: t!("Check the network and send it again."),
            },
        ),
    }
}

fn from_here(headers: &HeaderMap) -> bool {
    let one = |name: &HeaderName| {
        let mut all = headers.get_all(name).iter();
        (all.next().and_then(|value| value.to_str().ok()), all.next().is_none())
    };
    if headers.contains_key(&SEC_FETCH_SITE) {
        return one(&SEC_FETCH_SITE) == (Some("same-origin"), true);
    }
    let ((Some(origin), true), (Some(host), true)) = (one(&header::ORIGIN), one(&header::HOST)) else {
        return false;
    };
    origin
        .strip_prefix("https://")
        .is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request to the API shows a token, or something that is to pass for one.
fn scripted(request: &Request) -> bool {
    request.uri().path().starts_with(API) && request.headers().contains_key(header::AUTHORIZATION)
}

/// The token that a request shows; `None` if it is none, or if there are two.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(sent), None) = (all.next(), all.next()) else {
        return None;
    };
    sent.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// What a form must carry besides what it is about.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

/// Lets a request through to a route that is not public if its session is on and holds one of the route's actions; a
/// form also needs the session's token. What is refused to somebody is written down.
pub(super) async fn right(
    State((site, route)): State<(Site, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(ends) = request.extensions().get::<Ends>().copied() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let door = route.needs.door().unwrap_or(Door::Page);
    let token_file = || site.handle().config().web.scrape_file.clone();
    if door == Door::Scrape && scrape::fits(token_file(), request.headers()).await {
        return next.run(request).await;
    }
    let script = scripted(&request);
    site.access().refresh(false).await;
    // What a page does by itself is no use of it: a page that was left open does not keep its session on.
    let by_itself = door == Door::Live || request.uri().query().is_some_and(by_itself);
    let found = if script {
        // Whoever shows a token is judged by it alone, and never by a cookie beside it.
        let sent = bearer(request.headers()).unwrap_or_default().to_owned();
        match site.access().by_token(&site, ends.source(), &sent).await {
            Ok(Ok(found)) => found,
            Ok(Err(wait)) => return too_many(request.uri(), wait),
            Err(error) => return unread(request.uri(), &error),
        }
    } else {
        let id = session_id(request.headers());
        id.and_then(|id| site.access().sessions.find(&id, site.now(), !by_itself))
    };
    let asker = match found {
        Some(found) => asker::of(&site, &found)
            .await
            .map(|subject| subject.map(|subject| (found, subject))),
        None => Ok(None),
    };
    let (found, subject) = match asker {
        Ok(Some(known)) => known,
        Ok(None) => {
            audit::refused_to_nobody(&site, ends.source(), route).await;
            // Before there is a password there is nothing to log in with.
            if site.desk().is_open() && !site.access().has_password() {
                return to(StatusCode::SEE_OTHER, "/setup");
            }
            return not_logged_in(door, &request);
        }
        Err(error) => return unread(request.uri(), &error),
    };
    // What is streamed has its token in its first part, and is looked at by who takes it.
    if !script && !matches!(*request.method(), Method::GET | Method::HEAD) && route.path != STREAMED {
        let (parts, body) = request.into_parts();
        // It was taken in whole already.
        let bytes = to_bytes(body, BODY).await.unwrap_or_default();
        if !found.sent(&token(&parts, bytes.clone()).await) {
            return refuse(
                &parts.uri,
                Refusal {
                    status: StatusCode::FORBIDDEN,
                    title: t!("This form is not from your session"),
                    why: t!("It may have been open since before your last login."),
                    next: t!("Reload the page and press the button again."),
                },
            );
        }
        request = Request::from_parts(parts, Body::from(bytes));
    }
    let visitor = Visitor {
        key: found.key,
        token: found.token,
        script,
        source: ends.source(),
        subject: Arc::new(subject),
    };
    let (holds, actions) = match &route.needs {
        Needs::Public | Needs::Session(_) => (true, [].as_slice()),
        Needs::All(action, _) => (visitor.over_all(*action), std::slice::from_ref(action)),
        Needs::OneOf(actions, _) => (actions.iter().any(|action| visitor.may(*action)), *actions),
    };
    if let (false, Some(action)) = (holds, actions.first()) {
        if door == Door::Front {
            return to(StatusCode::FOUND, front(&visitor));
        }
        audit::refused_route(&site, &visitor, *action, route).await;
        return not_allowed(&request, &visitor, actions);
    }
    request.extensions_mut().insert::<Visitor>(visitor);
    next.run(request).await
}

/// Whether a query says that the page asks for itself again.
fn by_itself(query: &str) -> bool {
    query
        .strip_suffix(AUTO)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('&'))
}

/// The first page of somebody who may not see the state of the box.
pub(super) fn front(visitor: &Visitor) -> &'static str {
    if visitor.may(Action::CallView) || visitor.over_all(Action::CallTrace) {
        "/calls"
    } else {
        "/me"
    }
}

fn not_logged_in(door: Door, request: &Request) -> Response {
    match (door, request.method()) {
        (Door::Page | Door::Front, &Method::GET | &Method::HEAD) => {
            to(StatusCode::FOUND, &login_for(request.uri()))
        }
        (Door::Page | Door::Front, _) => to(StatusCode::SEE_OTHER, "/login"),
        _ => refuse(
            request.uri(),
            Refusal {
                status: StatusCode::UNAUTHORIZED,
                title: t!("Not logged in"),
                why: t!("This needs a session or a token, and yours is over, wrong, or was never begun."),
                next: t!(
                    "Log in at /login; a script sends Authorization: Bearer and a token of callspool token add."
                ),
            },
        ),
    }
}

/// Too many wrong tokens came from there.
fn too_many(uri: &Uri, wait_ms: i64) -> Response {
    let mut response = refuse(
        uri,
        Refusal {
            status: StatusCode::TOO_MANY_REQUESTS,
            title: t!("Too many wrong tries"),
            why: t!("Passwords or tokens were wrong too often, and none is looked at for a while."),
            next: t!("Try again after the time in Retry-After."),
        },
    );
    let seconds = (wait_ms / 1000 + 1).max(1);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn not_allowed(request: &Request, visitor: &Visitor, actions: &[Action]) -> Response {
    let words: Vec<&str> = actions.iter().map(|action| action.word()).collect();
    let why = if visitor.subject.rights.too_old() && *visitor.who() != Who::Technician {
        explained::too_old(&visitor.subject.rights)
    } else {
        t!("It needs the right {}, and you don’t hold it.", words.join(t!(" or ")))
    };
    refuse(
        request.uri(),
        Refusal {
            status: StatusCode::FORBIDDEN,
            title: t!("Not for you"),
            why: &why,
            next: t!("Your own page, /me, says what you may and why."),
        },
    )
}

/// The token that a form carries.
pub(crate) async fn token(parts: &Parts, bytes: axum::body::Bytes) -> String {
    let copy = Request::from_parts(parts.clone(), Body::from(bytes));
    match Form::<Token>::from_request(copy, &()).await {
        Ok(Form(form)) => form.token,
        Err(_) => String::new(),
    }
}

/// The way to log in, and back to where one wanted to go.
fn login_for(uri: &Uri) -> String {
    match way_back(uri.path()) {
        "/" => "/login".to_owned(),
        path => format!("/login?next={path}"),
    }
}

/// `path` if it is one of our pages, else the first page: nobody is sent anywhere else.
pub(super) fn way_back(path: &str) -> &str {
    let call = path.strip_prefix("/calls/");
    let target = path
        .strip_prefix("/targets/")
        .or_else(|| path.strip_prefix("/queue?target="));
    // What a target's name may be made of.
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let of_form = ["/setup/", "/settings/"]
        .iter()
        .find_map(|begin| path.strip_prefix(begin));
    let known = matches!(
        path,
        "/setup"
            | "/settings"
            | "/calls"
            | "/queue"
            | "/keeping"
            | "/checks"
            | "/password"
            | "/me"
            | "/rights"
            | "/audit"
            | "/logs"
            | "/backup"
            | "/update"
            | "/tokens"
    ) || call
        .is_some_and(|id| !id.is_empty() && id.len() < 20 && id.bytes().all(|b| b.is_ascii_digit()))
        || of_form
            .is_some_and(|step| (1..=16).contains(&step.len()) && step.bytes().all(|b| b.is_ascii_lowercase()))
        || target.is_some_and(|name| !name.is_empty() && name.len() <= 32 && name.bytes().all(plain));
    if known { path } else { "/" }
}

/// The id in the request's cookie.
pub(crate) fn session_id(headers: &HeaderMap) -> Option<String> {
    cookie_named(headers, COOKIE)
}

/// A cookie's value.
pub(super) fn cookie_named(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned())
}

/// The cookie that begins a session, or with an empty id ends it.
pub(crate) fn cookie(id: &str) -> String {
    let end = if id.is_empty() { "; Max-Age=0" } else { "" };
    format!("{COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Strict{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leads_elsewhere() {
        for good in ["/calls", "/queue", "/calls/17", "/targets/crm-2"] {
            assert_eq!(way_back(good), good);
        }
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/calls/1/../x",
            "/\\evil",
            "/calls/",
            "/targets/",
            "/targets/../sync",
            "/targets/a/b",
            "",
            "/logout",
        ] {
            assert_eq!(way_back(bad), "/");
        }
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-sid=abc; c=d"));
        assert_eq!(session_id(&headers).as_deref(), Some("abc"));
        assert!(cookie("").contains("Max-Age=0"));
    }
}
