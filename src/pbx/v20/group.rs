//! Rows that carry no ids: which of them are one call.
//!
//! Builds before 20.0.6 number rows within an answer and tell nothing that lasts. What is left is what a call is: it
//! begins with a main row (`Indent` 0), and every further row (`Indent` 1) begins while it goes on or where it ended,
//! with somebody who was in it. Where rows tell participants (`CallHistoryView`), rows of one call share them.

use std::collections::{HashMap, HashSet};

use crate::model::{Leg, Party};

/// A row begins at most so long after the call that it belongs to seemed to be over.
const PAUSE_MS: i64 = 5_000;

/// The same where nothing but the outside number says that it belongs to it: a caller who was cut off calls again
/// within seconds, but not within one.
const PAUSE_UNTOLD_MS: i64 = 1_000;

/// A leg whose ids are still to be made, and what its row says about which call it is part of.
#[derive(Debug, Clone, Default)]
pub(super) struct Homeless {
    /// The leg; its ids are empty.
    pub leg: Leg,
    /// 0 on the first row of a call, 1 on further ones, on builds where it tells anything.
    pub indent: Option<i64>,
    /// Which row of its call it is, from 1 on, on builds where it tells anything.
    pub place: Option<i64>,
    /// Who took part, by the ids of the database; 0 is nobody.
    pub participants: Option<[i64; 2]>,
}

/// A call in the making.
#[derive(Default)]
struct Group {
    members: Vec<usize>,
    end_ms: i64,
    outside: HashSet<(String, String)>,
    inside: HashSet<String>,
}

impl Group {
    fn add(&mut self, at: usize, leg: &Leg) {
        self.members.push(at);
        self.end_ms = self.end_ms.max(leg.ended_ms());
        for party in [&leg.from, &leg.to] {
            match outside(party) {
                Some(number) => {
                    self.outside.insert(number);
                }
                None => self.inside.extend(party.dn.clone()),
            }
        }
    }

    /// How well a row fits; `None`: not at all.
    fn fits(&self, row: &Homeless, told: bool) -> Option<(i64, i64)> {
        let pause = if told { PAUSE_MS } else { PAUSE_UNTOLD_MS };
        let late = row.leg.started_ms - self.end_ms;
        if late > pause {
            return None;
        }
        let parties = [&row.leg.from, &row.leg.to];
        let shares_outside = parties
            .iter()
            .any(|party| outside(party).is_some_and(|one| self.outside.contains(&one)));
        let shares_inside = parties.iter().any(|party| {
            let dn = party.dn.as_deref();
            outside(party).is_none() && dn.is_some_and(|dn| self.inside.contains(dn))
        });
        if !(shares_outside || told && shares_inside) {
            return None;
        }
        let next = row.place == Some(self.members.len() as i64 + 1);
        let score = 4 * i64::from(shares_outside) + 2 * i64::from(shares_inside) + i64::from(next);
        Some((score, -late.abs()))
    }
}

/// The other end of an external line.
fn outside(party: &Party) -> Option<(String, String)> {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    (party.kind == Some(1)).then(|| (of(&party.dn), of(&party.number)))
}

/// The calls among `rows`, oldest first, each with its legs in order. Legs get made ids; a call's is that of its first
/// leg.
pub(super) fn group(mut rows: Vec<Homeless>) -> Vec<Vec<Leg>> {
    // Zeros are left out by some builds.
    rows.sort_by_key(|row| {
        (
            row.leg.started_ms,
            row.indent.unwrap_or(0),
            row.place.unwrap_or(0),
            row.leg.to.dn.clone(),
        )
    });
    let mut ids = Ids::default();
    for row in &mut rows {
        row.leg.cdr_id = ids.next(&row.leg);
    }
    let groups = if rows.iter().any(|row| row.participants.is_some()) {
        by_participants(&rows)
    } else {
        by_time(&rows)
    };
    let mut calls: Vec<Vec<Leg>> = groups
        .into_iter()
        .map(|mut members| {
            members.sort_unstable();
            let key = members
                .first()
                .map(|at| rows[*at].leg.cdr_id.clone())
                .unwrap_or_default();
            let of_it = |at: &usize| Leg {
                call_key: key.clone(),
                ..rows[*at].leg.clone()
            };
            members.iter().map(of_it).collect()
        })
        .collect();
    calls.sort_by_key(|legs| legs.first().map(|leg| leg.started_ms));
    calls
}

/// Made ids that tell apart rows which are alike in all that an id is made of.
#[derive(Default)]
pub(super) struct Ids {
    made: HashMap<String, usize>,
}

