//! How callspool behaves towards a PBX: it never storms, it takes what its rights allow and says what they don't, and it
//! follows the PBX's limits, upgrades and changes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::time::Duration;

use callspool::health::Severity;
use callspool_sim::crm;
use callspool_sim::pbx::{self, CallPlan, Fault, FaultKind, PathKind, PbxConfig, Principal};

use rig::front::Front;
use rig::world::{PATIENCE, crm, delivered, item, over, pbx_at, quiet, told, why};
use rig::{InProcess, MORNING_MS, Setup, rewrite_secret, same_clock};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn started(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set(settings)
        .target("crm", crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    (setup, agent)
}

/// Waits until everything is in the CRM and nothing is waited for.
fn wait_all(agent: &InProcess, pbx: &pbx::Handle, crm: &crm::Handle) {
    let mut last = Ok(());
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let counts = agent.handle().status().counts.unwrap_or_default();
        let waiting = (
            counts.deliveries_waiting,
            counts.deliveries_held,
            counts.recordings_waiting,
        );
        if waiting == (0, 0, 0) {
            last = delivered(pbx, crm);
            if last.is_ok() {
                return;
            }
        }
        if std::time::Instant::now() > end {
            let health = agent.handle().health().items();
            panic!("{last:?}; waiting {waiting:?}; {health:#?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_item(agent: &InProcess, code: &str, words: &str) {
    agent.wait(&format!("{code} with: {words}"), PATIENCE, |handle| {
        item(handle, code).is_some_and(|item| item.text.contains(words))
    });
}

fn wait_well(agent: &InProcess) {
    agent.wait("all is well", PATIENCE, |handle| handle.health().items().is_empty());
}

/// Lets `ms` of the PBX's time pass.
fn let_pass(agent: &InProcess, pbx: &pbx::Handle, ms: i64) {
    let end = pbx.time().now_ms() + ms;
    agent.wait("time passes", PATIENCE, |_| pbx.time().now_ms() >= end);
}

fn principal(department: bool, history_allowed: bool, recordings_allowed: bool) -> Principal {
    Principal {
        role: "system_owners".into(),
        department: department.then(|| "GRP0000".into()),
        history_allowed,
        recordings_allowed,
        ..Principal::default()
    }
}

#[test]
fn a_wrong_secret_costs_a_login_every_half_hour_and_a_changed_one_is_taken_up_at_once() {
    let (pbx, crm) = (pbx_at(720.0, quiet()), crm());
    let setup = Setup::new("secret", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    rewrite_secret(&setup, "pbx.secret", "not-the-api-key");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_item(&agent, "pbx-login-refused", "refuses client ID or API key");
    assert_eq!(pbx.requests(PathKind::Token), 1);
    pbx.place_call(over(true));
    let_pass(&agent, &pbx, HOUR_MS);
    let refused = pbx.refused_logins();
    println!("{refused} logins in an hour with a wrong secret");
    assert!((1..=3).contains(&refused), "{refused} logins");
    assert_eq!(pbx.requests(PathKind::Token), refused);
    assert_eq!(pbx.requests(PathKind::Report), 0);
    let shown = item(agent.handle(), "pbx-login-refused").unwrap();
    assert!(shown.fix.contains("Admin → Integrations → API"), "{}", shown.fix);

    let changed = pbx.time().now_ms();
    rewrite_secret(&setup, "pbx.secret", &pbx.credentials().1);
    agent.wait("the right secret is taken up", PATIENCE, |_| pbx.logins() == 1);
    let took = pbx.time().now_ms() - changed;
    println!("the right secret was taken up after {} s", took / 1000);
    // A minute is the longest pause; the rest is room for a busy machine on a clock that runs so fast.
    assert!(took < 10 * 60_000, "{took} ms");
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
    assert_eq!(pbx.logins(), 1);
}

#[test]
fn a_secret_file_that_everyone_may_read_is_not_used_and_taken_up_when_its_mode_is_right() {
    use std::os::unix::fs::PermissionsExt;
    let (pbx, crm) = (pbx_at(120.0, quiet()), crm());
    let setup = Setup::new("mode", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    let file = setup.folder.0.join("pbx.secret");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_item(
        &agent,
        "pbx-login-refused",
        "can be read by everyone (mode 644); set it to 600",
    );
    assert_eq!(pbx.requests(PathKind::Token), 0);
    // Setting the mode doesn't change the time of modification.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let changed = pbx.time().now_ms();
    agent.wait("it is taken up", PATIENCE, |_| pbx.logins() == 1);
    let took = pbx.time().now_ms() - changed;
    assert!(took < 5 * 60_000, "{took} ms");
    wait_well(&agent);
}

#[test]
fn a_token_revoked_in_the_middle_of_a_page_costs_one_login_and_loses_or_doubles_nothing() {
    let config = PbxConfig {
        history_days: 1,
        calls_per_day: 300,
        recorded_share: 0.1,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let fault = Fault::new(FaultKind::RevokeToken { mid_page: true });
    pbx.faults().set(fault.on(PathKind::Report).times(1));
    let (_setup, agent) = started("revoked", &pbx, &crm, "backfill = \"1d\"");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(pbx.faults().hits(), 1);
    assert_eq!(pbx.logins(), 2);
}

#[test]
fn a_401_that_survives_a_new_login_is_a_missing_right_and_no_storm() {
    let (pbx, crm) = (pbx_at(720.0, quiet()), crm());
    let fault = FaultKind::Status {
        code: 401,
        retry_after: None,
    };
    pbx.faults().set(Fault::new(fault).on(PathKind::Groups));
    let (_setup, agent) = started("forbidden", &pbx, &crm, "");
    wait_item(
        &agent,
        "rights-unreadable",
        "does not let this client read the list of departments (401)",
    );
    let before = pbx.logins();
    let call = pbx.place_call(over(true));
    let_pass(&agent, &pbx, HOUR_MS);
    let logins = pbx.logins() - before;
    println!("{logins} logins in an hour of 401s from one address");
    assert!(logins <= 4, "{logins} logins");
    assert!(told(&crm, &call.main_call_history_id));
    assert!(item(agent.handle(), "pbx-right-missing").is_none());
    pbx.faults().clear();
    wait_well(&agent);
    wait_all(&agent, &pbx, &crm);
}

#[test]
fn without_the_right_to_the_history_it_says_so_and_goes_on_when_the_right_is_given() {
    let (pbx, crm) = (pbx_at(120.0, quiet()), crm());
    pbx.set_principal(principal(true, false, true));
    let (_setup, agent) = started("history", &pbx, &crm, "");
    let call = pbx.place_call(over(true));
    wait_item(
        &agent,
        "pbx-right-missing",
        "does not let this client read the call log (403)",
    );
    let shown = item(agent.handle(), "pbx-right-missing").unwrap();
    assert!(shown.fix.contains("System Owner"), "{}", shown.fix);
    assert_eq!(shown.severity, Severity::Error);
    assert!(!told(&crm, &call.main_call_history_id));
    pbx.set_principal(principal(true, true, true));
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
}

#[test]
fn without_the_right_to_recordings_calls_flow_without_audio_and_it_comes_when_the_right_is_given() {
    let config = PbxConfig {
        history_days: 6,
        calls_per_day: 12,
        recorded_share: 1.0,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(120.0, config), crm());
    pbx.set_principal(principal(true, true, false));
    // Some PBXs name no recordings in the rows of the call log: then only their list tells of them.
    let names = ["Recordings", "SrcRecId", "DstRecId"].map(str::to_owned).into();
    let silent = Fault::new(FaultKind::MissingFields { names });
    pbx.faults().set(silent.on(PathKind::Report));
    let (_setup, agent) = started("recordings", &pbx, &crm, "backfill = \"6d\"");
    let call = pbx.place_call(over(true));
    wait_item(
        &agent,
        "recordings-right-missing",
        "calls arrive in the CRM without audio",
    );
    agent.wait("all calls are told", PATIENCE, |_| {
        told(&crm, &call.main_call_history_id) && crm.with_state(|s| s.calls.len()) >= pbx.truth().len()
    });
    agent.wait("the history is read", PATIENCE, |handle| {
        handle.status().sync.backlog_ms == 0
    });
    assert!(item(agent.handle(), "pbx-right-missing").is_none());
    assert_eq!(crm.recordings().len(), 0);
    assert_eq!(pbx.requests(PathKind::Download), 0);
    pbx.set_principal(principal(true, true, true));
    wait_all(&agent, &pbx, &crm);
    assert!(crm.recordings().len() > 40, "{}", crm.recordings().len());
    wait_well(&agent);
}

#[test]
fn a_download_without_the_right_waits_and_says_so() {
    let (pbx, crm) = (pbx_at(240.0, quiet()), crm());
    pbx.faults()
        .set(Fault::new(FaultKind::Forbidden).on(PathKind::Download));
    let (_setup, agent) = started("download", &pbx, &crm, "");
    let call = pbx.place_call(over(true));
    let key = &call.main_call_history_id;
    wait_item(&agent, "recordings-right-missing", "but not recordings");
    agent.wait("why says so", PATIENCE, |handle| {
        why(handle, key).is_some_and(|why| why.answer.contains("waiting: the right to read recordings is missing"))
    });
    agent.wait("the call is told", PATIENCE, |_| told(&crm, key));
    let_pass(&agent, &pbx, HOUR_MS);
    let tried = pbx.requests(PathKind::Download);
    println!("{tried} tries in an hour without the right");
    assert!(tried <= 20, "{tried}");
    pbx.faults().clear();
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
}

#[test]
fn a_client_of_the_whole_system_shows_as_one_cause_with_what_follows_from_it() {
    let (pbx, crm) = (pbx_at(120.0, quiet()), crm());
    pbx.set_principal(principal(false, true, true));
    let (_setup, agent) = started("wide", &pbx, &crm, "");
    pbx.place_call(over(true));
    agent.wait("one red item with its consequences", PATIENCE, |handle| {
        let folded = handle.health().folded();
        matches!(folded.as_slice(), [one] if one.item.code == "pbx-right-missing"
            && one.explains.iter().any(|under| under.code == "rights-unreadable")
            && one.item.fix.contains("System Wide"))
    });
    pbx.set_principal(principal(true, true, true));
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
}

#[test]
fn a_page_that_the_pbx_finds_too_big_is_asked_for_smaller() {
    let config = PbxConfig {
        history_days: 1,
        calls_per_day: 60,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let front = Front::start(&pbx.url(), |path| {
        let top: u32 = path.split("$top=").nth(1)?.split('&').next()?.parse().ok()?;
        let said = format!(
            "The query specified in the URI is not valid. The limit of '30' for Top query has been exceeded. The \
             value from the incoming request is '{top}'."
        );
        let error = serde_json::json!({ "error": { "code": "", "message": said, "details": [] } });
        (top > 30).then(|| (400, error.to_string()))
    });
    let setup =
        Setup::new("top", &pbx, &front.url())
            .set("backfill = \"1d\"")
            .target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
}

#[test]
fn a_stretch_that_the_pbx_finds_too_long_is_halved() {
    let config = PbxConfig {
        history_days: 3,
        calls_per_day: 150,
        recorded_share: 0.1,
        report_max_days: 1,
        report_slow_rows: Some(40),
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let (_setup, agent) = started("halved", &pbx, &crm, "backfill = \"3d\"\noverlap = \"30h\"");
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
}

#[test]
fn a_pbx_that_was_upgraded_gives_the_calls_of_both_sources_once() {
    let config = PbxConfig {
        history_days: 3,
        calls_per_day: 40,
        recorded_share: 0.2,
        upgraded_at_ms: Some(MORNING_MS - 36 * HOUR_MS),
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    // The old source fails at first: its calls must not be given up for that.
    let fails = FaultKind::Status {
        code: 500,
        retry_after: None,
    };
    pbx.faults().set(Fault::new(fails).on(PathKind::OldReport).times(2));
    let (_setup, agent) = started("upgraded", &pbx, &crm, "backfill = \"3d\"");
    wait_all(&agent, &pbx, &crm);
    assert!(pbx.requests(PathKind::OldReport) > 0);
    assert!(pbx.truth().len() >= 120);
    wait_well(&agent);
}

#[test]
fn history_is_read_newest_first_while_live_calls_keep_flowing() {
    let config = PbxConfig {
        history_days: 10,
        calls_per_day: 60,
        recorded_share: 0.2,
        even_traffic: true,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let history = pbx.truth().len();
    let (_setup, agent) = started("backfill", &pbx, &crm, "backfill = \"10d\"");
    agent.wait("the first of the history comes", PATIENCE, |_| {
        crm.with_state(|s| s.calls.len()) > 5
    });
    let live = pbx.place_call(over(true)).main_call_history_id;
    agent.wait("the live call comes", PATIENCE, |_| told(&crm, &live));
    let at = crm
        .with_state(|s| s.calls.iter().position(|event| event.call == live))
        .unwrap();
    println!("the live call was told after {at} of {history} calls of history");
    // The backlog was being read and delivered all the while; the call waits for its settling and its turn alone.
    assert!(at < history / 2, "after {at} of {history}");
    wait_all(&agent, &pbx, &crm);
    let days: Vec<i64> = crm.with_state(|s| {
        let began = s.calls.iter().filter(|event| event.call != live);
        let day = |event: &crm::CallEvent| {
            let ms = callspool::when::parse_rfc3339(event.data["started"].as_str().unwrap()).unwrap();
            (MORNING_MS - ms).div_euclid(DAY_MS)
        };
        began.map(day).collect()
    });
    let mean = |part: &[i64]| part.iter().sum::<i64>() as f64 / part.len() as f64;
    let (first, last) = (mean(&days[..60]), mean(&days[days.len() - 60..]));
    println!("days before today: the first 60 events {first:.1}, the last 60 {last:.1}");
    assert!(first < 2.0 && last > 7.0, "{first} {last}");
}

#[test]
fn a_recording_archived_or_deleted_before_it_could_be_fetched_is_told_as_such() {
    let (pbx, crm) = (pbx_at(120.0, quiet()), crm());
    let fails = FaultKind::Status {
        code: 500,
        retry_after: None,
    };
    pbx.faults().set(Fault::new(fails).on(PathKind::Download));
    let (_setup, agent) = started("gone", &pbx, &crm, "");
    let calls: Vec<_> = (0..3).map(|_| pbx.place_call(over(true))).collect();
    agent.wait("they are known of", PATIENCE, |handle| {
        calls.iter().all(|call| {
            let why = why(handle, &call.main_call_history_id);
            why.is_some_and(|why| {
                let known = why.recordings.iter().filter(|r| r.recording.started_ms.is_some());
                known.count() == call.recordings.len() && why.answer.contains("status 500")
            })
        })
    });
    for recording in &calls[0].recordings {
        assert!(pbx.delete_recording(recording.id));
    }
    for recording in &calls[1].recordings {
        assert!(pbx.archive_recording(recording.id) && pbx.lose_file(recording.id));
    }
    pbx.faults().clear();
    let said = |call: usize, words: &str| {
        agent.wait(words, PATIENCE, |handle| {
            why(handle, &calls[call].main_call_history_id).is_some_and(|why| why.answer.contains(words))
        });
    };
    said(0, "will never come: it was on the PBX's list and was deleted there");
    said(
        1,
        "will never come: the PBX moved it to its archive before it could be fetched",
    );
    said(2, "delivered to crm at");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().status().counts.unwrap().recordings_gone, 2);
    wait_well(&agent);
}

#[test]
fn another_certificate_of_the_pbx_is_refused_until_a_person_accepts_it() {
    let config = PbxConfig { tls: true, ..quiet() };
    let (pbx, crm) = (pbx_at(120.0, config), crm());
    let (setup, agent) = started("pin", &pbx, &crm, "");
    let hex = |pbx: &pbx::Handle| callspool::random::hex(&pbx.spki_sha256().unwrap());
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    let first = hex(&pbx);
    assert_eq!(agent.handle().status().pbx.pin, Some(first.clone()));
    assert_eq!(
        callspool::pbx::load_pin(&agent.handle().settings()).unwrap(),
        Some(first.clone())
    );

    pbx.regenerate_certificate().unwrap();
    let second = hex(&pbx);
    let kinds = [
        PathKind::Token,
        PathKind::Defs,
        PathKind::LastCdr,
        PathKind::Report,
        PathKind::Users,
    ];
    let asked = || kinds.map(|kind| pbx.requests(kind));
    let before = asked();
    let call = pbx.place_call(over(true));
    wait_item(&agent, "pbx-pin-changed", "nothing was sent to it");
    let status = agent.handle().status();
    assert_eq!(status.pbx.offered_pin.as_deref(), Some(second.as_str()));
    assert_eq!(
        (status.pbx.pin.as_deref(), status.pbx.reachable),
        (Some(first.as_str()), false)
    );
    assert_eq!(status.overall, Severity::Error);
    let_pass(&agent, &pbx, 10 * 60_000);
    assert_eq!(asked(), before, "something was sent to a PBX with another certificate");
    assert!(!told(&crm, &call.main_call_history_id));

    // A restart must not make it a first contact again.
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_item(&agent, "pbx-pin-changed", "another certificate");
    assert_eq!(asked(), before);
    agent.handle().accept_pin(&second).unwrap();
    wait_all(&agent, &pbx, &crm);
    wait_well(&agent);
    let status = agent.handle().status();
    assert_eq!((status.pbx.pin, status.pbx.offered_pin), (Some(second), None));
}

#[test]
fn the_first_certificate_is_kept_even_when_the_login_is_refused() {
    let config = PbxConfig { tls: true, ..quiet() };
    let (pbx, crm) = (pbx_at(120.0, config), crm());
    let setup = Setup::new("first", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    rewrite_secret(&setup, "pbx.secret", "not-the-api-key");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_item(&agent, "pbx-login-refused", "refuses client ID or API key");
    drop(agent);
    pbx.regenerate_certificate().unwrap();
    let asked = pbx.requests(PathKind::Token);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    wait_item(&agent, "pbx-pin-changed", "nothing was sent to it");
    assert_eq!(pbx.requests(PathKind::Token), asked);
}

#[test]
fn a_certificate_is_judged_by_the_authority_that_the_configuration_names() {
    let config = PbxConfig { tls: true, ..quiet() };
    let (pbx, crm) = (pbx_at(120.0, config), crm());
    let setup =
        Setup::new("ca", &pbx, &pbx.url())
            .set("trust = \"pbx-ca.pem\"")
            .target("crm", &crm, &crm.hook_url());
    let pem = |pbx: &pbx::Handle| {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(pbx.certificate_der().unwrap());
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    std::fs::write(setup.folder.0.join("pbx-ca.pem"), pem(&pbx)).unwrap();
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().status().pbx.pin, None);
    pbx.regenerate_certificate().unwrap();
    wait_item(&agent, "pbx-certificate-untrusted", "its certificate is not trusted");
}

#[test]
fn people_and_rights_are_in_the_store_within_a_minute_and_keep_their_version_while_nothing_changes() {
    let (pbx, crm) = (pbx_at(8.0, quiet()), crm());
    let (_setup, agent) = started("people", &pbx, &crm, "");
    let version = || agent.handle().status().rights.map(|snapshot| snapshot.version);
    let directory = || agent.handle().store().read(callspool::store::directory).unwrap();
    agent.wait("they are read", PATIENCE, |_| version().is_some());
    let (first, company) = (version().unwrap(), pbx.company());
    assert_eq!(directory().people.len(), company.people.len());
    let asked = pbx.requests(PathKind::Users);
    agent.wait("they are read again", PATIENCE, |_| {
        pbx.requests(PathKind::Users) >= asked + 4
    });
    assert_eq!(version(), Some(first));

    let person = company.people[0].number.clone();
    let role = |extension: &str| {
        let people = directory().people;
        let person = people.iter().find(|person| person.extension == extension)?;
        let at = person.memberships.iter().filter_map(|place| place.rights.role.clone());
        Some(at.collect::<Vec<_>>())
    };
    let new = if role(&person).unwrap().contains(&"managers".to_owned()) {
        "receptionists"
    } else {
        "managers"
    };
    let changed = pbx.time().now_ms();
    assert!(pbx.change_role(&person, new));
    agent.wait("the role is taken over", PATIENCE, |_| {
        role(&person).is_some_and(|roles| roles.iter().any(|role| role == new))
    });
    let took = pbx.time().now_ms() - changed;
    assert!(took <= 60_000, "{took} ms");
    let second = version().unwrap();
    assert!(second > first);

    let removed = pbx.time().now_ms();
    assert!(pbx.remove_user(&person));
    agent.wait("the person is gone", PATIENCE, |_| role(&person).is_none());
    let left = pbx.time().now_ms() - removed;
    assert!(left <= 60_000, "{left} ms");
    assert!(version().unwrap() > second);
    println!(
        "a role was taken over after {} s, a person was gone after {} s",
        took / 1000,
        left / 1000
    );
    assert_eq!(pbx.secrets_served(), 0);
    wait_well(&agent);
}

#[test]
fn a_long_call_that_began_before_the_last_reading_is_not_missed() {
    let (pbx, crm) = (pbx_at(240.0, quiet()), crm());
    let (_setup, agent) = started("long", &pbx, &crm, "");
    agent.wait("it reads", PATIENCE, |handle| handle.status().sync.cursor_ms.is_some());
    // Two hours of talk, and in the meantime a short call that moves the PBX's mark past it.
    let long = CallPlan {
        talk_ms: Some(2 * HOUR_MS),
        ..over(false)
    };
    let short = pbx.place_call(over(false)).main_call_history_id;
    agent.wait("the short call comes", PATIENCE, |_| told(&crm, &short));
    let long = pbx.place_call(long).main_call_history_id;
    agent.wait("the long call comes", PATIENCE, |_| told(&crm, &long));
    wait_all(&agent, &pbx, &crm);
}
