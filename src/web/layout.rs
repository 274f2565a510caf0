//! What all pages have in common: head, navigation, icons, and the page for what did not work.

use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::json;

use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::{assets, guard, language};
use crate::rights::Action;
use crate::tongue::{self, Text, Tongue};

/// A page of the navigation: its path, its name, and to whom it is shown.
type Tab = (&'static str, Text, fn(&Visitor) -> bool);

/// The pages of the navigation, in order.
const TABS: [Tab; 10] = [
    ("/", text!("State"), |visitor| visitor.over_all(Action::BoxView)),
    ("/calls", text!("Calls"), |visitor| {
        visitor.may(Action::CallView) || visitor.over_all(Action::CallTrace)
    }),
    ("/queue", text!("Queue"), |visitor| visitor.over_all(Action::BoxView)),
    ("/checks", text!("Checks"), |visitor| visitor.over_all(Action::BoxView)),
    ("/logs", text!("Logs"), |visitor| visitor.over_all(Action::BoxView)),
    ("/keeping", text!("Keeping"), |visitor| {
        visitor.over_all(Action::HoldManage)
    }),
    ("/rights", text!("Rights"), |visitor| {
        visitor.over_all(Action::RightsRead)
    }),
    ("/audit", text!("Audit"), |visitor| visitor.over_all(Action::AuditRead)),
    ("/settings", text!("Settings"), |visitor| {
        visitor.over_all(Action::BoxConfigure)
    }),
    ("/me", text!("Me"), |_| true),
];

/// How something is: a colour, an icon and a word, never the colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Not in use, or nothing known yet.
    Idle,
    /// As it should be.
    Ok,
    /// On its way.
    Wait,
    /// To be looked at.
    Warn,
    /// Does not work.
    Bad,
}

impl Mark {
    /// The class, and the icon.
    pub fn class(self) -> &'static str {
        match self {
            Mark::Idle => "idle",
            Mark::Ok => "ok",
            Mark::Wait => "wait",
            Mark::Warn => "warn",
            Mark::Bad => "bad",
        }
    }

    pub fn icon(self) -> Markup {
        icon(self.class())
    }
}

/// An icon; the word beside it says what it means.
pub(crate) fn icon(name: &str) -> Markup {
    html! { svg class="i" aria-hidden="true" { use href={ "#" (name) } {} } }
}

const ROUND: &str = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18";

/// Icons by their paths in a square of 24; those in a circle name only what is in it.
const ICONS: [(&str, bool, &str); 13] = [
    ("ok", true, "M8 12l3 3 5-6"),
    ("idle", true, "M8 12h8"),
    ("wait", true, "M12 7v5l3 3"),
    ("stuck", true, "M10 9v6m4-6v6"),
    ("none", true, "M6 6l12 12"),
    ("warn", false, "M12 4 2.5 20h19zM12 10v5m0 2v.5"),
    ("bad", false, "M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6m0-6-6 6"),
    ("inbound", false, "M18 6 6 18M6 9v9h9"),
    ("outbound", false, "M6 18 18 6M9 6h9v9"),
    ("internal", false, "M4 9h15l-4-4m5 10H5l4 4"),
    ("held", false, "M4 8l8-4 8 4v8l-8 4-8-4zm0 0 8 4 8-4m-8 4v8"),
    ("gone", false, "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13"),
    ("spool", false, SPOOL),
];

const SPOOL: &str = "M5 4h14M5 20h14M8 4v16m8-16v16M8 8l8 2m-8 2 8 2m-8 2 8 2";

/// The icons that `body` uses, and on a page that keeps itself up to date all that it may come to use.
fn sprite(body: &str) -> Markup {
    let live = body.contains("data-live=") || body.contains("data-poll=");
    let used = |name: &str| live || body.contains(&format!("\"#{name}\""));
    html! {
        svg hidden {
            @for (name, round, path) in ICONS.into_iter().filter(|(name, ..)| used(name)) {
                symbol id=(name) viewBox="0 0 24 24" {
                    path d={ @if round { (ROUND) } (path) } {}
                }
            }
        }
    }
}

/// What a page is made of besides the frame.
pub(super) struct Page<'a> {
    /// Its title.
    pub title: &'a str,
    /// The path of the tab that it belongs to.
    pub tab: &'a str,
    /// What keeps it up to date, and the path under which it asks for itself without a script.
    pub live: Option<(&'a str, &'a str)>,
    /// What is in it.
    pub main: Markup,
}

