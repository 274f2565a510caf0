//! What a download may be.

use crate::world::*;

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
