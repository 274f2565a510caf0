//! The audit, to be read and to be taken away.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::audit;
use super::explained::does;
use super::layout::{self, Page, Refusal, icon, refuse, unread};
use super::queue::heads;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{exact_moment, stranger};
use crate::rights::{Action, Object};
use crate::store::{self, AuditFilter, AuditRow};
use crate::tongue;
use crate::{csv, when};

/// Rows on a page.
pub(super) const PAGE: usize = 50;
/// The most that is taken away at once; the command line knows no such end.
const MOST: usize = 20_000;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    who: String,
    call: String,
    /// `refused` or `done`.
    only: String,
    before: String,
    /// `csv` or `jsonl`.
    format: String,
}

impl Asked {
    pub(super) fn filter(&self, most: usize) -> AuditFilter {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        AuditFilter {
            who: given(&self.who),
            call: self.call.trim().parse().ok(),
            allowed: match self.only.as_str() {
                "refused" => Some(false),
                "done" => Some(true),
                _ => None,
            },
            before: self.before.parse().ok(),
            most,
            ..AuditFilter::default()
        }
    }
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    let filter = asked.filter(PAGE + 1);
    let read = site
        .read(move |handle| handle.store().read(|c| store::audit_rows(c, &filter)))
        .await;
    match read {
        Ok(rows) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Audit"),
                tab: "/audit",
                live: None,
                main: main(&asked, rows, visitor.over_all(Action::Export)),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

fn main(asked: &Asked, mut rows: Vec<AuditRow>, export: bool) -> Markup {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    html! {
        section class="wide" {
            div class="top" {
                h1 { (t!("Audit")) }
                nav class="filter" aria-label=(t!("Which")) {
                    @for (word, name) in [("", t!("All")), ("done", t!("Done")), ("refused", t!("Refused"))] {
                        a href={ "/audit" @if !word.is_empty() { "?only=" (word) } }
                            aria-current=[(asked.only == word).then_some("true")] { (name) }
                    }
                }
                form class="find" role="search" action="/audit" {
                    input name="who" aria-label=(t!("Who: an extension, or technician")) placeholder=(t!("Extension or technician")) value=(asked.who) maxlength="32";
                    button class="small" { (t!("Find")) }
                }
            }
            p class="muted" { (t!("Who listened to what, who was refused, who came in. No row is ever changed; the oldest go after the time of {}.", "rights.audit_keep")) }
            @if rows.is_empty() { p class="card" { (icon("idle")) " " @if asked.who.is_empty() { (t!("Nothing was written down.")) } @else { (t!("Nothing was written down about {}.", stranger(&asked.who))) } } }
            @else {
                table class="cards" role="table" {
                    (heads(&[t!("When"), t!("Who"), t!("What"), t!("About"), t!("Answer")]))
                    tbody role="rowgroup" { @for row in &rows { (line(row)) } }
                }
            }
            nav class="pages" aria-label=(t!("Older and newer")) {
                @if !asked.before.is_empty() { a class="button" href={ "/audit?who=" (asked.who.replace(|c: char| !c.is_ascii_alphanumeric(), "")) "&only=" (asked.only.replace(|c: char| !c.is_ascii_alphanumeric(), "")) } { (t!("Newest")) } }
                @if let Some(last) = rows.last().filter(|_| more) {
                    a class="button" href={ "/audit?before=" (last.id) "&who=" (asked.who.replace(|c: char| !c.is_ascii_alphanumeric(), "")) "&only=" (asked.only.replace(|c: char| !c.is_ascii_alphanumeric(), "")) } { (t!("Older")) }
                }
                @if export {
                    a class="button" href="/audit/export?format=csv" download { "CSV" }
                    a class="button" href="/audit/export?format=jsonl" download { (t!("JSON lines")) }
                }
            }
        }
    }
}

fn line(row: &AuditRow) -> Markup {
    html! {
        tr role="row" {
            td role="cell" data-head=(t!("When")) { (exact_moment(row.at_ms)) }
            td role="cell" data-head=(t!("Who")) { bdi { (stranger(&row.who)) } }
            td role="cell" class="full" data-head=(t!("What")) { (what(&row.action)) }
            td role="cell" data-head=(t!("About")) {
                span {
                    @if let Some(call) = row.call { a href={ "/calls/" (call) } { (t!("call {}", call)) } " " }
                    @if let Some(recording) = row.recording { (t!("recording {}", recording)) " " }
                    bdi class="muted" { (stranger(&row.about)) }
                }
            }
            td role="cell" data-head=(t!("Answer")) {
                span {
                    span class={ "tag " (if row.allowed { "ok" } else { "bad" }) } { (icon(if row.allowed { "ok" } else { "none" })) (if row.allowed { t!("done") } else { t!("refused") }) }
                    " " bdi class="muted" { (stranger(tongue::told(&row.because))) }
                }
            }
        }
    }
}

/// What a row is about, in words where it is an action.
fn what(action: &str) -> String {
    match (Action::from_word(action), action) {
        (Some(action), _) => does(action).to_owned(),
        (None, audit::LOG_IN) => t!("Log in").to_owned(),
        (None, audit::END_SESSION) => t!("End a session").to_owned(),
        (None, audit::PASSWORD) => t!("Change a password").to_owned(),
        (None, _) => t!("Open a page").to_owned(),
    }
}

/// The audit as a file.
pub(super) async fn export(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    // What goes along is what may be seen row by row.
    let reads = visitor.decide(Action::AuditRead, &Object::Whole);
    if !reads.allowed {
        audit::refused_for(&site, &visitor, &reads, None, None).await;
        return refuse(
            &uri,
            Refusal {
                status: StatusCode::FORBIDDEN,
                title: t!("Not for you"),
                why: t!("You may export, but not read the audit."),
                next: t!("Your own page, /me, says what you may and why."),
            },
        );
    }
    let filter = asked.filter(MOST);
    let read = site
        .read(move |handle| handle.store().read(|c| store::audit_rows(c, &filter)))
        .await;
    let rows = match read {
        Ok(rows) => rows,
        Err(error) => return unread(&uri, &error),
    };
    let decision = visitor.decide(Action::Export, &Object::Whole);
    let what = format!("the audit, {} rows", rows.len());
    if let Err(error) = audit::exported(&site, &visitor, &decision, &what).await {
        return unread(&uri, &error);
    }
    let (kind, suffix, text) = if asked.format == "csv" {
        ("text/csv; charset=utf-8", "csv", as_csv(&rows))
    } else {
        ("application/jsonl", "jsonl", as_json_lines(&rows))
    };
    let name = format!(
        "attachment; filename=\"audit-{}.{suffix}\"",
        when::rfc3339(site.handle().clock().wall_ms()).replace(':', "-")
    );
    let mut response = text.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Rows as CSV with a head.
pub fn as_csv(rows: &[AuditRow]) -> String {
    let head = [
        "id",
        "at",
        "clock_synced",
        "who",
        "way",
        "action",
        "call",
        "recording",
        "about",
        "allowed",
        "scope",
        "because",
        "rights_version",
    ];
    let mut text = csv::line(&head);
    for row in rows {
        let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
        text.push_str(&csv::line(&[
            &row.id.to_string(),
            &when::rfc3339(row.at_ms),
            row.synced.map_or("", |synced| if synced { "yes" } else { "no" }),
            &row.who,
            &row.way,
            &row.action,
            &number(row.call),
            &number(row.recording),
            &row.about,
            if row.allowed { "yes" } else { "no" },
            &row.scope,
            &row.because,
            &row.rights_version.to_string(),
        ]));
    }
    text
}

/// Rows as JSON, one a line.
pub fn as_json_lines(rows: &[AuditRow]) -> String {
    let lines = rows.iter().filter_map(|row| serde_json::to_string(row).ok());
    lines.map(|line| line + "\n").collect()
}
