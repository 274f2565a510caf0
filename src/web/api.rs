//! JSON for scripts: all that the page shows, under `/api/v1/`, for a session or a token. What each answer is stands in
//! `described`, of which the OpenAPI document is made. New fields may appear at any time.

#[cfg(test)]
mod described;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calls::{self, NoList};
use super::keeping::by;
use super::layout::{Refusal, as_json, refuse, unread};
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::{asker, call, logs as log_page, queue, record};
use crate::accounts;
use crate::bundle::shown;
use crate::logs;
use crate::rights::{Action, Who};
use crate::sight::mask;
use crate::store::{self, AskedCalls, HoldOn};
use crate::who_hears::who_hears;

/// The document, made of the code by a test and packed (`described`).
const DOCUMENT: &[u8] = include_bytes!("../../packaging/openapi.json.gz");

fn answer(value: &impl Serialize) -> Response {
    as_json(StatusCode::OK, &serde_json::to_value(value).unwrap_or(Value::Null))
}

/// The answer with the version of its shape, or that the store gave none.
fn answered(uri: &Uri, read: Result<Value, Unread>) -> Response {
    match read {
        Ok(mut value) => {
            if let Some(fields) = value.as_object_mut() {
                fields.insert("schema".to_owned(), json!(1));
            }
            as_json(StatusCode::OK, &value)
        }
        Err(error) => unread(uri, &error),
    }
}

/// A query that can't be read: what is there may be asked without one.
fn bad_query(uri: &Uri) -> Response {
    refuse(
        uri,
        Refusal {
            status: StatusCode::BAD_REQUEST,
            title: "Not understood",
            why: "The query is not one of this address: see /api/v1/openapi.json.",
            next: "Correct it and ask again.",
        },
    )
}

/// The description of all this, OpenAPI 3.1. It is sent packed, as it lies in the binary.
pub(super) async fn document() -> Response {
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
    ];
    (kind, DOCUMENT).into_response()
}

/// Everything at this moment.
pub(super) async fn status(State(site): State<Site>) -> Response {
    let view = site.view().await;
    let mut value = serde_json::to_value(&view.status).unwrap_or(Value::Null);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("store_age_ms".to_owned(), json!(view.store_age_ms));
    }
    as_json(StatusCode::OK, &value)
}

/// What is not well.
pub(super) async fn health(State(site): State<Site>) -> Response {
    let status = site.handle().status_without_store();
    as_json(
        StatusCode::OK,
        &json!({ "schema": 1, "overall": status.overall, "items": status.health }),
    )
}

/// The newest run of the checks.
pub(super) async fn checks(State(site): State<Site>) -> Response {
    match site.handle().doctor().newest() {
        Some(run) => answer(&run.as_json()),
        None => as_json(
            StatusCode::OK,
            &json!({ "schema": 1, "began": null, "ok": null, "verdict": null, "checks": [] }),
        ),
    }
}

/// The targets.
pub(super) async fn targets(State(site): State<Site>) -> Response {
    let status = site.view().await.status;
    as_json(StatusCode::OK, &json!({ "schema": 1, "targets": status.targets }))
}

/// Calls, newest first; `next` is the `before` of the next page.
pub(super) async fn calls(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<AskedCalls>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        return bad_query(&uri);
    };
    match calls::read(&site, &visitor, &asked).await {
        Ok(listed) => as_json(
            StatusCode::OK,
            &json!({ "schema": 1, "calls": listed.calls, "next": listed.next, "masked": listed.masked }),
        ),
        Err(NoList::Unread(error)) => unread(&uri, &error),
        Err(NoList::Asked(wrong)) => refuse(
            &uri,
            Refusal {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: "Not understood",
                why: &format!("{} takes {}.", wrong.field, wrong.takes),
                next: "Leave out what is not meant.",
            },
        ),
    }
}

