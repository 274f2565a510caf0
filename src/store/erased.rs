//! Tombstones: what was erased is not taken again when the PBX tells of it once more, whatever id it has by then.
//!
//! Each is a keyed hash of something by which the PBX may name a leg, a call or a recording; the key never leaves the
//! store. None holds a number: where an upgrade of the PBX leaves nothing but moment and number to know a call by, the
//! last four digits go into the hash, which thousands of people share.

use std::collections::BTreeSet;

use ring::hmac;
use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::Result;
use super::calls::rows;
use crate::model::{Leg, Party};
use crate::random::{self, hex};

/// The setting that holds the key.
const KEY: &str = "erased.key";

/// Ids that are made for calls of before v20; the PBX gives them others when it is upgraded.
const CONSOLE: &str = "v18-";

/// Two accounts of one moment differ by this much, seconds.
const SAME_S: i64 = 2;

/// The key of this store's marks; made with the first of them.
pub(super) struct Marker(hmac::Key);

impl Marker {
    /// For looking; `None` while nothing was ever erased.
    pub(super) fn of(connection: &Connection) -> Result<Option<Marker>> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        let known: Option<Vec<u8>> = connection
            .prepare_cached(sql)?
            .query_row([KEY], |row| row.get(0))
            .optional()?;
        Ok(known.map(|key| Marker(hmac::Key::new(hmac::HMAC_SHA256, &key))))
    }

    /// For marking.
    pub(super) fn or_new(within: &Savepoint) -> Result<Marker> {
        if let Some(known) = Marker::of(within)? {
            return Ok(known);
        }
        let key: [u8; 32] = random::bytes();
        within.execute("INSERT INTO setting (name, value) VALUES (?1, ?2)", params![KEY, key])?;
        Ok(Marker(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    fn mark(&self, parts: &[&str]) -> String {
        hex(&hmac::sign(&self.0, parts.join("\u{1f}").as_bytes()).as_ref()[..20])
    }

    /// By which a leg may be told again: its id; and where and when it began, if one of both ids is a made one.
    fn of_leg(&self, leg: &Leg, made: bool) -> [String; 2] {
        let dn = |side: &Party| side.dn.clone().unwrap_or_default();
        let began = leg.started_ms.to_string();
        let at = if made { "made-at" } else { "at" };
        [
            self.mark(&["leg", &leg.cdr_id]),
            self.mark(&[at, &began, &dn(&leg.from), &dn(&leg.to)]),
        ]
    }

    /// By which a leg of before v20 may be told again under an id of v20's.
    fn of_moment(&self, second: i64, leg: &Leg) -> Vec<String> {
        let last = |side: &Party| {
            let digits: String = side
                .number
                .iter()
                .flat_map(|n| n.chars())
                .filter(char::is_ascii_digit)
                .collect();
            digits
                .get(digits.len().saturating_sub(4)..)
                .unwrap_or_default()
                .to_owned()
        };
        let sides = [&leg.from, &leg.to]
            .into_iter()
            .filter(|side| side.kind != Some(0))
            .map(last);
        sides
            .filter(|last| last.len() == 4)
            .map(|last| self.mark(&["moment", &second.to_string(), &last]))
            .collect()
    }

    fn of_call(&self, key: &str) -> String {
        self.mark(&["call", key])
    }

    fn of_recording(&self, pbx_id: i64, minute: i64) -> String {
        self.mark(&["recording", &pbx_id.to_string(), &minute.to_string()])
    }

    fn of_extension(&self, extension: &str, second: i64) -> String {
        self.mark(&["of-extension", extension, &second.to_string()])
    }
}

fn known(connection: &Connection, mark: &str) -> Result<Option<bool>> {
    let sql = "SELECT whole FROM erased WHERE mark = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([mark], |row| row.get(0))
        .optional()?)
}

fn put(within: &Savepoint, mark: &str, whole: bool, erasure: i64) -> Result<()> {
    within
        .prepare_cached(
            "INSERT INTO erased (mark, whole, erasure) VALUES (?1, ?2, ?3)
             ON CONFLICT (mark) DO UPDATE SET whole = max(whole, ?2)",
        )?
        .execute(params![mark, whole, erasure])?;
    Ok(())
}

/// Marks legs that are erased; `whole`: with their whole call.
pub(super) fn mark_legs(
    within: &Savepoint,
    marker: &Marker,
    legs: &[Leg],
    whole: bool,
    erasure: i64,
) -> Result<()> {
    for leg in legs {
        for mark in marker.of_leg(leg, leg.has_made_id()) {
            put(within, &mark, whole, erasure)?;
        }
        if whole && !leg.has_made_key() {
            put(within, &marker.of_call(&leg.call_key), true, erasure)?;
        }
        if leg.cdr_id.starts_with(CONSOLE) {
            for mark in marker.of_moment(leg.started_ms.div_euclid(1000), leg) {
                put(within, &mark, whole, erasure)?;
            }
        }
        for pbx_id in &leg.recordings {
            put(
                within,
                &marker.of_recording(*pbx_id, minute(leg.started_ms)),
                whole,
                erasure,
            )?;
        }
    }
    Ok(())
}

/// Marks a call's other keys.
pub(super) fn mark_call(within: &Savepoint, marker: &Marker, call: i64, erasure: i64) -> Result<()> {
    let sql = "SELECT key FROM call WHERE id = ?1 UNION SELECT key FROM call_alias WHERE call = ?1";
    for key in rows(within, sql, [call], |row| row.get::<_, String>(0))? {
        put(within, &marker.of_call(&key), true, erasure)?;
    }
    Ok(())
}

/// Marks a recording that is erased: it may be told again by its id, or after an upgrade by whose it is and when it began.
pub(super) fn mark_recording(
    within: &Savepoint,
    marker: &Marker,
    (pbx_id, started_ms, extension): (i64, Option<i64>, Option<&str>),
    erasure: i64,
) -> Result<()> {
    let Some(began) = started_ms else { return Ok(()) };
    for around in -1..=1 {
        put(
            within,
            &marker.of_recording(pbx_id, minute(began) + around),
            true,
            erasure,
        )?;
    }
    if let Some(extension) = extension {
        put(
            within,
            &marker.of_extension(extension, began.div_euclid(1000)),
            true,
            erasure,
        )?;
    }
    Ok(())
}

fn minute(ms: i64) -> i64 {
    ms.div_euclid(60_000)
}

/// Leaves out of `legs` those that were erased, and with one of a call that was erased as a whole all of that call: also
/// those that the PBX tells of only now, which are marked too.
pub(super) fn without_erased(within: &Savepoint, legs: &[Leg]) -> Result<Vec<Leg>> {
    let Some(marker) = Marker::of(within)? else {
        return Ok(legs.to_vec());
    };
    let mut calls = BTreeSet::new();
    let mut left = Vec::new();
    for leg in legs {
        let mut marks = marker.of_leg(leg, !leg.has_made_id()).to_vec();
        if !leg.has_made_key() {
            marks.push(marker.of_call(&leg.call_key));
        }
        if !leg.cdr_id.starts_with(CONSOLE) {
            let second = leg.started_ms.div_euclid(1000);
            marks.extend((-SAME_S..=SAME_S).flat_map(|off| marker.of_moment(second + off, leg)));
        }
        let mut found = None;
        for mark in &marks {
            found = found.max(known(within, mark)?);
        }
        match found {
            Some(true) => {
                calls.insert(leg.call_key.clone());
            }
            Some(false) => {}
            None => left.push(leg.clone()),
        }
    }
    let (late, left): (Vec<Leg>, Vec<Leg>) = left.into_iter().partition(|leg| calls.contains(&leg.call_key));
    mark_legs(within, &marker, &late, true, 0)?;
    Ok(left)
}

/// Whether a recording that the PBX's list or a row of the log tells of was erased.
pub(super) fn is_erased(
    within: &Savepoint,
    pbx_id: i64,
    at_ms: Option<i64>,
    extension: Option<&str>,
    zone_unsure: bool,
) -> Result<bool> {
    let (Some(marker), Some(at)) = (Marker::of(within)?, at_ms) else {
        return Ok(false);
    };
    // Where the zone of the list is a guess, another reading may be quarters of an hour off, a day at most.
    let quarters = if zone_unsure { -56..=56 } else { 0..=0 };
    for quarter in quarters {
        if known(within, &marker.of_recording(pbx_id, minute(at) + 15 * quarter))?.is_some() {
            return Ok(true);
        }
    }
    let Some(extension) = extension else { return Ok(false) };
    for off in -SAME_S..=SAME_S {
        if known(within, &marker.of_extension(extension, at.div_euclid(1000) + off))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the call that the PBX knows by `key` was erased.
pub fn is_erased_call(connection: &Connection, key: &str) -> Result<bool> {
    Ok(match Marker::of(connection)? {
        Some(marker) => known(connection, &marker.of_call(key))?.is_some(),
        None => false,
    })
}
