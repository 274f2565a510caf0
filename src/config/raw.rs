//! The configuration as it is typed: every setting optional, unknown ones refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub name: Option<String>,
    pub state_dir: Option<PathBuf>,
    pub log: Option<String>,
    pub pbx: Option<RawPbx>,
    pub cdr: Option<RawCdr>,
    pub spool: Option<RawSpool>,
    pub keep: Option<RawKeep>,
    #[serde(default)]
    pub target: Vec<RawTarget>,
    pub mqtt: Option<RawMqtt>,
    pub web: Option<RawWeb>,
    pub network: Option<RawNetwork>,
    pub rights: Option<RawRights>,
    pub update: Option<super::update::RawUpdate>,
    #[serde(default)]
    pub crm_role: Vec<RawCrmRole>,
    pub numbers: Option<RawNumbers>,
    #[serde(default)]
    pub rule: Vec<RawRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPbx {
    pub url: Option<String>,
    pub client_id: Option<String>,
    pub secret_file: Option<PathBuf>,
    pub generation: Option<String>,
    pub time_zone: Option<String>,
    pub call_log_ranges: Option<Vec<String>>,
    pub group_editor: Option<bool>,
    pub trust: Option<String>,
    pub backfill: Option<String>,
    pub poll: Option<String>,
    pub sweep: Option<String>,
    pub overlap: Option<String>,
    pub settle: Option<String>,
    pub late_recordings: Option<String>,
    pub rights_every: Option<String>,
    pub live: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCdr {
    pub listen: Option<String>,
    pub allow: Option<Vec<String>>,
    pub connect: Option<String>,
    pub fields: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpool {
    pub max_bytes: Option<String>,
    pub min_free: Option<String>,
    pub min_free_inodes: Option<u64>,
    pub keep: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeep {
    pub calls: Option<String>,
    pub events: Option<String>,
}

/// The settings of all kinds of targets in one; which of them a kind has is decided when it is resolved.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub audio: Option<bool>,
    pub history: Option<bool>,
    // whatever is reached over HTTP
    pub url: Option<String>,
    pub secret_file: Option<PathBuf>,
    pub timeout: Option<String>,
    pub trust: Option<String>,
    // webhook
    pub erases: Option<bool>,
    // bitrix24
    pub webhook_file: Option<PathBuf>,
    pub client_id: Option<String>,
    pub client_secret_file: Option<PathBuf>,
    pub refresh_token_file: Option<PathBuf>,
    pub oauth_url: Option<String>,
    pub default_user: Option<u64>,
    pub employees: Option<BTreeMap<String, u64>>,
    pub line: Option<String>,
    pub crm_create: Option<bool>,
    pub internal: Option<bool>,
    pub unknown_number: Option<String>,
    pub task_for: Option<u64>,
    pub rate: Option<u64>,
    pub burst: Option<u64>,
    // hubspot, pipedrive, espocrm
    pub default_owner: Option<String>,
    pub owners: Option<BTreeMap<String, String>>,
    pub link_recordings: Option<bool>,
    // webhook, hubspot
    pub recording: Option<String>,
    pub link_from: Option<String>,
    pub link_for: Option<String>,
    pub link_base: Option<String>,
    // archives
    pub key: Option<String>,
    pub call_key: Option<String>,
    // s3
    pub bucket: Option<String>,
    pub region: Option<String>,
    pub style: Option<String>,
    pub storage_class: Option<String>,
    pub lock: Option<String>,
    pub lock_for: Option<String>,
    pub legal_hold: Option<bool>,
    pub multipart_above: Option<String>,
    pub part_size: Option<String>,
    pub uploads_at_once: Option<u64>,
    // folder
    pub path: Option<PathBuf>,
    pub mount: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMqtt {
    pub url: Option<String>,
    pub trust: Option<String>,
    pub client_cert_file: Option<PathBuf>,
    pub client_key_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub topic: Option<String>,
    pub keep_alive: Option<String>,
    pub commands: Option<String>,
    pub home_assistant: Option<bool>,
    pub home_assistant_topic: Option<String>,
    pub call_parties: Option<bool>,
    pub events_keep: Option<String>,
    pub events_max: Option<String>,
    pub prove: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    pub listen: Option<Vec<String>>,
    pub names: Option<Vec<String>>,
    pub scrape_token_file: Option<PathBuf>,
    pub session_idle: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    pub helper: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRights {
    pub max_age: Option<String>,
    pub audit_keep: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCrmRole {
    pub target: Option<String>,
    pub name: Option<String>,
    pub call_statistics: Option<String>,
    pub call_recording: Option<String>,
    pub outbound_call: Option<String>,
    pub user_settings: Option<String>,
    pub telephony_settings: Option<String>,
    pub manage_numbers: Option<String>,
    pub members: Option<Vec<String>>,
    pub recorded_calls_folder: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNumbers {
    pub country: Option<String>,
    pub trunk: Option<String>,
    pub international: Option<Words>,
    pub area: Option<String>,
    pub time_zone: Option<String>,
}

/// One word or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Many(Vec<String>),
}

/// Yes, no, or a list of targets.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Choice {
    Flag(bool),
    These(Words),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub name: Option<String>,
    // when
    pub direction: Option<Words>,
    pub internal: Option<bool>,
    pub outcome: Option<Words>,
    pub department: Option<Words>,
    pub extension: Option<Words>,
    pub queue: Option<Words>,
    pub did: Option<Words>,
    pub number: Option<Words>,
    pub min_duration: Option<String>,
    pub max_duration: Option<String>,
    pub weekdays: Option<Words>,
    pub hours: Option<String>,
    // then
    pub exclude: Option<bool>,
    pub deliver: Option<Words>,
    pub audio: Option<Choice>,
    pub transcript: Option<Choice>,
    pub delay: Option<String>,
    pub retain: Option<String>,
    pub notify: Option<Words>,
    pub call_back: Option<String>,
    pub call_back_to: Option<Words>,
    pub stop: Option<bool>,
}
