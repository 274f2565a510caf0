//! The oddities of a real XAPI that an agent has to live with.

mod common;

use callspool_sim::pbx::{CallPlan, Licence, PathKind, Principal};
use callspool_sim::time::{DAY_MS, HOUR_MS, SimTime, iso};
use common::{Client, NOON_MS, ask_token, config, report_path, start};

#[test]
fn the_same_seed_gives_the_same_pbx_to_the_byte() {
    let (one, two) = (start(config()), start(config()));
    assert_eq!(one.truth(), two.truth());
    let other = start(callspool_sim::pbx::PbxConfig { seed: 12, ..config() });
    assert_ne!(one.truth(), other.truth());
    let ask = |pbx| Client::login(pbx).report(NOON_MS - DAY_MS, NOON_MS, "").rows();
    assert_eq!(ask(&one), ask(&two));
}

#[test]
fn parameters_in_another_order_or_missing_are_404_and_a_bad_date_is_500() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let right = report_path("GetCallLogData", "2026-03-04T00:00:00Z", "2026-03-04T12:00:00Z", "");
    assert_eq!(xapi.get(&right).status, 200);
    let swapped = right.replace("callsType=0,callTimeFilterType=0", "callTimeFilterType=0,callsType=0");
    assert_eq!(xapi.get(&swapped).status, 404);
    assert_eq!(xapi.get(&right.replace(",hidePcalls=true", "")).status, 404);
    assert_eq!(xapi.get(&right.replace("sourceType=0", "sourceType=x")).status, 404);
    assert_eq!(
        xapi.get(&right.replace("2026-03-04T00:00:00Z", "2026-03-04 00:00"))
            .status,
        500
    );
    assert_eq!(xapi.get(&right.replace("00:00:00Z", "00:00:00%2B01:00")).status, 200);
}

#[test]
fn more_than_the_largest_page_is_400_and_a_count_comes_only_when_asked_for() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    assert_eq!(xapi.get("/Users?$top=101").status, 400);
    assert_eq!(xapi.get("/Recordings?$top=200").status, 200);
    assert_eq!(xapi.get("/Recordings?$top=201").status, 400);
    let plain = xapi.get("/Users?$top=5&$select=Id").json();
    assert!(plain.get("@odata.count").is_none() && plain.get("@odata.nextLink").is_none());
    assert_eq!(plain["value"].as_array().map(Vec::len), Some(5));
    assert_eq!(xapi.get("/Users?$top=5&$count=true").json()["@odata.count"], 24);
    assert_eq!(xapi.get("/Users?$select=Nonsense").status, 400);
    assert_eq!(xapi.get("/Recordings(5)").status, 404);
    assert_eq!(xapi.get("/Recordings?$filter=contains(FromDn,'1')").status, 500);
}

#[test]
fn filters_and_order_do_what_they_say() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let from = iso(NOON_MS - DAY_MS);
    let path = format!("/Recordings?$top=100&$filter=StartTime ge {from} and FromDn eq '10000'&$orderby=Id desc");
    let rows = xapi.get(&path).rows();
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|r| r["FromDn"] == "10000" && r["StartTime"].as_str().unwrap() >= from.as_str())
    );
    let ids: Vec<i64> = rows.iter().map(|r| r["Id"].as_i64().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]));
    let one = xapi.get(&format!("/Recordings?$filter=Id eq {}&$top=1", ids[0])).rows();
    assert_eq!(one.len(), 1);
    let read = xapi
        .get("/Recordings?$filter=IsTranscribed eq true&$top=10&$select=Id,Transcription")
        .rows();
    assert!(!read.is_empty() && read.iter().all(|r| r["Transcription"].is_string()));
    assert_eq!(
        xapi.get("/Users?$filter=Number eq '105'&$select=Number").rows().len(),
        1
    );
}

