//! The support bundle and the log: whatever a box knows of people and secrets, none of it leaves it by them (A12, A13, B22).

use std::collections::BTreeSet;
use std::path::Path;

use callspool::store::Store;

use crate::world::*;

/// What an import or a set-up would put into files, each a canary.
const SECRETS: [(&str, &str); 4] = [
    ("hubspot.token", "pat-eu1-canary-hubspot-0f8fad5b"),
    (
        "archive.secret",
        "AKIACANARYKEYID00001\ncanary/S3/secret/key/wJalrXUtnFEMI",
    ),
    ("broker.secret", "canary-broker-password-7"),
    ("scrape.token", "canary-scrape-token-0123456789"),
];

/// A box with a secret in every place that takes one.
fn secretive(name: &str, pbx: &pbx::Handle, crm: &callspool_sim::crm::Handle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url())
        .before_all("log = \"debug\"")
        .set(QUICK)
        .target("crm", crm, &crm.hook_url())
        .set(
            "[[target]]\nname = \"hubspot\"\nkind = \"hubspot\"\nurl = \"http://127.0.0.1:9/canary-path-token\"\nsecret_file = \"hubspot.token\"\n\
             [[target]]\nname = \"archive\"\nkind = \"s3\"\nurl = \"http://127.0.0.1:9\"\nbucket = \"canary-bucket\"\nsecret_file = \"archive.secret\"\n\
             [mqtt]\nurl = \"mqtt://127.0.0.1:9\"\nuser = \"canary-broker-user\"\npassword_file = \"broker.secret\"\n\
             [[rule]]\nname = \"canary rule name\"\nnumber = [\"+442079460999\"]\ndeliver = [\"crm\"]\n",
        );
    let text = fs::read_to_string(setup.file()).unwrap();
    let text = text.replace("[web]\n", "[web]\nscrape_token_file = \"scrape.token\"\n");
    fs::write(setup.file(), text).unwrap();
    for (name, secret) in SECRETS {
        rig::rewrite_secret(&setup, name, secret);
    }
    setup
}

/// Every word of the store that is about somebody: names, numbers, what was said.
fn canaries(setup: &Setup) -> BTreeSet<String> {
    let store = Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
    let sql = "SELECT name FROM person UNION SELECT name FROM peer UNION SELECT name FROM department
               UNION SELECT from_name FROM leg UNION SELECT to_name FROM leg
               UNION SELECT from_number FROM leg WHERE length(from_number) > 5
               UNION SELECT to_number FROM leg WHERE length(to_number) > 5
               UNION SELECT transcript FROM leg UNION SELECT transcript FROM recording";
    let found: Vec<Option<String>> = store
        .read(|connection| {
            let mut asked = connection.prepare(sql)?;
            let rows = asked.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .unwrap();
    let mut all: BTreeSet<String> = found
        .into_iter()
        .flatten()
        .filter(|word| word.chars().count() > 2)
        .collect();
    for (_, secret) in SECRETS {
        all.extend(secret.lines().map(str::to_owned));
    }
    for typed in [
        "canary-broker-user",
        "canary-path-token",
        "canary-bucket",
        "canary rule name",
        "442079460999",
        "four words apart canary",
        "Anna Canary Ashdown",
        "anna.canary@example.com",
    ] {
        all.insert(typed.to_owned());
    }
    for file in ["pbx.secret", "crm.secret"] {
        all.insert(fs::read_to_string(setup.folder.0.join(file)).unwrap().trim().to_owned());
    }
    all
}

/// Unpacks a bundle with the tar of the system, and gives its files by name.
fn unpacked(file: &Path) -> Vec<(String, String)> {
    let to = file.with_extension("unpacked");
    fs::create_dir(&to).unwrap();
    let done = Command::new("tar")
        .arg("xzf")
        .arg(file)
        .arg("-C")
        .arg(&to)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", err(&done));
    let mut found: Vec<(String, String)> = rig::look::files_below(&to)
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, String::from_utf8(fs::read(&path).unwrap()).unwrap())
        })
        .collect();
    found.sort();
    fs::remove_dir_all(to).unwrap();
    found
}

fn of<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    let found = files.iter().find(|(known, _)| known == name);
    found.map_or_else(|| panic!("{name} is missing"), |(_, text)| text)
}

fn assert_silent(canaries: &BTreeSet<String>, name: &str, text: &str) {
    for canary in canaries {
        assert!(
            !text.contains(canary.as_str()),
            "{name} has the canary {canary:?}:\n{text}"
        );
    }
}

/// The schema is ours, word by word, and the same in every box.
fn assert_all_silent(canaries: &BTreeSet<String>, files: &[(String, String)]) {
    for (name, text) in files.iter().filter(|(name, _)| name != "schema.sql") {
        assert_silent(canaries, name, text);
    }
}

