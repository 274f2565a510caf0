//! The real binary, as a technician uses it: its verbs, its exit codes, and what it never says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use callspool_sim::crm::{At, Fault, Times};
use callspool_sim::pbx::{self, CallPlan, PathKind, Pbx, PbxConfig};
use callspool_sim::time::SimTime;
use serde_json::Value;

use rig::front::Front;
use rig::world::{PATIENCE, crm, delivered, over, quiet, told};
use rig::{Process, Setup, callspool, status};

/// What makes the agent quick enough for a test in real time.
const QUICK: &str =
    "poll = \"200ms\"\nsweep = \"500ms\"\nsettle = \"300ms\"\nrights_every = \"2s\"\nbackfill = \"1d\"";

fn pbx(config: PbxConfig) -> pbx::Handle {
    Pbx::start(PbxConfig {
        time: SimTime::real(),
        ..config
    })
    .unwrap()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", out(output), err(output)))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Outcomes of the doctor's checks by code.
fn outcomes(report: &Value) -> Vec<(String, String)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .map(|check| (text(&check["code"]), text(&check["outcome"])))
        .collect()
}

fn running(setup: &Setup) -> Process {
    let mut agent = Process::start(setup);
    agent.wait_until_up(setup);
    agent
}

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
    assert_eq!(code(&callspool(&setup, &["calls", "--outcome", "sad"])), 2);
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

