//! Tasks.

use serde_json::json;

use super::{HubSpot, associated, properties};
use crate::crms::{Ask, Reply, State, Task, Why};

/// Properties of tasks by the page "Tasks".
const KNOWN: [&str; 8] = [
    "hs_timestamp",
    "hs_task_body",
    "hs_task_subject",
    "hs_task_status",
    "hs_task_priority",
    "hs_task_type",
    "hs_task_reminders",
    "hubspot_owner_id",
];

pub(super) fn create(hubspot: &HubSpot, desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["properties", "associations"])?;
    let mut known = KNOWN.to_vec();
    let unique = hubspot.unique("tasks", "callspool_id");
    if unique.is_some() {
        known.push("callspool_id");
    }
    let given = properties(&map, &known)?;
    let get = |name: &str| given.get(name).cloned().unwrap_or_default();
    if get("hs_timestamp").parse::<i64>().is_err() {
        return Err(Why::invalid("hs_timestamp is required"));
    }
    if !["NOT_STARTED", "COMPLETED"].contains(&get("hs_task_status").as_str())
        || !["EMAIL", "CALL", "TODO"].contains(&get("hs_task_type").as_str())
    {
        return Err(Why::invalid(
            "hs_task_status or hs_task_type was not one of the allowed options",
        ));
    }
    let mark = get("callspool_id");
    if unique == Some(true) && desk.truth.tasks.iter().any(|task| task.external == mark) {
        return Err(Why::Exists(format!("callspool_id already has the value {mark}")));
    }
    let task = Task {
        id: desk.id().to_string(),
        external: mark,
        title: get("hs_task_subject"),
        owner: get("hubspot_owner_id"),
        contact: associated(&map, 204)?,
        due: get("hs_timestamp"),
        made_ms: desk.now_ms(),
    };
    let id = task.id.clone();
    desk.truth.tasks.push(task);
    Ok(Reply::new(201, json!({ "id": id, "properties": given })))
}
