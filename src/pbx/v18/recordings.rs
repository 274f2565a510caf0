//! Recordings: the list, the bytes, and ids that are text.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::PoisonError;

use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::super::v20::loose::{Int, MaybeRow, Text};
use super::belongs::{self, Sought};
use super::client::escaped;
use super::row::{self, Written};
use super::{Error, Fetched, Kind, ListedRecording, V18};
use crate::http;

/// Ids of text get a number from here on: no number of a table comes near, and JSON's numbers still hold it exactly.
pub const FIRST_MADE: i64 = 1 << 52;

/// Rows of the first page, which at rest holds all that is new, and of the pages after it.
const FIRST_PAGE: usize = 200;
const PAGE: usize = 1000;

/// Recordings of one list may stand in the order of their ends: so far from that of their starts.
const STIR_MS: i64 = 4 * 3_600_000;

/// The rows of calls whose recordings began so long ago have been written.
const SETTLED_MS: i64 = 600_000;

/// A row of `/api/RecordingList` (public typings of the console API of v15.5 and v16).
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    id: Text,
    date: Text,
    caller_id: Text,
    source_dn: Text,
    dest_dn: Text,
    dn: Text,
    filename: Text,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    list: Vec<MaybeRow<Row>>,
    #[serde(rename = "TotalRowsCount", default)]
    total: Int,
}

/// Which of the two forms of the question this build understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// `count`, `start`: seen in later code.
    #[default]
    Start,
    /// `count`, `dateTimeParts`, `filter`, `from`, `onlyTime`: the typings of v15.5 and v16.
    From,
}

/// A recording as it stands on the list.
struct Found {
    id: i64,
    written: Option<Written>,
    from: Option<String>,
    to: Option<String>,
    sought: Sought,
}

pub(super) fn list(pbx: &V18, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
    let mut found = read(pbx, Some(from_ms))?;
    let calls = pbx.lines(from_ms - super::LONG_CALL_MS, to_ms)?;
    let sought = |found: &[Found], local: bool| -> Vec<Sought> {
        let started = |one: &Found| one.written.map(|at| moment(pbx, at, local));
        found
            .iter()
            .map(|one| Sought {
                started_ms: started(one),
                ..one.sought.clone()
            })
            .collect()
    };
    let settled_ms = pbx.clock.wall_ms() - SETTLED_MS;
    let mut recordings = sought(&found, false);
    let mut of = belongs::find(&recordings, &calls, settled_ms);
    // Nothing says which zone this list is written in. UTC and the PBX's own are tried: the right one finds the calls.
    // Until it is found there is no start: one that changed would be another recording's.
    if pbx.zone.is_some() {
        let others = sought(&found, true);
        let of_others = belongs::find(&others, &calls, settled_ms);
        let hits = |of: &[Option<String>]| of.iter().flatten().count();
        let mut local = pbx.local_recordings.lock().unwrap_or_else(PoisonError::into_inner);
        if local.is_none() && hits(&of) != hits(&of_others) {
            *local = Some(hits(&of_others) > hits(&of));
        }
        match *local {
            Some(true) => (recordings, of) = (others, of_others),
            Some(false) => {}
            None => {
                let walls = found.iter().zip(&mut recordings);
                walls
                    .filter(|(one, _)| matches!(one.written, Some(Written::Wall(_))))
                    .for_each(|(_, sought)| sought.started_ms = None);
            }
        }
    }
    let mut all: Vec<ListedRecording> = found
        .drain(..)
        .zip(recordings.into_iter().zip(of))
        .map(|(found, (sought, call))| ListedRecording {
            pbx_id: found.id,
            started_ms: sought.started_ms,
            from_dn: found.from,
            to_dn: found.to,
            extension: sought.extension,
            call,
            ..ListedRecording::default()
        })
        .filter(|one| one.started_ms.is_none_or(|at| (from_ms..=to_ms).contains(&at)))
        .collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.started_ms));
    Ok(all)
}

pub(super) fn one(pbx: &V18, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
    let local = pbx
        .local_recordings
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .unwrap_or(false);
    let found = read(pbx, None)?.into_iter().find(|one| one.id == pbx_id);
    Ok(found.map(|found| ListedRecording {
        pbx_id,
        started_ms: found.written.map(|at| moment(pbx, at, local)),
        from_dn: found.from,
        to_dn: found.to,
        extension: found.sought.extension,
        ..ListedRecording::default()
    }))
}

fn moment(pbx: &V18, written: Written, local: bool) -> i64 {
    match (written, &pbx.zone) {
        (Written::Wall(ms), Some(zone)) if local => zone.moment_ms(ms),
        (written, _) => written.ms(),
    }
}

