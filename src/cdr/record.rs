//! What a line says, and the leg of a call that it stands for.

use ring::digest::{SHA256, digest};
use time::{Date, Month, PrimitiveDateTime, Time};

use super::arrange::Values;
use crate::config::CdrField as F;
use crate::model::{Leg, Party};
use crate::random::hex;

/// One line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `historyid`: a counter of the PBX like `Call 612504`, or an id that never comes again.
    pub history: Option<String>,
    /// `callid`.
    pub call: Option<String>,
    /// Start, Unix milliseconds UTC.
    pub started_ms: i64,
    /// When somebody or something answered.
    pub answered_ms: Option<i64>,
    /// End.
    pub ended_ms: i64,
    /// Why it ended, in 3CX's words.
    pub reason: Option<String>,
    /// Who called.
    pub from: Party,
    /// Who was called.
    pub to: Party,
    /// Who had it in the end, where that is somebody else.
    pub last: Option<Party>,
    /// All whom it went through, in order.
    pub chain: Vec<String>,
    /// What was dialled: for a call from outside the company's number.
    pub dialled: Option<String>,
}

impl Record {
    pub(super) fn of(values: &Values) -> Option<Record> {
        let text = |field: F| {
            values
                .get(&field)
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
        };
        let owned = |field: F| text(field).map(str::to_owned);
        let at = |field: F| text(field).and_then(instant);
        let started_ms = at(F::TimeStart)?;
        let answered_ms = at(F::TimeAnswered).map(|at| at.max(started_ms));
        let talked_ms = text(F::Duration).and_then(span_ms).unwrap_or(0);
        let began = answered_ms.unwrap_or(started_ms);
        let ended_ms = at(F::TimeEnd).unwrap_or(began + talked_ms).max(began);
        let chain: Vec<String> = text(F::Chain)
            .map(|chain| chain.strip_prefix("Chain:").unwrap_or(chain))
            .into_iter()
            .flat_map(|chain| chain.split(';'))
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect();
        let party = |number: F, dn: F, kind: F, name: F, instead: Option<&String>| {
            let shown = text(number).or(instead.map(String::as_str));
            Party {
                dn: owned(dn).or_else(|| shown.and_then(|shown| shown.strip_prefix("Ext.")).map(str::to_owned)),
                number: shown.map(|shown| shown.strip_prefix("Ext.").unwrap_or(shown).to_owned()),
                name: owned(name),
                kind: text(kind).and_then(kind_of).or_else(|| outside(shown?)),
            }
        };
        let from = party(F::FromNo, F::FromDn, F::FromType, F::FromDispname, chain.first());
        let to = party(F::ToNo, F::ToDn, F::ToType, F::ToDispname, chain.get(1));
        let last = party(F::FinalNumber, F::FinalDn, F::FinalType, F::FinalDispname, None);
        let reason = match (text(F::ReasonTerminated), text(F::ReasonChanged)) {
            (Some(ended), Some(changed)) => Some(format!("{ended} ({changed})")),
            (one, other) => one.or(other).map(str::to_owned),
        };
        Some(Record {
            history: owned(F::HistoryId),
            call: owned(F::CallId),
            started_ms,
            answered_ms,
            ended_ms,
            reason,
            from,
            to,
            last: Some(last).filter(|last| last.dn.is_some() || last.number.is_some()),
            chain,
            dialled: owned(F::DialNo),
        })
    }

    /// What names this call on the PBX, if anything does, and whether that may come again for another call: a counter
    /// begins anew when a PBX is set up again.
    pub fn call_name(&self) -> Option<(&str, bool)> {
        let name = self.history.as_deref().or(self.call.as_deref())?;
        let digits = name.chars().filter(char::is_ascii_hexdigit).count();
        Some((name, digits < 16))
    }

    /// A name for the call that no other call gets: with its first line's own id if its name may come again.
    pub fn new_key(&self) -> String {
        match self.call_name() {
            Some((name, false)) => name.to_owned(),
            Some((name, true)) => format!("{name} {}", self.call.as_deref().unwrap_or(&self.leg_id()[4..])),
            None => self.leg_id(),
        }
    }

