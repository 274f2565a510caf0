//! The addresses, and which method does what.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Request, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::{Map, Value, json};

use super::Desk;
use super::fault::Fault;
use super::gate::Door;
use super::params::Params;
use super::portal::{Portal, Request as Asked};
use super::refusal::{Refusal, answer};
use crate::crm::serve::Hangup;

/// Longer bodies are refused: the cloud takes 2 GB, a test needs less.
const BODY_LIMIT: usize = 256 << 20;

pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/oauth/token/", get(token))
        .route("/rest/upload.json", post(upload))
        .route("/rest/{method}", post(by_token))
        .route("/rest/{user}/{code}/{method}", post(by_webhook))
        .with_state(desk)
}

type Shared = State<Arc<Desk>>;

async fn token(
    State(desk): Shared,
    Query(query): Query<HashMap<String, String>>,
    Extension(hangup): Extension<Hangup>,
    headers: HeaderMap,
) -> Response<Body> {
    let host = host(&headers);
    served(&desk, "oauth", &hangup, |portal| portal.renew(&query, &host)).await
}

async fn by_token(
    State(desk): Shared,
    Path(method): Path<String>,
    Extension(hangup): Extension<Hangup>,
    request: Request<Body>,
) -> Response<Body> {
    rest(&desk, &method, None, &hangup, request).await
}

async fn by_webhook(
    State(desk): Shared,
    Path((user, code, method)): Path<(String, String, String)>,
    Extension(hangup): Extension<Hangup>,
    request: Request<Body>,
) -> Response<Body> {
    rest(&desk, &method, Some((user, code)), &hangup, request).await
}

async fn rest(
    desk: &Desk,
    method: &str,
    webhook: Option<(String, String)>,
    hangup: &Hangup,
    request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let host = host(request.headers());
    let json = request
        .headers()
        .get("content-type")
        .is_some_and(|media| media.as_bytes().starts_with(b"application/json"));
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else {
        hangup.now().await
    };
    let method = method.trim_end_matches(".json").to_ascii_lowercase();
    let moved = desk.portal().config.moved_to.clone();
    if let Some(moved) = moved {
        note(desk, &method, 302);
        let mut response = answer(302, &json!({}));
        if let Ok(to) = format!("http://{moved}{path}").parse() {
            response.headers_mut().insert("location", to);
        }
        return response;
    }
    served(desk, &method.clone(), hangup, move |portal| {
        portal.pour()?;
        if !json {
            return Err(Refusal::new(400, "SIM_WRONG_TYPE", "the body must be application/json"));
        }
        let params: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
            Refusal::new(400, "SIM_WRONG_TYPE", format!("the body is no JSON object: {error}"))
        })?;
        let webhook = webhook.as_ref().map(|(user, code)| (user.as_str(), code.as_str()));
        let door = portal.who(webhook, &params)?;
        portal.may(door, &method)?;
        let time = portal.operate(&method)?;
        let mut given = params.clone();
        given.remove("auth");
        let result = perform(portal, door, &method, &given, &host)?;
        let mut whole = match result {
            // A list brings its own total.
            Value::Object(map) if map.contains_key("total") => Value::Object(map),
            result => json!({ "result": result }),
        };
        whole["time"] = time;
        Ok(whole)
    })
    .await
}

fn perform(
    portal: &mut Portal,
    door: Door,
    method: &str,
    given: &Map<String, Value>,
    host: &str,
) -> Result<Value, Refusal> {
    match method {
        "scope" => {
            Params::of(given, &["full"])?;
            Ok(json!(portal.config.scopes))
        }
        "telephony.externalcall.register" => portal.register(given),
        "telephony.externalcall.finish" => portal.finish(given),
        "telephony.externalcall.attachrecord" => portal.attach_record(given, door, host),
        "telephony.call.attachtranscription" => portal.attach_transcription(given),
        "telephony.externalline.get" => {
            Params::of(given, &[])?;
            Ok(json!([]))
        }
        "voximplant.statistic.get" => portal.statistic(given),
        "user.get" => portal.users(given),
        "crm.duplicate.findbycomm" => portal.find_by_comm(given),
        "crm.lead.add" => portal.add_lead(given),
        "crm.activity.add" => portal.add_activity(given),
        "crm.activity.update" => portal.update_activity(given),
        "crm.activity.delete" => portal.delete_activity(given),
        "tasks.task.delete" => portal.delete_task(given),
        "crm.activity.get" => portal.activity(given),
        "crm.activity.list" => portal.list_activities(given),
        "tasks.task.add" => portal.add_task(given),
        "tasks.task.list" => portal.list_tasks(given),
        _ => Err(Refusal::new(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")),
    }
}

async fn upload(
    State(desk): Shared,
    Query(query): Query<HashMap<String, String>>,
    Extension(hangup): Extension<Hangup>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        note(&desk, "upload", 0);
        hangup.now().await
    };
    served(&desk, "upload", &hangup, move |portal| {
        portal.take_upload(&query, &parts.headers, &body)
    })
    .await
}

/// Does the work and answers, unless a fault comes between.
async fn served(
    desk: &Desk,
    method: &str,
    hangup: &Hangup,
    work: impl FnOnce(&mut Portal) -> Result<Value, Refusal>,
) -> Response<Body> {
    let fault = desk.faults().take(method);
    if fault == Some(Fault::ServerError) {
        note(desk, method, 500);
        let mut response = answer(500, &json!({}));
        *response.body_mut() = Body::from("<html><body>Internal Server Error</body></html>");
        return response;
    }
    let result = match &fault {
        Some(Fault::Refuse(status, code, text)) => Err(Refusal::new(*status, code, *text)),
        _ => work(&mut desk.portal()),
    };
    let response = match &result {
        Ok(value) => answer(200, value),
        Err(refusal) => refusal.response(),
    };
    note(desk, method, response.status().as_u16());
    if let Err(refusal) = &result
        && refusal.code.starts_with("SIM_")
    {
        let told = format!("{method}: {}", refusal.text);
        desk.portal().truth.violations.push(told);
    }
    match fault {
        Some(Fault::LoseAnswer) => hangup.now().await,
        Some(Fault::Delay(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    response
}

fn note(desk: &Desk, method: &str, status: u16) {
    let mut portal = desk.portal();
    let at_ms = portal.now_ms();
    let method = method.to_owned();
    portal.truth.requests.push(Asked { at_ms, method, status });
}

fn host(headers: &HeaderMap) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    host.unwrap_or_default().to_owned()
}
