//! How the doctor behaves: one cause, no second bad login, an end in time.

use crate::world::*;

#[test]
fn transcripts_are_optional_and_what_hides_them_is_noted() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        ..quiet()
    })
    .unwrap();
    let call = pbx.place_call(over(true));
    assert!(pbx.transcribe_recording(call.recordings[0].id, "Speaker 1: hello"));
    let setup = setup("transcripts", &pbx);
    let line = |seen: &Seen| {
        seen.lines
            .iter()
            .find(|line| line.code == "pbx-transcripts")
            .cloned()
            .unwrap()
    };
    pbx.set_principal(Principal::both());
    let seen = examine(&setup, &Clock::system(), &Options::default());
    assert_eq!((line(&seen).outcome, line(&seen).finding), (Outcome::Ok, None));
    pbx.set_principal(Principal {
        transcripts_allowed: false,
        ..Principal::both()
    });
    let seen = examine(&setup, &Clock::system(), &Options::default());
    assert_eq!(line(&seen).finding.as_deref(), Some("transcripts-right-missing"));
    assert_eq!(line(&seen).outcome, Outcome::Ok);
    assert!(line(&seen).fix.contains("Transcription") && seen.verdict.ok);
}

#[test]
fn one_cause_is_one_red_line_and_the_rest_says_because_of_what_it_was_not_done() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        ..quiet()
    })
    .unwrap();
    let setup = setup("one-line", &pbx);
    pbx.stop();
    let seen = examine(&setup, &Clock::system(), &Options::default());
    let red: Vec<&str> = seen
        .lines
        .iter()
        .filter(|l| l.outcome == Outcome::Failed)
        .map(|l| l.code)
        .collect();
    assert_eq!(red, ["pbx-tcp"]);
    let folded = seen.lines.iter().filter(|line| line.because == Some("pbx-tcp")).count();
    assert!(folded >= 10, "{folded}");
    assert!(
        seen.verdict
            .text
            .starts_with("The PBX's port is closed (pbx-port-refused). Check the port"),
        "{}",
        seen.verdict.text
    );
}

#[test]
fn a_bad_key_is_tried_once_however_often_the_doctor_is_called_and_again_when_it_was_saved_anew() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::both(),
        ..quiet()
    })
    .unwrap();
    let setup = setup("bad-key", &pbx);
    let right = pbx.credentials().1;
    rewrite_secret(&setup, "pbx.secret", "wrong");
    for _ in 0..12 {
        let asked = callspool(&setup, &["doctor", "--only", "pbx", "--json"]);
        let report: Value = serde_json::from_slice(&asked.stdout).unwrap();
        assert_eq!(report["verdict"]["code"], "pbx-login-refused", "{report:#}");
    }
    assert_eq!((pbx.logins(), pbx.refused_logins()), (0, 1));
    assert!(!pbx.principal().blacklisted);
    // The agent knows of it as well.
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it says so", PATIENCE, |handle| {
        item(handle, "pbx-login-refused").is_some()
    });
    drop(agent);
    assert_eq!(pbx.refused_logins(), 1);
    rewrite_secret(&setup, "pbx.secret", &right);
    let asked = callspool(&setup, &["doctor", "--only", "pbx-token"]);
    assert_eq!(
        asked.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&asked.stdout)
    );
    assert_eq!((pbx.logins(), pbx.refused_logins()), (1, 1));
}

#[test]
fn everything_black_holed_ends_within_half_a_minute_and_every_peer_is_named() {
    // Takes connections and never says a word.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = hole.local_addr().unwrap();
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        ..quiet()
    })
    .unwrap();
    let silent = |name: &str, url: &str| {
        let setup = Setup::new(name, &pbx, url).set(QUICK);
        rewrite_secret(&setup, "a.secret", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        let setup = setup.set(&format!(
            "[[target]]\nname = \"a\"\nurl = \"https://{at}/hook\"\nsecret_file = \"a.secret\"\n\
             [[target]]\nname = \"b\"\nurl = \"https://192.0.2.1/hook\"\nsecret_file = \"a.secret\"\n\
             [mqtt]\nurl = \"mqtts://192.0.2.1\""
        ));
        fs::create_dir_all(setup.state_dir()).unwrap();
        let began = Instant::now();
        let asked = callspool(&setup, &["doctor", "--json"]);
        let took = began.elapsed();
        assert_eq!(
            asked.status.code(),
            Some(1),
            "{}",
            String::from_utf8_lossy(&asked.stderr)
        );
        assert!(took < Duration::from_secs(30), "{took:?}");
        let report: Value = serde_json::from_slice(&asked.stdout).unwrap();
        let failed: BTreeSet<String> = report["verdict"]["failed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
        for wanted in ["target-down:a", "target-down:b", "mqtt-down"] {
            assert!(
                failed.contains(wanted) || failed.contains("link-down") || failed.contains("address-missing"),
                "{wanted}: {report:#}"
            );
        }
        (failed, took)
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| silent("hole", &format!("https://{at}")));
        let second = scope.spawn(|| silent("nowhere", "https://192.0.2.1:5001"));
        let (failed, took) = first.join().unwrap();
        assert!(failed.contains("pbx-no-answer"), "{failed:?}");
        println!("silent after the connection: {took:?}");
        println!("nowhere: {:?}", second.join().unwrap());
    });
    drop(hole);
}