/// A call and where its recordings are, by its local number or by the PBX's id.
pub(super) async fn call(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    Path(id): Path<String>,
) -> Response {
    match call::read(&site, &visitor, id).await {
        Ok(Some(shown)) => answer(&shown.why),
        Ok(None) => refuse(
            &uri,
            Refusal {
                status: StatusCode::NOT_FOUND,
                title: "No such call",
                why: "Among the calls that you may see none has this number or id.",
                next: "Ask /api/v1/calls for those that there are.",
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

/// What waits for targets, and what is held for a person.
pub(super) async fn waiting(State(site): State<Site>, uri: Uri) -> Response {
    let read = queue::read(&site, &queue::Asked::default()).await;
    answered(
        &uri,
        read.map(|queue| json!({ "held": queue.held.shown, "waiting": queue.waiting.shown })),
    )
}

/// The holds in force. A number is for those who may see calls with their numbers.
pub(super) async fn holds(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    let read = site
        .read(|handle| handle.store().read(|c| store::holds(c, false)))
        .await;
    let sees = visitor.over_all(Action::CallView);
    answered(
        &uri,
        read.map(|mut holds| {
            for hold in &mut holds {
                if let HoldOn::Number(number) = &mut hold.on
                    && !sees
                {
                    *number = mask(number);
                }
            }
            json!({ "holds": holds })
        }),
    )
}

/// The audit, newest first; `next` is the `before` of the next page.
pub(super) async fn audit(
    State(site): State<Site>,
    uri: Uri,
    asked: Result<Query<record::Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        return bad_query(&uri);
    };
    let filter = asked.filter(record::PAGE + 1);
    let read = site
        .read(move |handle| handle.store().read(|c| store::audit_rows(c, &filter)))
        .await;
    answered(
        &uri,
        read.map(|mut rows| {
            let more = rows.len() > record::PAGE;
            rows.truncate(record::PAGE);
            let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
            json!({ "rows": rows, "next": next })
        }),
    )
}

/// Who hears whose recordings, and what was granted on this box.
pub(super) async fn rights(State(site): State<Site>, uri: Uri) -> Response {
    let read = site
        .read_within(super::who_may::PATIENCE, move |handle| {
            let context = asker::context(handle);
            handle.store().read(|connection| {
                let directory = store::directory(connection)?;
                let hears = who_hears(&directory, &mut |extension| {
                    context.subject(connection, &Who::Extension(extension.to_owned()))
                })?;
                Ok(json!({ "hears": hears, "grants": store::local_grants(connection, false)? }))
            })
        })
        .await;
    answered(&uri, read)
}

/// What whoever asks may do, and why.
pub(super) async fn me(Extension(visitor): Extension<Visitor>) -> Response {
    let subject = &visitor.subject;
    let may: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| visitor.may(**action))
        .map(|action| action.word())
        .collect();
    as_json(
        StatusCode::OK,
        &json!({ "schema": 1, "who": subject.who.word(), "may": may, "grants": subject.grants, "rights": subject.rights }),
    )
}

/// The last lines of the log.
pub(super) async fn log(uri: Uri, asked: Result<Query<log_page::Asked>, QueryRejection>) -> Response {
    let Ok(Query(asked)) = asked else {
        return bad_query(&uri);
    };
    let lines = logs::lines(&asked.tamed().filter(0));
    as_json(StatusCode::OK, &json!({ "schema": 1, "lines": lines }))
}

/// Every setting with its origin; of what was typed only what is harmless.
pub(super) async fn settings(State(site): State<Site>) -> Response {
    let entries = site.handle().config().entries.iter().map(|entry| {
        json!({
            "key": entry.key, "value": shown(&entry.key, &entry.value, entry.origin == "default"),
            "origin": entry.origin, "help": entry.help,
        })
    });
    as_json(
        StatusCode::OK,
        &json!({ "schema": 1, "settings": entries.collect::<Vec<_>>() }),
    )
}

/// The sessions of whoever asks.
pub(super) async fn sessions(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let own = site.access().sessions.own(visitor.who(), &visitor.key, site.now());
    as_json(StatusCode::OK, &json!({ "schema": 1, "sessions": own }))
}

/// The tokens, without what opens the door.
pub(super) async fn tokens(State(site): State<Site>, uri: Uri) -> Response {
    let read = site.read(|handle| handle.store().read(store::tokens)).await;
    answered(&uri, read.map(|tokens| json!({ "tokens": tokens })))
}

/// Reads the call log and fetches recordings now.
pub(super) async fn sync(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    let by = by(&visitor, Action::BoxOperate);
    let noted = site
        .act(move |handle| accounts::note(handle.store(), by, "asked for a reading".to_owned(), handle.clock()))
        .await;
    answered(
        &uri,
        noted.map(|()| {
            site.handle().sync_now();
            json!({ "asked": true })
        }),
    )
}

/// What is to be tried again.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Again {
    target: Option<String>,
    id: Option<String>,
}

/// Gives held deliveries a new start: all, those of a target, or one.
pub(super) async fn retry(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Again>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        return bad_query(&uri);
    };
    let by = by(&visitor, Action::BoxOperate);
    let retried = site
        .act(move |handle| {
            accounts::note(
                handle.store(),
                by,
                "gave held deliveries a new start".to_owned(),
                handle.clock(),
            )?;
            handle.retry_held(asked.target.as_deref(), asked.id.as_deref())
        })
        .await;
    answered(&uri, retried.map(|count| json!({ "retried": count })))
}
