//! Call logs and their recordings (API v1).

use serde_json::{Value, json};

use super::done;
use crate::crms::{self, Ask, Reply, State, Why, parts};

const OUTCOMES: [&str; 6] = [
    "connected",
    "no_answer",
    "left_message",
    "left_voicemail",
    "wrong_number",
    "busy",
];

/// `POST /v1/callLogs`: here always of an activity of type call.
pub(super) fn create(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let known = [
        "user_id",
        "activity_id",
        "subject",
        "duration",
        "outcome",
        "from_phone_number",
        "to_phone_number",
        "start_time",
        "end_time",
        "person_id",
        "org_id",
        "deal_id",
        "lead_id",
        "note",
    ];
    let map = ask.object(&known)?;
    let text = |name: &str| crms::text(&map, name);
    if !OUTCOMES.contains(&text("outcome")?.as_str()) || text("to_phone_number")?.is_empty() {
        return Err(Why::invalid("outcome and to_phone_number are required"));
    }
    for moment in ["start_time", "end_time"] {
        let value = text(moment)?;
        if value.len() != 19 || value.as_bytes()[10] != b' ' {
            return Err(Why::undocumented(format!("{moment} is YYYY-MM-DD HH:MM:SS")));
        }
    }
    let duration = text("duration")?
        .parse()
        .map_err(|_| Why::undocumented("duration is seconds as text"))?;
    let activity = crms::number(&map, "activity_id")?
        .map(|id| id.to_string())
        .unwrap_or_default();
    let log = format!("{:032x}", desk.id());
    let (from, to, status, started) = (
        text("from_phone_number")?,
        text("to_phone_number")?,
        text("outcome")?,
        text("start_time")?,
    );
    let call = desk
        .call(&activity)
        .ok_or_else(|| Why::Missing("activity not found".to_owned()))?;
    if !call.log.is_empty() {
        return Err(Why::invalid("this activity is a call log already"));
    }
    call.log.clone_from(&log);
    (call.from, call.to, call.status, call.started) = (from, to, status, started);
    call.duration_s = duration;
    let note = text("note")?;
    if !note.is_empty() {
        call.text = note;
    }
    Ok(done(
        json!({ "id": log, "activity_id": activity.parse::<i64>().unwrap_or(0), "has_recording": false }),
    ))
}

/// `GET /v1/callLogs`: those of the token's user (all are, for no other user is ever named), 50 at most.
pub(super) fn list(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    ask.only_query(&["start", "limit"])?;
    let start: usize = ask.query("start").parse().unwrap_or(0);
    let limit: usize = ask.query("limit").parse().unwrap_or(50);
    if limit > 50 {
        return Err(Why::invalid("limit must not exceed 50"));
    }
    let logs: Vec<_> = desk.truth.calls.iter().filter(|call| !call.log.is_empty()).collect();
    let page = logs.iter().skip(start).take(limit);
    let data: Vec<Value> = page
        .map(|call| {
            json!({ "id": call.log, "activity_id": call.id.parse::<i64>().unwrap_or(0),
                "has_recording": !call.recordings.is_empty(), "start_time": call.started })
        })
        .collect();
    let more = start + limit < logs.len();
    let pagination =
        json!({ "start": start, "limit": limit, "more_items_in_collection": more, "next_start": start + limit });
    Ok(Reply::new(
        200,
        json!({ "success": true, "data": data, "additional_data": { "pagination": pagination } }),
    ))
}

/// `DELETE /v1/callLogs/{id}`: with its recording; the activity stays.
pub(super) fn delete(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let log = ask.path.rsplit('/').next().unwrap_or_default();
    let call = desk
        .truth
        .calls
        .iter_mut()
        .find(|call| call.log == log && !log.is_empty());
    let call =
        call.ok_or_else(|| Why::Missing("A resource required for this operation was not found.".to_owned()))?;
    call.log.clear();
    call.recordings.clear();
    Ok(Reply::new(200, json!({ "success": true })))
}

/// `POST /v1/callLogs/{id}/recordings`: one for each call log.
pub(super) fn record(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    if ask.header("content-length").parse() != Ok(ask.body.len()) {
        return Err(Why::undocumented("an upload needs its content-length"));
    }
    let all = parts(ask.header("content-type"), &ask.body).map_err(Why::undocumented)?;
    let [only] = all.as_slice() else {
        return Err(Why::undocumented("a form with the one field file"));
    };
    let name = only.file.clone().unwrap_or_default();
    if only.field != "file" || name.is_empty() {
        return Err(Why::undocumented("a form with the one field file"));
    }
    let log = ask.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let id = desk.id().to_string();
    let record = desk.recording(id, &name, only.content);
    let call = desk
        .truth
        .calls
        .iter_mut()
        .find(|call| call.log == log && !log.is_empty());
    let call =
        call.ok_or_else(|| Why::Missing("A resource required for this operation was not found.".to_owned()))?;
    if !call.recordings.is_empty() {
        return Err(Why::Exists("A recording for this call already exists".to_owned()));
    }
    call.recordings.push(record);
    Ok(Reply::new(200, json!({ "success": true })))
}
