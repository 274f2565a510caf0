//! The rules about the PBX's own credential (S0), each held by the doctor's lines against a simulated PBX.

use callspool::clock::Clock;
use callspool::doctor::{Check, Options, Outcome};
use callspool::pbx::Generation;
use callspool::pbx::advice::{Problem, clicks};
use callspool_sim::pbx::{Handle, PathKind, Pbx, PbxConfig, Principal};
use callspool_sim::time::SimTime;

use crate::rig::world::{over, quiet};
use crate::rig::{InProcess, Setup};
use crate::world::{PATIENCE, Seen, examine, setup};

/// A PBX with one recorded call, whose client may do what `principal` says.
fn pbx(principal: Principal) -> Handle {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal,
        ..quiet()
    })
    .unwrap();
    pbx.place_call(over(true));
    pbx
}

fn examined(principal: Principal) -> Seen {
    let pbx = pbx(principal);
    examine(&setup("s0", &pbx), &Clock::system(), &Options::default())
}

fn line<'a>(seen: &'a Seen, code: &str) -> &'a Check {
    seen.lines.iter().find(|line| line.code == code).expect(code)
}

/// Whether history, list and audio may be read.
fn may(seen: &Seen) -> [bool; 3] {
    ["pbx-history", "pbx-recordings", "pbx-download"].map(|code| line(seen, code).outcome == Outcome::Ok)
}

/// Waits until the agent has so many calls and recordings, and gives what it then has.
fn taken(setup: &Setup, calls: i64, recordings: i64) -> (i64, i64) {
    let agent = InProcess::start(setup, Clock::system());
    let counts = |handle: &callspool::agent::Handle| {
        let counts = handle
            .store()
            .read(|connection| callspool::store::counts(connection, 0))
            .unwrap();
        (counts.calls, counts.recordings_held)
    };
    agent.wait("what may be taken is taken", PATIENCE, |handle| {
        let (c, r) = counts(handle);
        c >= calls && r >= recordings
    });
    counts(agent.handle())
}

#[test]
fn s0_1_history_and_recordings_are_two_rights_and_each_is_asked_for_by_itself() {
    assert_eq!(may(&examined(Principal::history_only())), [true, false, false]);
    let recordings_only = examined(Principal::recordings_only());
    assert!(!may(&recordings_only)[0] && may(&recordings_only)[1]);
}

#[test]
fn s0_2_s0_9_history_alone_brings_calls_without_recordings_and_that_is_the_missing_right() {
    let pbx = pbx(Principal::history_only());
    let setup = setup("s0-2", &pbx);
    let seen = examine(&setup, &Clock::system(), &Options::default());
    let row = line(&seen, "rights");
    assert_eq!(row.finding.as_deref(), Some("recordings-right-missing"));
    assert!(
        row.text.contains("history only") && row.text.contains("recordings are missing"),
        "{}",
        row.text
    );
    assert!(row.fix.contains("Recording Manager"), "{}", row.fix);
    assert_eq!(taken(&setup, 1, 0), (1, 0));
}

#[test]
fn s0_3_s0_9_recordings_alone_bring_no_call_and_that_is_the_missing_right() {
    let seen = examined(Principal::recordings_only());
    let row = line(&seen, "rights");
    assert_eq!(row.finding.as_deref(), Some("history-right-missing"));
    assert!(row.text.contains("recordings only"), "{}", row.text);
    assert!(row.fix.contains("Reports User"), "{}", row.fix);
}

#[test]
fn s0_4_both_rights_are_the_configuration_to_run() {
    let pbx = pbx(Principal::both());
    let setup = setup("s0-4", &pbx);
    let seen = examine(&setup, &Clock::system(), &Options::default());
    assert_eq!(may(&seen), [true; 3]);
    assert_eq!(
        (line(&seen, "rights").outcome, line(&seen, "rights").finding.as_ref()),
        (Outcome::Ok, None)
    );
    assert_eq!(taken(&setup, 1, 1), (1, 1));
}

