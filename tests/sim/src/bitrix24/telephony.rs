//! Calls: registered, finished, listed, with recording and transcript.

use serde_json::{Map, Value, json};

use super::gate::Door;
use super::params::Params;
use super::portal::{Call, Portal, Upload, secret};
use super::refusal::Refusal;
use crate::crm::sign::hex;

/// A second registration with the same technical fields finds the first one within this time, ms.
const AGAIN_MS: i64 = 30 * 60_000;

const STATUS_CODES: [&str; 13] = [
    "200", "304", "402", "403", "404", "423", "480", "484", "486", "503", "603", "603-S", "OTHER",
];

impl Portal {
    pub(super) fn register(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(
            given,
            &[
                "USER_ID",
                "USER_PHONE_INNER",
                "PHONE_NUMBER",
                "TYPE",
                "CALL_START_DATE",
                "CRM_CREATE",
                "CRM_SOURCE",
                "CRM_ENTITY_TYPE",
                "CRM_ENTITY_ID",
                "SHOW",
                "ADD_TO_CHAT",
                "LINE_NUMBER",
                "EXTERNAL_CALL_ID",
                "CALL_LIST_ID",
            ],
        )?;
        let (user, inner) = (params.number("USER_ID")?, params.text("USER_PHONE_INNER")?);
        if user.is_none() && inner.is_none() {
            return Err(Refusal::core("USER_ID or USER_PHONE_INNER should be set"));
        }
        let kind = params.number("TYPE")?.filter(|kind| (1..=5).contains(kind));
        let kind = kind.ok_or_else(|| Refusal::core("Unknown TYPE"))?;
        let number = params.text("PHONE_NUMBER")?.unwrap_or_default();
        if !number.chars().any(|c| c.is_ascii_digit()) || number.chars().any(char::is_alphabetic) {
            return Err(Refusal::core("Unsupported phone number format"));
        }
        let started = params.text("CALL_START_DATE")?.unwrap_or_default();
        if !started.is_empty() && !is_iso_with_zone(started) {
            return Err(Refusal::core("CALL_START_DATE should be in the ISO-8601 format"));
        }
        let user = self
            .employee(user, inner)
            .ok_or_else(|| Refusal::core("User is not found or is not active"))?;
        self.user_may(user)?;
        let line = params.text("LINE_NUMBER")?.unwrap_or_default();
        let external = params.text("EXTERNAL_CALL_ID")?.unwrap_or_default();
        let now_ms = self.now_ms();
        let same = |call: &&Call| {
            now_ms - call.registered_ms < AGAIN_MS
                && (call.number.as_str(), call.kind, call.user) == (number, kind, user)
                && (line.is_empty() || call.line == line)
                && (external.is_empty() || call.external_id == external)
        };
        // Finished ones too: the worst reading of "may return the existing CALL_ID". UNVERIFIED.
        let known = self.truth.open.values().chain(&self.truth.calls).find(same).cloned();
        let mut lead = Value::Null;
        let call = match known {
            Some(call) => call,
            None => {
                let entity = self.truth.leads.get(number).map(|id| ("LEAD".to_owned(), *id));
                let entity = match entity {
                    None if params.flag("CRM_CREATE", false)? => {
                        let id = self.id();
                        self.truth.leads.insert(number.to_owned(), id);
                        lead = json!(id);
                        Some(("LEAD".to_owned(), id))
                    }
                    other => other,
                };
                let call = Call {
                    call_id: format!("externalCall.{}.{}", secret(), now_ms / 1_000),
                    external_id: external.to_owned(),
                    number: number.to_owned(),
                    kind,
                    user,
                    line: line.to_owned(),
                    started: started.to_owned(),
                    shown: params.flag("SHOW", true)?,
                    chatted: params.flag("ADD_TO_CHAT", true)?,
                    registered_ms: now_ms,
                    entity,
                    ..Call::default()
                };
                self.truth.open.insert(call.call_id.clone(), call.clone());
                call
            }
        };
        let (kind, id) = call.entity.clone().unzip();
        Ok(json!({
            "CALL_ID": call.call_id,
            "CRM_CREATED_LEAD": lead,
            "CRM_CREATED_ENTITIES": [],
            "CRM_ENTITY_TYPE": kind,
            "CRM_ENTITY_ID": id,
        }))
    }

