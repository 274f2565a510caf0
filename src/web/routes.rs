//! Every route with the right that it needs. The router is built from this table and from nothing else: a route that
//! doesn't say what it needs does not compile, and tests walk the table as everybody.

use axum::Router;
use axum::extract::{Extension, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use super::site::Site;
use super::visitor::Visitor;
use super::{
    actions, api, assets, backup, call, calls, checks, follow, guard, keeping, language, layout, listen, live,
    login, logs, me, metrics, overview, packed, queue, record, settings, setup, targets, tokens, update, who_may,
};
use crate::rights::Action;

/// What a route needs, and what one who may not is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing. It says nothing about the box.
    Public,
    /// A session: it is about the session's own account alone.
    Session(Door),
    /// The right to this action over all there is.
    All(Action, Door),
    /// The right to one of these actions, at whatever scope. About which calls and recordings is then decided for each.
    OneOf(&'static [Action], Door),
}

/// What one who may not is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Without a session: sent to the login. Without the right: 403.
    Page,
    /// The same, but whoever lacks the right is sent to their own first page.
    Front,
    /// 401, or 403.
    Api,
    /// Like [`Door::Api`], but the token of `web.scrape_token_file` opens it too.
    Scrape,
    /// Like [`Door::Api`], but asked for by the page itself: it doesn't count as use of the session.
    Live,
}

impl Needs {
    /// How one who may not is told; `None` for what everybody may.
    pub fn door(self) -> Option<Door> {
        match self {
            Needs::Public => None,
            Needs::Session(door) | Needs::All(_, door) | Needs::OneOf(_, door) => Some(door),
        }
    }
}

/// A route of the page.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with axum's `{…}` for a part that varies.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    handler: fn() -> MethodRouter<Site>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<Site>,
) -> Route {
    Route {
        method,
        path,
        needs,
        handler,
    }
}

/// The one form that is not taken in whole before somebody looks at it: its file is larger than memory should be.
pub(super) const STREAMED: &str = "/update/upload";

const SEE_CALLS: &[Action] = &[Action::CallView, Action::CallTrace];
const HEAR: &[Action] = &[Action::RecordingListen, Action::RecordingDownload];

