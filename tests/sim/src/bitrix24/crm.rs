//! The CRM without telephony: who has this number, leads, activities of type call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::params::Params;
use super::portal::{Activity, Portal, Record};
use super::refusal::Refusal;

/// Fields of an activity that are documented and that are looked at here.
const ACTIVITY: [&str; 17] = [
    "OWNER_ID",
    "OWNER_TYPE_ID",
    "TYPE_ID",
    "COMMUNICATIONS",
    "SUBJECT",
    "START_TIME",
    "END_TIME",
    "COMPLETED",
    "PRIORITY",
    "RESPONSIBLE_ID",
    "DESCRIPTION",
    "DESCRIPTION_TYPE",
    "DIRECTION",
    "FILES",
    "ORIGINATOR_ID",
    "ORIGIN_ID",
    "ORIGIN_VERSION",
];

impl Portal {
    pub(super) fn find_by_comm(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["type", "values", "entity_type"])?;
        if params.text("type")? != Some("PHONE") {
            let code = "Communication type is not defined";
            return Err(Refusal::new(400, code, "Parameter 'type' is required."));
        }
        let Some(Value::Array(values)) = params.get("values") else {
            return Err(Refusal::new(400, "Communication values is not defined", ""));
        };
        let numbers = values.iter().filter_map(Value::as_str);
        let leads: Vec<u64> = numbers.filter_map(|n| self.truth.leads.get(n).copied()).collect();
        // Nothing found is an empty list, as PHP writes an empty array.
        Ok(if leads.is_empty() {
            json!([])
        } else {
            json!({ "LEAD": leads })
        })
    }

    /// Source: "Delete activity crm.activity.delete": of any type, those of telephony's calls too; the call's row in the
    /// statistics and its recording stay.
    pub(super) fn delete_activity(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let id = Params::of(given, &["id"])?.number("id")?.unwrap_or(0) as u64;
        if let Some(at) = self.truth.activities.iter().position(|one| one.id == id) {
            self.truth.activities.remove(at);
            return Ok(json!(true));
        }
        match self.truth.calls.iter_mut().find(|call| call.activity == id && id > 0) {
            Some(call) => {
                call.activity = 0;
                Ok(json!(true))
            }
            None => Err(Refusal::new(400, "", "Activity is not found.")),
        }
    }

    pub(super) fn add_lead(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let fields = Params::of(given, &["fields", "params"])?.object("fields")?;
        let fields = Params::of(
            fields,
            &[
                "TITLE",
                "PHONE",
                "ASSIGNED_BY_ID",
                "SOURCE_ID",
                "ORIGINATOR_ID",
                "ORIGIN_ID",
                "OPENED",
            ],
        )?;
        fields.text("TITLE")?;
        let phone = fields.get("PHONE").and_then(|phones| phones.pointer("/0/VALUE"));
        let Some(number) = phone.and_then(Value::as_str).map(str::to_owned) else {
            return Err(Refusal::new(
                400,
                "SIM_WRONG_TYPE",
                "PHONE must be [{VALUE, VALUE_TYPE}]",
            ));
        };
        let id = self.id();
        if self.truth.leads.insert(number, id).is_some() {
            let told = "a second lead for a number".to_owned();
            self.truth.violations.push(told);
        }
        Ok(json!(id))
    }

    pub(super) fn add_activity(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let fields = Params::of(given, &["fields"])?.object("fields")?;
        let fields = Params::of(fields, &ACTIVITY)?;
        let missing = |name: &str| Refusal::nameless(format!("The field {name} is not defined or invalid"));
        if fields.text("SUBJECT")?.unwrap_or_default().is_empty() {
            return Err(Refusal::nameless("The field SUBJECT is not defined or empty"));
        }
        let responsible = fields
            .number("RESPONSIBLE_ID")?
            .ok_or_else(|| missing("RESPONSIBLE_ID"))?;
        let kind = fields.number("TYPE_ID")?.ok_or_else(|| missing("TYPE_ID"))?;
        if kind != 2 {
            return Err(Refusal::new(400, "SIM_WRONG_TYPE", "TYPE_ID 2 is a call"));
        }
        let communications = fields.get("COMMUNICATIONS").and_then(Value::as_array);
        let Some([one]) = communications.map(Vec::as_slice) else {
            return Err(missing("COMMUNICATIONS"));
        };
        let owner = fields.number("OWNER_TYPE_ID")?.zip(fields.number("OWNER_ID")?);
        let Some(owner) = owner.filter(|(_, id)| *id > 0) else {
            return Err(Refusal::nameless(
                "Could not build binding. Please ensure that owner info and communications are defined correctly",
            ));
        };
        let text = |name: &str| fields.text(name).map(|text| text.unwrap_or_default().to_owned());
        let mut activity = Activity {
            id: 0,
            origin_id: text("ORIGIN_ID")?,
            originator_id: text("ORIGINATOR_ID")?,
            number: one["VALUE"].as_str().unwrap_or_default().to_owned(),
            direction: fields.number("DIRECTION")?.unwrap_or(0),
            owner,
            responsible,
            description: text("DESCRIPTION")?,
            files: self.files(fields.get("FILES"))?,
        };
        activity.id = self.id();
        let id = activity.id;
        self.truth.activities.push(activity);
        Ok(json!(id))
    }

    /// New files take the place of the old ones. UNVERIFIED: they might be added to them.
    pub(super) fn update_activity(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["id", "fields"])?;
        let (id, fields) = (params.number("id")?, params.object("fields")?);
        let fields = Params::of(fields, &ACTIVITY)?;
        let files = self.files(fields.get("FILES"))?;
        let description = fields.text("DESCRIPTION")?.map(str::to_owned);
        let found = self.truth.activities.iter_mut().find(|one| Some(one.id as i64) == id);
        let Some(activity) = found else {
            return Err(Refusal::nameless("Activity is not found"));
        };
        if !files.is_empty() {
            activity.files = files;
        }
        if let Some(description) = description {
            activity.description = description;
        }
        Ok(json!(true))
    }

    pub(super) fn list_activities(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["filter", "select", "order", "start"])?;
        let filter = Params::of(params.object("filter")?, &["ORIGINATOR_ID", "ORIGIN_ID"])?;
        let (origin, originator) = (filter.text("ORIGIN_ID")?, filter.text("ORIGINATOR_ID")?);
        let rows: Vec<Value> = self
            .truth
            .activities
            .iter()
            .filter(|one| {
                origin.is_none_or(|origin| one.origin_id == origin)
                    && originator.is_none_or(|originator| one.originator_id == originator)
            })
            .map(row)
            .collect();
        Ok(json!({ "total": rows.len(), "result": rows }))
    }

    pub(super) fn activity(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let id = Params::of(given, &["id"])?.number("id")?;
        let found = self.truth.activities.iter().find(|one| Some(one.id as i64) == id);
        let activity = found.ok_or_else(|| Refusal::nameless("Activity is not found"))?;
        let files: Vec<Value> = activity
            .files
            .iter()
            .map(|file| json!({ "id": file.file_id }))
            .collect();
        let mut told = row(activity);
        told["FILES"] = json!(files);
        Ok(told)
    }

    fn files(&mut self, given: Option<&Value>) -> Result<Vec<Record>, Refusal> {
        let Some(given) = given else { return Ok(Vec::new()) };
        let wrong = || Refusal::new(400, "SIM_WRONG_TYPE", "FILES must be [{fileData: [name, base64]}]");
        let mut files = Vec::new();
        for one in given.as_array().ok_or_else(wrong)? {
            let data = one.get("fileData").and_then(Value::as_array).ok_or_else(wrong)?;
            let [Value::String(name), Value::String(content)] = data.as_slice() else {
                return Err(wrong());
            };
            let content = STANDARD.decode(content).map_err(|_| wrong())?;
            let id = self.id();
            files.push(self.record(name, &content, id, self.config.keep_audio));
        }
        Ok(files)
    }
}

fn row(one: &Activity) -> Value {
    json!({ "ID": one.id.to_string(), "ORIGIN_ID": one.origin_id, "ORIGINATOR_ID": one.originator_id })
}
