//! Verbs that look: doctor, status, the configuration, calls and why.

use crate::world::*;

#[test]
fn the_doctor_is_content_with_a_box_that_works_with_and_without_an_agent() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("doctor", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    pbx.place_call(over(true));
    fs::create_dir_all(setup.state_dir()).unwrap();
    let alone = callspool(&setup, &["doctor"]);
    assert_eq!(code(&alone), 0, "{}", out(&alone));
    assert!(err(&alone).contains("the agent does not run; checking without it"));
    assert!(out(&alone).contains("all is well") && out(&alone).contains("client ID and API key are accepted"));
    assert!(
        !setup.state_dir().join("callspool.db").exists(),
        "it left something behind"
    );

    let mut agent = running(&setup);
    until("it is delivered", || delivered(&pbx, &crm).is_ok());
    let logins = pbx.logins();
    let with = callspool(&setup, &["doctor", "--json"]);
    assert_eq!(code(&with), 0, "{}", out(&with));
    let report = json(&with);
    assert_eq!((&report["schema"], &report["ok"]), (&1.into(), &true.into()));
    let seen = outcomes(&report);
    for wanted in [
        "disk",
        "store",
        "clock",
        "secrets",
        "pbx-dns",
        "pbx-tcp",
        "pbx-tls",
        "pbx-token",
        "pbx-history",
        "pbx-recordings",
        "pbx-download",
        "pbx-directory",
        "pbx-licence",
        "pbx-retention",
        "target",
        "mqtt",
    ] {
        assert!(
            seen.iter().any(|(code, _)| code == wanted),
            "{wanted} is missing: {seen:?}"
        );
    }
    assert!(seen.iter().all(|(_, outcome)| outcome != "failed"), "{report:#}");
    // A second login may end the agent's token: its own is used.
    assert_eq!(pbx.logins(), logins);
    assert!(agent.stop());
}

#[test]
fn the_doctor_names_one_cause_when_the_pbx_is_down_and_skips_what_follows() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("down", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    fs::create_dir_all(setup.state_dir()).unwrap();
    pbx.stop();
    let check = |what: &str| {
        let asked = callspool(&setup, &["doctor", "--json"]);
        assert_eq!(code(&asked), 1, "{what}: {}", out(&asked));
        let report = json(&asked);
        assert_eq!(report["ok"], false);
        let seen = outcomes(&report);
        let failed: Vec<&str> = seen
            .iter()
            .filter(|(_, o)| o == "failed")
            .map(|(c, _)| c.as_str())
            .collect();
        assert_eq!(failed, ["pbx-tcp"], "{what}: {report:#}");
        let of_pbx = seen
            .iter()
            .filter(|(c, _)| c.starts_with("pbx-") && c != "pbx-dns" && c != "pbx-tcp");
        assert!(
            of_pbx.clone().count() >= 8 && of_pbx.clone().all(|(_, o)| o == "skipped"),
            "{what}: {seen:?}"
        );
        let tcp = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["code"] == "pbx-tcp")
            .unwrap();
        assert!(
            tcp["text"].as_str().unwrap().contains("does not answer") && tcp["fix"].as_str().unwrap().len() > 10
        );
    };
    check("without an agent");
    let mut agent = running(&setup);
    check("with an agent");
    let asked = callspool(&setup, &["doctor"]);
    assert!(
        out(&asked).contains("\n1 check failed") && out(&asked).contains("fix: "),
        "{}",
        out(&asked)
    );
    until("the agent has noticed", || {
        status(&setup).is_some_and(|s| s["overall"] == "error")
    });
    let asked = callspool(&setup, &["status"]);
    assert_eq!(code(&asked), 1);
    assert!(
        out(&asked).contains("The PBX does not answer") && out(&asked).contains("fix: "),
        "{}",
        out(&asked)
    );
    assert!(agent.stop());
}

