//! What Home Assistant is told of a box: one retained payload for the device with all its entities.
//!
//! Source: Home Assistant's documentation of the MQTT integration, "Device discovery payload" (since 2024.11), with its
//! abbreviations: `cmps` components, `p` platform, `stat_t` state topic, `val_tpl` value template, `avty_t` availability
//! topic, `ent_cat` entity category, `cmd_tpl` command template.

use serde_json::{Map, Value, json};

use crate::config::Commands;
use crate::contract::{self, command_kind};

/// Who the box is, and what it takes.
pub(super) struct About<'a> {
    /// The box's id.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// Version of callspool.
    pub version: &'a str,
    /// The processor.
    pub arch: &'a str,
    /// First level of the box's own topics.
    pub topic: &'a str,
    /// Its targets' names.
    pub targets: &'a [String],
    /// Which commands it takes.
    pub commands: Commands,
    /// What its commands can do: a button without a command behind it is not offered.
    pub can: &'a [&'static str],
}

/// The topic of the box's discovery payload.
pub(super) fn topic(prefix: &str, id: &str) -> String {
    format!("{prefix}/device/{id}/config")
}

/// The payload.
pub(super) fn payload(about: &About) -> Value {
    let base = contract::topic(about.topic, about.id, "");
    let mut entities = Entities {
        id: about.id,
        base: &base,
        made: Map::new(),
    };
    sensors(&mut entities);
    for (n, target) in about.targets.iter().enumerate() {
        let name = target.replace(['\'', '\\'], "");
        let own = format!("value_json.targets | selectattr('name', 'eq', '{name}') | first | default({{}})");
        let up = format!("{{{{ 'ON' if ({own}).state | default('') == 'up' else 'OFF' }}}}");
        let waiting = format!("{{{{ ({own}).waiting | default(0) }}}}");
        entities.add(
            &format!("target_{n}"),
            &format!("Target {target}"),
            json!({ "p": "binary_sensor", "dev_cla": "connectivity", "val_tpl": up }),
        );
        entities.add(
            &format!("target_{n}_waiting"),
            &format!("Target {target} waiting"),
            json!({ "p": "sensor", "stat_cla": "measurement", "val_tpl": waiting }),
        );
    }
    entities.add(
        "call",
        "Call",
        json!({
            "p": "event", "stat_t": "~/event/call", "ic": "mdi:phone-log",
            "evt_typ": ["answered", "missed", "unanswered", "unknown"],
        }),
    );
    for (command, name, icon) in [
        ("sync", "Sync now", "mdi:sync"),
        ("retry", "Retry held", "mdi:reload"),
        ("restart", "Restart", "mdi:restart"),
        ("doctor", "Run the doctor", "mdi:stethoscope"),
        ("bundle", "Make a support bundle", "mdi:package-down"),
    ] {
        let taken = command_kind(command).is_some_and(|kind| match about.commands {
            Commands::All => true,
            Commands::Read => !kind.changes,
            Commands::Off => false,
        });
        if taken && about.can.contains(&command) {
            entities.add(
                command,
                name,
                json!({ "p": "button", "cmd_t": format!("~/cmd/{command}"), "cmd_tpl": PRESSED, "qos": 1, "ic": icon, "ent_cat": "config" }),
            );
        }
    }
    if about.commands == Commands::All && about.can.contains(&"update") {
        // Home Assistant has no template for what it sends here, so a request can't have an id: the box makes one.
        let entity = &mut entities.made["update"];
        entity["cmd_t"] = format!("{base}cmd/update").into();
        entity["pl_inst"] = "{}".into();
    }
    json!({
        "dev": {
            "ids": [format!("callspool_{}", about.id)],
            "name": about.name,
            "mf": "callspool",
            "mdl": "callspool",
            "hw": about.arch,
            "sw": about.version,
            "sn": about.id,
        },
        "o": { "name": "callspool", "sw": about.version },
        "avty_t": format!("{base}status"),
        "pl_avail": contract::Presence::Online.word(),
        "pl_not_avail": contract::Presence::Offline.word(),
        "stat_t": format!("{base}state"),
        "qos": 1,
        "cmps": entities.made,
    })
}

