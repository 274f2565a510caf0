//! What the PBX's lists may say.

use crate::world::*;

/// An answer of the PBX, and what is shown for it: a health item and words in it.
struct Row(PathKind, FaultKind, &'static str, &'static str);

/// Runs rows on one box: the fault comes, a call is made, the item shows (and the call is told all the same where
/// `goes_on`); the fault goes, and all is there and well.
fn play(name: &str, goes_on: bool, rows: Vec<Row>) {
    let world = Site::start(name);
    world.pbx.place_call(over(true));
    world.wait_all("before");
    for Row(path, kind, code, words) in rows {
        let row = format!("{path:?} {kind:?}");
        println!("{row}");
        world.pbx.faults().set(Fault::new(kind).on(path));
        if path == PathKind::Token {
            world.pbx.revoke_tokens();
        }
        if path == PathKind::Defs {
            world.agent.handle().sync_now();
        }
        let call = world.pbx.place_call(over(true));
        if code.is_empty() {
            world.wait_told(&row, &call.main_call_history_id);
            assert_eq!(world.agent.handle().health().items(), [], "{row}");
        } else {
            world.wait_item(&row, code, words);
        }
        if goes_on {
            world.wait_told(&row, &call.main_call_history_id);
        }
        assert_eq!(world.agent.fatal(), None, "{row}");
        world.pbx.faults().clear();
        world.wait_all(&row);
        world.wait_well(&row);
    }
}

#[test]
fn a_call_log_that_answers_nonsense_is_named_and_nothing_is_lost() {
    let report = |kind, code, words| Row(PathKind::Report, kind, code, words);
    play(
        "report",
        false,
        vec![
            report(
                FaultKind::Html,
                "pbx-nonsense",
                "the call log was answered with a web page instead of JSON",
            ),
            report(
                FaultKind::ErrorIn200,
                "pbx-nonsense",
                "status 200 and an error inside: WARNINGS.XAPI.INVALID",
            ),
            report(
                redirect(),
                "pbx-nonsense",
                "answered with a redirect (302) to somewhere else",
            ),
            report(status(400), "pbx-nonsense", "the call log was answered with status 400"),
            report(status(500), "pbx-fault", "the call log was answered with status 500"),
            report(status(503), "pbx-fault", "status 503"),
            report(busy(503), "pbx-throttled", "status 503"),
            report(busy(429), "pbx-throttled", "status 429"),
            report(status(504), "pbx-fault", "status 504"),
            report(status(404), "pbx-no-api", "status 404"),
            report(cut(), "pbx-unreachable", "cut"),
            report(FaultKind::LongerContentLength { extra: 9 }, "pbx-unreachable", "cut"),
            report(missing(&["value"]), "pbx-nonsense", "JSON that can't be read"),
            report(missing(&["StartTime"]), "pbx-rows-unreadable", "have no start time"),
        ],
    );
}

#[test]
fn a_call_log_that_says_more_or_less_than_expected_is_read_all_the_same() {
    let report = |kind| Row(PathKind::Report, kind, "", "");
    play(
        "loose",
        true,
        vec![
            report(FaultKind::ExtraFields),
            report(FaultKind::WrongTypes),
            report(missing(&["@odata.count", "@odata.context"])),
            report(missing(&["SrcRecId", "DstRecId"])),
            report(missing(&["Recordings"])),
            report(missing(&[
                "SourceDisplayName",
                "Reason",
                "Direction",
                "Status",
                "Answered",
            ])),
        ],
    );
}

