//! Activities (API v2).

use serde_json::{Map, Value, json};

use super::done;
use crate::crms::{self, Ask, Call, Reply, State, Task, Why};

/// Members of a new activity.
const KNOWN: [&str; 14] = [
    "subject",
    "type",
    "owner_id",
    "deal_id",
    "lead_id",
    "org_id",
    "due_date",
    "due_time",
    "duration",
    "busy",
    "done",
    "participants",
    "note",
    "public_description",
];

/// A call is an activity that is done; what is still to be done is a task.
pub(super) fn create(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&KNOWN)?;
    let owner = owner(desk, &map)?;
    if crms::text(&map, "type")? != "call" {
        return Err(Why::invalid("there is no such type of activity"));
    }
    let contact = match map.get("participants") {
        None => String::new(),
        Some(all) => {
            let first = all
                .get(0)
                .and_then(Value::as_object)
                .ok_or_else(|| Why::undocumented("participants"))?;
            crms::only(first, &["person_id", "primary"])?;
            crms::number(first, "person_id")?
                .map(|id| id.to_string())
                .unwrap_or_default()
        }
    };
    let (date, time) = (crms::text(&map, "due_date")?, crms::text(&map, "due_time")?);
    if date.len() != 10 || !(time.is_empty() || time.len() == 5) {
        return Err(Why::undocumented("due_date is YYYY-MM-DD, due_time HH:MM"));
    }
    let note = crms::text(&map, "note")?;
    let id = desk.id().to_string();
    let (title, made_ms, due) = (crms::text(&map, "subject")?, desk.now_ms(), format!("{date} {time}"));
    if map.get("done") == Some(&json!(true)) {
        desk.truth.calls.push(Call {
            id: id.clone(),
            external: mark(&note),
            title,
            owner,
            contact,
            started: due,
            text: note,
            made_ms,
            ..Call::default()
        });
    } else {
        desk.truth.tasks.push(Task {
            id: id.clone(),
            external: mark(&note),
            title,
            owner,
            contact,
            due,
            made_ms,
        });
    }
    Ok(Reply {
        status: 201,
        ..done(json!({ "id": id.parse::<i64>().unwrap_or(0) }))
    })
}

fn owner(desk: &State, map: &Map<String, Value>) -> Result<String, Why> {
    let first = desk
        .config
        .users
        .first()
        .map(|user| user.id.clone())
        .unwrap_or_default();
    let Some(id) = crms::number(map, "owner_id")? else {
        return Ok(first);
    };
    match desk.config.users.iter().find(|user| user.id == id.to_string()) {
        Some(user) => Ok(user.id.clone()),
        None => Err(Why::invalid("owner_id: user not found")),
    }
}

/// `GET /api/v2/activities`: by owner and from a moment on, at most 500, with a cursor.
pub(super) fn list(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    let known = [
        "filter_id",
        "ids",
        "owner_id",
        "deal_id",
        "lead_id",
        "person_id",
        "org_id",
        "done",
        "updated_since",
        "updated_until",
        "sort_by",
        "sort_direction",
        "include_fields",
        "limit",
        "cursor",
    ];
    ask.only_query(&known)?;
    let since = ask.query("updated_since");
    let since = match since {
        "" => 0,
        text => crate::time::parse_iso(text).ok_or_else(|| Why::undocumented("updated_since is RFC 3339"))?,
    };
    let limit: usize = ask.query("limit").parse().unwrap_or(100);
    if limit > 500 {
        return Err(Why::invalid("limit must not exceed 500"));
    }
    let from: usize = ask.query("cursor").parse().unwrap_or(0);
    let calls = desk
        .truth
        .calls
        .iter()
        .map(|one| (&one.id, &one.owner, &one.text, one.made_ms));
    let marks = desk
        .truth
        .tasks
        .iter()
        .map(|one| (&one.id, &one.owner, &one.external, one.made_ms));
    let all: Vec<_> = calls
        .chain(marks)
        .filter(|(_, owner, _, made)| {
            *made >= since && (ask.query("owner_id").is_empty() || ask.query("owner_id") == owner.as_str())
        })
        .collect();
    let page = all.iter().skip(from).take(limit);
    let data: Vec<Value> = page
        .map(|(id, owner, note, _)| json!({ "id": id.parse::<i64>().unwrap_or(0), "owner_id": owner, "note": note }))
        .collect();
    let next = (from + limit < all.len()).then(|| (from + limit).to_string());
    let whole = json!({ "success": true, "data": data, "additional_data": { "next_cursor": next } });
    Ok(Reply::new(200, whole))
}

/// `PATCH /api/v2/activities/{id}`.
pub(super) fn update(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&KNOWN)?;
    let (note, id) = (
        crms::text(&map, "note")?,
        ask.path.rsplit('/').next().unwrap_or_default(),
    );
    let call = desk
        .call(id)
        .ok_or_else(|| Why::Missing("Activity not found".to_owned()))?;
    call.text = note;
    Ok(done(json!({ "id": id.parse::<i64>().unwrap_or(0) })))
}

/// `DELETE /api/v2/activities/{id}`: its call log stays.
pub(super) fn delete(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let id = ask.path.rsplit('/').next().unwrap_or_default();
    if desk.call(id).is_some_and(|call| !call.log.is_empty()) {
        let left = desk.call(id).map(|call| std::mem::take(&mut call.recordings));
        desk.truth.loose.extend(left.unwrap_or_default());
    }
    match desk.delete_call(id) || desk.delete_task(id) {
        true => Ok(done(json!({ "id": id.parse::<i64>().unwrap_or(0) }))),
        false => Err(Why::Missing("Activity not found".to_owned())),
    }
}

/// The mark that callspool leaves in a text.
pub(crate) fn mark(text: &str) -> String {
    let from = text.find("callspool-").map_or("", |at| &text[at..]);
    let end = from
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .unwrap_or(from.len());
    from[..end].to_owned()
}
