//! The doctor's proof: a table of (build of the PBX) × (what the client may do) × (what is broken), each row with the
//! finding that must come out, words of the remedy, and what sync makes of it meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;
#[path = "doctor/s0.rs"]
mod s0;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use callspool::agent::checks_without_agent;
use callspool::clock::Clock;
use callspool::doctor::{Check, Options, Outcome, Verdict};
use callspool::findings::{self, FINDINGS};
use callspool::pbx::{Error, Generation, Kind};
use callspool::store;
use callspool_sim::pbx::{self, Fault, FaultKind, Licence, PathKind, Pbx, PbxConfig, Principal};
use callspool_sim::time::SimTime;
use serde_json::Value;

use rig::world::{item, over, quiet};
use rig::{InProcess, Process, Setup, callspool, rewrite_secret};

/// One build of each kind: before and after the change of the token's unit (.9), of the call log (.6), and of what a
/// recording tells (.7, .8).
const BUILDS: [&str; 7] = [
    "20.0.4.561",
    "20.0.5.848",
    "20.0.6.724",
    "20.0.7.1080",
    "20.0.8.1109",
    "20.0.9.995",
    "20.0.10.101",
];

/// Quick, so that a row takes a moment.
const QUICK: &str =
    "poll = \"100ms\"\nsweep = \"300ms\"\nsettle = \"300ms\"\nrights_every = \"2s\"\nbackfill = \"1d\"";

/// Long enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is broken besides the rights.
#[derive(Clone, Copy)]
enum Break {
    Nothing,
    /// The key in the file is not the PBX's; the PBX says so with 400, or with 401.
    Key {
        says_401: bool,
    },
    /// Nobody listens.
    Down,
    /// An error status on these questions.
    Status(PathKind, u16),
    /// A web page instead of an answer.
    WebPage(PathKind),
    /// This box's clock is so many milliseconds behind.
    Behind(i64),
}

/// What must come of it on every build.
struct Case {
    name: &'static str,
    principal: fn() -> Principal,
    broken: Break,
    /// The verdict's finding; empty if all is well.
    finding: &'static str,
    /// Words of the remedy.
    remedy: &'static str,
    /// Whether calls come; `None`: no matter.
    calls: Option<bool>,
    /// Whether recordings come.
    recordings: Option<bool>,
    /// The health item that the running agent shows; empty: none is waited for.
    health: &'static str,
}