    pub(super) fn finish(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(
            given,
            &[
                "CALL_ID",
                "USER_ID",
                "USER_PHONE_INNER",
                "DURATION",
                "COST",
                "COST_CURRENCY",
                "STATUS_CODE",
                "FAILED_REASON",
                "RECORD_URL",
                "VOTE",
                "ADD_TO_CHAT",
            ],
        )?;
        let Ok(Some(call_id)) = params.text("CALL_ID") else {
            return Err(Refusal::new(400, "INVALID_ARGUMENT", "CALL_ID must be a string"));
        };
        let (user, inner) = (params.number("USER_ID")?, params.text("USER_PHONE_INNER")?);
        let duration = params.number("DURATION")?.unwrap_or(0);
        let status = match params.text("STATUS_CODE")? {
            Some(code) => code.to_owned(),
            None => if duration > 0 { "200" } else { "304" }.to_owned(),
        };
        if !STATUS_CODES.contains(&status.as_str()) {
            return Err(Refusal::new(
                400,
                "SIM_WRONG_TYPE",
                format!("STATUS_CODE {status} is none"),
            ));
        }
        let chatted = params.flag("ADD_TO_CHAT", true)?;
        if !self.truth.open.contains_key(call_id) {
            // Also when it is finished already. The code is empty in a field report.
            let text = "Call is not found (call should be registered prior to finishing)";
            return Err(Refusal::nameless(text));
        }
        let user = self
            .employee(user, inner)
            .ok_or_else(|| Refusal::core("User is not found or is not active"))?;
        self.user_may(user)?;
        let mut call = self.truth.open.remove(call_id).unwrap_or_default();
        call.user = user;
        call.duration = duration;
        call.status = status;
        call.chatted |= chatted;
        call.id = Some(self.id());
        call.activity = self.id();
        let told = json!({
            "ID": call.id,
            "CALL_ID": call.call_id,
            "EXTERNAL_CALL_ID": call.external_id,
            "PORTAL_USER_ID": call.user,
            "PHONE_NUMBER": call.number,
            "INCOMING": call.kind.to_string(),
            "CALL_DURATION": call.duration,
            "CALL_START_DATE": {},
            "CALL_STATUS": i32::from(call.status == "200"),
            "CALL_FAILED_CODE": call.status,
            "CRM_ACTIVITY_ID": call.activity,
        });
        self.truth.calls.push(call);
        Ok(told)
    }

    pub(super) fn attach_record(
        &mut self,
        given: &Map<String, Value>,
        door: Door,
        host: &str,
    ) -> Result<Value, Refusal> {
        let params = Params::of(given, &["CALL_ID", "FILENAME", "FILE_CONTENT", "RECORD_URL"])?;
        let call_id = params.text("CALL_ID")?.unwrap_or_default();
        let Some(name) = params.text("FILENAME")? else {
            return Err(Refusal::nameless(
                "Required parameters are not set. Request should contain either URL or FILENAME parameter",
            ));
        };
        if name.is_empty() {
            return Err(Refusal::core("File name is empty"));
        }
        if !name.ends_with(".wav") && !name.ends_with(".mp3") {
            return Err(Refusal::core("Wrong file extension. Only wav and mp3 are allowed"));
        }
        if params.get("FILE_CONTENT").is_some() || params.get("RECORD_URL").is_some() {
            return Err(Refusal::new(
                501,
                "SIM_NOT_BUILT",
                "only the upload address is simulated",
            ));
        }
        if self.finished(call_id).is_none() {
            // UNVERIFIED: that it is looked up before the upload and not only after.
            return Err(Refusal::nameless(
                "Call is not found in the statistic table. It looks like it is not finished yet.",
            ));
        }
        let token = format!("telephony|{}|{}", hex(call_id.as_bytes()), secret());
        let until_ms = self.now_ms() + self.config.upload_life_s * 1_000;
        let (call_id, name) = (call_id.to_owned(), name.to_owned());
        self.uploads.insert(
            token.clone(),
            Upload {
                call_id,
                name,
                until_ms,
            },
        );
        // UNVERIFIED: what stands in the place of `auth` for a webhook.
        let auth = match door {
            Door::Application => "application",
            Door::Webhook => "webhook",
        };
        Ok(json!({
            "uploadUrl": format!("http://{host}/rest/upload.json?auth={auth}&token={}", token.replace('|', "%7C")),
            "fieldName": "file",
        }))
    }

