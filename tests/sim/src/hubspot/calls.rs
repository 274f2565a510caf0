//! Calls and whom they are with.

use serde_json::{Value, json};

use super::{HubSpot, associated, properties};
use crate::crms::{self, Ask, Call, Reply, State, Why};

/// Properties of calls by the page "Calls", and the one that callspool makes.
const KNOWN: [&str; 13] = [
    "hs_timestamp",
    "hs_call_body",
    "hs_call_callee_object_id",
    "hs_call_direction",
    "hs_call_disposition",
    "hs_call_duration",
    "hs_call_from_number",
    "hs_call_to_number",
    "hs_call_recording_url",
    "hs_call_status",
    "hs_call_title",
    "hs_attachment_ids",
    "hubspot_owner_id",
];

const STATUS: [&str; 10] = [
    "BUSY",
    "CALLING_CRM_USER",
    "CANCELED",
    "COMPLETED",
    "CONNECTING",
    "FAILED",
    "IN_PROGRESS",
    "NO_ANSWER",
    "QUEUED",
    "RINGING",
];

pub(super) fn create(hubspot: &HubSpot, desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["properties", "associations"])?;
    let mut known = KNOWN.to_vec();
    let unique = hubspot.unique("calls", "callspool_id");
    if unique.is_some() {
        known.push("callspool_id");
    }
    let given = properties(&map, &known)?;
    let get = |name: &str| given.get(name).cloned().unwrap_or_default();
    if get("hs_timestamp").is_empty() {
        return Err(Why::invalid("hs_timestamp is required"));
    }
    let mark = get("callspool_id");
    if unique == Some(true) && !mark.is_empty() && desk.truth.calls.iter().any(|call| call.external == mark) {
        return Err(Why::Exists(format!("callspool_id already has the value {mark}")));
    }
    let call = Call {
        id: desk.id().to_string(),
        external: mark,
        contact: associated(&map, 194)?,
        started: get("hs_timestamp"),
        outgoing: get("hs_call_direction") == "OUTBOUND",
        made_ms: desk.now_ms(),
        ..Call::default()
    };
    if !call.contact.is_empty() && !desk.config.contacts.iter().any(|one| one.id == call.contact) {
        return Err(Why::invalid("the associated record does not exist"));
    }
    let id = call.id.clone();
    desk.truth.calls.push(call);
    if let Err(why) = apply(desk, &id, &given) {
        desk.truth.calls.pop();
        return Err(why);
    }
    Ok(Reply::new(201, json!({ "id": id, "properties": given })))
}

pub(super) fn update(hubspot: &HubSpot, desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["properties"])?;
    let _ = hubspot;
    let given = properties(&map, &KNOWN)?;
    let id = ask.path.rsplit('/').next().unwrap_or_default().to_owned();
    if desk.call(&id).is_none() {
        return Err(Why::Missing("Object not found.".to_owned()));
    }
    apply(desk, &id, &given)?;
    Ok(Reply::new(200, json!({ "id": id, "properties": given })))
}

fn apply(desk: &mut State, id: &str, given: &std::collections::BTreeMap<String, String>) -> Result<(), Why> {
    for (name, value) in given {
        let wrong = |what: &str| Err(Why::invalid(format!("{name}: {value} {what}")));
        match name.as_str() {
            "hs_call_status" if !STATUS.contains(&value.as_str()) => {
                return wrong("was not one of the allowed options");
            }
            "hs_call_direction" if value != "INBOUND" && value != "OUTBOUND" => {
                return wrong("was not one of the allowed options");
            }
            "hs_call_duration" | "hs_timestamp" if value.parse::<i64>().is_err() => return wrong("is no number"),
            "hs_call_recording_url" if !value.starts_with("https://") => return wrong("is not https"),
            "hubspot_owner_id" if !value.is_empty() && !desk.config.users.iter().any(|user| user.id == *value) => {
                return wrong("is no valid owner");
            }
            _ => {}
        }
    }
    if let Some(ids) = given.get("hs_attachment_ids") {
        let mut files = Vec::new();
        for file in ids.split(';').filter(|one| !one.is_empty()) {
            let of_call = desk.truth.calls.iter().flat_map(|call| &call.recordings);
            let found = desk
                .truth
                .loose
                .iter()
                .chain(of_call)
                .find(|one| one.id == file)
                .cloned();
            files.push(found.ok_or_else(|| Why::invalid(format!("there is no file {file}")))?);
        }
        desk.truth
            .loose
            .retain(|loose| !files.iter().any(|file| file.id == loose.id));
        if let Some(call) = desk.call(id) {
            call.recordings = files;
        }
    }
    let Some(call) = desk.call(id) else { return Ok(()) };
    for (name, value) in given {
        let value = value.clone();
        match name.as_str() {
            "hs_call_body" => call.text = value,
            "hs_call_title" => call.title = value,
            "hs_call_status" => call.status = value,
            "hs_call_from_number" => call.from = value,
            "hs_call_to_number" => call.to = value,
            "hs_call_recording_url" => call.link = value,
            "hs_call_duration" => call.duration_s = value.parse::<i64>().unwrap_or(0) / 1_000,
            "hubspot_owner_id" => call.owner = value,
            _ => {}
        }
    }
    Ok(())
}

/// Search for contacts by number. Source: "Search the CRM": numbers are kept in `hs_searchable_calculated_*` without their
/// country code, and at most five groups of filters are taken.
pub(super) fn contacts(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["filterGroups", "properties", "limit", "after", "sorts"])?;
    let groups = map
        .get("filterGroups")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if groups.is_empty() || groups.len() > 5 {
        return Err(Why::invalid("1 to 5 filterGroups are allowed"));
    }
    let mut found: Vec<&crms::Contact> = Vec::new();
    for group in &groups {
        let filter = group.pointer("/filters/0").and_then(Value::as_object);
        let filter = filter.ok_or_else(|| Why::undocumented("a filter is missing"))?;
        crms::only(filter, &["propertyName", "operator", "value"])?;
        let (name, operator) = (crms::text(filter, "propertyName")?, crms::text(filter, "operator")?);
        let value = crms::text(filter, "value")?;
        let hit = |phone: &String| match (name.as_str(), operator.as_str()) {
            ("phone" | "mobilephone", "EQ") => *phone == value,
            (
                "hs_searchable_calculated_phone_number" | "hs_searchable_calculated_mobile_number",
                "CONTAINS_TOKEN",
            ) => {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                // Without "*" in front a token must be the whole number.
                value.strip_prefix('*').is_some_and(|tail| digits.ends_with(tail))
            }
            _ => false,
        };
        found.extend(desk.config.contacts.iter().filter(|one| one.phones.iter().any(hit)));
    }
    found.dedup_by(|a, b| a.id == b.id);
    let results: Vec<Value> = found
        .iter()
        .map(|one| {
            let phones = one.phones.iter();
            json!({ "id": one.id, "properties": { "phone": phones.clone().next(), "mobilephone": phones.clone().nth(1) } })
        })
        .collect();
    Ok(Reply::new(200, json!({ "total": results.len(), "results": results })))
}