#[test]
fn other_lists_of_the_pbx_may_fail_and_calls_go_on() {
    let rights = "rights-unreadable";
    let mut rows = Vec::new();
    for (path, what) in [
        (PathKind::Users, "the list of users"),
        (PathKind::Groups, "the list of departments"),
        (PathKind::Peers, "the list of numbers"),
    ] {
        rows.push(Row(path, FaultKind::Html, rights, what));
        rows.push(Row(path, status(500), rights, what));
    }
    rows.extend([
        Row(PathKind::Users, FaultKind::ErrorIn200, rights, "an error inside"),
        Row(PathKind::Users, redirect(), rights, "a redirect (302)"),
        Row(PathKind::Users, status(504), rights, "status 504"),
        Row(PathKind::Users, status(404), rights, "status 404"),
        Row(
            PathKind::Users,
            FaultKind::Forbidden,
            rights,
            "does not let this client read the list of users (403)",
        ),
        Row(
            PathKind::Recordings,
            FaultKind::Html,
            "pbx-nonsense",
            "the list of recordings was answered with a web page",
        ),
        Row(
            PathKind::Recordings,
            FaultKind::ErrorIn200,
            "pbx-nonsense",
            "an error inside",
        ),
        Row(PathKind::Recordings, redirect(), "pbx-nonsense", "a redirect (302)"),
        Row(
            PathKind::Recordings,
            status(500),
            "pbx-fault",
            "the list of recordings was answered with status 500",
        ),
        Row(PathKind::Recordings, status(504), "pbx-fault", "status 504"),
        Row(PathKind::Recordings, busy(503), "pbx-throttled", "status 503"),
        Row(PathKind::Recordings, cut(), "pbx-unreachable", "cut"),
    ]);
    for path in [
        PathKind::Users,
        PathKind::Groups,
        PathKind::Peers,
        PathKind::Recordings,
        PathKind::LastCdr,
    ] {
        for kind in [
            FaultKind::ExtraFields,
            FaultKind::WrongTypes,
            missing(&["@odata.count"]),
        ] {
            rows.push(Row(path, kind, "", ""));
        }
    }
    // The mark of the last call only hastens; without it the call log is read at its own pace.
    for kind in [
        FaultKind::Html,
        FaultKind::ErrorIn200,
        redirect(),
        status(500),
        status(504),
        FaultKind::Forbidden,
    ] {
        rows.push(Row(PathKind::LastCdr, kind, "", ""));
    }
    rows.push(Row(PathKind::LastCdr, missing(&["value", "LastCdrStartedAt"]), "", ""));
    play("lists", true, rows);
}

#[test]
fn a_login_that_answers_nonsense_is_named_and_nothing_is_lost() {
    let token = |kind, code, words| Row(PathKind::Token, kind, code, words);
    let probe = |kind, code, words| Row(PathKind::Defs, kind, code, words);
    play(
        "login",
        false,
        vec![
            token(
                FaultKind::Html,
                "pbx-nonsense",
                "the login was answered with something that is not JSON",
            ),
            token(
                redirect(),
                "pbx-nonsense",
                "the login was answered with a redirect (302)",
            ),
            token(
                missing(&["access_token"]),
                "pbx-nonsense",
                "the login was answered without a token",
            ),
            token(status(500), "pbx-fault", "the login was answered with status 500"),
            token(busy(503), "pbx-throttled", "status 503"),
            token(busy(429), "pbx-throttled", "status 429"),
            token(status(404), "pbx-no-api", "older than v20, or this is not its address"),
            token(cut(), "pbx-unreachable", "cut"),
            probe(FaultKind::Html, "pbx-nonsense", "not JSON"),
            probe(
                redirect(),
                "pbx-nonsense",
                "the version was answered with a redirect (302)",
            ),
            probe(status(500), "pbx-fault", "the version was answered with status 500"),
            probe(busy(429), "pbx-throttled", "status 429"),
        ],
    );
}

#[test]
fn a_login_of_other_types_or_with_unknown_fields_is_a_login() {
    let token = |kind| Row(PathKind::Token, kind, "", "");
    play(
        "types",
        true,
        vec![
            token(FaultKind::ExtraFields),
            token(FaultKind::WrongTypes),
            token(missing(&["expires_in"])),
        ],
    );
}

#[test]
fn a_source_of_old_calls_that_goes_on_failing_is_left_out_and_shown() {
    let config = PbxConfig {
        history_days: 1,
        calls_per_day: 20,
        ..quiet()
    };
    let world = Site::start_with("old", config, |pbx| {
        pbx.faults().set(Fault::new(status(500)).on(PathKind::OldReport));
    });
    world.wait_item("old", "pbx-old-calls-unreadable", "before its upgrade to 20.0.6 fails");
    world.wait_all("old");
    let tries = world.pbx.requests(PathKind::OldReport);
    assert!((8..=9).contains(&tries), "{tries} tries");
}
