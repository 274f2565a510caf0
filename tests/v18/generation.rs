//! Which generation it is, and an upgrade to v20 in between.

use crate::world::*;

/// An upgrade to v20 in the middle of the day, while callspool runs.
fn upgraded(name: &str, console: Console, version: &str) {
    let config = PbxConfig {
        console,
        history_days: 1,
        calls_per_day: 50,
        recorded_share: 0.3,
        ..of_version(V18)
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let (setup, agent) = started(name, &pbx, &crm, "backfill = \"1d\"");
    wait_all(&agent, &pbx, &crm);
    let before = pbx.console_calls().len();
    let kept = crm.recordings().len();

    // Somebody calls, and the PBX goes down for its upgrade before the call was read.
    pbx.stop();
    let unseen = pbx.place_call(over(true));
    pbx.upgrade(version);
    pbx.start_again().unwrap();
    pbx.place_call(over(true));
    let calls = before + 2;
    let all: usize = pbx.truth().iter().map(|call| call.recordings.len()).sum();
    let settled = |agent: &InProcess| {
        agent.wait("the calls of after the upgrade are there", WAIT, |handle| {
            let counts = handle.status().counts.unwrap();
            stored(agent).len() >= calls && crm.recordings().len() >= all && counts.deliveries_waiting == 0
        });
    };
    settled(&agent);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V20);
    drop(agent);
    // A restart reads the whole day again, from the old source too.
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let again = pbx.time().now_ms();
    let gap = move |within: &rusqlite::Savepoint| store::add_gap(within, again - 26 * 3_600_000, again);
    agent.handle().store().write(gap).unwrap();
    agent.wait("the day was read again", WAIT, |handle| {
        handle.status().sync.backlog_ms == 0 && handle.store().read(store::gaps).unwrap().is_empty()
    });
    let_pass(&agent, &pbx, 120_000);
    settled(&agent);
    let (made, told): (Vec<CallRow>, Vec<CallRow>) = stored(&agent)
        .into_iter()
        .partition(|row| row.call.key.starts_with("v18-"));
    assert_eq!((made.len(), told.len()), (before, 2));
    assert!(
        told.iter().any(|row| row.call.key == unseen.main_call_history_id),
        "the unseen one is there"
    );
    assert_eq!(crm.recordings().len(), all, "{kept} before");
    let mut hashes: Vec<String> = crm.recordings().into_iter().map(|one| one.sha256).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all, "each recording once");
    assert_eq!(crm.violations(), []);
}

#[test]
fn a_pbx_that_is_upgraded_to_v20_while_callspool_runs_doubles_and_loses_no_call() {
    upgraded("v18-up", Console::default(), "20.0.10.101");
}

#[test]
fn nor_does_one_whose_recordings_had_names_for_ids_or_that_is_upgraded_to_an_early_v20() {
    let text_ids = Console {
        text_ids: Some(true),
        ..Console::default()
    };
    upgraded("v18-up-names", text_ids, "20.0.8.1109");
}

#[test]
fn the_generation_is_found_out_once_and_remembered() {
    let (pbx, crm) = (pbx_at(60.0, of_version(V18)), crm());
    pbx.place_call(over(false));
    let (setup, agent) = started("v18-once", &pbx, &crm, "");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(pbx.requests(PathKind::Token), 2, "one at each login's path");
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 60_000);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V18);
    assert_eq!(
        pbx.requests(PathKind::Token),
        3,
        "a new session, and no question which generation it is"
    );

    // A PBX that answers 404 to everything while it starts is no other PBX.
    let missing = Fault::new(FaultKind::Status {
        code: 404,
        retry_after: None,
    });
    pbx.faults().set(missing.clone());
    pbx.faults().set(missing.on(PathKind::Token));
    pbx.end_sessions();
    agent.wait("it is noticed", WAIT, |handle| item(handle, "pbx-no-api").is_some());
    pbx.faults().clear();
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V18);
    assert_eq!(pbx.refused_logins(), 0);
    let _ = MORNING_MS;
}