/// All routes.
pub const ROUTES: &[Route] = &[
    route("GET", "/ping", Needs::Public, || get(login::ping)),
    route("GET", "/r/{token}", Needs::Public, || get(follow::link)),
    route("GET", "/login", Needs::Public, || get(login::page)),
    route("POST", "/login", Needs::Public, || post(login::log_in)),
    route("GET", "/welcome", Needs::Public, || get(login::welcome)),
    route("POST", "/welcome", Needs::Public, || post(login::begin_with_code)),
    route("POST", "/language", Needs::Public, || post(language::choose)),
    route("GET", assets::STYLE, Needs::Public, || get(assets::style)),
    route("GET", assets::SCRIPT, Needs::Public, || get(assets::script)),
    route("GET", "/me", Needs::Session(Door::Page), || get(me::page)),
    route("GET", "/password", Needs::Session(Door::Page), || {
        get(login::password_page)
    }),
    route("POST", "/password", Needs::Session(Door::Page), || {
        post(login::change_password)
    }),
    route("POST", "/sessions/end", Needs::Session(Door::Page), || {
        post(me::end_session)
    }),
    route("POST", "/logout", Needs::Session(Door::Page), || post(login::log_out)),
    route("GET", "/", Needs::All(Action::BoxView, Door::Front), || {
        get(overview::page)
    }),
    route("GET", "/queue", Needs::All(Action::BoxView, Door::Page), || {
        get(queue::page)
    }),
    route(
        "GET",
        "/targets/{name}",
        Needs::All(Action::BoxView, Door::Page),
        || get(targets::page),
    ),
    route("GET", "/checks", Needs::All(Action::BoxView, Door::Page), || {
        get(checks::page)
    }),
    route("POST", "/checks", Needs::All(Action::BoxOperate, Door::Page), || {
        post(checks::start)
    }),
    route("GET", "/checks.txt", Needs::All(Action::BoxView, Door::Api), || {
        get(checks::text)
    }),
    route("GET", "/checks.json", Needs::All(Action::BoxView, Door::Api), || {
        get(checks::json)
    }),
    route("GET", "/logs", Needs::All(Action::BoxView, Door::Page), || {
        get(logs::page)
    }),
    route("GET", "/logs.txt", Needs::All(Action::BoxView, Door::Api), || {
        get(logs::text)
    }),
    route("POST", "/bundle", Needs::All(Action::BoxOperate, Door::Page), || {
        post(logs::make)
    }),
    route(
        "GET",
        "/bundles/{id}",
        Needs::All(Action::BoxOperate, Door::Page),
        || get(logs::kept),
    ),
    route("GET", "/backup", Needs::All(Action::BoxOperate, Door::Page), || {
        get(backup::page)
    }),
    route("POST", "/backup", Needs::All(Action::Export, Door::Page), || {
        post(backup::download)
    }),
    route(
        "POST",
        "/configuration/export",
        Needs::All(Action::BoxOperate, Door::Page),
        || post(backup::export),
    ),
    route(
        "POST",
        "/configuration/compare",
        Needs::All(Action::BoxOperate, Door::Page),
        || post(backup::compare),
    ),
    route("GET", "/tokens", Needs::All(Action::AccountManage, Door::Page), || {
        get(tokens::page)
    }),
    route("POST", "/tokens", Needs::All(Action::AccountManage, Door::Page), || {
        post(tokens::make)
    }),
    route(
        "POST",
        "/tokens/revoke",
        Needs::All(Action::AccountManage, Door::Page),
        || post(tokens::revoke),
    ),
    route("GET", "/live", Needs::All(Action::BoxView, Door::Live), || {
        get(live::stream)
    }),
    route("GET", "/metrics", Needs::All(Action::BoxView, Door::Scrape), || {
        get(metrics::page)
    }),
    route("POST", "/sync", Needs::All(Action::BoxOperate, Door::Page), || {
        post(actions::sync)
    }),
    route("POST", "/retry", Needs::All(Action::BoxOperate, Door::Page), || {
        post(actions::retry)
    }),
    route("POST", "/resume", Needs::All(Action::BoxOperate, Door::Page), || {
        post(actions::resume)
    }),
    route("GET", "/update", Needs::All(Action::BoxView, Door::Page), || {
        get(update::page)
    }),
    route("POST", "/update", Needs::All(Action::BoxOperate, Door::Page), || {
        post(update::act)
    }),
    route("POST", STREAMED, Needs::All(Action::BoxOperate, Door::Page), || {
        post(update::upload)
    }),
    route("GET", "/keeping", Needs::All(Action::HoldManage, Door::Page), || {
        get(keeping::page)
    }),
    route("POST", "/hold", Needs::All(Action::HoldManage, Door::Page), || {
        post(keeping::hold)
    }),
    route("POST", "/release", Needs::All(Action::HoldManage, Door::Page), || {
        post(keeping::release)
    }),
    route("GET", "/drop", Needs::All(Action::QueueDrop, Door::Page), || {
        get(keeping::ask_drop)
    }),
    route("POST", "/drop", Needs::All(Action::QueueDrop, Door::Page), || {
        post(keeping::drop_it)
    }),
    route("POST", "/pin", Needs::All(Action::BoxOperate, Door::Page), || {
        post(actions::pin)
    }),
    route("GET", "/calls", Needs::OneOf(SEE_CALLS, Door::Page), || {
        get(calls::page)
    }),
    route("GET", "/calls/{id}", Needs::OneOf(SEE_CALLS, Door::Page), || {
        get(call::page)
    }),
    route("GET", "/recordings/{id}", Needs::OneOf(HEAR, Door::Page), || {
        get(listen::recording)
    }),
    route("GET", "/rights", Needs::All(Action::RightsRead, Door::Page), || {
        get(who_may::page)
    }),
    route("GET", "/audit", Needs::All(Action::AuditRead, Door::Page), || {
        get(record::page)
    }),
    route("GET", "/settings", Needs::All(Action::BoxConfigure, Door::Page), || {
        get(
            |State(site): State<Site>, Extension(visitor): Extension<Visitor>| async move {
                settings::overview(&site, &visitor).await
            },
        )
    }),
    route(
        "GET",
        "/settings/{step}",
        Needs::All(Action::BoxConfigure, Door::Page),
        || get(setup::page),
    ),
    route(
        "POST",
        "/settings/{step}",
        Needs::All(Action::BoxConfigure, Door::Page),
        || post(setup::save),
    ),
    route("GET", "/audit/export", Needs::All(Action::Export, Door::Page), || {
        get(record::export)
    }),
    route("GET", "/api/v1/openapi.json", Needs::Session(Door::Api), || {
        get(api::document)
    }),
    route("GET", "/api/v1/me", Needs::Session(Door::Api), || get(api::me)),
    route("GET", "/api/v1/sessions", Needs::Session(Door::Api), || {
        get(api::sessions)
    }),
    route("GET", "/api/v1/status", Needs::All(Action::BoxView, Door::Api), || {
        get(api::status)
    }),
    route("GET", "/api/v1/health", Needs::All(Action::BoxView, Door::Api), || {
        get(api::health)
    }),
    route("GET", "/api/v1/checks", Needs::All(Action::BoxView, Door::Api), || {
        get(api::checks)
    }),
    route("GET", "/api/v1/targets", Needs::All(Action::BoxView, Door::Api), || {
        get(api::targets)
    }),
    route("GET", "/api/v1/queue", Needs::All(Action::BoxView, Door::Api), || {
        get(api::waiting)
    }),
    route("GET", "/api/v1/logs", Needs::All(Action::BoxView, Door::Api), || {
        get(api::log)
    }),
    route(
        "GET",
        "/api/v1/settings",
        Needs::All(Action::BoxView, Door::Api),
        || get(api::settings),
    ),
    route(
        "GET",
        "/api/v1/holds",
        Needs::All(Action::HoldManage, Door::Api),
        || get(api::holds),
    ),
    route("GET", "/api/v1/audit", Needs::All(Action::AuditRead, Door::Api), || {
        get(api::audit)
    }),
    route(
        "GET",
        "/api/v1/rights",
        Needs::All(Action::RightsRead, Door::Api),
        || get(api::rights),
    ),
    route(
        "GET",
        "/api/v1/tokens",
        Needs::All(Action::AccountManage, Door::Api),
        || get(api::tokens),
    ),
    route("GET", "/api/v1/calls", Needs::OneOf(SEE_CALLS, Door::Api), || {
        get(api::calls)
    }),
    route("GET", "/api/v1/calls/{id}", Needs::OneOf(SEE_CALLS, Door::Api), || {
        get(api::call)
    }),
    route("GET", "/api/v1/recordings/{id}", Needs::OneOf(HEAR, Door::Api), || {
        get(listen::recording)
    }),
    route(
        "POST",
        "/api/v1/sync",
        Needs::All(Action::BoxOperate, Door::Api),
        || post(api::sync),
    ),
    route(
        "POST",
        "/api/v1/retry",
        Needs::All(Action::BoxOperate, Door::Api),
        || post(api::retry),
    ),
];