#[test]
fn s0_5_an_administrators_credential_works_and_is_warned_about_with_what_could_happen() {
    let seen = examined(Principal::default());
    assert_eq!(may(&seen), [true; 3]);
    let row = line(&seen, "rights");
    assert_eq!(
        (row.outcome, row.finding.as_deref()),
        (Outcome::Warning, Some("rights-too-many"))
    );
    for what in ["redirect extensions", "retention", "every recording"] {
        assert!(row.fix.contains(what), "{what}: {}", row.fix);
    }
}

#[test]
fn s0_6_without_the_right_to_transcripts_calls_and_recordings_still_work() {
    let pbx = pbx(Principal {
        transcripts_allowed: false,
        ..Principal::both()
    });
    let setup = setup("s0-6", &pbx);
    let seen = examine(&setup, &Clock::system(), &Options::default());
    assert_eq!(may(&seen), [true; 3]);
    assert_ne!(line(&seen, "pbx-transcripts").outcome, Outcome::Failed);
    assert_eq!(taken(&setup, 1, 1), (1, 1));
    assert!(
        clicks(Problem::TranscriptsRight, Generation::V18).contains("v20"),
        "there were none before"
    );
}

#[test]
fn s0_7_the_remedy_is_in_the_words_of_the_pbxs_own_version() {
    for problem in [Problem::HistoryRight, Problem::RecordingsRight, Problem::NothingAllowed] {
        let [v20, v18, v16] = [Generation::V20, Generation::V18, Generation::V16].map(|of| clicks(problem, of));
        assert!(v20.contains("Integrations → API") && v20.contains("group"), "{v20}");
        assert!(
            v18.contains("Users → ") && v18.contains("tab Rights") && v18.contains("tick"),
            "{v18}"
        );
        assert!(v16.contains("Extensions → ") && v16 != v18, "{v16}");
        assert!(!v18.contains("Integrations"), "{v18}");
    }
    let nothing = clicks(Problem::NothingAllowed, Generation::V18);
    assert!(
        nothing.contains("name them differently") && nothing.contains("shown once"),
        "{nothing}"
    );
}

#[test]
fn s0_8_the_credential_is_callspools_own_and_nobodys_account() {
    for generation in [Generation::V20, Generation::V18] {
        let told = clicks(Problem::ClientShared, generation);
        assert!(
            told.contains("for callspool alone") && told.contains("without a person behind it"),
            "{told}"
        );
        assert!(told.contains("a disabled one"), "{told}");
    }
}

#[test]
fn s0_10_the_four_prerequisites_are_four_lines() {
    let seen = examined(Principal::history_only());
    let four = ["pbx-licence", "rights", "recording-on", "late-recordings"].map(|code| line(&seen, code));
    assert_eq!(four[0].outcome, Outcome::Ok, "{}", four[0].text);
    assert_eq!(four[1].outcome, Outcome::Failed, "{}", four[1].text);
    let titles: std::collections::BTreeSet<&str> = four.iter().map(|line| line.title.as_str()).collect();
    assert_eq!(titles.len(), 4, "{titles:?}");
}

#[test]
fn s0_11_a_credential_is_tested_by_one_request_with_the_token_that_answers_with_the_recent_calls() {
    let pbx = pbx(Principal::both());
    let setup = setup("s0-11", &pbx);
    let only = Options {
        only: vec!["pbx-history".to_owned()],
        ..Options::default()
    };
    let before = pbx.requests(PathKind::Report);
    let seen = examine(&setup, &Clock::system(), &only);
    let told = line(&seen, "pbx-history");
    assert_eq!(told.outcome, Outcome::Ok);
    assert!(told.text.contains("1 row"), "{}", told.text);
    assert_eq!((pbx.requests(PathKind::Report) - before, pbx.logins()), (1, 1));
}
