//! Calls without ids: what is one call, and what are two.

use crate::world::*;

#[test]
fn nothing_doubles_when_windows_overlap_a_name_changes_or_a_call_grows_even_over_a_restart() {
    let (pbx, crm) = (pbx_at(60.0, of_version(V18)), crm());
    let (setup, agent) = started("v18-same", &pbx, &crm, "overlap = \"6h\"");
    let call = pbx.place_call(CallPlan {
        agents: vec!["101".to_owned()],
        ..over(true)
    });
    pbx.place_call(over(false));
    wait_all(&agent, &pbx, &crm);
    let key = stored(&agent)
        .iter()
        .find(|row| row.recordings > 0)
        .unwrap()
        .call
        .key
        .clone();
    assert!(key.starts_with("v18-"), "{key}");

    assert!(pbx.rename("101", "Another", "Name (Sales)"));
    agent.wait("the new name is told as news of the same call", WAIT, |_| {
        crm.calls()
            .iter()
            .any(|told| told.call == key && told.kind == "call.updated")
    });
    pbx.lengthen(&call.main_call_history_id, 60_000);
    wait_all(&agent, &pbx, &crm);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 120_000);
    wait_all(&agent, &pbx, &crm);
    assert_eq!(stored(&agent).len(), 2);
    assert_eq!(crm.recordings().len(), call.recordings.len());
}

#[test]
fn two_equal_calls_in_one_minute_stay_two_and_keep_their_recordings() {
    let console = Console {
        minutes: true,
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            20.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    let (setup, agent) = started("v18-equal", &pbx, &crm, "");
    let minute = pbx.time().now_ms() - 600_000;
    let minute = minute - minute.rem_euclid(60_000);
    let first = pbx.place_call(same_two(minute + 2_000, 20));
    let told = |crm: &crm::Handle| crm.recordings().len();
    agent.wait("the first is there", WAIT, |_| told(&crm) == first.recordings.len());
    let first_key = crm.recordings()[0].call.clone();
    // The console lists the newest first, so the second pushes the first one down; and it is the shorter one.
    let second = pbx.place_call(same_two(minute + 40_000, 5));
    agent.wait("the second is there", WAIT, |_| {
        told(&crm) == first.recordings.len() + second.recordings.len()
    });
    let by_minute = |agent: &InProcess| {
        let calls = stored(agent);
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().all(|row| row.call.started_ms == minute));
        let mut lengths: Vec<i64> = calls.iter().map(|row| row.call.talking_ms).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [5_000, 20_000]);
        let first = calls.iter().find(|row| row.call.key == first_key).unwrap();
        assert_eq!(first.call.talking_ms, 20_000, "the first one stayed the first one");
    };
    by_minute(&agent);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 90_000);
    by_minute(&agent);
    for (call, key) in [(&first, &first_key)] {
        for recording in &call.recordings {
            let there = crm.recordings();
            let one: Vec<_> = there.iter().filter(|one| one.sha256 == recording.sha256).collect();
            assert_eq!((one.len(), &one[0].call), (1, key));
        }
    }
    assert!(
        crm.calls().iter().all(|told| told.kind != "call.updated"),
        "nothing was news about either"
    );
}
