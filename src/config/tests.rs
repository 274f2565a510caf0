use super::*;

const GOOD: &str = r#"
name = "Plant room 2"
[pbx]
url = "https://pbx.example.com:5001/"
client_id = "callspool"
secret_file = "pbx.secret"
poll = "2s"
[[target]]
name = "crm"
url = "https://crm.example.com/hook"
secret_file = "/etc/callspool/crm.secret"
"#;

fn problems(text: &str) -> Vec<String> {
    parse(text, Path::new("c.toml"))
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_good_file_is_resolved_and_every_value_knows_its_origin() {
    let config = parse(GOOD, Path::new("/etc/callspool/c.toml")).unwrap();
    assert_eq!(config.pbx.url, "https://pbx.example.com:5001");
    assert_eq!(config.pbx.secret_file, Path::new("/etc/callspool/pbx.secret"));
    assert_eq!(config.pbx.trust, Trust::Pin);
    let origin = |key: &str| {
        config
            .entries
            .iter()
            .find(|entry| entry.key == key)
            .unwrap()
            .origin
            .clone()
    };
    assert_eq!(origin("pbx.poll"), "/etc/callspool/c.toml:7");
    assert_eq!(origin("target.0.url"), "/etc/callspool/c.toml:10");
    assert_eq!(origin("pbx.sweep"), "default");
}

#[test]
fn each_mistake_is_told_with_file_line_key_and_what_would_be_right() {
    let bad = GOOD
        .replace("\"2s\"", "\"2 moments\"")
        .replace("https://crm", "ftp://crm")
        .replace("\"crm\"", "\"C R M\"");
    let told = problems(&bad);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("c.toml:7: pbx.poll: \"2 moments\" is no span of time; write it like"),
        "{told:?}"
    );
    assert!(told[1].starts_with("c.toml:9: target.0.name: use"), "{told:?}");
    assert!(told[2].starts_with("c.toml:10: target.0.url:"), "{told:?}");
}

#[test]
fn an_unknown_setting_is_refused_at_its_line_with_the_known_ones() {
    let told = problems(&GOOD.replace("poll =", "pol ="));
    assert!(
        told[0].starts_with("c.toml:7: unknown field `pol`, expected one of"),
        "{told:?}"
    );
    assert!(told[0].contains("`poll`"));
}

#[test]
fn a_kind_that_is_not_known_is_refused_with_the_known_ones() {
    let told = problems(&GOOD.replace("name = \"crm\"", "name = \"crm\"\nkind = \"fax\""));
    assert!(
        told[0].contains("target.0.kind: \"fax\" is not known; this version knows \"webhook\", \"s3\""),
        "{told:?}"
    );
}

#[test]
fn a_setting_of_another_kind_is_refused_at_its_line() {
    let told = problems(&format!("{GOOD}bucket = \"b\"\n"));
    assert_eq!(
        told,
        [
            "c.toml:12: target.0.bucket: a target of kind \"webhook\" has no such setting; it belongs to another kind"
        ]
    );
    let folder = "[[target]]\nname = \"nas\"\nkind = \"folder\"\npath = \"/mnt/nas\"\n";
    assert!(problems(&format!("{GOOD}{folder}")).is_empty());
    let told = problems(&format!("{GOOD}{folder}secret_file = \"x\"\nkey = \"{{call}}\"\n"));
    assert!(
        told[0].starts_with("c.toml:17: target.1.key: {recording} must be in it"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("c.toml:16: target.1.secret_file: a target of kind \"folder\" has no"),
        "{told:?}"
    );
}

#[test]
fn what_must_be_given_is_asked_for() {
    let told = problems("[pbx]\nurl = \"https://x\"\n");
    assert!(
        told.iter()
            .any(|line| line.starts_with("c.toml:1: pbx.client_id: must be given")),
        "{told:?}"
    );
    assert!(problems("a = [")[0].starts_with("c.toml:1:"));
}

#[test]
fn the_broker_is_taken_apart_and_plain_mqtt_must_be_asked_for() {
    let with = |url: &str| {
        parse(&format!("{GOOD}[mqtt]\nurl = \"{url}\""), Path::new("c.toml"))
            .unwrap()
            .mqtt
            .unwrap()
    };
    let mqtt = with("mqtts://broker.example.com");
    assert_eq!(
        (mqtt.host.as_str(), mqtt.port, mqtt.tls),
        ("broker.example.com", 8883, true)
    );
    let mqtt = with("mqtt://[::1]:1884");
    assert_eq!((mqtt.host.as_str(), mqtt.port, mqtt.tls), ("::1", 1884, false));
    assert!(problems(&format!("{GOOD}[mqtt]\nurl = \"mqtts://b\"\nuser = \"u\""))[0].contains("go together"));
}

#[test]
fn the_reference_is_a_configuration_that_can_be_loaded() {
    let text = reference();
    let config = parse(&text, Path::new("c.toml")).unwrap();
    assert_eq!(config.targets[0].name, "crm");
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| {
                    rest.starts_with("[[") || rest.split_once(" = ").is_some_and(|(k, _)| !k.contains(' '))
                })
                .unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let same = parse(&uncommented, Path::new("c.toml")).unwrap();
    assert_eq!(same.pbx.overlap, config.pbx.overlap);
    assert_eq!(
        (config.targets.len(), same.targets.len()),
        (1, 7),
        "other kinds are shown, not asked for"
    );
    assert!(
        same.entries.iter().all(|entry| entry.origin != "default"),
        "a default stands in the reference"
    );
}