    pub(super) fn attach_transcription(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["CALL_ID", "COST", "COST_CURRENCY", "MESSAGES"])?;
        let call_id = params.text("CALL_ID")?.unwrap_or_default();
        let Some(Value::Array(messages)) = params.get("MESSAGES") else {
            return Err(Refusal::core("MESSAGES should be an array"));
        };
        let mut text = String::new();
        for message in messages {
            let Value::Object(message) = message else {
                return Err(Refusal::core("MESSAGES should be an array of objects"));
            };
            let one = Params::of(message, &["SIDE", "START_TIME", "STOP_TIME", "MESSAGE"])?;
            let side = one.text("SIDE")?.unwrap_or_default();
            let (start, stop) = (one.number("START_TIME")?, one.number("STOP_TIME")?);
            if !["User", "Client"].contains(&side) || start.is_none_or(|s| s < 0) || stop.is_none_or(|s| s < 1) {
                return Err(Refusal::core("MESSAGES has a wrong entry"));
            }
            text += one.text("MESSAGE")?.unwrap_or_default();
        }
        let id = self.id();
        let Some(call) = self.finished(call_id) else {
            return Err(Refusal::core(format!("Call {call_id} is not found. Is it finished?")));
        };
        call.transcribed += 1;
        call.transcript = Some((id, text));
        Ok(json!({ "TRANSCRIPT_ID": id }))
    }

    pub(super) fn statistic(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["FILTER", "SORT", "ORDER", "start"])?;
        let filter = params.object("FILTER")?;
        let known = Params::of(filter, &["CALL_ID", "EXTERNAL_CALL_ID"])?;
        let (call_id, external) = (known.text("CALL_ID")?, known.text("EXTERNAL_CALL_ID")?);
        let rows: Vec<Value> = self
            .truth
            .calls
            .iter()
            .filter(|call| {
                call_id.is_none_or(|id| call.call_id == id) && external.is_none_or(|id| call.external_id == id)
            })
            .map(|call| {
                json!({
                    "ID": call.id.unwrap_or(0).to_string(),
                    "PORTAL_USER_ID": call.user.to_string(),
                    "PHONE_NUMBER": call.number,
                    "CALL_ID": call.call_id,
                    "EXTERNAL_CALL_ID": call.external_id,
                    "CALL_CATEGORY": "external",
                    "CALL_DURATION": call.duration.to_string(),
                    "CALL_START_DATE": call.started,
                    "CALL_FAILED_CODE": call.status,
                    "CALL_TYPE": call.kind.to_string(),
                    "CRM_ACTIVITY_ID": call.activity.to_string(),
                    "TRANSCRIPT_ID": call.transcript.as_ref().map(|(id, _)| id.to_string()),
                    "TRANSCRIPT_PENDING": "N",
                    "RECORD_DURATION": null,
                    "RECORD_FILE_ID": call.record.as_ref().map(|record| record.file_id),
                })
            })
            .collect();
        Ok(json!({ "total": rows.len(), "result": rows }))
    }

    pub(super) fn users(&mut self, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let params = Params::of(given, &["sort", "order", "FILTER", "ADMIN_MODE", "start"])?;
        let start = params.number("start")?.unwrap_or(0).max(0) as usize;
        if let Some(filter) = params.get("FILTER").and_then(Value::as_object) {
            Params::of(filter, &["ACTIVE", "USER_TYPE", "UF_PHONE_INNER"])?;
        }
        let all: Vec<Value> = self
            .config
            .employees
            .iter()
            .filter(|one| one.active)
            .map(|one| json!({ "ID": one.id.to_string(), "ACTIVE": true, "UF_PHONE_INNER": one.inner }))
            .collect();
        let page: Vec<Value> = all.iter().skip(start).take(50).cloned().collect();
        let mut told = json!({ "result": page, "total": all.len() });
        if start + 50 < all.len() {
            told["next"] = json!(start + 50);
        }
        Ok(told)
    }

    /// Telephony's roles are per person (S3-9). UNVERIFIED: with which code `register` says so.
    fn user_may(&self, user: u64) -> Result<(), Refusal> {
        if self.config.refused_users.contains(&user) {
            return Err(Refusal::new(403, "ACCESS_DENIED", "Access denied!"));
        }
        Ok(())
    }
}

/// `2026-03-07T10:20:30+03:00`, or with `Z`.
fn is_iso_with_zone(text: &str) -> bool {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(text, format).is_ok()
}
