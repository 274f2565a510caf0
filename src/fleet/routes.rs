//! Every route with what it needs. The router is built from this table and from nothing else.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use tokio::sync::watch;

use super::hub::Hub;
use super::{door, export, list, live, login, one, orders};
use crate::web::{assets, frame};

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing. It says nothing about any box.
    Public,
    /// A session; without one, to the login.
    Page,
    /// A session; without one, 401. Asked for by the page itself, so it is no use of the session.
    Live,
    /// A session or the scrape token; without either, 401.
    Scrape,
}

/// A route.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with axum's `{…}` for a part that varies.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    handler: fn() -> MethodRouter<Hub>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<Hub>,
) -> Route {
    Route {
        method,
        path,
        needs,
        handler,
    }
}

/// All routes.
pub const ROUTES: &[Route] = &[
    route("GET", "/login", Needs::Public, || get(login::page)),
    route("POST", "/login", Needs::Public, || post(login::log_in)),
    route("GET", assets::STYLE, Needs::Public, || get(assets::style)),
    route("GET", assets::SCRIPT, Needs::Public, || get(assets::script)),
    route("GET", "/password", Needs::Page, || get(login::password)),
    route("POST", "/password", Needs::Page, || post(login::change)),
    route("POST", "/logout", Needs::Page, || post(login::log_out)),
    route("GET", "/", Needs::Page, || get(list::page)),
    route("GET", "/boxes/{id}", Needs::Page, || get(one::page)),
    route("POST", "/boxes/{id}/command", Needs::Page, || post(orders::send)),
    route("POST", "/boxes/{id}/forget", Needs::Page, || post(one::forget)),
    route("GET", "/live", Needs::Live, || get(live::stream)),
    route("GET", "/metrics", Needs::Scrape, || get(export::metrics)),
    route("GET", "/api/boxes", Needs::Scrape, || get(export::boxes)),
];

/// The router. What stands last is passed first: headers, then the name, then the origin, then the right.
pub(super) fn router(hub: Hub, stop: watch::Receiver<bool>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let mut handler = (route.handler)();
        if route.needs != Needs::Public {
            handler = handler.route_layer(from_fn_with_state((hub.clone(), route), door::right));
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(frame::not_found)
        .layer(axum::Extension(live::Stop(stop)))
        .layer(from_fn(frame::origin))
        .layer(from_fn_with_state(hub.clone(), door::host))
        .layer(from_fn(frame::headers))
        .with_state(hub)
}
