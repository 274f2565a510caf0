//! Looking for calls: one filter for the page, the API and the command line, as conditions of SQL.
//!
//! What is looked for is either rare (a number, a name, a recording that waits), and then its calls are gathered from an
//! index and sorted, or frequent, and then going through calls in order of time meets it soon. Which of the two is counted
//! first, up to [`FEW`]. Whose calls somebody may see is no part of this file: see [`super::visible`].

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::Result;
use super::calls::{CallFilter, rows};

/// Up to so many rows are gathered and sorted; what is found more often is met soon enough on the way through time.
const FEW: i64 = 20_000;

/// So much of a number's end is in the index (schema-11.sql); country code and prefix are in front of it.
const TAIL: usize = 10;

/// Numbers up to this length may be extensions. Longer ones are in the index of ends.
pub const SHORT: usize = 5;

/// Where a call's recordings are, in a word: the least settled of them decides, and what needs a person comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A delivery is held until a person says what becomes of it.
    Held,
    /// A recording is waited for.
    Waiting,
    /// There is no recording.
    None,
    /// It will never come.
    Never,
    /// It is on this box, and not every target has confirmed it.
    Here,
    /// Every target has it.
    Delivered,
}
crate::model::words!(Place {
    Held = "held",
    Waiting = "waiting",
    None = "none",
    Never = "never",
    Here = "here",
    Delivered = "delivered",
});

impl Place {
    /// By the figures of a line of the list. [`Place::sql`] says the same.
    pub(super) fn of(row: &super::CallRow) -> Place {
        if row.stuck > 0 {
            Place::Held
        } else if row.waiting > 0 {
            Place::Waiting
        } else if row.recordings == 0 {
            Place::None
        } else if row.gone == row.recordings {
            Place::Never
        } else if row.held > 0 && (row.deliveries == 0 || row.delivered < row.deliveries) {
            Place::Here
        } else {
            Place::Delivered
        }
    }

    fn sql(self, id: &str) -> String {
        let any = |what: &str| format!("EXISTS (SELECT 1 FROM recording r WHERE r.call = {id} AND r.{what})");
        let stuck = format!("EXISTS (SELECT 1 FROM delivery d WHERE d.call = {id} AND d.state = 'held')");
        let waiting = any("state = 'waiting'");
        let calm = format!("NOT {stuck} AND NOT {waiting}");
        // Deliveries of which none is open: none at all counts as open.
        let done = format!(
            "EXISTS (SELECT 1 FROM delivery d WHERE d.call = {id})
             AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.call = {id} AND d.state <> 'delivered')"
        );
        let (some, kept, held) = (any("id > 0"), any("state <> 'gone'"), any("state = 'held'"));
        match self {
            Place::Held => stuck,
            Place::Waiting => format!("NOT {stuck} AND {waiting}"),
            Place::None => format!("NOT {stuck} AND NOT {some}"),
            Place::Never => format!("{calm} AND {some} AND NOT {kept}"),
            Place::Here => format!("{calm} AND {held} AND NOT ({done})"),
            Place::Delivered => format!("{calm} AND {kept} AND (NOT {held} OR {done})"),
        }
    }

    /// A SELECT of all calls that can be in this place and some more, where an index gives it.
    fn gathered(self) -> Option<&'static str> {
        match self {
            Place::Held => Some("SELECT call FROM delivery WHERE state = 'held' AND state <> 'delivered'"),
            Place::Waiting => Some("SELECT call FROM recording WHERE state = 'waiting' AND call IS NOT NULL"),
            Place::Never => Some("SELECT call FROM recording WHERE state = 'gone' AND call IS NOT NULL"),
            Place::Here => Some("SELECT call FROM recording WHERE file IS NOT NULL AND call IS NOT NULL"),
            Place::None | Place::Delivered => None,
        }
    }
}

