//! What outlives a restart: boxes as they were last, their figures over time, and the commands that were sent.
//!
//! History is bounded twice: by age, and by the size of the file, for which the oldest goes first.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::boxes::{Boxes, Condition, Figures, Member};
use crate::contract::Presence;
use crate::store::{Result, Settings, Store};

/// Pause between two samples.
pub const FINE_MS: i64 = 300_000;
/// Pause between two of the samples that stay.
pub const COARSE_MS: i64 = 3_600_000;
/// How long the finer ones stay.
pub const FINE_KEPT_MS: i64 = 86_400_000;

/// The file.
#[derive(Clone)]
pub struct History(Store);

/// A box's figures at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// How it was, as the place in [`Condition::ALL`].
    pub condition: i64,
    /// Deliveries that waited.
    pub queue: i64,
    /// Seconds since the oldest of them was made.
    pub oldest_s: i64,
    /// Per cent of the volume.
    pub disk: Option<i64>,
    /// Degrees Celsius.
    pub temp: Option<i64>,
}

/// A command that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The request's id.
    pub req: String,
    /// The box.
    pub member: String,
    /// Which.
    pub name: String,
    /// The address that it was sent from.
    pub source: String,
    /// When.
    pub sent_ms: i64,
    /// Until when it may be executed.
    pub expires_ms: i64,
    /// How far it has come: `sent`, or a word of the contract.
    pub status: String,
    /// Why not.
    pub reason: String,
    /// When the box last said something about it.
    pub answered_ms: Option<i64>,
}

/// A sample of one box: its number in the file, and what was seen.
type Row = (i64, i64, Figures);

impl History {
    /// Opens or makes the file in `folder`.
    pub fn open(folder: &Path) -> Result<History> {
        Ok(History(Store::open_with(
            &folder.join("fleet.db"),
            &[include_str!("schema.sql")],
        )?))
    }

    /// The settings in it.
    pub fn settings(&self) -> Settings {
        Settings::new(self.0.clone())
    }

    /// The boxes as they were last.
    pub fn boxes(&self) -> Result<Boxes> {
        self.0.read(|connection| {
            let mut asked = connection
                .prepare("SELECT no, id, first_ms, seen_ms, online, presence_ms, birth, state FROM member")?;
            let mut rows = asked.query([])?;
            let mut boxes = Boxes::default();
            while let Some(row) = rows.next()? {
                let seen_ms: i64 = row.get(3)?;
                let mut member = Member {
                    no: row.get(0)?,
                    first_ms: row.get(2)?,
                    ..Member::default()
                };
                let (birth, state): (Vec<u8>, Vec<u8>) = (row.get(6)?, row.get(7)?);
                member.take("birth", &birth, false, seen_ms);
                if !state.is_empty() {
                    member.take("state", &state, false, seen_ms);
                }
                let online: Option<bool> = row.get(4)?;
                member.presence = online.map(|on| if on { Presence::Online } else { Presence::Offline });
                member.presence_ms = row.get(5)?;
                (member.seen_ms, member.dirty) = (seen_ms, false);
                boxes.members.insert(row.get::<_, String>(1)?.into(), member);
            }
            Ok(boxes)
        })
    }

