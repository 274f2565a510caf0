//! The night in which an hour comes twice.

use crate::world::*;

/// Europe's last night of summer time in 2026: at 01:00 UTC the clocks of Berlin go from 03:00 back to 02:00.
const NIGHT_MS: i64 = 1_792_893_600_000;

fn night(console: Console) -> pbx::Handle {
    let config = PbxConfig {
        console,
        time: SimTime::scaled(NIGHT_MS, 60.0),
        ..of_version(V18)
    };
    pbx::Pbx::start(config).unwrap()
}

#[test]
fn a_pbx_that_writes_utc_does_not_care_when_summer_time_ends() {
    let (pbx, crm) = (night(Console::default()), crm());
    let change = NIGHT_MS - 3_600_000;
    assert_eq!(
        wall::berlin(change) - wall::berlin(change - 1),
        1 - 3_600_000,
        "the clocks go back then"
    );
    for minutes in [-90, -31, -30, -1, 0, 29, 30] {
        pbx.place_call(same_two(change + minutes * 60_000, 3));
    }
    let (_setup, agent) = started("v18-utc", &pbx, &crm, "");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(stored(&agent).len(), 7);
}

#[test]
fn the_hour_that_comes_twice_doubles_and_loses_nothing_on_a_pbx_that_writes_local_times() {
    let console = Console {
        local_times: Some(wall::berlin),
        local_recordings: Some(wall::berlin),
        ..Console::default()
    };
    let (pbx, crm) = (night(console), crm());
    let change = NIGHT_MS - 3_600_000;
    // 02:30 by the clock on the wall, twice; the same two people, the same length.
    let both = [
        pbx.place_call(same_two(change - 1_800_000, 3)),
        pbx.place_call(same_two(change + 1_800_000, 3)),
    ];
    // Before, in the first and in the second of the two hours, and after them.
    for minutes in [-70, -10, 10, 70] {
        pbx.place_call(CallPlan {
            agents: vec!["101".to_owned()],
            ..same_two(change + minutes * 60_000, 3)
        });
    }
    let (setup, agent) = started("v18-twice", &pbx, &crm, "time_zone = \"CET-1CEST,M3.5.0,M10.5.0/3\"");
    let recordings = || -> usize { pbx.truth().iter().map(|call| call.recordings.len()).sum() };
    let settled = |agent: &InProcess| {
        agent.wait("all is there", WAIT, |handle| {
            let counts = handle.status().counts.unwrap();
            stored(agent).len() == 6 && crm.recordings().len() == recordings() && counts.deliveries_waiting == 0
        });
    };
    agent.wait("the call after the two hours is over", WAIT, |_| {
        pbx.console_calls().len() == 6
    });
    settled(&agent);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 5 * 60_000);
    settled(&agent);
    let calls = stored(&agent);
    let at = |ms: i64| calls.iter().filter(|row| row.call.started_ms == ms).count();
    assert_eq!(at(both[0].start_ms), 2, "both count as of the first of the two hours");
    assert_eq!((at(change - 70 * 60_000), at(change + 70 * 60_000)), (1, 1));
    let new = crm.calls().iter().filter(|event| event.kind != "call.updated").count();
    assert_eq!((new, recordings()), (6, crm.recordings().len()));
    assert_eq!(crm.violations(), []);
}

#[test]
fn local_times_without_a_zone_are_refused_with_what_to_set() {
    let console = Console {
        local_times: Some(wall::berlin),
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            60.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    pbx.place_call(over(false));
    let (_setup, agent) = started("v18-zone", &pbx, &crm, "");
    agent.wait("it says what to set", WAIT, |handle| {
        item(handle, "pbx-nonsense").is_some_and(|item| item.text.contains("set pbx.time_zone"))
    });
    assert_eq!(stored(&agent).len(), 0);
}
