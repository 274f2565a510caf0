//! Running it: one agent a folder, another certificate, an end in time, and a log without secrets.

use crate::world::*;

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