/// The end of a number from which it is found, `None` if there is too little of it.
///
/// What stands before differs: `+49 171 …`, `0049171…`, `0171…`. So a number is compared without its country's code if that
/// is this country's, and without what is dialled before it.
pub(super) fn tail(typed: &str, numbering: &crate::numbers::Numbering) -> Option<String> {
    let bare = crate::numbers::bare(typed)?;
    let national = numbering.e164(&bare).and_then(|number| {
        let code = format!("+{}", numbering.country);
        number
            .strip_prefix(&code)
            .filter(|_| !numbering.country.is_empty())
            .map(str::to_owned)
    });
    let digits = national.unwrap_or_else(|| {
        let plain = bare.trim_start_matches('+');
        let outside = numbering
            .international
            .iter()
            .find_map(|prefix| plain.strip_prefix(prefix.as_str()))
            .or_else(|| plain.strip_prefix("00"));
        let inside = Some(numbering.trunk.as_str()).filter(|trunk| !trunk.is_empty() && plain.len() > SHORT);
        outside
            .or_else(|| plain.strip_prefix(inside?))
            .unwrap_or(plain)
            .to_owned()
    });
    let from = digits.len().saturating_sub(TAIL);
    (digits.len() >= 3).then(|| digits[from..].to_owned())
}

/// The expression of the index, for a column.
fn reversed(column: &str) -> String {
    let letters: Vec<String> = (1..=TAIL).map(|n| format!("substr({column},-{n},1)")).collect();
    letters.join("||")
}

/// A condition, or a SELECT, with what its `?` are bound with.
pub(super) type Bound = (String, Vec<Value>);

/// A filter whose names and numbers were looked up.
pub(super) struct Search<'a> {
    filter: &'a CallFilter,
    tail: Option<String>,
    /// The names as they stand in calls, and whose they are among our own people.
    names: Option<(Vec<Value>, Vec<Value>)>,
    /// A SELECT of the few calls that can pass at all.
    few: Option<Bound>,
}