impl Ids {
    /// The id of the next leg; legs must come in the same order at each reading.
    pub(super) fn next(&mut self, leg: &Leg) -> String {
        let made = |nth| Leg::made_id(leg.started_ms, leg.from.dn.as_deref(), leg.to.dn.as_deref(), nth);
        let nth = self.made.entry(made(0)).or_default();
        *nth += 1;
        made(*nth - 1)
    }
}

fn by_time(rows: &[Homeless]) -> Vec<Vec<usize>> {
    // Newer builds write 1 on every row, which tells nothing.
    let told = rows.iter().any(|row| row.indent.is_some()) && rows.iter().any(|row| row.indent.unwrap_or(0) == 0);
    let mut groups: Vec<Group> = Vec::new();
    let mut open = 0;
    for (at, row) in rows.iter().enumerate() {
        // Those before are over since long; a row never looks back so far.
        while groups
            .get(open)
            .is_some_and(|group| group.end_ms + PAUSE_MS < row.leg.started_ms)
        {
            open += 1;
        }
        let main = told && row.indent.unwrap_or(0) == 0;
        let best = groups[open..]
            .iter_mut()
            .filter_map(|group| Some((group.fits(row, told)?, group)))
            .max_by_key(|(score, _)| *score);
        match best.filter(|_| !main) {
            Some((_, group)) => group.add(at, &row.leg),
            None => {
                let mut group = Group::default();
                group.add(at, &row.leg);
                groups.push(group);
            }
        }
    }
    groups.into_iter().map(|group| group.members).collect()
}

fn by_participants(rows: &[Homeless]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut of: HashMap<i64, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let ids: Vec<i64> = row.participants.into_iter().flatten().filter(|id| *id != 0).collect();
        let mut known: Vec<usize> = ids.iter().filter_map(|id| of.get(id).copied()).collect();
        known.sort_unstable();
        known.dedup();
        let into = known.first().copied().unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        for other in known.into_iter().skip(1) {
            let moved = std::mem::take(&mut groups[other]);
            groups[into].extend(moved);
            of.values_mut()
                .filter(|group| **group == other)
                .for_each(|group| *group = into);
        }
        groups[into].push(at);
        of.extend(ids.into_iter().map(|id| (id, into)));
    }
    groups.retain(|members| !members.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(start: i64, from: &str, to: &str, length: i64, indent: i64) -> Homeless {
        let party = |dn: &str| Party {
            dn: Some(if dn.starts_with('+') { "10000" } else { dn }.to_owned()),
            number: Some(dn.to_owned()),
            name: None,
            kind: Some(i64::from(dn.starts_with('+'))),
        };
        let leg = Leg {
            started_ms: start,
            talking_ms: length,
            from: party(from),
            to: party(to),
            ..Leg::default()
        };
        Homeless {
            leg,
            indent: Some(indent),
            ..Homeless::default()
        }
    }

    fn sizes(rows: &[Homeless]) -> Vec<usize> {
        group(rows.to_vec()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_transfer_with_consultation_beside_another_call_is_one_call() {
        let rows = [
            row(0, "+1", "101", 40_000, 0),
            row(20_000, "+2", "103", 300_000, 0),
            row(40_000, "101", "102", 60_000, 1),
            row(100_000, "+1", "102", 30_000, 1),
        ];
        assert_eq!(sizes(&rows), [3, 1]);
        let mut turned = rows.to_vec();
        turned.reverse();
        assert_eq!(group(turned), group(rows.to_vec()), "whatever the order of the answer");
    }

    #[test]
    fn without_a_main_row_only_the_outside_number_joins() {
        let untold = |indent| {
            [
                row(0, "+1", "800", 9_000, indent),
                row(40, "+1", "101", 9_000, indent),
                row(9_500, "101", "102", 5_000, indent),
            ]
        };
        assert_eq!(sizes(&untold(1)), [2, 1]);
    }

    #[test]
    fn an_id_outlives_what_is_filled_in_later_and_rows_that_are_alike_are_two() {
        let first = group(vec![row(0, "+1", "101", 0, 0)]);
        let mut later = row(0, "+1", "101", 7_000, 0);
        later.leg.to.name = Some("Mia".to_owned());
        later.leg.recordings = vec![5];
        later.leg.transcript = Some("hello".to_owned());
        assert_eq!(group(vec![later])[0][0].cdr_id, first[0][0].cdr_id);
        let twice = group(vec![row(0, "+1", "101", 0, 0), row(0, "+1", "101", 0, 0)]);
        assert_ne!(twice[0][0].cdr_id, twice[1][0].cdr_id);
    }
}
