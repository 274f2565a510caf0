//! Recordings: sent as they are, in parts, to whom they may be, and never without a row of the audit.

use std::os::unix::fs::PermissionsExt;

use callspool::rights::{Action, Scope};
use callspool::store::{self, Grantee};

use crate::company::{audit, audit_since, hold, start, wav};
use crate::server::{Answer, Page};

fn part(page: &Page, cookie: &str, range: &str) -> Answer {
    page.ask(&format!("GET /recordings/1\r\nCookie: {cookie}\r\nRange: {range}"), "")
}

#[test]
fn a_recording_is_sent_whole_or_in_the_part_that_is_asked_for() {
    let page = start();
    let cookie = page.log_in_as("101");
    let bytes = wav(1, 16, 40_000);
    let whole = page.get("/recordings/1", &cookie);
    assert_eq!((whole.status, &whole.bytes), (200, &bytes));
    assert_eq!(whole.header("content-type"), Some("audio/wav"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some(bytes.len().to_string().as_str()));
    assert_eq!(whole.header("cache-control"), Some("private, no-store"));
    assert!(
        whole
            .header("content-disposition")
            .unwrap()
            .starts_with("inline; filename=\"recording-1-")
    );
    let tag = whole.header("etag").unwrap().to_owned();
    assert_eq!(tag.len(), 66, "the whole SHA-256");
    let n = bytes.len();
    for (range, from, to) in [
        ("bytes=0-", 0, n),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", n - 50, n),
        ("bytes=40000-99999", 40_000, n),
    ] {
        let some = part(&page, &cookie, range);
        assert_eq!((some.status, some.bytes.as_slice()), (206, &bytes[from..to]), "{range}");
        assert_eq!(
            some.header("content-range"),
            Some(format!("bytes {from}-{}/{n}", to - 1).as_str())
        );
    }
    let beyond = part(&page, &cookie, "bytes=99999-");
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some(format!("bytes */{n}").as_str()))
    );
    let stale = page.ask(
        &format!("GET /recordings/1\r\nCookie: {cookie}\r\nRange: bytes=5-9\r\nIf-Range: \"old\""),
        "",
    );
    assert_eq!((stale.status, stale.bytes.len()), (200, n));
    let known = page.ask(
        &format!("GET /recordings/1\r\nCookie: {cookie}\r\nIf-None-Match: {tag}"),
        "",
    );
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    let head = page.ask(&format!("HEAD /recordings/1\r\nCookie: {cookie}"), "");
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.header("content-length"));
    let file = page.get("/recordings/1?download", &cookie);
    let name = file.header("content-disposition").unwrap();
    assert!(
        name.starts_with("attachment; filename=\"recording-1-") && name.ends_with(".wav\""),
        "{name}"
    );
    assert!(file.status == 200 && file.bytes == bytes);
}

#[test]
fn one_listening_is_one_row_however_many_parts_it_is_asked_for_in() {
    let page = start();
    let cookie = page.log_in_as("101");
    let before = audit(&page).len();
    for n in 0..20 {
        assert_eq!(part(&page, &cookie, &format!("bytes={}-", n * 1000)).status, 206);
    }
    page.ask(&format!("HEAD /recordings/1\r\nCookie: {cookie}"), "");
    let rows = audit_since(&page, before);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        (row.who.as_str(), row.action.as_str(), row.allowed),
        ("101", "recording.listen", true)
    );
    assert_eq!((row.call, row.recording, row.scope.as_str()), (Some(1), Some(1), "own"));
    assert!(row.rights_version > 0 && row.because.starts_with("pbx "), "{row:?}");
    // Taking it away is something else, and so is hearing it in another session.
    assert_eq!(page.get("/recordings/1?download", &cookie).status, 200);
    let tom = page.log_in_as("104");
    page.get("/recordings/1", &tom);
    let words: Vec<String> = audit_since(&page, before + 1)
        .iter()
        .map(|row| format!("{} {} {}", row.who, row.action, row.because))
        .filter(|row| row.contains("recording"))
        .collect();
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(words[1].starts_with("101 recording.download "), "{words:?}");
}

