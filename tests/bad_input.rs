//! What other systems say when they are broken, half broken, or not there at all: each row of the tables below names what
//! comes, what callspool then shows in words, and that everything else goes on and nothing is lost when it is over.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use callspool::store;
use callspool_sim::crm::{self, At, Crm, CrmConfig, RetryAfter, Times};
use callspool_sim::line::Line;
use callspool_sim::pbx::{self, CallPlan, Fault, FaultKind, PathKind, PbxConfig};

use rig::world::{PATIENCE, crm, delivered, item, over, pbx_at, quiet, told, why};
use rig::{InProcess, Setup, callspool, rewrite_secret, same_clock};

/// Simulated seconds a second: pauses of a minute pass in a third of a second.
const RATE: f64 = 180.0;

/// A box beside a PBX and before a CRM, at work.
struct Site {
    pbx: pbx::Handle,
    crm: crm::Handle,
    agent: InProcess,
    // After the agent that works in it.
    _setup: Setup,
}

impl Site {
    fn start(name: &str) -> Site {
        Site::start_with(name, quiet(), |_| {})
    }

    fn start_with(name: &str, config: PbxConfig, before: impl FnOnce(&pbx::Handle)) -> Site {
        let (pbx, crm) = (pbx_at(RATE, config), crm());
        before(&pbx);
        let setup =
            Setup::new(name, &pbx, &pbx.url())
                .set("backfill = \"1d\"")
                .target("crm", &crm, &crm.hook_url());
        let agent = InProcess::start(&setup, same_clock(&pbx.time()));
        Site {
            pbx,
            crm,
            agent,
            _setup: setup,
        }
    }

    /// Waits until all is in the CRM and nothing is waited for.
    fn wait_all(&self, row: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let counts = self.agent.handle().status().counts.unwrap_or_default();
            let waiting = (
                counts.deliveries_waiting,
                counts.deliveries_held,
                counts.recordings_waiting,
            );
            let all = delivered(&self.pbx, &self.crm);
            if waiting == (0, 0, 0) && all.is_ok() {
                return;
            }
            assert!(
                Instant::now() < end,
                "{row}: {all:?}; waiting {waiting:?}; {:#?}; {:#?}",
                self.agent.handle().health().items(),
                self.queue(),
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait(&self, row: &str, what: &str, done: impl FnMut(&callspool::agent::Handle) -> bool) {
        self.agent.wait(&format!("{row}: {what}"), PATIENCE, done);
    }

    fn wait_told(&self, row: &str, key: &str) {
        self.wait(row, "the call is told", |_| told(&self.crm, key));
    }

    fn wait_item(&self, row: &str, code: &str, words: &str) {
        self.wait(row, &format!("{code} with: {words}"), |handle| {
            item(handle, code).is_some_and(|item| item.text.contains(words) && !item.fix.is_empty())
        });
    }

    fn wait_well(&self, row: &str) {
        self.wait(row, "all is well", |handle| handle.health().items().is_empty());
    }

    /// What is not delivered: code and reason.
    fn queue(&self) -> Vec<(String, String)> {
        let rows = self.agent.handle().store().read(|c| store::waiting_deliveries(c, 100));
        rows.unwrap().into_iter().map(|row| (row.code, row.reason)).collect()
    }
}

fn status(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: None,
    }
}

fn busy(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: Some(20),
    }
}

