//! Lists that differ, and a console that fails in the middle.

use crate::world::*;

#[test]
fn lists_that_differ_from_build_to_build_are_read_all_the_same() {
    let consoles = [
        (
            "oldest first",
            Console {
                oldest_first: true,
                ..Console::default()
            },
        ),
        (
            "small pages",
            Console {
                most_rows: 37,
                ..Console::default()
            },
        ),
        (
            "small pages, oldest first",
            Console {
                most_rows: 37,
                oldest_first: true,
                ..Console::default()
            },
        ),
        (
            "ranges without today",
            Console {
                ranges_without_today: true,
                ..Console::default()
            },
        ),
        (
            "a local midnight and nothing beyond a week",
            Console {
                ranges: vec![("Today", 1), ("LastSevenDays", 7)],
                ..Console::default()
            },
        ),
        (
            "names as ids",
            Console {
                text_ids: Some(true),
                ..Console::default()
            },
        ),
    ];
    for (name, console) in consoles {
        let config = PbxConfig {
            console,
            history_days: 2,
            calls_per_day: 40,
            recorded_share: 0.2,
            ..of_version(V18)
        };
        let (pbx, crm) = (pbx_at(60.0, config), crm());
        let began = std::time::Instant::now();
        let (_setup, agent) = started("v18-builds", &pbx, &crm, "backfill = \"9d\"");
        wait_all(&agent, &pbx, &crm);
        let asked = (pbx.requests(PathKind::Report), pbx.requests(PathKind::Recordings));
        println!("{name}: {:?}, {asked:?} questions", began.elapsed());
    }
}

#[test]
fn a_session_that_ends_in_mid_page_half_a_body_and_500_lose_and_double_nothing() {
    let config = PbxConfig {
        history_days: 1,
        calls_per_day: 280,
        recorded_share: 0.15,
        ..of_version(V18)
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let faults = pbx.faults();
    faults.set(
        Fault::new(FaultKind::RevokeToken { mid_page: true })
            .on(PathKind::Report)
            .times(2),
    );
    faults.set(
        Fault::new(FaultKind::CutBody { share: 0.5 })
            .on(PathKind::Report)
            .times(2),
    );
    faults.set(
        Fault::new(FaultKind::Status {
            code: 500,
            retry_after: None,
        })
        .on(PathKind::Recordings)
        .times(2),
    );
    faults.set(
        Fault::new(FaultKind::CutBody { share: 0.5 })
            .on(PathKind::Download)
            .times(3),
    );
    faults.set(
        Fault::new(FaultKind::Status {
            code: 500,
            retry_after: None,
        })
        .on(PathKind::Download)
        .times(2),
    );
    faults.set(Fault::new(FaultKind::ErrorIn200).on(PathKind::Users).times(1));
    let (_setup, agent) = started("v18-faults", &pbx, &crm, "backfill = \"1d\"");
    wait_all(&agent, &pbx, &crm);
    assert!(faults.hits() >= 10, "{} faults", faults.hits());
    assert!(pbx.console_logins() <= 4, "{} logins", pbx.console_logins());
    agent.wait("all is well", WAIT, |handle| handle.health().items().is_empty());
    // The console's session ends by itself when nobody asks for long; it is renewed by being used.
    pbx.end_sessions();
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    assert!(pbx.console_logins() <= 5, "{} logins", pbx.console_logins());
}

#[test]
fn a_file_that_is_gone_is_a_redirect_and_waited_for_then_given_up_and_a_deleted_one_is_given_up_at_once() {
    let (pbx, crm) = (pbx_at(720.0, of_version(V18)), crm());
    let lost = pbx.place_call(over(true)).recordings[0].id;
    let deleted = pbx.place_call(over(true)).recordings[0].id;
    pbx.lose_file(lost);
    let gone = Fault::new(FaultKind::Redirect {
        to: "/#/login".to_owned(),
    })
    .on(PathKind::Download);
    pbx.faults().set(gone);
    let (_setup, agent) = started("v18-gone", &pbx, &crm, "late_recordings = \"2h\"");
    let state = |id: i32| {
        let read = |c: &rusqlite::Connection| store::recording_by_pbx_id(c, i64::from(id));
        agent
            .handle()
            .store()
            .read(read)
            .unwrap()
            .map(|one| (one.state.word(), one.code))
    };
    agent.wait("it waits", WAIT, |_| {
        state(lost) == Some(("waiting", "not-there-yet".to_owned()))
    });
    pbx.delete_recording(deleted);
    agent.wait("the deleted one is given up", WAIT, |_| {
        state(deleted) == Some(("gone", "deleted".to_owned()))
    });
    agent.wait("the lost one is given up", WAIT, |_| {
        state(lost) == Some(("gone", "vanished".to_owned()))
    });
}

#[test]
fn members_that_no_list_names_are_read_in_the_editor_and_nothing_is_saved() {
    let console = Console {
        no_membership: true,
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
    let (_setup, agent) = started("v18-editor", &pbx, &crm, "group_editor = true\nrights_every = \"1h\"");
    let members = |agent: &InProcess| -> usize {
        let directory = agent.handle().store().read(store::directory).unwrap();
        directory.people.iter().map(|person| person.memberships.len()).sum()
    };
    let there: usize = pbx.company().people.iter().map(|person| person.memberships.len()).sum();
    agent.wait("members are known", WAIT, |_| members(&agent) == there);
    let (opened, saved) = pbx.editor();
    assert!(opened > 0 && saved == 0, "{opened} opened, {saved} saved");
}