#[test]
fn a_bundle_tells_what_helps_and_no_secret_number_or_name_and_neither_does_the_log() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = secretive("bundle", &pbx, &crm);
    // A target whose complaints quote people.
    let complaint = "no contact Anna Canary Ashdown <anna.canary@example.com> at +44 20 7946 0999".to_owned();
    crm.fault(At::Calls, Fault::ErrorInside(complaint), Times::UntilCleared);
    for _ in 0..3 {
        pbx.place_call(CallPlan {
            transcript_delay_ms: Some(0),
            ..over(true)
        });
    }
    let mut agent = running(&setup);
    use std::io::Write;
    let mut typed = Command::new(rig::binary())
        .args(["user", "add", "101", "--config"])
        .arg(setup.file())
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    typed
        .stdin
        .take()
        .unwrap()
        .write_all(b"four words apart canary\n")
        .unwrap();
    typed.wait().unwrap();
    until("calls, people and a complaint are here", || {
        let asked = callspool(&setup, &["queue", "list", "--json"]);
        out(&asked).contains("Ashdown") && callspool(&setup, &["rights", "show"]).status.success()
    });

    let began = Instant::now();
    let file = setup.folder.0.join("b.tar.gz");
    let made = callspool(&setup, &["bundle", file.to_str().unwrap(), "--json"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(
        began.elapsed() < Duration::from_secs(40),
        "it took {:?}",
        began.elapsed()
    );
    assert!(fs::metadata(&file).unwrap().len() < 20_000_000);
    let canaries = canaries(&setup);
    assert!(canaries.len() > 40, "{canaries:?}");

    let files = unpacked(&file);
    let manifest: Value = serde_json::from_str(of(&files, "manifest.json")).unwrap();
    for listed in manifest["files"].as_array().unwrap() {
        let text = of(&files, listed["name"].as_str().unwrap());
        assert_eq!(listed["sha256"], rig::look::sha256(text.as_bytes()), "{listed}");
    }
    assert_all_silent(&canaries, &files);
    // What helps is there.
    let json = |name: &str| serde_json::from_str::<Value>(of(&files, name)).unwrap();
    let (status, doctor, store) = (json("status.json"), json("doctor.json"), json("store.json"));
    assert!(status["health"].is_array() && status["box"]["version"].is_string());
    assert!(doctor["checks"].as_array().unwrap().len() > 10, "{doctor}");
    assert_eq!(store["quick_check"][0], "ok", "{store}");
    assert!(
        store["rows"]["call"].as_i64().unwrap() >= 3 && of(&files, "schema.sql").contains("CREATE TABLE call")
    );
    assert!(
        store["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["target"] == "crm" && row["code"] != "")
    );
    assert!(json("machine.json")["memory"].is_array());
    let settings = of(&files, "configuration.json");
    assert!(settings.contains("callspool.toml:") && settings.contains("\"target.1.kind\""));
    assert!(of(&files, "log.txt").lines().count() > 3);

    // The log itself, on stderr, and by `logs`; a component and a level narrow it.
    assert_silent(&canaries, "the log", &agent.said());
    let logged = callspool(&setup, &["logs", "--json", "-n", "5000"]);
    assert_silent(&canaries, "logs", &out(&logged));
    let lines = |arguments: &[&str]| json_lines(&callspool(&setup, arguments));
    let all = lines(&["logs", "--json", "-n", "5000"]);
    assert!(
        all.iter()
            .any(|line| line["level"] == "debug" || line["level"] == "info")
    );
    let web = lines(&["logs", "--json", "--component", "web"]);
    assert!(!web.is_empty() && web.iter().all(|line| line["component"] == "web"));
    let bad = lines(&["logs", "--json", "--level", "warn"]);
    assert!(
        bad.iter()
            .all(|line| line["level"] == "warn" || line["level"] == "error")
    );
    assert_eq!(code(&callspool(&setup, &["logs", "--level", "loud"])), 2);
    // It is written down who took it.
    assert!(out(&callspool(&setup, &["audit"])).contains("support bundle"));
    assert!(agent.stop());

    // With the agent down: what only it knows is named as missing, the rest is there.
    let alone = setup.folder.0.join("alone.tar.gz");
    assert_eq!(code(&callspool(&setup, &["bundle", alone.to_str().unwrap()])), 0);
    let files = unpacked(&alone);
    assert!(of(&files, "manifest.json").contains("does not run"));
    assert!(of(&files, "store.json").contains("\"ok\"") && of(&files, "doctor.json").contains("offline"));
    assert_all_silent(&canaries, &files);
    assert_eq!(code(&callspool(&setup, &["logs"])), 3);

    // With a store that is locked, that is damaged, and with a configuration that is wrong.
    let path = setup.state_dir().join("callspool.db");
    let holder = rusqlite::Connection::open(&path).unwrap();
    holder.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE; COMMIT;").unwrap();
    let locked = setup.folder.0.join("locked.tar.gz");
    assert_eq!(code(&callspool(&setup, &["bundle", locked.to_str().unwrap()])), 0);
    let files = unpacked(&locked);
    assert!(
        of(&files, "store.json").contains("locked"),
        "{}",
        of(&files, "store.json")
    );
    assert_all_silent(&canaries, &files);
    drop(holder);

    let whole = fs::read(&path).unwrap();
    let mut broken = whole.clone();
    broken[8_192..40_000].fill(0x5a);
    fs::write(&path, broken).unwrap();
    let damaged = setup.folder.0.join("damaged.tar.gz");
    assert_eq!(code(&callspool(&setup, &["bundle", damaged.to_str().unwrap()])), 0);
    assert_all_silent(&canaries, &unpacked(&damaged));

    fs::write(setup.folder.0.join("wrong.toml"), "[pbx]\nurl = 17\n").unwrap();
    let wrong = setup.folder.0.join("wrong.tar.gz");
    let made = Command::new(rig::binary())
        .args(["bundle", wrong.to_str().unwrap(), "--config"])
        .arg(setup.folder.0.join("wrong.toml"))
        .output()
        .unwrap();
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(of(&unpacked(&wrong), "manifest.json").contains("wrong.toml:2"));
}

fn json_lines(output: &Output) -> Vec<Value> {
    json(output)["lines"].as_array().unwrap().clone()
}