#[test]
fn tokens_expire_die_with_the_next_one_and_are_counted() {
    let pbx = start(config());
    let first = Client::login(&pbx);
    assert_eq!(first.get("/Defs?$select=Id").status, 200);
    let second = Client::login(&pbx);
    let refused = first.get("/Defs?$select=Id");
    assert_eq!((refused.status, refused.body.as_deref()), (401, Ok(&b""[..])));
    assert_eq!(second.get("/Users?$select=Id").status, 200);
    pbx.time().advance(HOUR_MS + 1);
    assert_eq!(second.get("/Users?$select=Id").status, 401);
    assert_eq!(
        (pbx.logins(), pbx.requests(PathKind::Users), pbx.secrets_served()),
        (2, 2, 0)
    );
}

#[test]
fn a_login_says_minutes_before_update_9_and_seconds_since() {
    for (version, expires_in) in [("20.0.8.1109", 60), ("20.0.9.995", 3_600)] {
        let pbx = start(callspool_sim::pbx::PbxConfig {
            version: version.into(),
            ..config()
        });
        let form = "grant_type=client_credentials&client_id=900&client_secret=sim-api-key-not-a-secret";
        let answer = ask_token(&pbx, form).json();
        assert_eq!(answer["expires_in"], expires_in);
        assert!(answer["refresh_token"].is_null() && answer.as_object().unwrap().contains_key("refresh_token"));
        assert_eq!(answer["access_token"].as_str().unwrap().split('.').count(), 3);
        let wrong = ask_token(&pbx, "grant_type=client_credentials&client_id=900&client_secret=x");
        assert_eq!((wrong.status, &wrong.json()["error"]), (400, &"invalid_client".into()));
        assert_eq!(pbx.refused_logins(), 1);
    }
    let old = start(callspool_sim::pbx::PbxConfig {
        version: "18.0.9.20".into(),
        ..config()
    });
    assert_eq!(ask_token(&old, "").status, 404);
}

#[test]
fn rows_come_after_the_end_and_the_recording_after_the_row() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let call = pbx.place_call(CallPlan {
        ring_ms: Some(5_000),
        talk_ms: Some(20_000),
        recorded: Some(true),
        row_delay_ms: Some(3_000),
        recording_delay_ms: Some(60_000),
        ..CallPlan::default()
    });
    let id = call.main_call_history_id.as_str();
    let recording = &call.recordings[0];
    let row = || {
        xapi.report(NOON_MS, NOON_MS + HOUR_MS, "")
            .rows()
            .into_iter()
            .find(|r| r["MainCallHistoryId"] == id)
    };
    let listed = || {
        xapi.get(&format!("/Recordings?$filter=Id eq {}", recording.id))
            .rows()
            .len()
    };
    let download = || xapi.get(&format!("/Recordings/Pbx.DownloadRecording(recId={})", recording.id));
    pbx.time().advance(27_999);
    assert!(row().is_none());
    pbx.time().advance(1);
    assert!(row().is_some());
    assert_eq!((listed(), download().status), (0, 400));
    pbx.time().advance(60_000);
    assert_eq!(
        row().map(|r| r["DstRecId"].as_i64()),
        Some(Some(i64::from(recording.id)))
    );
    assert_eq!(listed(), 1);
    let file = download();
    assert_eq!(file.kind.as_deref(), Some("audio/x-wav"));
    assert!(
        file.disposition
            .as_ref()
            .is_some_and(|d| d.starts_with("attachment; filename=\""))
    );
    let bytes = file.body.unwrap();
    assert_eq!(
        (bytes.len() as u64, Some(&bytes)),
        (recording.length, pbx.audio(recording.id).as_ref())
    );
    assert_eq!(bytes.len(), 44 + 20 * 16_000);
}

#[test]
fn a_recording_may_be_archived_lost_or_deleted() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let rows = xapi.get("/Recordings?$top=3&$orderby=Id").rows();
    let id = |at: usize| rows[at]["Id"].as_i64().unwrap() as i32;
    assert!(pbx.archive_recording(id(0)) && pbx.lose_file(id(1)) && pbx.delete_recording(id(2)));
    assert!(!pbx.delete_recording(1));
    let entry = |at| xapi.get(&format!("/Recordings?$filter=Id eq {}", id(at))).rows();
    let fetch = |at| xapi.get(&format!("/Recordings/Pbx.DownloadRecording(recId={})", id(at)));
    assert_eq!(
        (entry(0)[0]["IsArchived"].as_bool(), fetch(0).status),
        (Some(true), 200)
    );
    assert_eq!((entry(1).len(), fetch(1).status), (1, 400));
    assert_eq!((entry(2).len(), fetch(2).status), (0, 400));
    let text = fetch(1).json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(text.contains("WARNINGS.XAPI.FILE_NOT_FOUND"), "{text}");
    assert!(pbx.transcribe_recording(id(0), "100: Hello."));
    assert_eq!(entry(0)[0]["Transcription"], "100: Hello.");
}

