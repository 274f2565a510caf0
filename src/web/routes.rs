//! Every route with who may see it. The router is built from this table and from nothing else, and a test walks it.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use super::site::Site;
use super::{actions, api, assets, call, calls, checks, guard, layout, live, login, overview, queue};

/// Who may see a route, and what one who may not is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody. It says nothing about the box.
    Public,
    /// Whoever is logged in; others are sent to the login.
    Page,
    /// Whoever is logged in; others get 401.
    Api,
    /// Like [`Access::Api`], but asked for by the page itself: it doesn't count as use of the session.
    Live,
}

/// A route of the page.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with axum's `{…}` for a part that varies.
    pub path: &'static str,
    /// Who may see it.
    pub access: Access,
    handler: fn() -> MethodRouter<Site>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<Site>,
) -> Route {
    Route {
        method,
        path,
        access,
        handler,
    }
}

/// All routes.
pub const ROUTES: &[Route] = &[
    route("GET", "/ping", Access::Public, || get(login::ping)),
    route("GET", "/login", Access::Public, || get(login::page)),
    route("POST", "/login", Access::Public, || post(login::log_in)),
    route("GET", assets::STYLE, Access::Public, || get(assets::style)),
    route("GET", assets::SCRIPT, Access::Public, || get(assets::script)),
    route("GET", "/", Access::Page, || get(overview::page)),
    route("GET", "/calls", Access::Page, || get(calls::page)),
    route("GET", "/calls/{id}", Access::Page, || get(call::page)),
    route("GET", "/queue", Access::Page, || get(queue::page)),
    route("GET", "/checks", Access::Page, || get(checks::page)),
    route("POST", "/checks", Access::Page, || post(checks::start)),
    route("GET", "/checks.txt", Access::Api, || get(checks::text)),
    route("GET", "/checks.json", Access::Api, || get(checks::json)),
    route("GET", "/password", Access::Page, || get(login::password_page)),
    route("POST", "/password", Access::Page, || post(login::change_password)),
    route("POST", "/logout", Access::Page, || post(login::log_out)),
    route("POST", "/sync", Access::Page, || post(actions::sync)),
    route("POST", "/retry", Access::Page, || post(actions::retry)),
    route("POST", "/resume", Access::Page, || post(actions::resume)),
    route("POST", "/pin", Access::Page, || post(actions::pin)),
    route("GET", "/live", Access::Live, || get(live::stream)),
    route("GET", "/api/status", Access::Api, || get(api::status)),
    route("GET", "/api/calls", Access::Api, || get(api::calls)),
    route("GET", "/api/calls/{id}", Access::Api, || get(api::call)),
];

/// The router. What stands last is passed first: headers, then the name, then the origin, then the login.
pub(super) fn router(site: Site) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let mut handler = (route.handler)();
        if route.access != Access::Public {
            let state = (site.clone(), route.access);
            handler = handler.route_layer(from_fn_with_state(state, guard::login));
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(layout::not_found)
        .layer(from_fn(guard::origin))
        .layer(from_fn_with_state(site.clone(), guard::host))
        .layer(from_fn(guard::headers))
        .with_state(site)
}
