//! From a line to its fields. There is no quoting, so a comma in a name looks like the end of a field: which comma it
//! was is told by how many fields there must be, by what the neighbours must look like, and by the blank that people
//! write after a comma and 3CX doesn't.

use std::collections::BTreeMap;
use std::fmt;

use super::record::{Record, instant, kind_of, span_ms};
use crate::config::CdrField as F;

/// Which fields a line has, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// One of 3CX's own: 27, 23 or 20 fields.
    Known,
    /// As it was set on the PBX.
    Given(Vec<F>),
}

/// Why a line can't be read. It holds nothing of the line, so that it can be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Bytes that are no text.
    Rubbish,
    /// No order of fields that is known fits.
    Fields,
    /// Several ways to read it fit and differ in more than names.
    Unclear,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::Rubbish => "it is no text",
            Unreadable::Fields => "its fields are in no order that is known",
            Unreadable::Unclear => "commas in names make it ambiguous",
        })
    }
}

/// More ways than this to read one line are as good as none.
const MOST_WAYS: usize = 256;

/// More commas than this in names are no names.
const MOST_EXTRA: usize = 12;

/// Reads a line.
pub fn read(line: &[u8], layout: &Layout) -> Result<Record, Unreadable> {
    let text = decode(line)?;
    let pieces: Vec<&str> = text.split(',').collect();
    let layouts = match layout {
        Layout::Given(fields) => vec![fields.clone()],
        Layout::Known => vec![F::default_order(), F::short_order(), F::old_order()],
    };
    let strict = *layout == Layout::Known;
    // Without a comma too many is the likelier reading.
    let exact = layouts.iter().filter(|fields| fields.len() == pieces.len());
    let joined = layouts.iter().filter(|fields| fields.len() < pieces.len());
    let mut worst = Unreadable::Fields;
    for fields in exact.chain(joined) {
        match arrange(&pieces, fields, strict) {
            Ok(values) => match Record::of(&values) {
                Some(record) => return Ok(record),
                None => continue,
            },
            Err(Unreadable::Unclear) => worst = Unreadable::Unclear,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// UTF-8, or else Latin-1, in which every byte is a letter.
fn decode(line: &[u8]) -> Result<String, Unreadable> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().copied().map(char::from).collect(),
    };
    let text = text.trim_start_matches('\u{feff}').trim_end();
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Unreadable::Rubbish);
    }
    Ok(text.to_owned())
}

/// Fields with their values.
pub(super) type Values = BTreeMap<F, String>;

fn arrange(pieces: &[&str], fields: &[F], strict: bool) -> Result<Values, Unreadable> {
    let extra = pieces.len() - fields.len();
    if extra > MOST_EXTRA {
        return Err(Unreadable::Fields);
    }
    let mut search = Search {
        pieces,
        fields,
        strict: strict || extra > 0,
        ways: Vec::new(),
        too_many: false,
    };
    search.from(0, 0, 0, &mut Vec::new());
    if search.too_many {
        return Err(Unreadable::Unclear);
    }
    let Some(least) = search.ways.iter().map(|way| way.cost).min() else {
        return Err(Unreadable::Fields);
    };
    let mut best = search.ways.into_iter().filter(|way| way.cost == least);
    let mut values = best.next().map(|way| way.values).unwrap_or_default();
    if extra == 0 {
        // The half of a line whose name held a line end can have the right number of pieces: the call is right, and
        // the names may not be.
        for at in 1..fields.len() {
            let (before, own) = (fields[at - 1], fields[at]);
            if is_name(before) && is_name(own) && pieces[at].starts_with(' ') {
                values.extend([(before, String::new()), (own, String::new())]);
            }
        }
    }
    for other in best {
        for (field, value) in other.values {
            if values.get(&field).is_none_or(|known| *known == value) {
                continue;
            }
            if !is_name(field) {
                return Err(Unreadable::Unclear);
            }
            // Whose comma it was can't be told: better no name than a wrong one.
            values.insert(field, String::new());
        }
    }
    Ok(values)
}

struct Way {
    values: Values,
    /// How many commas are not where one expects them.
    cost: usize,
}

struct Search<'a> {
    pieces: &'a [&'a str],
    fields: &'a [F],
    strict: bool,
    ways: Vec<Way>,
    too_many: bool,
}

impl Search<'_> {
    /// Fits the fields from `field` on to the pieces from `piece` on. `taken` holds how many pieces each field before
    /// has got.
    fn from(&mut self, field: usize, piece: usize, cost: usize, taken: &mut Vec<(usize, usize)>) {
        if self.too_many {
            return;
        }
        let Some(kind) = self.fields.get(field) else {
            if piece < self.pieces.len() {
                return;
            }
            if self.ways.len() == MOST_WAYS {
                self.too_many = true;
                return;
            }
            let value =
                |(from, count): &(usize, usize)| self.pieces[*from..from + count].join(",").trim().to_owned();
            let values = self.fields.iter().copied().zip(taken.iter().map(value)).collect();
            self.ways.push(Way { values, cost });
            return;
        };
        let spare = (self.pieces.len() - piece) - (self.fields.len() - field);
        let most = if is_name(*kind) { spare + 1 } else { 1 };
        for count in 1..=most {
            let own = &self.pieces[piece..piece + count];
            // A field that begins with a blank looks like the rest of the one before, and the other way round.
            let begins = usize::from(own[0].starts_with(' ') && spare > 0);
            let goes_on = own[1..].iter().filter(|rest| !rest.starts_with(' ')).count();
            // What is no name in itself is none in a longer one either.
            let is_chain = own.iter().any(|piece| piece.starts_with("Chain:"));
            if count == 1 && !fits(*kind, own[0].trim(), self.strict) || count > 1 && is_chain {
                continue;
            }
            taken.push((piece, count));
            self.from(field + 1, piece + count, cost + begins + goes_on, taken);
            taken.pop();
        }
    }
}

/// Fields that may hold a comma.
fn is_name(field: F) -> bool {
    matches!(field, F::BillName | F::FromDispname | F::ToDispname | F::FinalDispname)
}

/// Whether a field may have this value. `strict`: also by what 3CX is known to write.
fn fits(field: F, value: &str, strict: bool) -> bool {
    if value.is_empty() {
        return field != F::TimeStart;
    }
    match field {
        F::TimeStart | F::TimeAnswered | F::TimeEnd => instant(value).is_some(),
        F::Duration => span_ms(value).is_some(),
        _ if !strict => true,
        F::Chain => value.starts_with("Chain"),
        F::FromType | F::ToType | F::FinalType => kind_of(value).is_some(),
        F::BillRate | F::BillCost => value.parse::<f64>().is_ok(),
        F::FromNo | F::ToNo | F::FinalNumber | F::DialNo => {
            value.len() <= 64 && value.chars().all(|c| c.is_alphanumeric() || "+*#._-@:()/ ".contains(c))
        }
        F::FromDn | F::ToDn | F::FinalDn => {
            value.len() <= 32 && value.chars().all(|c| c.is_ascii_alphanumeric() || "*#_-.".contains(c))
        }
        F::ReasonTerminated | F::ReasonChanged => {
            value.chars().all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c))
        }
        _ => true,
    }
}