/// Each press is a request of its own, and is good for five minutes: a bridge may hold it back while the box is away.
const PRESSED: &str = r#"{"req":"ha-{{ (now().timestamp() * 1000) | int }}","exp":"{{ (utcnow() + timedelta(minutes=5)).isoformat() }}"}"#;

/// Home Assistant takes no other fields in an update's state than its own (2025.4, tried), and `update` has a `v`.
const VERSIONS: &str = "{{ {'installed_version': value_json.installed_version, \
    'latest_version': value_json.latest_version, 'in_progress': value_json.in_progress, \
    'release_summary': value_json.release_summary | default('')} | tojson }}";

struct Entities<'a> {
    id: &'a str,
    /// The box's own topic with a slash at its end; topics are written as `~/…` below it.
    base: &'a str,
    made: Map<String, Value>,
}

impl Entities<'_> {
    fn add(&mut self, key: &str, name: &str, mut entity: Value) {
        // In a device's payload Home Assistant knows no `~` for all (2025.4, tried).
        for value in entity.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(leaf) = value.as_str().and_then(|text| text.strip_prefix("~/")) {
                *value = format!("{}{leaf}", self.base).into();
            }
        }
        entity["uniq_id"] = format!("callspool_{}_{key}", self.id).into();
        entity["name"] = name.into();
        self.made.insert(key.to_owned(), entity);
    }

    /// A figure: key, name, template's expression, unit, device class, whether it is about the machine.
    fn figure(&mut self, key: &str, name: &str, value: &str, unit: &str, class: &str, diagnostic: bool) {
        let mut entity = json!({ "p": "sensor", "val_tpl": format!("{{{{ {value} }}}}") });
        if class != "timestamp" {
            entity["stat_cla"] = "measurement".into();
        }
        for (field, value) in [("unit_of_meas", unit), ("dev_cla", class)] {
            if !value.is_empty() {
                entity[field] = value.into();
            }
        }
        if diagnostic {
            entity["ent_cat"] = "diagnostic".into();
        }
        self.add(key, name, entity);
    }
}