#[test]
fn a_long_range_and_a_full_one_are_504() {
    let pbx = start(callspool_sim::pbx::PbxConfig {
        report_slow_rows: Some(150),
        ..config()
    });
    let xapi = Client::login(&pbx);
    assert_eq!(xapi.report(NOON_MS - 32 * DAY_MS, NOON_MS, "").status, 504);
    assert_eq!(xapi.report(NOON_MS - 2 * DAY_MS, NOON_MS, "?$top=5").status, 504);
    assert_eq!(xapi.report(NOON_MS - HOUR_MS, NOON_MS, "").status, 200);
}

#[test]
fn calls_before_update_6_are_only_in_the_old_report() {
    let cut = NOON_MS - DAY_MS;
    let pbx = start(callspool_sim::pbx::PbxConfig {
        upgraded_at_ms: Some(cut),
        ..config()
    });
    let xapi = Client::login(&pbx);
    let ask = |name| {
        let rows = xapi
            .get(&report_path(name, &iso(NOON_MS - 2 * DAY_MS), &iso(NOON_MS), ""))
            .rows();
        rows.iter()
            .map(|r| r["StartTime"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (new, old) = (ask("GetCallLogData"), ask("GetOldCallLogData"));
    assert!(!new.is_empty() && new.iter().all(|start| *start >= iso(cut)));
    assert!(!old.is_empty() && old.iter().all(|start| *start < iso(cut)));
    let whole = start(config());
    assert_eq!(
        Client::login(&whole)
            .report(NOON_MS - 2 * DAY_MS, NOON_MS, "")
            .rows()
            .len(),
        new.len() + old.len()
    );
}

#[test]
fn rights_decide_between_200_and_403() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let paths = [
        "/Defs?$select=Id",
        "/Users?$select=Id",
        "/Recordings?$top=1",
        "/SystemStatus",
    ];
    let statuses = || paths.map(|path| xapi.get(path).status);
    let history = || xapi.report(NOON_MS - HOUR_MS, NOON_MS, "").status;
    let principal = |role: &str, department: Option<&str>| Principal {
        role: role.into(),
        department: department.map(Into::into),
        ..Principal::default()
    };
    assert_eq!((statuses(), history()), ([200; 4], 200));
    let whole = xapi.get("/Recordings?$top=1&$count=true").json()["@odata.count"].as_i64();
    pbx.set_principal(principal("users", None));
    assert_eq!((statuses(), history()), ([200, 403, 403, 403], 403));
    pbx.set_principal(principal("managers", Some("GRP0001")));
    assert_eq!((statuses(), history()), ([200; 4], 200));
    let part = xapi.get("/Recordings?$top=1&$count=true").json()["@odata.count"].as_i64();
    assert!(part < whole && part > Some(0), "{part:?} of {whole:?}");
    pbx.set_principal(principal("group_admins", Some("GRP0001")));
    assert_eq!((statuses(), history()), ([200, 200, 403, 200], 403));
    pbx.set_principal(Principal {
        recordings_allowed: false,
        ..principal("system_owners", Some("GRP0000"))
    });
    assert_eq!((statuses(), history()), ([200, 200, 403, 200], 200));
}

#[test]
fn what_a_principal_may_and_may_not_is_a_matrix_of_independent_rights() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let report = report_path("GetCallLogData", &iso(NOON_MS - HOUR_MS), &iso(NOON_MS), "");
    let ask = |principal: Principal| {
        pbx.set_principal(principal);
        let paths = [
            report.as_str(),
            "/Recordings?$top=1",
            "/Users?$top=1&$select=Id",
            "/ServicePrincipals",
        ];
        paths.map(|path| xapi.get(path).status)
    };
    assert_eq!(ask(Principal::default()), [200; 4]);
    assert_eq!(ask(Principal::history_only()), [200, 403, 200, 403]);
    assert_eq!(ask(Principal::recordings_only()), [403, 200, 200, 403]);
    assert_eq!(ask(Principal::both()), [200, 200, 200, 403]);
    assert_eq!(ask(Principal::administrator_without_history()), [403, 200, 200, 200]);
    assert_eq!(ask(Principal::system_wide()), [403; 4]);
    assert_eq!(ask(Principal::nothing()), [403; 4]);
    let refused = Principal {
        ip_refused: true,
        ..Principal::default()
    };
    assert_eq!(ask(refused), [403; 4]);
    let unlicensed = |licence| Principal {
        licence,
        ..Principal::default()
    };
    assert_eq!(ask(unlicensed(Licence::NoApi404)), [404; 4]);
    assert_eq!(ask(unlicensed(Licence::NoApi403)), [403; 4]);
    assert_eq!(ask(Principal::default()), [200; 4]);
}

#[test]
fn ten_wrong_logins_in_a_row_put_the_address_on_the_blacklist() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let log_in = |secret: &str| {
        let form = format!("grant_type=client_credentials&client_id=900&client_secret={secret}");
        ask_token(&pbx, &form).status
    };
    for _ in 0..9 {
        assert_eq!(log_in("wrong"), 400);
    }
    assert_eq!(xapi.get("/Defs?$select=Id").status, 200);
    log_in("wrong");
    assert!(pbx.principal().blacklisted);
    assert_eq!(xapi.get("/Defs?$select=Id").status, 403);
    let secret = pbx.credentials().1;
    assert_eq!(log_in(&secret), 403);
    pbx.take_off_blacklist();
    assert_eq!(log_in(&secret), 200);
}