impl<'a> Search<'a> {
    /// Looks names up, and counts whether what is looked for is rare.
    pub fn prepare(connection: &Connection, filter: &'a CallFilter) -> Result<Search<'a>> {
        let mut search = Search {
            filter,
            tail: filter.number.as_ref().map(|(typed, numbering)| {
                // What is no number is nobody's.
                tail(typed, numbering).unwrap_or_else(|| "none".to_owned())
            }),
            names: match &filter.name {
                Some(name) => Some(names(connection, name)?),
                None => None,
            },
            few: None,
        };
        for (sql, values) in search.gathered() {
            let counted = format!("SELECT count(*) FROM (SELECT 1 FROM ({sql}) LIMIT {})", FEW + 1);
            let found: i64 = connection.query_row(&counted, params_from_iter(values.iter()), |row| row.get(0))?;
            if found <= FEW {
                search.few = Some((format!("SELECT DISTINCT call FROM ({sql})"), values));
                break;
            }
        }
        Ok(search)
    }

    /// Without a connection: for filters that look nothing up.
    #[cfg(test)]
    pub fn plain(filter: &'a CallFilter) -> Search<'a> {
        let (tail, names, few) = (None, None, None);
        Search {
            filter,
            tail,
            names,
            few,
        }
    }

    /// As if it were frequent.
    #[cfg(test)]
    pub fn forget_few(&mut self) {
        self.few = None;
    }

    /// The SELECT of the few calls that can pass, if they are few.
    pub fn few(&self) -> Option<&Bound> {
        self.few.as_ref()
    }

    /// The filter itself.
    pub fn filter(&self) -> &CallFilter {
        self.filter
    }

    /// What may turn out to be rare, most telling first.
    fn gathered(&self) -> Vec<Bound> {
        let mut found = Vec::new();
        if let Some(tail) = &self.tail {
            let end: String = tail.chars().rev().collect();
            let (mut sql, mut values) = (Vec::new(), Vec::new());
            for column in ["from_number", "to_number"] {
                let letters = reversed(column);
                sql.push(format!(
                    "SELECT call FROM leg WHERE length({column}) > {SHORT} AND {letters} >= ? AND {letters} < ?"
                ));
                values.extend([Value::Text(end.clone()), Value::Text(format!("{end}:"))]);
            }
            if tail.len() <= SHORT {
                sql.push("SELECT call FROM party WHERE dn = ?".to_owned());
                values.push(Value::Text(tail.clone()));
            }
            found.push((sql.join(" UNION ALL "), values));
        }
        if let Some((names, holders)) = &self.names {
            let (texts, people) = (marks(names.len()), marks(holders.len()));
            let sql = format!(
                "SELECT id AS call FROM call WHERE from_name IN ({texts})
                 UNION ALL SELECT id FROM call WHERE to_name IN ({texts})
                 UNION ALL SELECT call FROM party WHERE holder IN ({people})"
            );
            let values = names.iter().chain(names).chain(holders).cloned().collect();
            found.push((sql, values));
        }
        if let Some(sql) = self.filter.place.and_then(Place::gathered) {
            found.push((sql.to_owned(), Vec::new()));
        }
        if self.filter.recorded == Some(true) {
            let sql = "SELECT call FROM recording WHERE call IS NOT NULL".to_owned();
            found.push((sql, Vec::new()));
        }
        found
    }

    /// The condition on a call whose row is `id` and which stands in order of time as `x.started_ms`.
    pub fn condition(&self, id: &str) -> Bound {
        let filter = self.filter;
        let mut sql = "x.started_ms >= ?".to_owned();
        let mut bound = vec![Value::Integer(filter.since_ms.unwrap_or(i64::MIN))];
        if let Some(until) = filter.until_ms {
            sql.push_str(" AND x.started_ms < ?");
            bound.push(Value::Integer(until));
        }
        if let Some((ms, row)) = filter.before {
            sql.push_str(&format!(" AND (x.started_ms, {id}) < (?, ?)"));
            bound.extend([Value::Integer(ms), Value::Integer(row)]);
        }
        let mut all = |condition: String, values: Vec<Value>| {
            sql.push_str(" AND ");
            sql.push_str(&condition);
            bound.extend(values);
        };
        let text = |word: &str| Value::Text(word.to_owned());
        let exists =
            |table: &str, what: &str| format!("EXISTS (SELECT 1 FROM {table} y WHERE y.call = {id} AND {what})");
        let own = |what: &str| format!("EXISTS (SELECT 1 FROM call c WHERE c.id = {id} AND {what})");
        if let Some(outcome) = filter.outcome {
            all(own("c.outcome = ?"), vec![text(outcome.word())]);
        }
        if let Some(direction) = filter.direction {
            all(own("c.direction = ?"), vec![text(direction.word())]);
        }
        if let Some(extension) = &filter.extension {
            all(exists("party", "y.dn = ?"), vec![text(extension)]);
        }
        if let Some(department) = filter.department {
            let which = "y.department = ?";
            all(exists("party_department", which), vec![Value::Integer(department)]);
        }
        if let Some(recorded) = filter.recorded {
            let not = if recorded { "" } else { "NOT " };
            all(format!("{not}{}", exists("recording", "y.id > 0")), Vec::new());
        }
        if let Some(place) = filter.place {
            all(place.sql(id), Vec::new());
        }
        if let Some(tail) = &self.tail {
            let like = format!("%{tail}");
            let side = |column: &str| format!("length(y.{column}) > {SHORT} AND y.{column} LIKE ?");
            let mut ways = exists("leg", &format!("({} OR {})", side("from_number"), side("to_number")));
            let mut values = vec![text(&like), text(&like)];
            if tail.len() <= SHORT {
                ways = format!("({ways} OR {})", exists("party", "y.dn = ?"));
                values.push(text(tail));
            }
            all(ways, values);
        }
        if let Some((names, holders)) = &self.names {
            let (texts, people) = (marks(names.len()), marks(holders.len()));
            let named = own(&format!("(c.from_name IN ({texts}) OR c.to_name IN ({texts}))"));
            let theirs = exists("party", &format!("y.holder IN ({people})"));
            let values = names.iter().chain(names).chain(holders).cloned().collect();
            all(format!("({named} OR {theirs})"), values);
        }
        (sql, bound)
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(",")
}

/// The names in the store that hold all words of `typed`, in whatever letters: as they stand in calls, and of holders of
/// extensions, now or before.
fn names(connection: &Connection, typed: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let fits = |name: &str| {
        let name = name.to_lowercase();
        !words.is_empty() && words.iter().all(|word| name.contains(word))
    };
    let mut found = Vec::new();
    for column in ["from_name", "to_name"] {
        let sql = format!(
            "SELECT {column} FROM call WHERE {column} IS NOT NULL AND {column} > ?1 ORDER BY {column} LIMIT 1"
        );
        let mut next = connection.prepare_cached(&sql)?;
        // From one name to the next one, past all calls that have it.
        let mut at = String::new();
        while let Some(name) = next.query_row([&at], |row| row.get::<_, String>(0)).optional()? {
            if fits(&name) {
                found.push(Value::Text(name.clone()));
            }
            at = name;
        }
    }
    let holders = rows(connection, "SELECT id, name FROM holder", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let people = holders.into_iter().filter(|(_, name)| fits(name));
    Ok((found, people.map(|(id, _)| Value::Integer(id)).collect()))
}
