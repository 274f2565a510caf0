//! The decision as a condition of SQL: what passes it is exactly what [`super::decide()`] allows.

use std::collections::BTreeMap;

use super::decide::closed;
use super::{About, Action, Extent, Scope, Source, Subject, extent};

/// A value that the condition is bound with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// An integer.
    Int(i64),
    /// Text.
    Text(String),
}

/// What somebody reaches with an action: one extent for everything, and one more for what each CRM has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What kind of rows it is about.
    pub about: About,
    /// Whose own they are.
    pub holder: Option<i64>,
    /// What is reached; with a target, only among what that target has confirmed.
    pub terms: Vec<(Option<String>, Extent)>,
}

/// The filter for lists of what `subject` may do `action` to: rows of `call`, `recording` or `leg`, by
/// [`Action::about`].
pub fn sql_filter(subject: &Subject, action: Action) -> Filter {
    let mut by: BTreeMap<Option<String>, Extent> = BTreeMap::new();
    let counting = subject
        .grants
        .iter()
        .filter(|grant| grant.action == action && closed(subject, grant).is_none());
    for grant in counting {
        let target = match &grant.source {
            Source::Crm(target) => Some(target.clone()),
            _ => None,
        };
        let reached = by.entry(target).or_default();
        *reached = std::mem::take(reached).join(extent(subject, grant));
    }
    let everywhere = by.get(&None).cloned().unwrap_or_default();
    let terms = by
        .into_iter()
        .filter(|(target, reached)| target.is_none() || !everywhere.covers(reached))
        .filter(|(_, reached)| reached.scope > Scope::Denied)
        .collect();
    Filter {
        about: action.about(),
        holder: subject.holder,
        terms,
    }
}

impl Filter {
    /// Every call passes: for what this box does itself, and for those who see the trace of all.
    pub fn everything() -> Filter {
        let any = Extent {
            scope: Scope::Any,
            ..Extent::default()
        };
        Filter {
            about: About::Call,
            holder: None,
            terms: vec![(None, any)],
        }
    }

    /// Nothing passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Everything passes.
    pub fn is_all(&self) -> bool {
        self.terms
            .iter()
            .any(|(target, reached)| target.is_none() && reached.scope == Scope::Any)
    }

    /// The condition on a row of `call`, `recording` or `leg` (by that name), and what its `?` are bound with.
    pub fn sql(&self) -> (String, Vec<Param>) {
        let mut bound = Vec::new();
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|(target, reached)| self.term(target.as_deref(), reached, &mut bound))
            .collect();
        match terms.is_empty() {
            true => ("0".to_owned(), bound),
            false => (format!("({})", terms.join(" OR ")), bound),
        }
    }

    fn term(&self, target: Option<&str>, reached: &Extent, bound: &mut Vec<Param>) -> String {
        let whose = self.whose(reached, bound);
        match target {
            None => whose,
            Some(target) => {
                bound.push(Param::Text(target.to_owned()));
                format!("({whose} AND {})", self.delivered())
            }
        }
    }

    fn whose(&self, reached: &Extent, bound: &mut Vec<Param>) -> String {
        if reached.scope == Scope::Any {
            return "1".to_owned();
        }
        let mut ways = Vec::new();
        if let Some(holder) = self.holder {
            bound.push(Param::Int(holder));
            ways.push(self.party("party", "holder = ?"));
        }
        if !reached.departments.is_empty() {
            bound.extend(reached.departments.iter().map(|id| Param::Int(*id)));
            let marks = vec!["?"; reached.departments.len()].join(",");
            ways.push(self.party("party_department", &format!("department IN ({marks})")));
        }
        match ways.is_empty() {
            true => "0".to_owned(),
            false => format!("({})", ways.join(" OR ")),
        }
    }

    fn party(&self, table: &str, which: &str) -> String {
        let at = match self.about {
            About::Call => "p.call = call.id",
            About::Recording => "p.call = recording.call AND p.dn = recording.extension",
            About::Leg => "leg.answered AND p.call = leg.call AND p.dn IN (leg.from_dn, leg.to_dn)",
            About::Place | About::Callee | About::Whole => "0",
        };
        format!("EXISTS (SELECT 1 FROM {table} p WHERE {at} AND p.{which})")
    }

    fn delivered(&self) -> &'static str {
        match self.about {
            About::Call => {
                "EXISTS (SELECT 1 FROM delivery d WHERE d.call = call.id AND d.target = ? AND d.state = 'delivered')"
            }
            About::Recording => {
                "EXISTS (SELECT 1 FROM delivery d
                         WHERE d.recording = recording.id AND d.target = ? AND d.state = 'delivered')"
            }
            About::Leg => {
                "EXISTS (SELECT 1 FROM delivery d WHERE d.call = leg.call AND d.target = ? AND d.state = 'delivered')"
            }
            About::Place | About::Callee | About::Whole => "? IS NULL",
        }
    }
}