#[test]
fn roles_change_and_people_go() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let role = || {
        let path = "/Users?$filter=Number eq '110'&$select=Number&$expand=Groups($expand=Rights)";
        xapi.get(path)
            .rows()
            .first()
            .map(|u| u["Groups"][0]["Rights"]["RoleName"].as_str().unwrap().to_owned())
    };
    assert!(pbx.change_role("110", "managers"));
    assert_eq!(role().as_deref(), Some("managers"));
    assert!(pbx.remove_user("110") && !pbx.remove_user("110"));
    assert_eq!(role(), None);
    assert_eq!(pbx.secrets_served(), 0);
    xapi.get("/Users");
    assert_eq!(pbx.secrets_served(), 1);
}

#[test]
fn rights_are_shown_only_when_expanded() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let group =
        |expand: &str| xapi.get(&format!("/Users?$top=1&$select=Id{expand}")).rows()[0]["Groups"][0].clone();
    assert!(group("").is_null());
    assert!(group("&$expand=Groups")["GroupId"].is_i64());
    assert!(group("&$expand=Groups")["Rights"].is_null());
    assert_eq!(
        group("&$expand=Groups($expand=GroupRights)")["GroupRights"]["RoleName"],
        "system_owners"
    );
}

#[test]
fn a_day_passes_in_a_moment_and_ten_thousand_calls_are_no_burden() {
    let begin = std::time::Instant::now();
    let pbx = start(callspool_sim::pbx::PbxConfig {
        calls_per_day: 5_000,
        even_traffic: true,
        time: SimTime::scaled(NOON_MS, 720.0),
        token_life_s: 365 * 86_400,
        ..config()
    });
    assert_eq!(pbx.calls_total_scheduled(), 15_000);
    let xapi = Client::login(&pbx);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let count = || xapi.report(NOON_MS, NOON_MS + DAY_MS, "?$top=1&$count=true").json()["@odata.count"].as_i64();
    let first = count();
    while count() < first.map(|n| n + 100) {
        assert!(
            std::time::Instant::now() < deadline,
            "no new rows at 720 times the speed"
        );
    }
    assert!(begin.elapsed().as_secs() < 60);
}
