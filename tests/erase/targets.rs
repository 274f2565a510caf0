//! Targets that are down, holds that beat an erasure, and calls that are not the person's alone.

use callspool_sim::pbx::{CallKind, CallPlan};

use crate::person::{
    DIGITS, NUMBER, TYPED, a_box, ask, crm, files_with, json, order, pbx, place, place_all, report, wait_for,
    wait_settled, wait_state,
};
use crate::rig::{Process, callspool};

#[test]
fn a_target_that_is_down_is_asked_when_it_is_back_and_nothing_here_waits_for_it() {
    let (pbx, told) = (pbx(), crm());
    let (gone, _) = place_all(&pbx);
    let setup = a_box("erase-down", &pbx)
        .target("told", &told, &told.hook_url())
        .set("erases = true\ntimeout = \"2s\"");
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    told.stop();
    let id = order(&setup);
    wait_state(&setup, &mut process, id, &["asking"]);
    assert_eq!(files_with(&setup.state_dir(), DIGITS), Vec::<std::path::PathBuf>::new());
    let waiting = |setup: &crate::rig::Setup| {
        let items = report(setup, id)["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter(|item| item["state"] == "open").count()
    };
    assert!(waiting(&setup) > 0);
    process.kill();
    process = Process::start(&setup);
    process.wait_until_up(&setup);
    assert!(waiting(&setup) > 0);
    told.start_again().unwrap();
    callspool(&setup, &["queue", "retry", "--target", "told"]);
    wait_state(&setup, &mut process, id, &["done"]);
    for call in &gone {
        assert!(told.with_state(|state| state.events_of(&call.main_call_history_id).is_empty()));
    }
    assert!(process.stop());
}

#[test]
fn a_hold_beats_an_erasure_and_the_report_says_by_whom() {
    let (pbx, told) = (pbx(), crm());
    let (gone, _) = place_all(&pbx);
    let setup = a_box("erase-hold", &pbx)
        .target("told", &told, &told.hook_url())
        .set("erases = true");
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    let key = gone[0].main_call_history_id.clone();
    let (held, code) = json(&setup, &["hold", "add", "--call", &key, "--why", "case 12"]);
    assert_eq!((code, &held["hold"]["calls"]), (Some(0), &1.into()), "{held}");
    let look = callspool(&setup, &["erase", TYPED]);
    let look = String::from_utf8_lossy(&look.stdout).into_owned();
    assert!(
        look.contains("on hold since") && look.contains("by terminal") && look.contains("not erased"),
        "{look}"
    );
    let id = order(&setup);
    wait_state(&setup, &mut process, id, &["done"]);
    let report = report(&setup, id);
    assert_eq!(
        (&report["erasure"]["calls"], &report["erasure"]["on_hold"]),
        (&2.into(), &1.into())
    );
    assert_eq!(ask(&setup, "SELECT count(*) FROM call"), 3);
    assert_eq!(
        ask(&setup, &format!("SELECT count(*) FROM call WHERE key = '{key}'")),
        1
    );
    assert!(!told.with_state(|state| state.events_of(&key).is_empty()));
    // Released, it goes with the next erasure.
    let (_, code) = json(&setup, &["hold", "release", "1", "--why", "case closed"]);
    assert_eq!(code, Some(0));
    let id = order(&setup);
    wait_state(&setup, &mut process, id, &["done"]);
    assert_eq!(ask(&setup, "SELECT count(*) FROM call"), 2);
    assert_eq!(files_with(&setup.state_dir(), DIGITS), Vec::<std::path::PathBuf>::new());
    let audit = callspool(&setup, &["audit", "--json"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    for action in ["hold.manage", "person.erase"] {
        assert!(audit.contains(action), "{audit}");
    }
    assert!(!audit.contains("55500417"), "the audit names a number");
    assert!(process.stop());
}

#[test]
fn a_hold_on_a_number_keeps_what_is_still_to_come() {
    let (pbx, told) = (pbx(), crm());
    place(&pbx, NUMBER, CallKind::Inbound);
    let setup = a_box("hold-number", &pbx).target("told", &told, &told.hook_url());
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    let (_, code) = json(
        &setup,
        &["hold", "add", "--number", TYPED, "--until", "30d", "--why", "case 13"],
    );
    assert_eq!(code, Some(0));
    place(&pbx, NUMBER, CallKind::Outbound);
    place(&pbx, "+4930901820", CallKind::Inbound);
    wait_for("the next calls are taken", &mut process, || {
        ask(&setup, "SELECT count(*) FROM call") == 3
    });
    let (holds, _) = json(&setup, &["hold", "list"]);
    assert_eq!(holds["holds"][0]["calls"], 2, "{holds}");
    assert!(process.stop());
}

#[test]
fn of_a_call_with_another_party_only_the_persons_part_goes() {
    let (pbx, told) = (pbx(), crm());
    let other = "+4930901820";
    let setup = a_box("erase-shared", &pbx)
        .target("told", &told, &told.hook_url())
        .set("erases = true");
    let shared = pbx.place_call(CallPlan {
        kind: Some(CallKind::BlindTransfer),
        outside: Some(NUMBER.to_owned()),
        ended: true,
        ring_ms: Some(100),
        talk_ms: Some(600),
        recorded: Some(true),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        ..CallPlan::default()
    });
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    let key = &shared.main_call_history_id;
    assert!(process.stop());
    // The simulator transfers to colleagues alone: the last leg becomes one of another outside party.
    let last: String = {
        let store = callspool::store::Store::open(&setup.state_dir().join("callspool.db")).unwrap();
        let other = other.to_owned();
        store
            .write(move |within| {
                let sql = "SELECT cdr_id FROM leg ORDER BY started_ms DESC, cdr_id LIMIT 1";
                let last: String = within.query_row(sql, [], |row| row.get(0))?;
                within.execute(
                    "UPDATE leg SET from_number = ?2, from_kind = 1, to_number = '+49301', to_kind = 1, recordings = '[]'
                     WHERE cdr_id = ?1",
                    [&last, &other],
                )?;
                Ok(last)
            })
            .unwrap()
    };
    let store = callspool::store::Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
    let number = callspool::numbers::Number::read(NUMBER, &Default::default()).unwrap();
    let part = store
        .read(|c| {
            let call = callspool::store::call_by_key(c, key)?.unwrap();
            callspool::store::part_of(c, call.id, &number)
        })
        .unwrap();
    assert!(part.shared);
    assert!(part.legs.iter().all(|leg| leg.cdr_id != last) && !part.legs.is_empty());
}