#[test]
fn hearing_and_taking_away_are_two_rights() {
    let page = start();
    page.grant(
        Grantee::Extension("105".to_owned()),
        Action::RecordingListen,
        Scope::Own,
        None,
    );
    let una = page.log_in_as("105");
    assert_eq!(page.get("/recordings/3", &una).status, 200);
    assert_eq!(page.get("/recordings/3?download", &una).status, 403);
    assert_eq!(page.get("/recordings/3?download=1", &una).status, 403);
    let call = page.get("/calls/3", &una).body;
    assert!(
        call.contains("<audio controls") && !call.contains("?download"),
        "{call}"
    );
    // Any other query is a listening, not a way around.
    for query in ["?Download", "?x&download", "?%64ownload"] {
        assert!(
            page.get(&format!("/recordings/3{query}"), &una)
                .header("content-disposition")
                .unwrap()
                .starts_with("inline")
        );
    }
}

#[test]
fn what_is_not_here_says_why() {
    let page = start();
    let cookie = page.log_in_as("104");
    for (state, reason, status, said) in [
        (
            "waiting",
            "the PBX does not have it yet",
            409,
            "the PBX does not have it yet",
        ),
        ("gone", "deleted on the PBX", 404, "deleted on the PBX"),
        ("evicted", "", 410, "delivered, and then deleted on this box"),
        ("deleting", "", 410, "Look for it in the CRM"),
    ] {
        let set = (state.to_owned(), reason.to_owned());
        let changed = page.handle.store().write(move |within| {
            Ok(within.execute("UPDATE recording SET state = ?1, reason = ?2 WHERE id = 1", set)?)
        });
        assert_eq!(changed.unwrap(), 1);
        let before = audit(&page).len();
        let answer = page.get("/recordings/1", &cookie);
        assert!(
            answer.status == status && answer.body.contains(said),
            "{state}: {} {}",
            answer.status,
            answer.body
        );
        assert_eq!(audit(&page).len(), before, "nothing was heard");
        assert!(!page.get("/calls/1", &cookie).body.contains("<audio"));
    }
}

#[test]
fn a_file_that_is_gone_or_no_audio_is_never_shown_as_a_page() {
    let page = start();
    crate::company::call(&page, 4, "101");
    hold(&page, 4, "101", b"<html><script>alert(1)</script></html>");
    let cookie = page.log_in_as("104");
    let odd = page.get("/recordings/4", &cookie);
    assert_eq!(
        (odd.status, odd.header("content-type")),
        (200, Some("application/octet-stream"))
    );
    assert_eq!(odd.header("x-content-type-options"), Some("nosniff"));
    std::fs::remove_dir_all(page.folder.join("recordings/01")).unwrap();
    let answer = page.get("/recordings/1", &cookie);
    assert!(
        answer.status == 503 && answer.body.contains("its disk did not give it"),
        "{}",
        answer.body
    );
}

#[test]
fn what_a_browser_cannot_play_is_decoded_while_it_is_heard_and_stays_itself_as_a_file() {
    let page = start();
    for (n, file) in [(4, wav(0x31, 0, 6_500)), (5, wav(6, 8, 8_000))] {
        crate::company::call(&page, n, "101");
        hold(&page, n, "101", &file);
        let cookie = page.log_in_as("101");
        let call = page.get(&format!("/calls/{n}"), &cookie).body;
        assert!(
            call.contains(&format!("<audio controls preload=\"none\" src=\"/recordings/{n}\"")),
            "{call}"
        );
        assert!(call.contains("decoded here while you listen"), "{call}");
        let before = audit(&page).len();
        let heard = page.get(&format!("/recordings/{n}"), &cookie);
        // 100 blocks of two frames of 160 samples, or a sample a byte; 16 bits each, behind a header of 44 bytes.
        let length = if n == 4 { 44 + 100 * 2 * 160 * 2 } else { 44 + 8_000 * 2 };
        assert_eq!((heard.status, heard.bytes.len()), (200, length));
        assert_eq!(heard.bytes[20..22], [1, 0], "PCM");
        let tag = heard.header("etag").unwrap().to_owned();
        assert!(tag.ends_with("-pcm\""), "{tag}");
        for range in ["bytes=0-43", "bytes=1000-1999", "bytes=-7", "bytes=43-45"] {
            let line = format!("GET /recordings/{n}\r\nCookie: {cookie}\r\nRange: {range}\r\nIf-Range: {tag}");
            let part = page.ask(&line, "");
            let told = part.header("content-range").unwrap().to_owned();
            let (from, to) = told
                .trim_start_matches("bytes ")
                .split('/')
                .next()
                .unwrap()
                .split_once('-')
                .unwrap();
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            assert_eq!(
                (part.status, part.bytes.as_slice()),
                (206, &heard.bytes[from..=to]),
                "{range}"
            );
        }
        assert_eq!(audit_since(&page, before).len(), 1, "one listening, however many parts");
        assert_eq!(page.get(&format!("/recordings/{n}?download"), &cookie).bytes, file);
    }
}