    /// Writes down what has changed, and a sample of every box if it is time for one. Gives the numbers of boxes that
    /// are new in the file.
    pub fn keep(
        &self,
        changed: Vec<(Box<str>, Member)>,
        at_ms: i64,
        samples: Vec<Row>,
    ) -> Result<Vec<(Box<str>, i64)>> {
        self.0.write(move |within| {
            let mut numbers = Vec::new();
            for (id, member) in &changed {
                numbers.push((id.clone(), put(within, id, member)?));
            }
            let numbered = |no: i64| numbers.get(usize::try_from(-no - 1).ok()?).map(|(_, no)| *no);
            let coarse = at_ms % COARSE_MS < FINE_MS;
            for table in if coarse { &["fine", "coarse"][..] } else { &["fine"] } {
                let mut add = within.prepare_cached(&format!(
                    "INSERT OR REPLACE INTO {table} (at, member, condition, queue, oldest, disk, temp) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                ))?;
                for (no, condition, figures) in &samples {
                    let no = if *no < 0 { numbered(*no) } else { Some(*no) };
                    let temp = figures.temp_c.map(|celsius| celsius.round() as i64);
                    let (queue, oldest) = (figures.queue, figures.oldest_s);
                    add.execute(params![at_ms / 60_000, no, condition, queue, oldest, figures.disk_used(), temp])?;
                }
            }
            Ok(numbers)
        })
    }

    /// Takes away what is too old, and the oldest of what is too much.
    pub fn tidy(&self, now_ms: i64, keep_ms: i64, max_bytes: u64) -> Result<()> {
        self.0.write(move |within| {
            within.execute("DELETE FROM fine WHERE at < ?1", [(now_ms - FINE_KEPT_MS) / 60_000])?;
            within.execute("DELETE FROM coarse WHERE at < ?1", [(now_ms - keep_ms) / 60_000])?;
            within.execute("DELETE FROM command WHERE sent_ms < ?1", [now_ms - keep_ms])?;
            for _ in 0..64 {
                if used(within)? <= max_bytes {
                    break;
                }
                let mut gone = 0;
                for table in ["coarse", "fine"] {
                    gone += within.execute(
                        &format!("DELETE FROM {table} WHERE at <= (SELECT min(at) + (max(at) - min(at)) / 8 FROM {table})"),
                        [],
                    )?;
                }
                if gone == 0 {
                    break;
                }
            }
            within.execute_batch("PRAGMA incremental_vacuum(20000)")?;
            Ok(())
        })
    }

    /// A box's samples of the last day, and the hourly ones before, oldest first.
    pub fn samples(&self, no: i64, now_ms: i64, span_ms: i64) -> Result<Vec<Sample>> {
        let (table, step) = if span_ms <= FINE_KEPT_MS {
            ("fine", FINE_MS)
        } else {
            ("coarse", COARSE_MS)
        };
        self.0.read(|connection| {
            let mut asked = connection.prepare_cached(&format!(
                "SELECT condition, queue, oldest, disk, temp FROM {table} WHERE at = ?1 AND member = ?2"
            ))?;
            let mut found = Vec::new();
            let mut at_ms = (now_ms - span_ms) / step * step;
            while at_ms <= now_ms {
                let one = asked.query_row([at_ms / 60_000, no], |row| {
                    Ok(Sample {
                        at_ms,
                        condition: row.get(0)?,
                        queue: row.get(1)?,
                        oldest_s: row.get(2)?,
                        disk: row.get(3)?,
                        temp: row.get(4)?,
                    })
                });
                found.extend(one.optional()?);
                at_ms += step;
            }
            Ok(found)
        })
    }

    /// Forgets a box that is no more; it comes again if it speaks again.
    pub fn forget(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.0
            .write(move |within| Ok(within.execute("DELETE FROM member WHERE id = ?1", [id]).map(|_| ())?))
    }

    /// Writes down that a command goes out. It is on the disk before it does.
    pub fn command(&self, sent: Sent) -> Result<()> {
        self.0.write(move |within| {
            within.execute(
                "INSERT INTO command (req, member, name, source, sent_ms, expires_ms, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![sent.req, sent.member, sent.name, sent.source, sent.sent_ms, sent.expires_ms, sent.status],
            )?;
            Ok(())
        })
    }

    /// Writes down what a box said about a command of ours; `false` if it is none. The last word stays: what comes
    /// after it changes nothing.
    pub fn answered(
        &self,
        req: &str,
        member: &str,
        status: &'static str,
        reason: String,
        at_ms: i64,
    ) -> Result<bool> {
        let (req, member) = (req.to_owned(), member.to_owned());
        self.0.write(move |within| {
            let changed = within.execute(
                "UPDATE command SET status = ?3, reason = ?4, answered_ms = ?5
                 WHERE req = ?1 AND member = ?2 AND status NOT IN ('successful', 'failed')",
                params![req, member, status, reason, at_ms],
            )?;
            Ok(changed > 0)
        })
    }

    /// The newest commands, of one box or of all.
    pub fn commands(&self, member: Option<&str>, most: i64) -> Result<Vec<Sent>> {
        self.0.read(|connection| {
            let mut asked = connection.prepare_cached(
                "SELECT req, member, name, source, sent_ms, expires_ms, status, reason, answered_ms FROM command
                 WHERE ?1 IS NULL OR member = ?1 ORDER BY no DESC LIMIT ?2",
            )?;
            let rows = asked.query_map(params![member, most], |row| {
                Ok(Sent {
                    req: row.get(0)?,
                    member: row.get(1)?,
                    name: row.get(2)?,
                    source: row.get(3)?,
                    sent_ms: row.get(4)?,
                    expires_ms: row.get(5)?,
                    status: row.get(6)?,
                    reason: row.get(7)?,
                    answered_ms: row.get(8)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn put(within: &Savepoint, id: &str, member: &Member) -> Result<i64> {
    let online = member.presence.map(|presence| presence == Presence::Online);
    let mut asked = within.prepare_cached(
        "INSERT INTO member (id, first_ms, seen_ms, online, presence_ms, birth, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET seen_ms = ?3, online = ?4, presence_ms = ?5, birth = ?6, state = ?7
         RETURNING no",
    )?;
    let (birth, state) = (&member.birth[..], &member.state[..]);
    let values = params![
        id,
        member.first_ms,
        member.seen_ms,
        online,
        member.presence_ms,
        birth,
        state
    ];
    Ok(asked.query_row(values, |row| row.get(0))?)
}

/// Bytes of the file that are in use.
fn used(connection: &Connection) -> Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or(0))
}

/// How a box is, as the number that a sample holds.
pub fn number(condition: Condition) -> i64 {
    Condition::ALL
        .iter()
        .position(|known| *known == condition)
        .map_or(0, |at| at as i64)
}