#[test]
fn without_an_agent_status_says_so_and_an_unknown_verb_is_a_slip() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("verbs", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    for verb in [
        &["status"][..],
        &["status", "--json"],
        &["pin", "show"],
        &["queue", "retry"],
    ] {
        let asked = callspool(&setup, verb);
        assert_eq!(code(&asked), 3, "{verb:?}");
        assert!(
            err(&asked).contains("the agent does not run") && asked.stdout.is_empty(),
            "{}",
            err(&asked)
        );
    }
    for verb in [&["calls"][..], &["why", "1"], &["queue", "list"]] {
        let asked = callspool(&setup, verb);
        assert_eq!(code(&asked), 3, "{verb:?}");
        assert!(err(&asked).contains("the agent has not run yet"), "{}", err(&asked));
    }
    for verb in [&["reboot"][..], &["status", "--colour"], &["queue"], &["why"], &[]] {
        let asked = Command::new(rig::binary()).args(verb).output().unwrap();
        assert_eq!(code(&asked), 2, "{verb:?}");
        assert!(
            err(&asked).contains("Usage") && asked.stdout.is_empty(),
            "{}",
            err(&asked)
        );
    }
    let version = Command::new(rig::binary()).arg("version").output().unwrap();
    assert_eq!(
        (code(&version), out(&version)),
        (0, format!("callspool {}\n", env!("CARGO_PKG_VERSION")))
    );
    let version = Command::new(rig::binary())
        .args(["version", "--json"])
        .output()
        .unwrap();
    assert_eq!(json(&version)["version"], env!("CARGO_PKG_VERSION"));
    let help = Command::new(rig::binary()).arg("--help").output().unwrap();
    assert!(code(&help) == 0 && out(&help).contains("Examples:"));
}

