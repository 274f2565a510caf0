//! A small company with calls and recordings, and a box beside it.
//!
//! | | department | role | may hear |
//! |---|---|---|---|
//! | 101 Mia | Sales | users | her own |
//! | 102 Ben | Sales | managers | his own and Sales' |
//! | 103 Eve | Support | users | her own |
//! | 104 Tom | Support | system_owners | everything |
//! | 105 Una | Support | users, nothing shown | nothing |

use callspool::clock::Clock;
use callspool::model::{Department, Directory, Leg, Membership, Party, Peer, PeerKind, Person, Rights};
use callspool::spool::Spool;
use callspool::store::{self, AuditFilter, AuditRow};

use crate::server::Page;

pub const SALES: i64 = 10;
pub const SUPPORT: i64 = 20;
/// The number that nobody may learn by the trace.
pub const NUMBER: &str = "+442079460418";
/// The name that nobody may learn by the trace.
pub const CALLER: &str = "Anna Ashdown";
/// What was said.
pub const SAID: &str = "the parrot is only resting";

fn place(department: i64, role: &str, sees: Option<bool>) -> Membership {
    Membership {
        department,
        rights: Rights {
            role: Some(role.to_owned()),
            see_calls: sees,
            see_recordings: sees,
            ..Rights::default()
        },
        role_rights: Rights::default(),
    }
}

fn person(id: i64, extension: &str, name: &str, at: Membership) -> Person {
    Person {
        id,
        extension: extension.to_owned(),
        name: name.to_owned(),
        enabled: true,
        records_calls: Some(true),
        shows_recordings: Some(true),
        memberships: vec![at],
        ..Person::default()
    }
}

/// Everybody.
pub fn directory() -> Directory {
    let mut una = person(5, "105", "Una Unseen", place(SUPPORT, "users", None));
    una.shows_recordings = Some(false);
    let people = vec![
        person(1, "101", "Mia Marsh", place(SALES, "users", None)),
        person(2, "102", "Ben Boss", place(SALES, "managers", Some(true))),
        person(3, "103", "Eve Other", place(SUPPORT, "users", None)),
        person(4, "104", "Tom Owner", place(SUPPORT, "system_owners", Some(true))),
        una,
    ];
    let peers = people
        .iter()
        .map(|person| Peer {
            number: person.extension.clone(),
            name: person.name.clone(),
            kind: PeerKind::Extension,
            departments: person.memberships.iter().map(|place| place.department).collect(),
        })
        .collect();
    let department = |id, name: &str| Department {
        id,
        name: name.to_owned(),
        number: None,
        rights: Vec::new(),
    };
    Directory {
        people,
        departments: vec![department(SALES, "Sales"), department(SUPPORT, "Support")],
        peers,
    }
}

/// Without somebody.
pub fn without(extension: &str) -> Directory {
    let mut directory = directory();
    directory.people.retain(|person| person.extension != extension);
    directory.peers.retain(|peer| peer.number != extension);
    directory
}

/// A box with the company's rights, and three calls from outside: of 101 (call 1), of 103 (call 2), of 105 (call 3), each
/// with a recording of the same number that is here.
pub fn start() -> Page {
    start_with(Clock::system(), "")
}

/// The same, by another clock and with more settings.
pub fn start_with(clock: Clock, lines: &str) -> Page {
    let page = Page::with(clock, lines);
    page.apply(&directory());
    for (n, extension) in [(1, "101"), (2, "103"), (3, "105")] {
        call(&page, n, extension);
        hold(&page, n, extension, &wav(1, 16, 40_000));
    }
    page
}

/// A call from outside that `extension` answered.
pub fn call(page: &Page, n: i64, extension: &str) {
    let clock = page.handle.clock().clone();
    let party = |dn: &str, number: &str, name: &str, kind| Party {
        dn: Some(dn.to_owned()),
        number: Some(number.to_owned()),
        name: Some(name.to_owned()),
        kind: Some(kind),
    };
    let leg = Leg {
        cdr_id: format!("c{n}"),
        history_id: None,
        call_key: format!("key-{n}"),
        started_ms: clock.wall_ms() - 60_000 - n * 1_000,
        ringing_ms: 4_000,
        talking_ms: 20_000,
        answered: true,
        direction: None,
        kind: None,
        status: Some("Answered".to_owned()),
        reason: Some(format!("ended by {CALLER}")),
        from: party("10000", NUMBER, CALLER, 1),
        to: party(extension, extension, "somebody", 0),
        recordings: vec![n],
        did: None,
        transcript: Some(SAID.to_owned()),
        summary: None,
        sentiment: Some(1),
        did: None,
    };
    let taken = page
        .handle
        .store()
        .write(move |within| store::take_legs(within, &[leg], &|dn| dn.len() == 3, &clock, 0));
    assert_eq!(taken.unwrap(), [n]);
}

/// Puts a recording into the spool, as the audio flow does: the file first, then its row.
pub fn hold(page: &Page, n: i64, extension: &str, bytes: &[u8]) {
    let config = page.handle.config();
    let spool = Spool::open(&config.state_dir, config.spool.clone()).unwrap();
    let mut taking = spool.take(n).unwrap();
    taking.append(bytes).unwrap();
    let (file, written) = taking.publish().unwrap();
    let (extension, now) = (extension.to_owned(), page.handle.clock().wall_ms());
    let sha256 = callspool::random::hex(&written.sha256);
    let row = page.handle.store().write(move |within| {
        within.execute(
            "INSERT INTO recording (id, pbx_id, call, started_ms, extension, state, code, reason, next_mono, boot, file,
                 bytes, sha256, media_type, audio_ms, seen_ms, held_ms, transcript)
             VALUES (?1, ?1, ?1, ?2, ?3, 'held', '', '', 0, '', ?4, ?5, ?6, 'audio/x-wav', 2500, ?2, ?2, ?7)",
            (n, now, extension, file, written.bytes as i64, sha256, SAID),
        )?;
        Ok(())
    });
    row.unwrap();
}

/// A WAV file: format tag, bits of a sample, bytes of sound (8000 samples a second, a tone).
pub fn wav(tag: u16, bits: u16, data: u32) -> Vec<u8> {
    let align = (bits / 8).max(1);
    let mut out = b"RIFF".to_vec();
    let format: u32 = if tag == 1 { 16 } else { 18 };
    out.extend_from_slice(&(4 + 8 + format + 8 + data).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&format.to_le_bytes());
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&8000u32.to_le_bytes());
    out.extend_from_slice(&(8000 * u32::from(align)).to_le_bytes());
    out.extend_from_slice(&align.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    if tag != 1 {
        out.extend_from_slice(&0u16.to_le_bytes());
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data.to_le_bytes());
    out.extend((0..data).map(|n| (n * 7 % 251) as u8));
    out
}

/// The audit, newest first.
pub fn audit(page: &Page) -> Vec<AuditRow> {
    let all = AuditFilter {
        most: 1000,
        ..AuditFilter::default()
    };
    page.handle
        .store()
        .read(|connection| store::audit_rows(connection, &all))
        .unwrap()
}

/// Rows since `before` of them were there.
pub fn audit_since(page: &Page, before: usize) -> Vec<AuditRow> {
    let mut rows = audit(page);
    rows.truncate(rows.len() - before);
    rows
}

/// A clock by which an hour passes in a second.
pub fn quick() -> Clock {
    Clock::scaled(1_800_000_000_000, std::time::Instant::now(), 3600.0)
}