    /// The leg, as one of the call `key`.
    pub fn leg(&self, key: &str) -> Leg {
        let ring_end = self.answered_ms.unwrap_or(self.ended_ms);
        let answered = self.answered_ms.is_some();
        Leg {
            cdr_id: self.leg_id(),
            history_id: self.history.clone(),
            call_key: key.to_owned(),
            started_ms: self.started_ms,
            ringing_ms: ring_end - self.started_ms,
            talking_ms: self.ended_ms - ring_end,
            answered,
            direction: None,
            kind: None,
            status: Some(if answered { "Answered" } else { "Unanswered" }.to_owned()),
            reason: self.reason.clone(),
            from: self.from.clone(),
            to: self.last.clone().unwrap_or_else(|| self.to.clone()),
            recordings: Vec::new(),
            transcript: None,
            summary: None,
            sentiment: None,
            did: self.dialled.clone().filter(|_| self.from.kind == Some(1)),
        }
    }

    /// The leg's identity: the same line again is the same leg.
    fn leg_id(&self) -> String {
        let party = |party: &Party| format!("{:?} {:?}", party.dn, party.number);
        let last = self.last.as_ref().map(party);
        let whole = format!(
            "{:?} {:?} {} {} {} {last:?}",
            self.history,
            self.call,
            self.started_ms,
            party(&self.from),
            party(&self.to)
        );
        format!(
            "{}{}",
            Leg::CDR_PREFIX,
            hex(&digest(&SHA256, whole.as_bytes()).as_ref()[..12])
        )
    }
}

/// Without a type: a number that is not written like an extension is outside.
fn outside(shown: &str) -> Option<i64> {
    (!shown.starts_with("Ext.")).then_some(1)
}

/// 3CX's code for a word that says what a DN is (`Extension`, `external_line`, `vmail`, …; seen in both spellings);
/// `None` for a word that is not known.
pub fn kind_of(word: &str) -> Option<i64> {
    let bare: String = word
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    Some(match bare.as_str() {
        "extension" => 0,
        "line" | "externalline" | "external" | "provider" | "bridge" | "gateway" | "trunk" => 1,
        "queue" => 4,
        "voicemail" | "vmail" => 5,
        "ivr" | "digitalreceptionist" => 6,
        "inboundrouting" => 13,
        "script" | "routepoint" | "confplace" | "conference" | "parking" | "park" | "fax" | "specialmenu"
        | "outboundrule" | "unknown" | "none" => Party::OTHER,
        group if group.starts_with("ringgroup") || group.starts_with("huntgroup") => 2,
        _ => return None,
    })
}

/// A moment in UTC: `2026/01/31 23:59:59`, and with `.` or `-` between the parts of the date (both forms are seen).
pub(super) fn instant(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once([' ', 'T'])?;
    let separator = date
        .chars()
        .find(|c| !c.is_ascii_digit())
        .filter(|c| "/.-".contains(*c))?;
    let [year, month, day] = three(date, separator)?;
    let [hour, minute, second] = three(clock.trim().trim_end_matches('Z'), ':')?;
    // A year first: whether the day or the month is meant first elsewhere can't be told.
    if !(1990..=2200).contains(&year) {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year as i32, month, u8::try_from(day).ok()?).ok()?;
    let small = |number: u32| u8::try_from(number).ok();
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() * 1000)
}

/// A span: `HH:MM:SS`, hours without a limit, or seconds.
pub(super) fn span_ms(text: &str) -> Option<i64> {
    let seconds = match three(text, ':') {
        Some([hours, minutes, seconds]) if minutes < 60 && seconds < 60 => {
            i64::from(hours) * 3600 + i64::from(minutes * 60 + seconds)
        }
        Some(_) => return None,
        None => i64::from(text.parse::<u32>().ok()?),
    };
    Some(seconds * 1000)
}

/// Three whole numbers; a fraction of the last is cut off.
fn three(text: &str, separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator);
    let mut next = || {
        let part = parts.next()?;
        let whole = if separator == ':' {
            part.split('.').next()?
        } else {
            part
        };
        (whole.len() <= 9 && whole.bytes().all(|byte| byte.is_ascii_digit())).then(|| whole.parse().ok())?
    };
    let found = [next()?, next()?, next()?];
    parts.next().is_none().then_some(found)
}
