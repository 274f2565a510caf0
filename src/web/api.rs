//! JSON for scripts, under the same session. New fields may appear at any time.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::calls::{self, NoList};
use super::layout::{Refusal, as_json, refuse, unread};
use super::site::Site;
use super::visitor::Visitor;
use super::{call, layout};
use crate::store::AskedCalls;

fn answer(value: &impl Serialize) -> Response {
    as_json(StatusCode::OK, &serde_json::to_value(value).unwrap_or(Value::Null))
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

/// Calls, newest first; `next` is the `before` of the next page.
pub(super) async fn calls(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<AskedCalls>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    match calls::read(&site, &visitor, &asked).await {
        Ok(listed) => as_json(
            StatusCode::OK,
            &json!({ "schema": 1, "calls": listed.calls, "next": listed.next }),
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
                next: "Ask /api/calls for those that there are.",
            },
        ),
        Err(error) => layout::unread(&uri, &error),
    }
}
