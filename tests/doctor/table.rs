//! The table: builds, rights, faults, findings.

use crate::world::*;

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