#[test]
fn offline_asks_nobody_and_only_asks_for_what_was_named_and_what_that_stands_on() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::history_only(),
        ..quiet()
    })
    .unwrap();
    let setup = setup("only", &pbx);
    let before = [PathKind::Token, PathKind::Defs, PathKind::Report].map(|kind| pbx.requests(kind));
    let report = |arguments: &[&str]| {
        let asked = callspool(&setup, arguments);
        let report: Value = serde_json::from_slice(&asked.stdout).unwrap_or_default();
        (asked.status.code().unwrap(), report)
    };
    let codes = |report: &Value| -> Vec<String> {
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let (exit, offline) = report(&["doctor", "--offline", "--json"]);
    assert_eq!(exit, 0, "{offline:#}");
    assert!(offline["verdict"]["text"].as_str().unwrap().contains("--offline"));
    assert_eq!(
        [PathKind::Token, PathKind::Defs, PathKind::Report].map(|kind| pbx.requests(kind)),
        before
    );
    // A group; a finding's code; several; what it stands on is done and only shown if it fails.
    assert_eq!(
        codes(&report(&["doctor", "--json", "--only", "box"]).1),
        ["disk", "store", "clock", "secrets"]
    );
    let (exit, rights) = report(&["doctor", "--json", "--only", "recordings-right-missing"]);
    assert_eq!((exit, codes(&rights)), (1, vec!["rights".to_owned()]), "{rights:#}");
    assert_eq!(rights["verdict"]["code"], "recordings-right-missing");
    pbx.stop();
    let (exit, down) = report(&["doctor", "--json", "--only", "pbx-history", "--only", "disk"]);
    assert_eq!(
        (exit, codes(&down)),
        (1, ["disk", "pbx-tcp", "pbx-history"].map(str::to_owned).to_vec()),
        "{down:#}"
    );
    assert_eq!(report(&["doctor", "--only", "nonsense"]).0, 2);
    assert_eq!(report(&["doctor", "--nonsense"]).0, 2);
    assert_eq!(report(&["doctor", "--list"]).0, 0);
}

#[test]
fn two_programs_with_one_client_are_noticed_and_a_viewer_joins_the_run_that_is_under_way() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::both(),
        ..quiet()
    })
    .unwrap();
    let setup = setup("shared", &pbx);
    let agent = InProcess::start(&setup, Clock::system());
    for _ in 0..4 {
        let logins = pbx.logins();
        // As the other program's login does.
        pbx.revoke_tokens();
        agent.wait("the agent logs in again", PATIENCE, |_| pbx.logins() > logins);
        // The new token must have been of use: one that is ended before its first question looks like a missing right.
        let asked = pbx.requests(PathKind::LastCdr);
        agent.wait("it is used", PATIENCE, |_| pbx.requests(PathKind::LastCdr) > asked + 1);
    }
    agent.wait("it is counted", PATIENCE, |handle| {
        handle.parts().driver.early_token_deaths() >= 3
    });
    // Nobody has to ask the doctor for it.
    let watched = agent.handle().clone();
    let named = |handle: &callspool::agent::Handle| {
        let health = handle.status().health;
        health.iter().any(|item| item.item.code == "pbx-token-shared")
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            tokio::select! {
                () = callspool::agent::watch(watched.clone()) => {}
                () = async { while !named(&watched) { tokio::task::yield_now().await } } => {}
                () = tokio::time::sleep(PATIENCE) => panic!("the agent does not name it by itself"),
            }
        });
    pbx.faults()
        .set(Fault::new(FaultKind::Slow { ms: 300 }).on(PathKind::Users));
    let first = agent.handle().examine(Options::default()).unwrap();
    let second = agent.handle().examine(Options::default()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    agent.wait("it is over", PATIENCE, |_| second.verdict().is_some());
    let verdict = first.verdict().unwrap();
    assert!(verdict.warned.contains(&"pbx-token-shared".to_owned()), "{verdict:?}");
    agent.wait("MQTT is told", PATIENCE, |handle| handle.state().doctor.is_some());
    let told = agent.handle().state().doctor.unwrap_or_default();
    assert!(told.warned.contains(&"pbx-token-shared".to_owned()), "{told:?}");
    assert!(first.as_text().contains("[pbx-token-shared]"));
}

#[test]
fn the_running_agents_doctor_streams_its_lines_over_the_control_socket() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::both(),
        ..quiet()
    })
    .unwrap();
    pbx.place_call(over(true));
    let setup = setup("stream", &pbx);
    let mut agent = Process::start(&setup);
    agent.wait_until_up(&setup);
    let asked = callspool(&setup, &["doctor"]);
    let text = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(0), "{text}");
    assert!(
        text.contains(
            "API user and rights: the client may read history and recordings, and no more than it should"
        ),
        "{text}"
    );
    assert!(
        text.contains("Late recordings: ") && text.contains("ever more rarely"),
        "{text}"
    );
    assert!(agent.stop());
}