/// The list, at least as far back as `from_ms`; all of it without.
fn read(pbx: &V18, from_ms: Option<i64>) -> Result<Vec<Found>, Error> {
    let mut form = *pbx.form.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found: BTreeMap<i64, Found> = BTreeMap::new();
    let mut texts = BTreeMap::new();
    let mut start = 0;
    let mut other_form_tried = false;
    let (mut newest_first, mut before_ms) = (true, i64::MAX);
    loop {
        let page = match ask(pbx, form, start) {
            // A build that wants the other form may say so by refusing this one.
            Err(error) if !other_form_tried && matches!(error.kind, Kind::Nonsense | Kind::ItsFault) => {
                (form, other_form_tried) = (other(form), true);
                match ask(pbx, form, start) {
                    Err(_) => return Err(error),
                    page => page?,
                }
            }
            page => page?,
        };
        let got = page.list.len();
        let before = found.len();
        let mut newest = None;
        for row in page.list.into_iter().filter_map(|row| row.0) {
            let Some((text, one)) = one_of(row) else { continue };
            if let Some(at) = one.written.map(Written::ms) {
                newest_first &= at <= before_ms.saturating_add(STIR_MS);
                before_ms = at;
                newest = newest.max(Some(at));
            }
            texts.insert(one.id, text);
            found.insert(one.id, one);
        }
        if got > 0 && found.len() == before && start > 0 && !other_form_tried {
            // The same page again: this build doesn't know the parameter that says where to begin.
            (form, other_form_tried) = (other(form), true);
            continue;
        }
        start += got;
        // Newest first, as the console shows it: a whole page of older ones ends it. A day more, as nothing says which
        // zone the times are in.
        let older = from_ms.is_some_and(|from_ms| newest.is_some_and(|newest| newest < from_ms - 86_400_000));
        let enough = newest_first && older;
        let all = page.total.0.map_or(got < FIRST_PAGE, |total| start as i64 >= total);
        if got == 0 || all || enough || found.len() == before {
            break;
        }
    }
    *pbx.form.lock().unwrap_or_else(PoisonError::into_inner) = form;
    pbx.texts.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
    Ok(found.into_values().collect())
}

fn other(form: Form) -> Form {
    match form {
        Form::Start => Form::From,
        Form::From => Form::Start,
    }
}

fn ask(pbx: &V18, form: Form, start: usize) -> Result<Page, Error> {
    let count = if start == 0 { FIRST_PAGE } else { PAGE };
    let path = match form {
        Form::Start => format!("/api/RecordingList?count={count}&start={start}"),
        Form::From => {
            format!("/api/RecordingList?count={count}&dateTimeParts=&filter=&from={start}&onlyTime=false")
        }
    };
    pbx.json(&path, "the list of recordings")
}

fn one_of(row: Row) -> Option<(String, Found)> {
    let text = row.id.0?;
    let id = number_of(&text)?;
    let file = row.filename.0.as_deref().map(file_name).unwrap_or_default();
    let date = row.date.0.as_deref().and_then(row::time);
    let written = match (date, file.stamp) {
        (Some(Written::Moment(ms)), _) => Some(Written::Moment(ms)),
        // Both without a zone and hours apart: the stamp in the file's name is UTC, as it was in the one row in which
        // the two could be compared (a v20 database).
        (Some(Written::Wall(date)), Some(stamp)) if date != stamp && (date - stamp) % 900_000 == 0 => {
            Some(Written::Moment(stamp))
        }
        (date, stamp) => date.or(stamp.map(Written::Wall)),
    };
    let from = row.source_dn.0.or(file.from.clone());
    let to = row.dest_dn.0.or(file.to.clone());
    let extension = row.dn.0.or(file.folder);
    let caller = row.caller_id.0.as_deref().and_then(|caller| row::side(caller).number);
    // A trunk's DN is no number of the call log, so the DNs serve only where the file's name tells none.
    let sides = match (file.from, file.to) {
        (None, None) => [from.clone(), to.clone()],
        (from, to) => [from, to],
    };
    let numbers = sides.into_iter().chain([caller]).flatten().collect();
    let sought = Sought {
        started_ms: None,
        extension,
        numbers,
    };
    Some((
        text,
        Found {
            id,
            written,
            from,
            to,
            sought,
        },
    ))
}

/// The parts of `<extension>/[name]_<from>-<to>_<YYYYMMDDhhmmss>(<n>).wav`. The name may hold anything, so it is read
/// from its end. A missing part is no error.
#[derive(Default)]
struct FileName {
    folder: Option<String>,
    from: Option<String>,
    to: Option<String>,
    stamp: Option<i64>,
}