#[test]
fn what_nothing_here_can_play_is_said_plainly_and_offered_as_a_file() {
    let page = start();
    crate::company::call(&page, 4, "101");
    hold(&page, 4, "101", &wav(0x55, 0, 6_500));
    let cookie = page.log_in_as("101");
    let call = page.get("/calls/4", &cookie).body;
    assert!(
        call.contains("It is compressed with MP3, which browsers don") && call.contains("/recordings/4?download"),
        "{call}"
    );
    assert!(!call.contains("<audio"));
    assert!(
        page.get("/calls/1", &cookie)
            .body
            .contains("<audio controls preload=\"none\" src=\"/recordings/1\"")
    );
}

#[test]
fn recordings_close_when_the_audit_cannot_be_written_and_the_state_page_stays_open() {
    let page = start();
    let (mia, technician) = (page.log_in_as("101"), page.log_in());
    // A row can't be taken in any more, as on a full disk; everything else goes on.
    let closed = page.handle.store().write(|within| {
        within.execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'database or disk is full'); END",
        )?;
        Ok(())
    });
    closed.unwrap();
    let answer = page.get("/recordings/1", &mia);
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("Recordings are closed") && !answer.body.contains("RIFF"),
        "{}",
        answer.body
    );
    assert_eq!(part(&page, &mia, "bytes=0-1").status, 503);
    assert_eq!(page.get("/", &technician).status, 200);
    assert_eq!(page.get("/calls", &mia).status, 200, "the list stays open");
    assert_eq!(
        page.get("/recordings/2", &mia).status,
        404,
        "a refusal that can't be written down is still one"
    );
    page.handle
        .store()
        .write(|within| Ok(within.execute_batch("DROP TRIGGER full")?))
        .unwrap();
    assert_eq!(page.get("/recordings/1", &mia).status, 200);
}

#[test]
fn nobody_changes_the_audit() {
    let page = start();
    let mia = page.log_in_as("101");
    page.get("/recordings/1", &mia);
    let rows = audit(&page);
    for sql in [
        "UPDATE audit SET who = '103'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ] {
        let tried = page.handle.store().write(move |within| Ok(within.execute(sql, [])?));
        assert!(tried.is_err(), "{sql}");
    }
    assert_eq!(audit(&page), rows);
    let retained = page
        .handle
        .store()
        .write(|within| store::retain_audit(within, i64::MAX));
    assert_eq!(retained.unwrap(), rows.len(), "retention alone takes rows away");
}

#[test]
fn the_audit_is_read_and_taken_away_by_those_who_may() {
    let page = start();
    let mia = page.log_in_as("101");
    page.get("/recordings/1", &mia);
    page.get("/recordings/2", &mia);
    let technician = page.log_in();
    let body = page.get("/audit", &technician).body;
    for word in ["Listen to recordings", "refused", "recording 1", "Log in"] {
        assert!(body.contains(word), "{word}: {body}");
    }
    assert!(!page.get("/audit?who=103", &technician).body.contains("recording 1"));
    assert_eq!(page.get("/audit/export", &technician).status, 403);
    page.grant(Grantee::Role("technician".to_owned()), Action::Export, Scope::Any, None);
    let csv = page.get("/audit/export?format=csv", &technician);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        csv.body.starts_with("id,at,clock_synced,who,") && csv.body.contains(",recording.listen,1,1,"),
        "{}",
        csv.body
    );
    let lines = page.get("/audit/export", &technician);
    for line in lines.body.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["who"].is_string() && row["rights_version"].is_number());
    }
    assert_eq!(
        audit(&page)
            .iter()
            .filter(|row| row.action == "export" && row.allowed)
            .count(),
        2
    );
}

#[test]
fn a_stopped_box_has_no_folder_that_others_may_read() {
    let page = start();
    let mode = std::fs::metadata(page.folder.join("recordings"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