fn missing(names: &[&str]) -> FaultKind {
    FaultKind::MissingFields {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn redirect() -> FaultKind {
    FaultKind::Redirect {
        to: "https://elsewhere.example.invalid/".to_owned(),
    }
}

fn cut() -> FaultKind {
    FaultKind::CutBody { share: 0.5 }
}

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

/// An answer to a download, and what `why` says of the recording.
struct Audio(FaultKind, &'static str, &'static str);

#[test]
fn audio_that_is_not_whole_is_not_taken_and_comes_whole_when_it_can() {
    let world = Site::start("audio");
    let rows = [
        Audio(cut(), "cut", "the transfer was cut in the middle"),
        Audio(
            FaultKind::CutBody { share: 0.999 },
            "cut",
            "the transfer was cut in the middle",
        ),
        Audio(
            FaultKind::LongerContentLength { extra: 100 },
            "cut",
            "cut in the middle",
        ),
        Audio(FaultKind::Html, "pbx-nonsense", "text/html instead of audio"),
        Audio(
            FaultKind::ErrorIn200,
            "pbx-nonsense",
            "application/json instead of audio",
        ),
        Audio(redirect(), "pbx-nonsense", "a redirect (302)"),
        Audio(status(500), "pbx-fault", "a recording was answered with status 500"),
        Audio(status(504), "pbx-too-much", "status 504"),
        Audio(
            FaultKind::Forbidden,
            "right-missing",
            "the right to read recordings is missing on the PBX",
        ),
        Audio(status(404), "not-there-yet", "the PBX has not finished its file yet"),
    ];
    for Audio(kind, code, words) in rows {
        let row = format!("{kind:?}");
        println!("{row}");
        // The list doesn't tell of them yet, or a 404 would mean that somebody deleted them.
        let unlisted = Fault::new(missing(&["StartTime"])).on(PathKind::Recordings);
        world.pbx.faults().set(unlisted);
        world.pbx.faults().set(Fault::new(kind).on(PathKind::Download));
        let call = world.pbx.place_call(over(true));
        let key = &call.main_call_history_id;
        world.wait(&row, "why says so", |handle| {
            why(handle, key).is_some_and(|why| {
                let all = why
                    .recordings
                    .iter()
                    .all(|one| one.recording.code == code && one.answer.contains(words));
                !why.recordings.is_empty() && all && why.answer.contains("waiting")
            })
        });
        world.wait_told(&row, key);
        world.pbx.faults().clear();
        world.wait_all(&row);
        world.wait_well(&row);
    }
}

#[test]
fn a_throttled_download_waits_as_long_as_it_was_told_and_calls_go_on() {
    for kind in [busy(503), busy(429)] {
        let world = Site::start("busy");
        world.wait("busy", "it reads", |handle| handle.status().sync.cursor_ms.is_some());
        world.pbx.faults().set(Fault::new(kind).on(PathKind::Download).times(1));
        let placed = world.pbx.time().now_ms();
        let call = world.pbx.place_call(over(true));
        world.wait_told("busy", &call.main_call_history_id);
        world.wait_all("busy");
        assert!(world.pbx.time().now_ms() - placed >= 20_000);
        world.wait_well("busy");
    }
}

#[test]
fn audio_that_is_shorter_than_its_header_is_taken_when_it_came_so_twice() {
    let world = Site::start("short");
    let fault = Fault::new(FaultKind::ShortAudio { share: 0.6 });
    world.pbx.faults().set(fault.on(PathKind::Download));
    let call = world.pbx.place_call(over(true));
    let key = &call.main_call_history_id;
    world.wait("short", "it is delivered as it is", |_| {
        world.crm.recordings().len() == call.recordings.len()
    });
    assert_eq!(world.pbx.requests(PathKind::Download), 2 * call.recordings.len() as u64);
    for recording in &call.recordings {
        let whole = world.pbx.audio(recording.id).unwrap();
        let part = &whole[..(whole.len() as f64 * 0.6) as usize];
        let hash = callspool::random::hex(ring::digest::digest(&ring::digest::SHA256, part).as_ref());
        assert_eq!(world.crm.recordings()[0].sha256, hash);
    }
    // The CRM has it a moment before the box has written that down.
    world.wait("short", "the box says so", |handle| {
        why(handle, key).is_some_and(|why| why.answer.contains("delivered to crm"))
    });
    // One that came short once and whole then is taken whole.
    world.pbx.faults().clear();
    let fault = Fault::new(FaultKind::ShortAudio { share: 0.5 });
    world.pbx.faults().set(fault.on(PathKind::Download).times(1));
    let second = world.pbx.place_call(over(true));
    let has = |id: i32| {
        world
            .crm
            .with_state(|s| s.recordings.iter().find(|r| r.id == id.to_string()).cloned())
    };
    world.wait("short", "the second is there", |_| {
        has(second.recordings[0].id).is_some()
    });
    let stored = has(second.recordings[0].id).unwrap();
    assert_eq!(stored.sha256, second.recordings[0].sha256);
}

#[test]
fn names_may_hold_anything_and_stay_as_they_are() {
    let world = Site::start("names");
    let people = world.pbx.company().people;
    let outsides = [
        "anonymous",
        "+49\u{202e}321\u{202c}",
        "\u{200f}+972 3\u{200e}",
        "a\"b'c;--",
        "../../x",
        "📞\u{1b}[2J",
    ];
    let mut calls = Vec::new();
    for (n, person) in people.iter().enumerate() {
        let plan = CallPlan {
            agents: vec![person.number.clone()],
            outside: Some(outsides[n % outsides.len()].to_owned()),
            ..over(true)
        };
        calls.push((world.pbx.place_call(plan), person, outsides[n % outsides.len()]));
    }
    world.wait_all("names");
    world.wait_well("names");
    world.crm.with_state(|state| {
        for (call, person, outside) in &calls {
            let told = state.events_of(&call.main_call_history_id)[0];
            assert_eq!(told.data["to"]["name"], person.display(), "{}", told.data);
            assert_eq!(told.data["from"]["number"], *outside, "{}", told.data);
        }
    });
    let spool = world.agent.handle().config().state_dir.join("spool");
    for entry in walk(&spool) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)),
            "{name:?}"
        );
    }
    // A terminal must not obey a name, nor turn the line around for it.
    let listed = callspool(&world._setup, &["calls", "-n", "100"]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(text.lines().count(), calls.len());
    let bad = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{202c}\u{200e}\u{200f}".contains(c);
    assert!(!text.contains(bad), "{text:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(walk(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// What the CRM does to what, and what shows: the target's state where the target is to blame, else the delivery's code;
/// with words.
enum Shows {
    /// A red item `target-down:crm`.
    Target(&'static str),
    /// A delivery waits with this code.
    Delivery(&'static str, &'static str),
    /// A delivery is held with this code until a person gives it a new start.
    Held(&'static str, &'static str),
}

#[test]
fn a_crm_that_answers_nonsense_is_named_and_gets_everything_when_it_is_well_again() {
    use crm::Fault as F;
    let world = Site::start("crm");
    let elsewhere = || F::Redirect("https://elsewhere.example.invalid/".to_owned());
    let rows = [
        (
            At::Calls,
            F::Status(400),
            Shows::Held("http-400", "it answered with status 400"),
        ),
        (At::Calls, F::Status(401), Shows::Target("it answered with status 401")),
        (At::Calls, F::Status(403), Shows::Target("status 403")),
        (At::Calls, F::Status(404), Shows::Target("status 404")),
        (At::Calls, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Calls, F::Status(422), Shows::Held("http-422", "status 422")),
        (At::Calls, F::Status(500), Shows::Target("it answered with status 500")),
        (At::Calls, F::Status(502), Shows::Target("status 502")),
        (
            At::Calls,
            F::Busy(503, RetryAfter::Seconds(9)),
            Shows::Target("status 503"),
        ),
        (
            At::Calls,
            F::Busy(429, RetryAfter::Seconds(9)),
            Shows::Target("status 429"),
        ),
        (
            At::Calls,
            elsewhere(),
            Shows::Target("a redirect (302), which is not followed"),
        ),
        (
            At::Calls,
            F::CaptivePortal,
            Shows::Target("status 200 came with a web page: something answers in the receiver's place"),
        ),
        (
            At::Calls,
            F::ErrorInside("no such tenant".into()),
            Shows::Delivery("error-inside", "status 200 came with an error inside: no such tenant"),
        ),
        (
            At::Calls,
            F::ErrorInside("ACCESS_DENIED".into()),
            Shows::Held("permission-missing", "for want of a permission (access_denied)"),
        ),
        (
            At::Ready,
            F::ErrorInside("insufficient_scope".into()),
            Shows::Held("permission-missing", "for want of a permission (insufficient_scope)"),
        ),
        (At::Ready, F::Status(400), Shows::Held("http-400", "status 400")),
        (At::Ready, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Ready, elsewhere(), Shows::Target("a redirect (302)")),
        (At::Ready, F::CaptivePortal, Shows::Target("a web page")),
        (
            At::Ready,
            F::ErrorInside("full".into()),
            Shows::Delivery("error-inside", "an error inside: full"),
        ),
        (
            At::Ready,
            F::AcceptWithoutUpload,
            Shows::Held("no-upload-url", "gave no upload.url, so the audio has nowhere to go"),
        ),
        (
            At::Ready,
            F::DeadUploadUrl,
            Shows::Delivery("upload-404", "the upload was answered with status 404"),
        ),
        (At::Upload, F::Status(400), Shows::Held("http-400", "status 400")),
        (At::Upload, F::Status(413), Shows::Held("http-413", "status 413")),
        (At::Upload, F::Status(422), Shows::Delivery("upload-422", "status 422")),
        (At::Upload, F::Status(500), Shows::Target("status 500")),
        (At::Upload, elsewhere(), Shows::Target("a redirect (302)")),
        (At::Upload, F::CaptivePortal, Shows::Target("a web page")),
        (
            At::Upload,
            F::ErrorInside("disk".into()),
            Shows::Delivery("error-inside", "an error inside: disk"),
        ),
        (At::Upload, F::CutUploadAfter(1_000), Shows::Target("cut")),
        (
            At::Upload,
            F::WrongStoredHash,
            Shows::Delivery("stored-differs", "stored other bytes than were sent"),
        ),
    ];
    for (at, fault, shows) in rows {
        let row = format!("{at:?} {fault:?}");
        println!("{row}");
        world.crm.fault(at, fault, Times::UntilCleared);
        let call = world.pbx.place_call(over(true));
        let key = &call.main_call_history_id;
        match shows {
            Shows::Target(words) => world.wait_item(&row, "target-down:crm", words),
            Shows::Delivery(code, words) | Shows::Held(code, words) => {
                world.wait(&row, &format!("{code} with: {words}"), |_| {
                    world
                        .queue()
                        .iter()
                        .any(|(shown, reason)| shown == code && reason.contains(words))
                });
                world.wait(&row, "why says so", |handle| {
                    why(handle, key)
                        .is_some_and(|why| why.deliveries.iter().any(|delivery| delivery.reason.contains(words)))
                });
            }
        }
        // Calls go on while only the audio can't be taken.
        if at != At::Calls {
            world.wait_told(&row, key);
        }
        world.crm.clear_faults();
        if matches!(shows, Shows::Held(..)) {
            world.wait(&row, "it is held", |handle| {
                handle.status().counts.is_some_and(|counts| counts.deliveries_held > 0)
            });
            assert!(world.agent.handle().retry_held(Some("crm"), None).unwrap() > 0, "{row}");
        }
        world.wait_all(&row);
        world.wait(&row, "the target's item is gone", |handle| {
            item(handle, "target-down:crm").is_none()
        });
    }
}

#[test]
fn an_answer_of_the_crm_that_is_lost_is_looked_up_and_nothing_is_doubled() {
    use crm::Fault as F;
    let world = Site::start("lost");
    for at in [At::Calls, At::Ready, At::Upload] {
        world.crm.fault(at, F::LoseAnswer, Times::Count(3));
        world.pbx.place_call(over(true));
        world.wait_all(&format!("{at:?}"));
    }
    world.wait_well("lost");
}

#[test]
fn a_signing_secret_that_the_crm_does_not_know_is_named_and_a_right_one_is_taken_up() {
    let world = Site::start("secret");
    let right = world.crm.secret().to_owned();
    let other = Crm::start(CrmConfig::default()).unwrap();
    rewrite_secret(&world._setup, "crm.secret", other.secret());
    let call = world.pbx.place_call(over(false));
    world.wait_item("secret", "target-down:crm", "status 401");
    let shown = item(world.agent.handle(), "target-down:crm").unwrap();
    assert!(shown.fix.contains("signing secret"), "{}", shown.fix);
    rewrite_secret(&world._setup, "crm.secret", "not a secret of that kind");
    world.wait_item("secret", "target-down:crm", "whsec_");
    rewrite_secret(&world._setup, "crm.secret", &right);
    world.wait_told("secret", &call.main_call_history_id);
    world.wait("secret", "the item is gone", |handle| {
        item(handle, "target-down:crm").is_none()
    });
}

#[test]
fn a_line_that_accepts_and_says_nothing_does_not_stop_what_goes_another_way() {
    let (pbx, up, hung) = (pbx_at(60.0, quiet()), crm(), crm());
    let line = Line::start(hung.addr()).unwrap();
    let setup = Setup::new("hung", &pbx, &pbx.url())
        .target("up", &up, &up.hook_url())
        .target("hung", &hung, &hung.hook_url_by_way_of(line.addr()))
        .set("timeout = \"1s\"");
    line.blackhole();
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let call = pbx.place_call(over(true));
    agent.wait("one has all", PATIENCE, |_| {
        told(&up, &call.main_call_history_id) && up.recordings().len() == call.recordings.len()
    });
    agent.wait("the other is named", PATIENCE, |handle| {
        item(handle, "target-down:hung").is_some_and(|item| item.text.contains("nothing came back in time"))
    });
    line.pass();
    agent.wait("the other has all", PATIENCE, |_| delivered(&pbx, &hung).is_ok());
    assert_eq!(delivered(&pbx, &up), Ok(()));
}

/// A mistake, its line, its setting, and words of what would be right.
const MISTAKES: [(&str, usize, &str, &str); 14] = [
    (
        "[pbx]\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        1,
        "pbx.url",
        "must be given",
    ),
    (
        "[pbx]\nurl = \"pbx.example.com\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        2,
        "pbx.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://u:p@pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        2,
        "pbx.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nsecret_file = \"s\"\n",
        1,
        "pbx.client_id",
        "must be given",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\n",
        1,
        "pbx.secret_file",
        "a file that holds the secret",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\npoll = \"soon\"\n",
        5,
        "pbx.poll",
        "write it like \"30s\"",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\nbackfil = \"3d\"\n",
        5,
        "",
        "unknown field `backfil`",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = 900\nsecret_file = \"s\"\n",
        3,
        "",
        "invalid type: integer",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\nsecret_file = \"s\"\n",
        3,
        "",
        "string",
    ),
    (
        "log = \"loud\"\n[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n",
        1,
        "log",
        "use error, warn, info, debug or trace",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[spool]\nmax_bytes = \"much\"\n",
        6,
        "spool.max_bytes",
        "write it like \"512 MiB\"",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[[target]]\nname = \"My CRM\"\nurl = \"https://crm\"\nsecret_file = \"s\"\n",
        6,
        "target.0.name",
        "1 to 32 of a-z, 0-9 and -",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[[target]]\nname = \"crm\"\nurl = \"ftp://crm\"\nsecret_file = \"s\"\n",
        7,
        "target.0.url",
        "write it like https://host",
    ),
    (
        "[pbx]\nurl = \"https://pbx\"\nclient_id = \"900\"\nsecret_file = \"s\"\n[web]\nlisten = [\"8443\"]\n",
        6,
        "web.listen",
        "write \"127.0.0.1:8443\"",
    ),
];

#[test]
fn a_mistake_in_the_configuration_is_refused_with_line_setting_and_what_would_be_right() {
    let folder = rig::Folder::new("mistakes");
    let file = folder.0.join("callspool.toml");
    for (text, line, key, words) in MISTAKES {
        std::fs::write(&file, text).unwrap();
        let run = std::process::Command::new(rig::binary())
            .arg("run")
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{text}\n{said}");
        let place = format!("{}:{line}: ", file.display());
        let place = if key.is_empty() {
            place
        } else {
            format!("{place}{key}: ")
        };
        assert!(
            said.contains(&place) && said.contains(words),
            "{text}\nwanted {place}…{words}\n{said}"
        );
        assert!(run.stdout.is_empty());
    }
    let absent = std::process::Command::new(rig::binary())
        .args(["run", "--config", "/nowhere/callspool.toml"])
        .output();
    let absent = absent.unwrap();
    assert_eq!(absent.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("/nowhere/callspool.toml: can't be read"));
}

#[test]
fn a_secret_file_that_everyone_may_read_is_refused_without_showing_the_secret() {
    let (pbx, crm) = (pbx_at(1.0, quiet()), crm());
    for name in ["pbx.secret", "crm.secret"] {
        let setup = Setup::new("open", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
        let file = setup.folder.0.join(name);
        let secret = std::fs::read_to_string(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o604)).unwrap();
        let run = callspool(&setup, &["run"]);
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(
            said.contains(name) && said.contains("can be read by everyone (mode 604); set it to 600"),
            "{said}"
        );
        assert!(!said.contains(&secret) && run.stdout.is_empty());
        std::fs::remove_file(&file).unwrap();
        let run = callspool(&setup, &["run"]);
        assert_eq!(run.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&run.stderr).contains("can't be read"));
    }
}