const fn case(
    name: &'static str,
    principal: fn() -> Principal,
    broken: Break,
    [finding, remedy, health]: [&'static str; 3],
    [calls, recordings]: [Option<bool>; 2],
) -> Case {
    Case {
        name,
        principal,
        broken,
        finding,
        remedy,
        calls,
        recordings,
        health,
    }
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);
const ANY: Option<bool> = None;

fn unlicensed_404() -> Principal {
    Principal {
        licence: Licence::NoApi404,
        ..Principal::both()
    }
}

fn unlicensed_403() -> Principal {
    Principal {
        licence: Licence::NoApi403,
        ..Principal::both()
    }
}

fn address_refused() -> Principal {
    Principal {
        ip_refused: true,
        ..Principal::both()
    }
}

fn blacklisted() -> Principal {
    Principal {
        blacklisted: true,
        ..Principal::both()
    }
}

fn no_people() -> Principal {
    Principal {
        directory_allowed: false,
        ..Principal::both()
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("both rights", Principal::both, Break::Nothing, ["", "", ""], [YES, YES]),
    case("an owner", Principal::default, Break::Nothing, ["rights-too-many", "Console Restrictions", ""], [YES, YES]),
    case("history only", Principal::history_only, Break::Nothing, ["recordings-right-missing", "add Recording Manager", "recordings-right-missing"], [YES, NO]),
    case("recordings only", Principal::recordings_only, Break::Nothing, ["history-right-missing", "add Reports User", "pbx-right-missing"], [NO, NO]),
    case("an administrator", Principal::administrator_without_history, Break::Nothing, ["history-right-missing-admin", "System Owner instead of System Administrator", "pbx-right-missing"], [NO, NO]),
    case("system wide", Principal::system_wide, Break::Nothing, ["pbx-right-missing", "Department: a real one", "pbx-right-missing"], [NO, NO]),
    case("nothing", Principal::nothing, Break::Nothing, ["pbx-right-missing", "Reports User and Recording Manager", "pbx-right-missing"], [NO, NO]),
    case("no people", no_people, Break::Nothing, ["rights-unreadable", "nobody can be given the right", "rights-unreadable"], [YES, YES]),
    case("no licence, 404", unlicensed_404, Break::Nothing, ["pbx-unlicensed", "Enterprise", "pbx-unlicensed"], [NO, NO]),
    case("no licence, 403", unlicensed_403, Break::Nothing, ["pbx-unlicensed", "3CX Configuration API Access", "pbx-unlicensed"], [NO, NO]),
    case("address not allowed", address_refused, Break::Nothing, ["pbx-address-refused", "Console Restrictions", "pbx-address-refused"], [NO, NO]),
    case("address blacklisted", blacklisted, Break::Nothing, ["pbx-address-refused", "IP Blacklist", "pbx-address-refused"], [NO, NO]),
    case("wrong key, 400", Principal::both, Break::Key { says_401: false }, ["pbx-login-refused", "new API key", "pbx-login-refused"], [NO, NO]),
    case("wrong key, 401", Principal::both, Break::Key { says_401: true }, ["pbx-login-refused", "bans addresses", "pbx-login-refused"], [NO, NO]),
    case("switched off", Principal::both, Break::Down, ["pbx-port-refused", "443 or 5001", "pbx-unreachable"], [NO, NO]),
    case("no such path", Principal::both, Break::Status(PathKind::Token, 404), ["pbx-no-api", "own address", "pbx-no-api"], [NO, NO]),
    case("login fails", Principal::both, Break::Status(PathKind::Token, 500), ["pbx-fault", "by itself", "pbx-fault"], [NO, NO]),
    case("login throttled", Principal::both, Break::Status(PathKind::Token, 429), ["pbx-throttled", "by itself", "pbx-throttled"], [NO, NO]),
    case("a portal", Principal::both, Break::WebPage(PathKind::Token), ["pbx-nonsense", "in a browser", "pbx-nonsense"], [NO, NO]),
    case("a proxy", Principal::both, Break::WebPage(PathKind::Defs), ["pbx-nonsense", "in a browser", "pbx-nonsense"], [NO, NO]),
    case("no audio", Principal::both, Break::Status(PathKind::Download, 403), ["recordings-right-missing", "add Recording Manager", "recordings-right-missing"], [YES, NO]),
    case("no audio, 401", Principal::both, Break::Status(PathKind::Download, 401), ["recordings-right-missing", "Recording Manager", "recordings-right-missing"], [YES, NO]),
    case("recordings 401", Principal::both, Break::Status(PathKind::Recordings, 401), ["recordings-right-missing", "Recording Manager", "recordings-right-missing"], [YES, ANY]),
    case("recordings fail", Principal::both, Break::Status(PathKind::Recordings, 500), ["recordings-unreadable", "by itself", "pbx-fault"], [YES, ANY]),
    case("people fail", Principal::both, Break::Status(PathKind::Users, 500), ["rights-unreadable", "by itself", "rights-unreadable"], [YES, YES]),
    case("two hours off", Principal::both, Break::Behind(7_200_000), ["pbx-zone-wrong", "Time Zone", ""], [ANY, ANY]),
    case("ten minutes off", Principal::both, Break::Behind(600_000), ["pbx-clock-differs", "same time server", ""], [ANY, ANY]),
];

/// The consoles of before v20, which have one login and no rights of a client's to be told apart in the simulator.
const OLDER: [&str; 3] = ["15.5.15502.6", "16.0.8.9", "18.0.7.312"];

#[rustfmt::skip]
const OLDER_CASES: &[Case] = &[
    case("wrong password", Principal::both, Break::Key { says_401: false }, ["pbx-login-refused", "a new password", "pbx-login-refused"], [NO, NO]),
    case("switched off", Principal::both, Break::Down, ["pbx-port-refused", "443 or 5001", "pbx-unreachable"], [NO, NO]),
    case("as it should be", Principal::both, Break::Nothing, ["", "", ""], [YES, YES]),
];

struct Seen {
    lines: Vec<Check>,
    verdict: Verdict,
}

fn examine(setup: &Setup, clock: &Clock, options: &Options) -> Seen {
    let mut lines = Vec::new();
    let verdict = checks_without_agent(&setup.config(), clock, options, &mut |line| lines.push(line)).unwrap();
    Seen { lines, verdict }
}

fn setup(name: &str, pbx: &pbx::Handle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url()).set(QUICK);
    fs::create_dir_all(setup.state_dir()).unwrap();
    setup
}

/// Does one row; gives what is wrong with it.
fn row(case: &Case, build: &str) -> Result<(), String> {
    let says_401 = matches!(case.broken, Break::Key { says_401: true });
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        version: build.to_owned(),
        principal: (case.principal)(),
        wrong_login_is_401: says_401,
        ..quiet()
    })
    .unwrap();
    pbx.place_call(over(true));
    let setup = setup("row", &pbx);
    let mut clock = Clock::system();
    match case.broken {
        Break::Nothing => {}
        Break::Key { .. } => rewrite_secret(&setup, "pbx.secret", "not the right key"),
        Break::Down => pbx.stop(),
        Break::Status(on, code) => pbx.faults().set(
            Fault::new(FaultKind::Status {
                code,
                retry_after: Some(1),
            })
            .on(on),
        ),
        Break::WebPage(on) => pbx.faults().set(Fault::new(FaultKind::Html).on(on)),
        Break::Behind(ms) => clock = Clock::scaled(clock.wall_ms() - ms, Instant::now(), 1.0),
    }
    let seen = examine(&setup, &clock, &Options::default());
    let lines = || {
        seen.lines
            .iter()
            .map(|l| format!("{} {}: {}", l.outcome.word(), l.code, l.text))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let plain = "pbx-plain";
    // Plain HTTP saves the table minutes of handshakes; that it is one is a finding too, and not what is looked for.
    let found: Vec<&String> = seen
        .verdict
        .failed
        .iter()
        .chain(&seen.verdict.warned)
        .filter(|code| *code != plain)
        .collect();
    let wanted: Vec<&str> = Some(case.finding).into_iter().filter(|code| !code.is_empty()).collect();
    if found != wanted {
        return Err(format!("found {found:?}\n{}", lines()));
    }
    let fix = seen
        .lines
        .iter()
        .find(|line| line.finding.as_deref() == Some(case.finding))
        .map(|line| line.fix.as_str());
    if !fix.unwrap_or_default().contains(case.remedy) {
        return Err(format!("its remedy is {fix:?}"));
    }
    sync(case, &pbx, &setup, clock)?;
    let (logins, refused) = (pbx.logins(), pbx.refused_logins());
    if refused > 1 {
        return Err(format!("{refused} refused logins"));
    }
    // The doctor's, the agent's, and one for each question that a fresh token doesn't open.
    if logins > 8 {
        return Err(format!("{logins} logins"));
    }
    Ok(())
}