/// The routes of the first set-up, which are served while it is on, and then nothing else but the way in.
pub const SETUP_ROUTES: &[Route] = &[
    route("GET", "/setup", Needs::Public, || get(setup::language)),
    route("GET", "/setup/password", Needs::Public, || get(setup::password)),
    route("POST", "/setup/password", Needs::Public, || post(setup::begin)),
    route(
        "GET",
        "/setup/{step}",
        Needs::All(Action::BoxConfigure, Door::Page),
        || get(setup::page),
    ),
    route(
        "POST",
        "/setup/{step}",
        Needs::All(Action::BoxConfigure, Door::Page),
        || post(setup::save),
    ),
];

/// The router. What stands last is passed first: packing, headers, the language, then the name, then the origin, then the right.
pub(super) fn router(site: Site) -> Router {
    let mut router = Router::new();
    for route in ROUTES.iter().chain(SETUP_ROUTES) {
        let mut handler = (route.handler)();
        if route.needs != Needs::Public {
            let state = (site.clone(), route);
            handler = handler.route_layer(from_fn_with_state(state, guard::right));
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(layout::not_found)
        .layer(from_fn_with_state(site.clone(), setup::gate))
        .layer(from_fn(guard::origin))
        .layer(from_fn_with_state(site.clone(), guard::host))
        .layer(from_fn(language::spoken))
        .layer(from_fn(guard::headers))
        .layer(from_fn(packed::packed))
        .with_state(site)
}