#[test]
fn another_certificate_is_shown_and_accepted_by_its_pin_alone() {
    let pbx = pbx(PbxConfig { tls: true, ..quiet() });
    let crm = crm();
    let setup = Setup::new("pin", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let mut agent = running(&setup);
    let shown = || json(&callspool(&setup, &["pin", "show", "--json"]));
    let hex = |pbx: &pbx::Handle| callspool::random::hex(&pbx.spki_sha256().unwrap());
    until("the first is pinned", || shown()["pinned"] == hex(&pbx).as_str());
    let first = hex(&pbx);
    pbx.regenerate_certificate().unwrap();
    let second = hex(&pbx);
    until("the other is offered", || shown()["offered"] == second.as_str());
    let text = out(&callspool(&setup, &["pin", "show"]));
    assert_eq!(text, format!("pinned   {first}\noffered  {second}\n"));
    let doctor = json(&callspool(&setup, &["doctor", "--json"]));
    let tls = doctor["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["code"] == "pbx-tls")
        .unwrap();
    assert_eq!(tls["outcome"], "failed");
    assert!(tls["text"].as_str().unwrap().contains(&second), "{tls}");
    let asked = pbx.requests(PathKind::Token);
    assert_eq!(code(&callspool(&setup, &["pin", "accept", &first])), 4);
    assert_eq!(code(&callspool(&setup, &["pin", "accept", "00"])), 4);
    assert_eq!(pbx.requests(PathKind::Token), asked);
    let accepted = callspool(&setup, &["pin", "accept", &second.to_uppercase()]);
    assert_eq!((code(&accepted), out(&accepted).as_str()), (0, "accepted\n"));
    let call = pbx.place_call(over(true));
    until("it goes on", || told(&crm, &call.main_call_history_id));
    assert_eq!(shown()["pinned"], second.as_str());
    assert!(agent.stop());
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("second", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let mut agent = running(&setup);
    let second = callspool(&setup, &["run"]);
    assert_eq!(code(&second), 4);
    assert!(err(&second).contains("another callspool runs on"), "{}", err(&second));
    assert!(status(&setup).is_some(), "the first one's socket is gone");
    let call = pbx.place_call(over(true));
    until("the first goes on", || told(&crm, &call.main_call_history_id));
    assert!(agent.stop());
}

#[test]
fn sigterm_ends_it_well_and_soon_even_in_the_middle_of_a_request() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("term", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let mut agent = running(&setup);
    until("it works", || pbx.requests(PathKind::Report) > 1);
    let began = Instant::now();
    assert!(agent.stop(), "{}", fs::read_to_string(&agent.log).unwrap());
    let idle = began.elapsed();
    let mut agent = running(&setup);
    assert_eq!(status(&setup).unwrap()["box"]["reason"], "asked");
    let hang = pbx::Fault::new(pbx::FaultKind::Slow { ms: 60_000 });
    pbx.faults().set(hang.on(PathKind::Report));
    let asked = pbx.requests(PathKind::Report);
    until("it hangs", || pbx.requests(PathKind::Report) > asked);
    let began = Instant::now();
    assert!(agent.stop(), "{}", fs::read_to_string(&agent.log).unwrap());
    let hanging = began.elapsed();
    println!("ended after {idle:?}, in the middle of a request after {hanging:?}");
    assert!(idle < Duration::from_secs(3), "{idle:?}");
    assert!(hanging < Duration::from_secs(5), "{hanging:?}");
    assert!(!setup.state_dir().join("control.sock").exists());
}

#[test]
fn no_log_level_tells_a_secret_a_number_or_a_name() {
    const CANARY: &str = "canary-4711-api-key";
    let pbx = pbx(PbxConfig {
        client_secret: CANARY.to_owned(),
        tls: true,
        history_days: 1,
        calls_per_day: 60,
        transcribed_share: 1.0,
        ..quiet()
    });
    let crm = crm();
    let outside = "+441632960999";
    // A receiver that quotes the call in its refusal.
    let quoting = Front::start(&pbx.url(), move |_| {
        Some((400, format!("{{\"error\":\"no customer {outside}\"}}")))
    });
    let setup = Setup::new("silent", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url())
        .target("quoting", &crm, &format!("{}/hook", quoting.url()));
    let file = setup.file();
    // At the top, because what comes below belongs to tables.
    let text = format!("log = \"trace\"\n{}", fs::read_to_string(&file).unwrap());
    fs::write(&file, text).unwrap();
    let log = setup.folder.0.join("trace.log");
    let mut child = Command::new(rig::binary())
        .args(["run", "--config"])
        .arg(&file)
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let asked = |verb: &[&str]| {
        Command::new(rig::binary())
            .args(verb)
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap()
    };
    pbx.place_call(CallPlan {
        outside: Some(outside.to_owned()),
        ..over(true)
    });
    until("a day is delivered", || delivered(&pbx, &crm).is_ok());
    // What goes wrong is where foreign text gets into a log.
    for kind in [
        pbx::FaultKind::ErrorIn200,
        pbx::FaultKind::Html,
        pbx::FaultKind::Forbidden,
    ] {
        for path in [PathKind::Report, PathKind::Download, PathKind::Users, PathKind::Token] {
            pbx.faults().set(pbx::Fault::new(kind.clone()).on(path).times(1));
        }
    }
    pbx.revoke_tokens();
    crm.fault(
        At::Any,
        Fault::ErrorInside("no such tenant".to_owned()),
        Times::Count(2),
    );
    pbx.place_call(over(true));
    asked(&["doctor"]);
    let list = String::from_utf8(asked(&["calls", "-n", "500", "--json"]).stdout).unwrap();
    until("that is delivered too", || delivered(&pbx, &crm).is_ok());
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success());

    let log = fs::read_to_string(&log).unwrap();
    assert!(
        log.contains("the PBX is version") && log.contains("is held (http-400)"),
        "{log}"
    );
    let secret = crm.secret();
    let mut canaries = vec![
        CANARY.to_owned(),
        secret.to_owned(),
        secret.trim_start_matches("whsec_").to_owned(),
        "eyJ".to_owned(),
        outside.to_owned(),
    ];
    let company = pbx.company();
    for person in &company.people {
        canaries.push(person.display());
        canaries.extend(
            [person.first.clone(), person.last.clone()]
                .into_iter()
                .filter(|name| name.chars().count() > 4),
        );
    }
    // Numbers and names as the calls have them: long ones, a short extension may be a port's or a moment's digits.
    let calls: Value = serde_json::from_str(&list).unwrap();
    for call in calls.as_array().unwrap() {
        for side in ["from", "to"] {
            for part in ["number", "name"] {
                canaries.extend(
                    call[side][part]
                        .as_str()
                        .filter(|text| text.len() > 5)
                        .map(str::to_owned),
                );
            }
        }
    }
    canaries.sort();
    canaries.dedup();
    assert!(canaries.len() > 60, "{}", canaries.len());
    for canary in canaries.iter().filter(|canary| *canary != "anonymous") {
        let line = log.lines().find(|line| line.contains(canary.as_str()));
        assert_eq!(line, None, "{canary:?} is in the log");
    }
    println!(
        "{} lines of log, none of {} canaries",
        log.lines().count(),
        canaries.len()
    );
}

/// Runs a verb with something piped in.
fn piped(setup: &Setup, verb: &[&str], typed: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(rig::binary())
        .args(verb)
        .arg("--config")
        .arg(setup.file())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn people_are_let_in_granted_and_explained_from_the_terminal_and_all_of_it_is_written_down() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("people", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let call = pbx.place_call(over(true));
    let mut agent = running(&setup);
    let ask = |verb: &[&str]| callspool(&setup, verb);
    until("the rights are read and the call is here", || {
        let shown = ask(&["rights", "show", "--json"]);
        code(&shown) == 0
            && json(&shown)["rights"]["version"].as_i64() > Some(0)
            && code(&ask(&["why", &call.main_call_history_id])) == 0
    });

    // Logins: a password is piped, made, or chosen by a code; it is never an argument and never shown again.
    assert_eq!(code(&piped(&setup, &["user", "add", "101"], "short\n")), 4);
    assert_eq!(code(&piped(&setup, &["user", "add", "101"], "")), 4);
    assert_eq!(
        code(&piped(&setup, &["user", "add", "9999"], "four words apart really\n")),
        4
    );
    let added = piped(&setup, &["user", "add", "101"], "four words apart really\n");
    assert!(
        code(&added) == 0 && out(&added).contains("101 (") && !out(&added).contains("four words"),
        "{}",
        err(&added)
    );
    assert!(out(&ask(&["user", "add", "102", "--generate"])).contains("password: "));
    let made = json(&ask(&["user", "code", "103", "--valid", "2h", "--json"]));
    assert_eq!(made["code"].as_str().unwrap().len(), 23);
    assert_eq!(code(&ask(&["user", "code", "103", "--valid", "soon"])), 2);
    let list = out(&ask(&["user", "list"]));
    assert!(
        list.contains("has a password") && list.contains("has a code until") && list.lines().count() == 3,
        "{list}"
    );
    assert!(!out(&ask(&["user", "list", "--json"])).contains("argon2"));
    assert_eq!(code(&ask(&["user", "remove", "102"])), 0);
    assert_eq!(code(&ask(&["user", "remove", "102"])), 4);

    // Grants: with a reason, to whom there is, of what there is.
    let department = json(&ask(&["rights", "show", "--json"]))["who_hears"]["departments"][1]["name"].clone();
    let department = department.as_str().unwrap();
    let grant = |more: &[&str]| {
        let mut verb = vec!["rights", "grant", "101", "recording.listen"];
        verb.extend(more);
        ask(&verb)
    };
    assert_eq!(code(&grant(&[])), 2, "no reason");
    assert_eq!(code(&grant(&["--why", "review", "--department", "Nowhere"])), 4);
    assert_eq!(code(&grant(&["--why", "review", "--until", "2020-01-01"])), 4);
    assert_eq!(
        code(&ask(&["rights", "grant", "101", "recording.eat", "--why", "x"])),
        2
    );
    let given = grant(&["--why", "quality review", "--department", department, "--until", "30d"]);
    assert!(
        code(&given) == 0 && out(&given).starts_with("grant 1: 101 may recording.listen (department)"),
        "{}",
        err(&given)
    );
    let listed = out(&ask(&["rights", "list"]));
    assert!(
        listed.contains("terminal: quality review") && listed.contains("until "),
        "{listed}"
    );
    let explained = ask(&["rights", "explain", "--as", "101", "--action", "recording.listen"]);
    assert!(
        out(&explained).contains("grant 1") && out(&explained).contains(department),
        "{}",
        out(&explained)
    );
    let about = ask(&[
        "rights",
        "explain",
        "--as",
        "9999",
        "--action",
        "recording.listen",
        "--call",
        &call.main_call_history_id,
    ]);
    assert!(
        code(&about) == 0 && out(&about).contains("no: unknown-person; it would have needed recording.listen"),
        "{}",
        out(&about)
    );
    let decided = json(&ask(&[
        "rights",
        "explain",
        "--as",
        "100",
        "--action",
        "call.view",
        "--call",
        &call.main_call_history_id,
        "--json",
    ]));
    assert_eq!(
        decided["answers"][0]["explanation"]["decision"]["allowed"], true,
        "100 owns the system: {decided}"
    );
    assert_eq!(
        code(&ask(&[
            "rights",
            "explain",
            "--as",
            "101",
            "--action",
            "call.view",
            "--call",
            "4711"
        ])),
        1
    );
    let matrix = out(&ask(&["rights", "show"]));
    assert!(
        matrix.contains("hear everything") || matrix.contains("hears"),
        "{matrix}"
    );
    assert_eq!(code(&ask(&["rights", "revoke", "1"])), 0);
    assert_eq!(code(&ask(&["rights", "revoke", "1"])), 4);
    assert!(out(&ask(&["rights", "list", "--ended"])).contains("by terminal"));

    // The terminal traces calls; numbers from outside and names are not its own.
    let why = out(&ask(&["why", &call.main_call_history_id, "--json"]));
    let outside = json(&ask(&["calls", "--json"]));
    assert!(
        outside[0]["from"]["name"].is_null() && outside[0]["to"]["name"].is_null(),
        "{outside}"
    );
    assert!(
        outside[0]["from"]["number"].as_str().unwrap().starts_with("•••"),
        "{outside}"
    );
    assert!(!why.contains("+4"), "{why}");

    // All of it is written down, and can be taken away.
    let rows = json(&ask(&["audit", "--json"]));
    let about: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|row| row["about"].as_str().unwrap())
        .collect();
    for said in [
        "set the password of 101",
        "gave 103 a one-time code",
        "removed the account of 102",
        "grant 1: recording.listen department to 101",
        "ended grant 1",
    ] {
        assert!(about.contains(&said), "{said} in {about:?}");
    }
    assert!(!rows.to_string().contains("four words"));
    assert!(out(&ask(&["audit", "--csv"])).starts_with("id,at,"));
    assert_eq!(out(&ask(&["audit", "--lines", "-n", "2"])).lines().count(), 2);
    assert_eq!(
        out(&ask(&["audit", "--since", "1h", "--who", "terminal"]))
            .lines()
            .count(),
        about.len()
    );
    assert_eq!(code(&ask(&["audit", "--since", "yesterday"])), 2);
    let copy = setup.folder.0.join("copy.db");
    assert_eq!(code(&ask(&["backup", &copy.to_string_lossy()])), 0);
    assert!(out(&ask(&["audit"])).contains("copied the store to"));
    assert!(agent.stop());
    // Reading needs no agent; changing does.
    assert_eq!(code(&ask(&["rights", "list"])), 0);
    assert_eq!(code(&ask(&["user", "code", "103"])), 3);
}
