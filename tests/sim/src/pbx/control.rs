//! `/sim/…`: the same levers that tests have, for a person with curl. No token needed: this part is not a PBX.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Exchange;
use super::faults::Fault;
use super::traffic::CallPlan;
use super::world::TrueCall;
use crate::time::iso;

/// The routes.
pub(super) fn router() -> Router<Exchange> {
    Router::new()
        .route("/sim/state", get(state))
        .route("/sim/truth", get(truth))
        .route("/sim/call", post(place))
        .route("/sim/fault", get(faults).post(set_fault).delete(clear_faults))
        .route("/sim/advance", post(advance))
        .route("/sim/recording", post(change))
        .route("/sim/upgrade", post(upgrade))
        .route("/sim/restore", post(restore))
        .route("/sim/jump", post(jump))
        .route("/sim/retention", post(retention))
}

async fn state(State(pbx): State<Exchange>) -> Json<Value> {
    let now_ms = pbx.time.now_ms();
    let version = pbx.version();
    let shared = pbx.lock();
    let (logins, refused) = shared.tokens.logins();
    Json(json!({
        "now": iso(now_ms),
        "rate": pbx.time.rate,
        "version": version,
        "calls_scheduled": shared.world.scheduled(),
        "calls_going_on": shared.world.active_calls(now_ms),
        "logins": logins,
        "refused_logins": refused,
        "requests": shared.requests,
    }))
}

async fn truth(State(pbx): State<Exchange>) -> Json<Vec<TrueCall>> {
    let now_ms = pbx.time.now_ms();
    Json(pbx.lock().world.truth(now_ms))
}

async fn place(State(pbx): State<Exchange>, Json(plan): Json<CallPlan>) -> Json<TrueCall> {
    let now_ms = pbx.time.now_ms();
    Json(pbx.lock().world.place(&plan, now_ms))
}

async fn faults(State(pbx): State<Exchange>) -> Json<Vec<Fault>> {
    Json(pbx.faults.active())
}

async fn set_fault(State(pbx): State<Exchange>, Json(fault): Json<Fault>) -> Json<Vec<Fault>> {
    pbx.faults.set(fault);
    Json(pbx.faults.active())
}

async fn clear_faults(State(pbx): State<Exchange>) -> StatusCode {
    pbx.faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Advance {
    ms: i64,
}

async fn advance(State(pbx): State<Exchange>, Query(by): Query<Advance>) -> Json<Value> {
    pbx.time.advance(by.ms);
    Json(json!({"now": iso(pbx.time.now_ms())}))
}

#[derive(Deserialize)]
struct Upgrade {
    to: String,
}

async fn upgrade(State(pbx): State<Exchange>, Query(upgrade): Query<Upgrade>) -> StatusCode {
    pbx.upgrade(&upgrade.to);
    StatusCode::NO_CONTENT
}

async fn restore(State(pbx): State<Exchange>, Query(by): Query<Advance>) -> StatusCode {
    let now_ms = pbx.time.now_ms();
    pbx.lock().world.restore_backup(now_ms - by.ms, now_ms);
    StatusCode::NO_CONTENT
}

async fn jump(State(pbx): State<Exchange>, Query(by): Query<Advance>) -> StatusCode {
    let now_ms = pbx.time.now_ms();
    pbx.lock().world.jump_clock(by.ms, now_ms);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Retention {
    delete_after_days: Option<u32>,
    archive_every_days: Option<u32>,
}

async fn retention(State(pbx): State<Exchange>, Query(retention): Query<Retention>) -> StatusCode {
    let mut shared = pbx.lock();
    shared.world.config.auto_delete_days = retention.delete_after_days;
    shared.world.config.archive_every_days = retention.archive_every_days;
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Change {
    id: i32,
    #[serde(rename = "do")]
    what: String,
}

async fn change(State(pbx): State<Exchange>, Query(change): Query<Change>) -> StatusCode {
    let now_ms = pbx.time.now_ms();
    let mut shared = pbx.lock();
    let Some(recording) = shared.world.recording_mut(change.id) else {
        return StatusCode::NOT_FOUND;
    };
    match change.what.as_str() {
        "delete" => recording.deleted = true,
        "lose" => recording.file_lost = true,
        "archive" => recording.archived = true,
        "transcribe" => recording.transcribed_ms = Some(now_ms),
        _ => return StatusCode::BAD_REQUEST,
    }
    StatusCode::NO_CONTENT
}