#[test]
fn a_secret_that_everyone_can_read_is_refused_without_showing_it() {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::temp_dir().join(format!("callspool-secret-{}", crate::random::token::<6>()));
    std::fs::write(&path, "hunter2\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = read_secret(&path).unwrap_err();
    assert!(told.contains("600") && !told.contains("hunter2"), "{told}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(read_secret(&path).unwrap(), "hunter2");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_role_in_the_crm_is_taken_as_typed_and_its_mistakes_are_told() {
    let role = "[[crm_role]]\ntarget = \"crm\"\nname = \"Sales\"\ncall_recording = \"department\"\n\
                members = [\"department:Sales\", \"101\"]\nrecorded_calls_folder = true\n";
    let config = parse(&format!("{GOOD}{role}"), Path::new("c.toml")).unwrap();
    let typed = &config.rights.crm_roles[0];
    assert_eq!(typed.levels[1], ("call_recording", "department".to_owned()));
    assert_eq!((typed.levels[0].1.as_str(), typed.recorded_calls_folder), ("", true));
    assert_eq!(config.rights.max_age, Duration::from_secs(86_400));
    let bad = role
        .replace("\"crm\"", "\"erp\"")
        .replace("\"department\"", "\"everything\"")
        .replace("\"101\"", "\"anna\"");
    let told = problems(&format!("{GOOD}{bad}[rights]\naudit_keep = \"1h\""));
    for (n, part) in [
        "audit_keep: use 1d",
        "name of no target",
        "denied, personal, department, any",
        "\"anna\" is no member",
    ]
    .iter()
    .enumerate()
    {
        assert!(told[n].contains(part), "{told:?}");
    }
}

#[test]
fn cdr_lines_are_received_only_where_that_was_typed_and_from_nobody_by_accident() {
    let parsed = |pbx: &str, cdr: &str| {
        let api = "url = \"https://pbx\"\nclient_id = \"a\"\nsecret_file = \"b\"";
        let pbx = if pbx.is_empty() { api } else { pbx };
        let text = format!("[pbx]\n{pbx}\n[cdr]\n{cdr}\n");
        parse(&text, Path::new("c.toml")).map_err(|problems| problems[0].to_string())
    };
    assert_eq!(parsed("", "").unwrap().cdr, None, "the reference as it is");
    let trigger = parsed("", "listen = \"0.0.0.0:5015\"").unwrap().cdr.unwrap();
    assert!(!trigger.source && trigger.allow.is_empty());
    let source = parsed("generation = \"cdr\"", "connect = \"pbx:5015\"").unwrap();
    assert_eq!(source.cdr.unwrap().connect, Some(("pbx".to_owned(), 5015)));
    let wrong = [
        ("generation = \"cdr\"", "", "pbx.generation"),
        ("generation = \"cdr\"", "listen = \"0.0.0.0:5015\"", "cdr.allow"),
        ("", "listen = \"5015\"", "cdr.listen"),
        ("", "connect = \"pbx\"", "cdr.connect"),
        ("", "listen = \"0.0.0.0:5015\"\nallow = [\"pbx\"]", "cdr.allow"),
        (
            "",
            "connect = \"pbx:1\"\nfields = [\"time-start\", \"bogus\"]",
            "cdr.fields",
        ),
        ("", "connect = \"pbx:1\"\nfields = [\"callid\"]", "cdr.fields"),
    ];
    for (pbx, cdr, key) in wrong {
        let told = parsed(pbx, cdr).unwrap_err();
        assert!(told.contains(key), "{cdr}: {told}");
    }
}

#[test]
fn a_bitrix24_target_has_one_door_and_somebody_for_calls_of_nobody() {
    let door = |lines: &str| format!("{GOOD}[[target]]\nname = \"b24\"\nkind = \"bitrix24\"\n{lines}");
    let webhook = door("webhook_file = \"b24.webhook\"\nemployees = { \"800\" = 7 }\n");
    assert_eq!(problems(&webhook), Vec::<String>::new());
    let told = problems(&format!("{webhook}client_id = \"local.1\"\n"));
    assert!(
        told[0].contains("target.1.client_id: a local application and an inbound webhook exclude"),
        "{told:?}"
    );
    let told = problems(&door("url = \"https://c.bitrix24.com\"\nclient_id = \"local.1\"\n")).join(" ");
    for missing in ["default_user", "client_secret_file", "refresh_token_file"] {
        assert!(told.contains(&format!("target.1.{missing}: must be given")), "{told}");
    }
}