/// A page for somebody who is logged in.
pub(super) fn page(site: &Site, visitor: &Visitor, page: Page) -> Response {
    let identity = site.handle().identity();
    let notice = site.access().sessions.take_notice(&visitor.key);
    let head = html! {
        @if let Some((_, again)) = page.live {
            noscript { meta http-equiv="refresh" content={ "10;url=" (again) (if again.contains('?') { "&" } else { "?" }) (guard::AUTO) }; }
        }
        script defer src=(assets::script_address()) {}
    };
    let body = html! {
        header {
            a class="brand" href="/" { (icon("spool")) b { (identity.name) } }
            nav aria-label=(t!("Pages")) {
                @for (path, name, _) in TABS.iter().filter(|(_, _, opens)| opens(visitor)) {
                    a href=(path) aria-current=[(*path == page.tab).then_some("page")] { (name.say()) }
                }
            }
        }
        p id="lost" role="alert" hidden data-lost=(t!("The box does not answer. What you see is of {0}.")) {}
        @if let Some(notice) = notice { p class="notice" role="status" { (notice) } }
        main data-live=[page.live.map(|(live, _)| live)] { (page.main) }
        footer {
            span { @if visitor.over_all(Action::BoxView) { a href="/update" { "callspool " (identity.version) } } @else { "callspool " (identity.version) } " · " span id="zone" data-zone=(t!("times of {0}")) { (t!("times are UTC")) } }
            (language::buttons(page.tab))
            a href="/password" { (t!("Password")) }
            form method="post" action="/logout" {
                (token(visitor))
                button class="link" { (t!("Log out")) }
            }
        }
    };
    whole(
        StatusCode::OK,
        &format!("{} · {}", page.title, identity.name),
        head,
        body,
    )
}

/// A page for somebody who isn't: it says nothing about the box.
pub(crate) fn bare(status: StatusCode, title: &str, main: Markup) -> Response {
    whole(
        status,
        title,
        html! {},
        html! { main class="bare" { (main) footer { (language::buttons("/")) } } },
    )
}

/// A whole page: what stands in its head besides the usual, and its body.
pub(crate) fn whole(status: StatusCode, title: &str, head: Markup, body: Markup) -> Response {
    let icon = format!(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>\
         <path d='{SPOOL}' fill='none' stroke='%232b6cb0' stroke-width='2'/></svg>"
    );
    let tongue = tongue::current();
    let page = html! {
        (DOCTYPE)
        html lang=(tongue.tag()) dir=[(tongue == Tongue::Mirrored).then_some("rtl")] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(icon);
                link rel="stylesheet" href=(assets::style_address());
                (head)
            }
            body { (sprite(&body.0)) (body) }
        }
    };
    let mut page = page.into_string();
    if tongue == Tongue::Longer {
        page = tongue::pseudo::longer(&page);
    }
    (status, html_type(), page).into_response()
}

/// The hidden field without which a form is refused.
pub(super) fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="token" value=(visitor.token); }
}

/// Something that was refused or did not work.
pub(crate) struct Refusal<'a> {
    /// The answer's status.
    pub status: StatusCode,
    /// What happened.
    pub title: &'a str,
    /// Why.
    pub why: &'a str,
    /// What to do next.
    pub next: &'a str,
}

/// A page that says what happened, why, and what to do next; JSON below `/api/`.
pub(crate) fn refuse(uri: &Uri, refusal: Refusal) -> Response {
    let Refusal {
        status,
        title,
        why,
        next,
    } = refusal;
    if uri.path().starts_with("/api/") {
        return as_json(status, &json!({ "error": title, "why": why, "next": next }));
    }
    bare(
        status,
        title,
        html! {
            section class="card" {
                h1 { (Mark::Warn.icon()) (title) }
                p { (why) }
                p { (next) }
                @if status != StatusCode::MISDIRECTED_REQUEST { p { a href="/" { (t!("To the first page")) } } }
            }
        },
    )
}

/// Says that the store gave no answer.
pub(super) fn unread(uri: &Uri, unread: &Unread) -> Response {
    let why = match unread {
        Unread::Slow => t!("The store did not answer in time: it is locked, or the disk is very busy.").to_owned(),
        Unread::Failed(error) => t!("The store could not be read: {}.", error),
    };
    let mut response = refuse(
        uri,
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: t!("The store does not answer"),
            why: &why,
            next: t!(
                "Nothing is lost by it. Try again in a few seconds; if it stays so, look at the state page and at the disk."
            ),
        },
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// For an address that leads nowhere.
pub(crate) async fn not_found(uri: Uri) -> Response {
    refuse(
        &uri,
        Refusal {
            status: StatusCode::NOT_FOUND,
            title: t!("Nothing here"),
            why: t!("There is no page at this address."),
            next: t!("It may have been mistyped."),
        },
    )
}

/// An answer in JSON.
pub(crate) fn as_json(status: StatusCode, value: &serde_json::Value) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, kind, value.to_string()).into_response()
}

/// Sends the browser to one of our own pages.
pub(crate) fn to(status: StatusCode, path: &str) -> Response {
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (status, [(header::LOCATION, path)]).into_response()
}

pub(super) fn html_type() -> [(header::HeaderName, HeaderValue); 1] {
    [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    )]
}

/// A label with its value, for lists of facts.
pub(crate) fn fact(label: &str, value: Markup) -> Markup {
    html! { div { dt { (label) } dd { (value) } } }
}

/// Plain text as markup.
pub(crate) fn plain(text: impl std::fmt::Display) -> Markup {
    let text = text.to_string();
    html! { (text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_changes_by_itself_has_the_icons_of_what_may_come() {
        let icons = |body: &str| sprite(body).into_string().matches("<symbol").count();
        assert_eq!(icons(&icon("ok").into_string()), 1);
        assert_eq!(icons("<main data-live=\"/live\"></main>"), ICONS.len());
    }
}