/// Runs the agent for a moment: do calls and recordings come, and does it say the same?
fn sync(case: &Case, pbx: &pbx::Handle, setup: &Setup, clock: Clock) -> Result<(), String> {
    let agent = InProcess::start(setup, clock);
    let handle = agent.handle();
    // Before 20.0.6 a call has another key than the PBX's own; there is only the one.
    let at_hand = || {
        let counts = handle.store().read(|connection| store::counts(connection, 0)).unwrap();
        (counts.calls > 0, counts.recordings_held > 0)
    };
    let end = Instant::now() + PATIENCE;
    loop {
        let (calls, recordings) = at_hand();
        let shown = case.health.is_empty() || item(handle, case.health).is_some();
        let enough = shown && (case.calls != YES || calls) && (case.recordings != YES || recordings);
        if enough {
            if case.calls == NO && calls || case.recordings == NO && recordings {
                return Err(format!("calls {calls}, recordings {recordings}"));
            }
            break;
        }
        if Instant::now() > end {
            let items: Vec<String> = handle.health().items().into_iter().map(|item| item.code).collect();
            return Err(format!(
                "calls {calls}, recordings {recordings}, health {items:?}, {} logins",
                pbx.logins()
            ));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let Some(shown) = item(handle, case.health) else {
        return Ok(());
    };
    let known = findings::find(case.health).expect(case.health);
    // The same words as the doctor's, where they are about the same.
    if case.health == case.finding && !shown.fix.contains(case.remedy) {
        return Err(format!("the health item says: {}", shown.fix));
    }
    if shown.title != known.title {
        return Err(format!(
            "the health item is called \"{}\", the finding \"{}\"",
            shown.title, known.title
        ));
    }
    Ok(())
}

#[test]
fn each_build_right_and_fault_has_its_finding_its_remedy_and_a_sync_that_does_what_it_can() {
    let older = OLDER_CASES.iter().flat_map(|case| OLDER.map(|build| (case, build)));
    let rows: Vec<(&Case, &str)> = CASES
        .iter()
        .flat_map(|case| BUILDS.map(|build| (case, build)))
        .chain(older)
        .collect();
    assert!(rows.len() >= 100, "{}", rows.len());
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((case, build)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = row(case, build) {
                        wrong.lock().unwrap().push(format!("{} on {build}: {error}", case.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    println!("{} rows", rows.len());
}

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
    pbx.faults()
        .set(Fault::new(FaultKind::Slow { ms: 300 }).on(PathKind::Users));
    let first = agent.handle().examine(Options::default()).unwrap();
    let second = agent.handle().examine(Options::default()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    agent.wait("it is over", PATIENCE, |_| second.verdict().is_some());
    let verdict = first.verdict().unwrap();
    assert!(verdict.warned.contains(&"pbx-token-shared".to_owned()), "{verdict:?}");
    agent.wait("MQTT is told", PATIENCE, |handle| handle.state().doctor.is_some());
    let state = agent.handle().state();
    assert!(
        state
            .doctor
            .as_ref()
            .is_some_and(|run| run.warned.iter().any(|code| code == "pbx-token-shared")),
        "{state:?}"
    );
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

/// Every string literal after one of these is the code of a health item.
const RAISES: [&str; 8] = [
    ".raise(",
    ".item(",
    "too_old,",
    "item(\n        handle,",
    "const DOWN: &str = ",
    "const PLAIN: &str = ",
    "const TOO_LARGE: &str = ",
    "show(context, ",
];

#[test]
fn nothing_raises_a_code_that_is_not_in_the_catalogue() {
    let kinds = [
        Kind::Unreachable,
        Kind::PinChanged,
        Kind::Untrusted,
        Kind::ShutOut,
        Kind::Unlicensed,
        Kind::LoginRefused,
        Kind::RightMissing,
        Kind::NotThere,
        Kind::Throttled,
        Kind::ItsFault,
        Kind::Nonsense,
    ];
    for kind in kinds {
        let code = Error::new(kind, "").code();
        assert!(findings::find(code).is_some(), "{code}");
    }
    let mut walked = BTreeSet::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut walked);
    for code in &walked {
        assert!(
            findings::find(code).is_some(),
            "{code} is raised and not in src/findings/rows.rs"
        );
    }
    for wanted in [
        "recordings-right-missing",
        "spool-full",
        "mqtt-down",
        "disk-read-only",
        "store-failing",
        "pbx-no-answer",
    ] {
        assert!(walked.contains(wanted), "{wanted} was not seen: {walked:?}");
    }
    assert!(walked.len() > 40 && FINDINGS.len() > 50, "{}", walked.len());
}

fn walk(folder: &Path, walked: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, walked);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let in_doctor = path.to_string_lossy().contains("src/doctor/");
            let marks = RAISES.iter().copied().chain(in_doctor.then_some("found("));
            for mark in marks {
                for behind in text.split(mark).skip(1) {
                    walked.extend(code_in(behind));
                }
            }
        }
    }
}

/// The first thing behind a mark, if it is the code of a finding: words joined by hyphens.
fn code_in(behind: &str) -> Option<String> {
    let start = behind.trim_start().strip_prefix('"')?;
    let code = start.split('"').next()?;
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    (code.contains('-') && code.split('-').all(word)).then(|| code.to_owned())
}

#[test]
fn the_document_of_findings_is_the_one_that_the_code_prints() {
    let known = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/findings.md")).unwrap();
    assert!(
        known == findings::document(),
        "renew it: cargo run -- doctor --list --markdown > packaging/findings.md"
    );
    for finding in FINDINGS {
        assert!(known.contains(&format!("### `{}`", finding.code)), "{}", finding.code);
        assert!(!finding.fix(Generation::V18).is_empty());
    }
}

#[test]
fn why_speaks_the_catalogues_words_for_one_call_and_the_clicks_of_that_pbx() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::history_only(),
        ..quiet()
    })
    .unwrap();
    let call = pbx.place_call(over(true));
    let setup = setup("why", &pbx);
    let agent = InProcess::start(&setup, Clock::system());
    let asked = |handle: &_| rig::world::why(handle, &call.main_call_history_id);
    agent.wait("it waits for a right", PATIENCE, |handle| {
        asked(handle).is_some_and(|why| why.finding.is_some())
    });
    let why = asked(agent.handle()).unwrap();
    assert_eq!(why.finding, Some("recordings-right-missing"));
    assert!(
        why.answer
            .starts_with("waiting: the right to read recordings is missing"),
        "{}",
        why.answer
    );
    assert!(why.fix.contains("add Recording Manager"), "{}", why.fix);
    pbx.set_principal(Principal::both());
}
