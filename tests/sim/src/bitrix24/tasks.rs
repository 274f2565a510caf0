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