#[test]
fn the_configuration_is_checked_and_shown_with_where_each_value_comes_from() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("config", &pbx, &pbx.url())
        .set("poll = \"7s\"")
        .target("crm", &crm, &crm.hook_url());
    let file = setup.file();
    let check = callspool(&setup, &["config", "check"]);
    assert_eq!(
        (code(&check), out(&check)),
        (0, format!("{} is right\n", file.display()))
    );
    let shown = callspool(&setup, &["config", "show", "--origin"]);
    let line = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .position(|line| line.starts_with("poll"))
        .unwrap()
        + 1;
    let text = out(&shown);
    let row = |key: &str| {
        text.lines()
            .find(|row| row.starts_with(key))
            .unwrap_or_else(|| panic!("{key}: {text}"))
    };
    assert!(
        row("pbx.poll = \"7s\"").ends_with(&format!("{}:{line}", file.display())),
        "{text}"
    );
    assert!(row("pbx.sweep = \"30s\"").ends_with("default"), "{text}");
    assert!(!text.contains(&pbx.credentials().1) && !text.contains(crm.secret()));
    let reference = callspool(&setup, &["config", "reference"]);
    assert!(
        out(&reference).contains("pbx.overlap") || out(&reference).contains("overlap ="),
        "{}",
        out(&reference)
    );
    let entries = json(&callspool(&setup, &["config", "show", "--json"]));
    assert!(
        entries
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["key"] == "pbx.poll" && entry["value"] == "\"7s\"")
    );
    fs::write(&file, "name = 3\n").unwrap();
    let wrong = Command::new(rig::binary())
        .args(["config", "check", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(code(&wrong), 1);
    assert!(
        err(&wrong).contains(&format!("{}:1: ", file.display())),
        "{}",
        err(&wrong)
    );
}

#[test]
fn calls_and_why_and_the_queue_say_where_everything_is() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("where", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    crm.fault(At::Ready, Fault::AcceptWithoutUpload, Times::Count(1));
    let call = pbx.place_call(over(true));
    let missed = pbx.place_call(CallPlan {
        kind: Some(pbx::CallKind::InboundMissed),
        ..over(false)
    });
    let mut agent = running(&setup);
    let held = || json(&callspool(&setup, &["queue", "list", "--held", "--json"]));
    until("one is held and the other told", || {
        told(&crm, &missed.main_call_history_id) && held().as_array().unwrap().len() == 1
    });
    let list = callspool(&setup, &["calls"]);
    assert_eq!((code(&list), out(&list).lines().count()), (0, 2), "{}", out(&list));
    let missed_only = json(&callspool(&setup, &["calls", "--outcome", "missed", "--json"]));
    assert_eq!(missed_only.as_array().unwrap().len(), 1);
    assert_eq!(missed_only[0]["key"], missed.main_call_history_id);
    for (flag, nonsense) in [
        ("--outcome", "sad"),
        ("--since", "tomorrow"),
        ("--state", "lost"),
        ("--recorded", "maybe"),
    ] {
        let asked = callspool(&setup, &["calls", flag, nonsense]);
        assert_eq!(code(&asked), 2, "{flag}");
        assert!(err(&asked).contains(&format!("{flag} takes ")), "{}", err(&asked));
    }
    // The same words as on the page. The terminal sees the trace: by number it finds nobody, and is told why.
    let count = |words: &[&str]| {
        json(&callspool(&setup, &[&["calls", "--json", "-n", "500"], words].concat()))
            .as_array()
            .unwrap()
            .len()
    };
    let all = count(&[]);
    assert_eq!(
        count(&["--state", "held"]) + count(&["--state", "delivered"]) + count(&["--state", "none"]),
        all
    );
    assert_eq!(count(&["--recorded", "yes"]) + count(&["--recorded", "no"]), all);
    assert_eq!(
        (count(&["--since", "2099-01-01"]), count(&["--extension", "nobody"])),
        (0, 0)
    );
    let by_number = callspool(&setup, &["calls", "--number", "+44"]);
    assert!(
        err(&by_number).contains("the terminal sees the trace alone"),
        "{}",
        err(&by_number)
    );
    assert!(out(&callspool(&setup, &["queue", "list"])).contains("held"));

    let key = call.main_call_history_id.as_str();
    let why = callspool(&setup, &["why", key]);
    assert_eq!(code(&why), 0);
    assert!(
        out(&why).starts_with("held for crm after ") && out(&why).contains("gave no upload.url"),
        "{}",
        out(&why)
    );
    let number = json(&callspool(&setup, &["why", key, "--json"]))["call"]["id"].to_string();
    assert_eq!(
        out(&callspool(&setup, &["why", &number])),
        out(&callspool(&setup, &["why", key]))
    );
    assert!(out(&callspool(&setup, &["why", &missed.main_call_history_id])).contains("nobody answered the call"));
    assert_eq!(code(&callspool(&setup, &["why", "4711"])), 1);

    assert_eq!(code(&callspool(&setup, &["queue", "retry", "--target", "nobody"])), 4);
    let retried = callspool(&setup, &["queue", "retry"]);
    assert_eq!(
        (code(&retried), out(&retried).as_str()),
        (0, "1 held deliveries got a new start\n")
    );
    until("all is delivered", || delivered(&pbx, &crm).is_ok());
    until("why says so", || {
        out(&callspool(&setup, &["why", key])).starts_with("delivered to crm at ")
    });
    assert_eq!(err(&callspool(&setup, &["queue", "list"])), "nothing waits\n");
    until("all is well", || code(&callspool(&setup, &["status"])) == 0);
    let shown = out(&callspool(&setup, &["status"]));
    assert!(shown.contains("Target crm") && shown.contains("3CX 20.0.10"), "{shown}");
    // What was left behind can be read when the agent is gone.
    assert!(agent.stop());
    assert!(out(&callspool(&setup, &["why", key])).starts_with("delivered to crm at "));
    assert_eq!(out(&callspool(&setup, &["calls"])).lines().count(), 2);
}
