//! What somebody may type into the configuration.

use crate::rig;
use crate::world::*;

/// A mistake, its line, its setting, and words of what would be right.
const MISTAKES: [(&str, usize, &str, &str); 14] = [
    (
        "[pbx]\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        1,
        "pbx.url",
        "must be given",
    ),
    (
        "[pbx]\nurl = \"pbx.example.com\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        2,
        "pbx.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://u:p@pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        2,
        "pbx.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nsecret_file = \"s\"\n",
        1,
        "pbx.client_id",
        "must be given",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\n",
        1,
        "pbx.secret_file",
        "a file that holds the secret",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\npoll = \"soon\"\n",
        5,
        "pbx.poll",
        "write it like \"30s\"",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\nbackfil = \"3d\"\n",
        5,
        "",
        "unknown field `backfil`",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = 900\nsecret_file = \"s\"\n",
        3,
        "",
        "invalid type: integer",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\nsecret_file = \"s\"\n",
        3,
        "",
        "string",
    ),
    (
        "log = \"loud\"\n[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        1,
        "log",
        "use error, warn, info, debug or trace",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[spool]\nmax_bytes = \"much\"\n",
        6,
        "spool.max_bytes",
        "write it like \"512 MiB\"",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[[target]]\nname = \"My CRM\"\nurl = \"https://crm\"\nsecret_file = \"s\"\n",
        6,
        "target.0.name",
        "1 to 32 of a-z, 0-9 and -",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[[target]]\nname = \"crm\"\nurl = \"ftp://crm\"\nsecret_file = \"s\"\n",
        7,
        "target.0.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[web]\nlisten = [\"8443\"]\n",
        6,
        "web.listen",
        "write \"127.0.0.1:8443\"",
    ),
];

#[test]
fn a_mistake_in_the_configuration_is_refused_with_line_setting_and_what_would_be_right() {
    let folder = rig::Folder::new("mistakes");
    let file = folder.0.join("callspool.toml");
    for (text, line, key, words) in MISTAKES {
        std::fs::write(&file, text).unwrap();
        let run = std::process::Command::new(rig::binary())
            .arg("run")
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{text}\n{said}");
        let place = format!("{}:{line}: ", file.display());
        let place = if key.is_empty() {
            place
        } else {
            format!("{place}{key}: ")
        };
        assert!(
            said.contains(&place) && said.contains(words),
            "{text}\nwanted {place}…{words}\n{said}"
        );
        assert!(run.stdout.is_empty());
    }
    let absent = std::process::Command::new(rig::binary())
        .args(["run", "--config", "/nowhere/callspool.toml"])
        .output();
    let absent = absent.unwrap();
    assert_eq!(absent.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("/nowhere/callspool.toml: can't be read"));
}

#[test]
fn a_secret_file_that_everyone_may_read_is_refused_without_showing_the_secret() {
    let (pbx, crm) = (pbx_at(1.0, quiet()), crm());
    for name in ["pbx.secret", "crm.secret"] {
        let setup = Setup::new("open", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
        let file = setup.folder.0.join(name);
        let secret = std::fs::read_to_string(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o604)).unwrap();
        let run = callspool(&setup, &["run"]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(
            said.contains(name) && said.contains("can be read by everyone (mode 604); set it to 600"),
            "{said}"
        );
        assert!(!said.contains(&secret) && run.stdout.is_empty());
        std::fs::remove_file(&file).unwrap();
        let run = callspool(&setup, &["run"]);
        assert_eq!(run.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&run.stderr).contains("can't be read"));
    }
}
