//! Tasks.

use serde_json::{Map, Value, json};

use super::params::Params;
use super::portal::{Portal, Task};
use super::refusal::Refusal;

impl Portal {
    pub(super) fn add_task(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let fields = Params::of(given, &["fields"])?.object("fields")?;
        let fields = Params::of(
            fields,
            &[
                "TITLE",
                "DESCRIPTION",
                "DEADLINE",
                "CREATED_BY",
                "RESPONSIBLE_ID",
                "UF_CRM_TASK",
                "XML_ID",
            ],
        )?;
        let title = fields.text("TITLE")?.unwrap_or_default().to_owned();
        if title.is_empty() {
            return Err(Refusal::core("Task title not specified<br>"));
        }
        let Some(responsible) = fields.number("RESPONSIBLE_ID")? else {
            return Err(Refusal::core("Assignee not specified<br>"));
        };
        if self.employee(Some(responsible), None).is_none() {
            return Err(Refusal::core("User specified in the \"Assignee\" field not found<br>"));
        }
        let xml_id = fields.text("XML_ID")?.unwrap_or_default().to_owned();
        let id = self.id();
        self.truth.tasks.push(Task {
            id,
            title,
            responsible,
            xml_id,
        });
        Ok(json!({ "task": { "id": id.to_string() } }))
    }

    /// Source: "Delete Task tasks.task.delete". A task that is not there is refused as one that may not be deleted.
    pub(super) fn delete_task(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let id = Params::of(given, &["taskId"])?.number("taskId")?.unwrap_or(0) as u64;
        let before = self.truth.tasks.len();
        self.truth.tasks.retain(|task| task.id != id);
        match self.truth.tasks.len() < before {
            true => Ok(json!({ "task": true })),
            false => Err(Refusal::new(400, "1048582", "No access to delete the task")),
        }
    }

    /// UNVERIFIED: that tasks can be looked for by `XML_ID`; the field itself is documented.
    pub(super) fn list_tasks(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["filter", "select", "order", "start"])?;
        let filter = Params::of(params.object("filter")?, &["XML_ID"])?;
        let xml_id = filter.text("XML_ID")?;
        let tasks: Vec<Value> = self
            .truth
            .tasks
            .iter()
            .filter(|task| xml_id.is_none_or(|id| task.xml_id == id))
            .map(|task| json!({ "id": task.id.to_string(), "xmlId": task.xml_id }))
            .collect();
        Ok(json!({ "total": tasks.len(), "result": { "tasks": tasks } }))
    }
}