fn sensors(entities: &mut Entities) {
    // It shows the link itself, so it is available also while the box is not.
    entities.add(
        "link",
        "Link",
        json!({
            "p": "binary_sensor", "dev_cla": "connectivity", "stat_t": "~/status", "pl_on": "online", "pl_off": "offline",
            "avty_t": "~/birth", "avty_tpl": "online", "ent_cat": "diagnostic",
        }),
    );
    entities.add(
        "pbx",
        "PBX",
        json!({ "p": "binary_sensor", "dev_cla": "connectivity", "val_tpl": "{{ 'ON' if value_json.pbx.reach else 'OFF' }}" }),
    );
    entities.add(
        "problem",
        "Problem",
        json!({
            "p": "binary_sensor", "dev_cla": "problem", "val_tpl": "{{ 'OFF' if value_json.overall == 'ok' else 'ON' }}",
            "json_attr_t": "~/state", "json_attr_tpl": "{{ {'codes': value_json.health} | tojson }}",
        }),
    );
    entities.add(
        "clock",
        "Clock unsynchronised",
        json!({
            "p": "binary_sensor", "dev_cla": "problem", "ent_cat": "diagnostic",
            "val_tpl": "{{ 'ON' if value_json.synced == false else 'OFF' }}",
        }),
    );
    entities.add(
        "update",
        "Agent",
        json!({
            "p": "update", "stat_t": "~/update", "dev_cla": "firmware", "ent_cat": "diagnostic", "val_tpl": VERSIONS,
        }),
    );
    entities.figure("queue", "Deliveries waiting", "value_json.queue.rows", "", "", false);
    entities.figure(
        "oldest",
        "Oldest delivery",
        "value_json.queue.oldest_s",
        "s",
        "duration",
        false,
    );
    entities.figure("held", "Deliveries held", "value_json.queue.held", "", "", false);
    entities.figure(
        "recordings",
        "Recordings waiting",
        "value_json.rec.waiting",
        "",
        "",
        false,
    );
    entities.figure(
        "undelivered",
        "Recordings not delivered",
        "value_json.rec.undelivered",
        "",
        "",
        false,
    );
    entities.figure("calls", "Calls in 24 hours", "value_json.calls.day", "", "", false);
    entities.figure("disk", "Disk free", "value_json.disk.free_mb", "MiB", "data_size", true);
    entities.figure(
        "temperature",
        "Temperature",
        "value_json.temp_c",
        "°C",
        "temperature",
        true,
    );
    entities.figure(
        "pbx_clock",
        "PBX clock ahead",
        "value_json.pbx.ahead_ms",
        "ms",
        "duration",
        true,
    );
    entities.figure("rights", "Rights age", "value_json.rights_age_s", "s", "duration", true);
    let first =
        "(value_json.certificates | map(attribute='until') | sort | first) if value_json.certificates else none";
    entities.figure("certificate", "Certificate expires", first, "", "timestamp", true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(commands: Commands, can: &'static [&'static str]) -> Value {
        payload(&About {
            id: "7f3a",
            name: "Box Lyon",
            version: "1.4.0",
            arch: "aarch64",
            topic: "callspool",
            targets: &["crm".to_owned(), "o'nas".to_owned()],
            commands,
            can,
        })
    }

    /// What Home Assistant's documentation demands of a device payload and of each platform's component.
    #[test]
    fn the_payload_has_what_home_assistant_documents() {
        let all = &["sync", "retry", "restart", "doctor"];
        let made = about(Commands::All, all);
        let known = [
            "dev",
            "o",
            "cmps",
            "avty_t",
            "pl_avail",
            "pl_not_avail",
            "stat_t",
            "cmd_t",
            "qos",
            "e",
        ];
        for key in made.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{key}");
        }
        assert!(!made.to_string().contains("\"~"), "no topic is abbreviated");
        assert!(made["dev"]["ids"].is_array() && made["o"]["name"].is_string());
        let entities = made["cmps"].as_object().unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (key, entity) in entities {
            assert!(ids.insert(entity["uniq_id"].as_str().unwrap()), "{key}");
            let has = |field: &str| entity[field].is_string() || entity[field].is_array();
            match entity["p"].as_str().unwrap() {
                // The state topic is the device's unless they have their own.
                "sensor" | "binary_sensor" => assert!(has("val_tpl") || has("stat_t"), "{key}"),
                "button" => assert!(has("cmd_t"), "{key}"),
                "event" => assert!(has("stat_t") && has("evt_typ"), "{key}"),
                "update" => assert!(has("stat_t"), "{key}"),
                other => panic!("{other}"),
            }
            assert!(entity["ent_cat"] != "config" || entity["p"] == "button", "{key}");
        }
        for key in [
            "link",
            "pbx",
            "target_0",
            "queue",
            "oldest",
            "recordings",
            "disk",
            "temperature",
            "clock",
            "certificate",
            "rights",
            "update",
            "call",
        ] {
            assert!(entities.contains_key(key), "{key}");
        }
        for command in all {
            assert_eq!(entities[*command]["p"], "button");
        }
        assert!(made.to_string().len() < 16 * 1024, "{}", made.to_string().len());
    }

    #[test]
    fn an_update_can_be_installed_only_where_the_command_would_be_taken() {
        let command = |commands, can| about(commands, can)["cmps"]["update"]["cmd_t"].clone();
        assert_eq!(command(Commands::All, &["update"]), "callspool/7f3a/cmd/update");
        assert_eq!(about(Commands::All, &["update"])["cmps"]["update"]["pl_inst"], "{}");
        assert_eq!(command(Commands::Read, &["update"]), Value::Null);
        assert_eq!(command(Commands::All, &["sync"]), Value::Null);
    }

    #[test]
    fn no_button_is_offered_that_would_be_refused_or_do_nothing() {
        let buttons = |commands, can| {
            let made = about(commands, can);
            let entities = made["cmps"].as_object().unwrap().clone();
            entities
                .into_iter()
                .filter(|(_, e)| e["p"] == "button")
                .map(|(key, _)| key)
                .collect::<Vec<_>>()
        };
        assert_eq!(buttons(Commands::All, &["sync", "doctor"]), ["doctor", "sync"]);
        assert_eq!(buttons(Commands::Read, &["sync", "doctor"]), ["doctor"]);
        assert!(buttons(Commands::Off, &["sync", "doctor"]).is_empty());
    }
}