fn file_name(path: &str) -> FileName {
    let (folder, name) = path.rsplit_once(['/', '\\']).unwrap_or(("", path));
    let folder = folder.rsplit(['/', '\\']).next().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut read = FileName {
        folder: Some(folder.to_owned()).filter(|folder| digits(folder)),
        ..FileName::default()
    };
    let name = name.strip_suffix(".wav").unwrap_or(name);
    let name = name.rsplit_once('(').map_or(name, |(name, _)| name);
    let Some((name, stamp)) = name.rsplit_once('_') else {
        return read;
    };
    read.stamp = row::parse_stamp(stamp);
    let Some((_, sides)) = name.rsplit_once('_') else {
        return read;
    };
    if let Some((from, to)) = sides.split_once('-') {
        (read.from, read.to) = (Some(from.to_owned()), Some(to.to_owned()));
    }
    read
}

/// The number that stands for an id: its own if it is one, else one made of its text, the same for ever. `None` if the
/// text could lead out of the PBX's folder of recordings (the download of v15.5 did not look).
pub(super) fn number_of(text: &str) -> Option<i64> {
    let leads_out = text.split(['/', '\\']).any(|part| part == "..")
        || text.starts_with(['/', '\\', '~'])
        || text.chars().nth(1) == Some(':')
        || text.chars().any(char::is_control);
    if leads_out || text.is_empty() || text.len() > 1024 {
        return None;
    }
    match text.parse::<i64>() {
        Ok(number) if (1..FIRST_MADE).contains(&number) && text == number.to_string() => Some(number),
        _ => {
            let hash = digest(&SHA256, text.as_bytes());
            let number = hash
                .as_ref()
                .iter()
                .take(8)
                .fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
            Some(FIRST_MADE | (number & (FIRST_MADE - 1)))
        }
    }
}

pub(super) fn fetch(
    pbx: &V18,
    pbx_id: i64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<Fetched, Error> {
    let gone = || Error::new(Kind::Gone, "the recording is not on the PBX's list any more");
    let text = text_of(pbx, pbx_id)?.ok_or_else(gone)?;
    let path = format!("/api/RecordingList/Download?file={}", escaped(&text));
    let answer = pbx.ask(&path, "a recording")?;
    match answer.status() {
        200 => {}
        // So the console sends a browser back to its page when there is no such file (a public client).
        302 | 404 => {
            return Err(Error::new(
                Kind::Gone,
                format!("its file is not there ({})", answer.status()),
            ));
        }
        _ => return Err(pbx.unexpected(answer, "a recording")),
    }
    let (media_type, promised) = (answer.media_type(), answer.length());
    if media_type == "text/html" || media_type == "application/json" {
        let told = format!("a recording was answered with {media_type} instead of audio");
        return Err(Error::new(Kind::Nonsense, told));
    }
    let mut reader = answer.into_reader();
    let mut room = vec![0; 64 << 10];
    let mut came = 0;
    loop {
        let got = reader.read(&mut room).map_err(http::Error::of_io)?;
        if got == 0 {
            return Ok(Fetched {
                media_type,
                promised,
                came,
            });
        }
        came += got as u64;
        take(&room[..got])?;
    }
}

/// The text that an id stands for: only ever one that the PBX's own list has named. After a restart the list is read
/// again for it.
fn text_of(pbx: &V18, pbx_id: i64) -> Result<Option<String>, Error> {
    if pbx_id < FIRST_MADE {
        return Ok(Some(pbx_id.to_string()));
    }
    let known = || {
        pbx.texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&pbx_id)
            .cloned()
    };
    if let Some(text) = known() {
        return Ok(Some(text));
    }
    read(pbx, None)?;
    Ok(known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_read_from_its_end_whatever_the_name_in_it() {
        let read = file_name("100/[Last, _(First)-x]_116-+441632960418_20260224201047(789).wav");
        assert_eq!(read.folder.as_deref(), Some("100"));
        assert_eq!(
            (read.from.as_deref(), read.to.as_deref()),
            (Some("116"), Some("+441632960418"))
        );
        assert_eq!(read.stamp, row::parse_stamp("20260224201047"));
        let read = file_name("[]_100-anonymous_20190211124709(2).wav");
        assert_eq!((read.folder, read.to.as_deref()), (None, Some("anonymous")));
        assert!(file_name("whatever").stamp.is_none());
    }

    #[test]
    fn ids_are_numbers_that_stay_and_none_leads_out_of_the_folder() {
        assert_eq!(number_of("63214"), Some(63_214));
        let made = number_of("100/[Anna]_100-101_20190211124709(2).wav").unwrap();
        assert_eq!(number_of("100/[Anna]_100-101_20190211124709(2).wav"), Some(made));
        assert!((FIRST_MADE..FIRST_MADE * 2).contains(&made));
        // Numbers that would come back as another text are text.
        assert!(number_of("007").unwrap() >= FIRST_MADE && number_of("-5").unwrap() >= FIRST_MADE);
        for wrong in [
            "../../etc/passwd",
            "100/../../x",
            "..\\win.ini",
            "/etc/passwd",
            "C:\\x",
            "a\u{0}b",
            "",
        ] {
            assert_eq!(number_of(wrong), None, "{wrong}");
        }
    }
}
