//! Backup and restore, export and import: looked at whole before anything changes, and nothing is sent twice (A14).

use crate::world::*;

fn ask(setup: &Setup, verb: &[&str]) -> Output {
    callspool(setup, verb)
}

#[test]
fn a_restored_store_sends_nothing_twice_and_what_was_there_is_set_aside() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("restore", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    pbx.place_call(over(true));
    let mut agent = running(&setup);
    until("the first call is delivered", || delivered(&pbx, &crm).is_ok());
    // The backup knows a call of which the CRM was not told yet: that it was is known only later.
    crm.fault(At::Calls, Fault::Status(503), Times::UntilCleared);
    let waiting = pbx.place_call(over(true));
    until("the second waits", || {
        out(&ask(&setup, &["queue", "list", "--json"])).contains("waiting")
            || out(&ask(&setup, &["queue", "list", "--json"])).contains("unsure")
    });
    let backup = setup.folder.0.join("backup.db");
    assert_eq!(code(&ask(&setup, &["backup", backup.to_str().unwrap()])), 0);
    crm.clear_faults();
    pbx.place_call(over(true));
    until("all three are delivered", || delivered(&pbx, &crm).is_ok());

    let file = backup.to_str().unwrap();
    let refused = ask(&setup, &["restore", file, "--yes"]);
    assert_eq!(code(&refused), 4);
    assert!(err(&refused).contains("the agent runs"), "{}", err(&refused));
    let seen = json(&ask(&setup, &["restore", file, "--dry-run", "--json"]));
    assert_eq!(
        (seen["calls"].as_i64(), seen["recordings"].as_i64()),
        (Some(2), Some(2)),
        "{seen}"
    );
    assert!(seen["open"].as_i64().unwrap() >= 1, "{seen}");
    assert!(agent.stop());

    // What is no backup is refused with a sentence, and nothing is touched.
    let store = setup.state_dir().join("callspool.db");
    let before = fs::read(&store).unwrap();
    let newer = setup.folder.0.join("newer.db");
    fs::copy(&backup, &newer).unwrap();
    rusqlite::Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let damaged = setup.folder.0.join("damaged.db");
    let mut bytes = fs::read(&backup).unwrap();
    bytes[4_096..30_000].fill(0x5a);
    fs::write(&damaged, bytes).unwrap();
    let link = setup.folder.0.join("link.db");
    std::os::unix::fs::symlink(&backup, &link).unwrap();
    let text = setup.folder.0.join("text.db");
    fs::write(&text, "no store").unwrap();
    for (file, why) in [
        (&newer, "newer"),
        (&damaged, "damaged"),
        (&link, "no file"),
        (&text, "no store"),
    ] {
        let refused = ask(&setup, &["restore", file.to_str().unwrap(), "--yes"]);
        assert_eq!(code(&refused), 4, "{}", file.display());
        assert!(err(&refused).contains(why), "{}: {}", file.display(), err(&refused));
    }
    assert_eq!(fs::read(&store).unwrap(), before);

    let restored = json(&ask(&setup, &["restore", file, "--yes", "--json"]));
    assert!(
        std::path::Path::new(restored["aside"].as_str().unwrap()).is_file(),
        "{restored}"
    );
    assert_eq!(restored["recordings_aside"], 1, "{restored}");
    let mut agent = running(&setup);
    until("all calls are known and confirmed again", || {
        let listed = out(&ask(&setup, &["calls", "--json"]));
        pbx.truth()
            .iter()
            .all(|call| listed.contains(&call.main_call_history_id))
            && json(&ask(&setup, &["queue", "list", "--json"]))
                .to_string()
                .matches("\"id\"")
                .count()
                == 0
            && out(&ask(&setup, &["why", &waiting.main_call_history_id])).contains("delivered")
    });
    delivered(&pbx, &crm).unwrap_or_else(|why| panic!("{why}"));
    assert!(agent.stop());
}

#[test]
fn a_configuration_is_carried_with_its_difference_shown_before_anything_changes() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("export", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let document = setup.folder.0.join("export.json");
    rig::rewrite_secret(&setup, "passphrase", "four words apart really");
    let passphrase = setup.folder.0.join("passphrase");
    let (to, key) = (document.to_str().unwrap(), passphrase.to_str().unwrap());
    assert_eq!(
        code(&ask(&setup, &["config", "export", "--with-secrets"])),
        2,
        "a passphrase is needed"
    );
    let made = ask(
        &setup,
        &["config", "export", to, "--with-secrets", "--passphrase-file", key],
    );
    assert_eq!(code(&made), 0, "{}", err(&made));
    let secret = fs::read_to_string(setup.folder.0.join("pbx.secret")).unwrap();
    assert!(!fs::read_to_string(&document).unwrap().contains(secret.trim()));
    assert!(!out(&ask(&setup, &["config", "export"])).contains("\"secrets\""));

    // Another box, with another configuration and none of the secrets.
    let other = Setup::new("import", &pbx, &pbx.url()).set("poll = \"7s\"");
    let path = other.file();
    fs::remove_file(other.folder.0.join("pbx.secret")).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    let import = |more: &[&str]| {
        let arguments = [&["config", "import", to, "--passphrase-file", key], more].concat();
        Command::new(rig::binary())
            .args(arguments)
            .arg("--config")
            .arg(&path)
            .output()
            .unwrap()
    };
    let dry = import(&["--dry-run"]);
    assert_eq!(code(&dry), 0, "{}", err(&dry));
    assert!(
        out(&dry).contains("-poll = \"7s\"") && out(&dry).contains("+poll = \"200ms\""),
        "{}",
        out(&dry)
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), before, "a dry run changes nothing");
    assert!(!other.folder.0.join("pbx.secret").exists());
    assert_eq!(code(&import(&["--yes"])), 0);
    assert_eq!(
        fs::read_to_string(other.folder.0.join("pbx.secret")).unwrap().trim(),
        secret.trim()
    );
    assert_eq!(
        fs::read_to_string(other.folder.0.join("callspool.toml.before-import")).unwrap(),
        before
    );
    assert!(callspool::config::load(&path).is_ok());
    assert!(err(&import(&["--yes", "--dry-run"])).contains("secret") || code(&import(&["--dry-run"])) == 0);
    // One that is wrong is refused as a whole.
    let wrong = setup.folder.0.join("wrong.toml");
    fs::write(&wrong, "[pbx]\nurl = 17\n").unwrap();
    let refused = Command::new(rig::binary())
        .args(["config", "import", wrong.to_str().unwrap(), "--yes", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(code(&refused), 4);
    assert!(err(&refused).contains("callspool.toml:2"), "{}", err(&refused));
}
