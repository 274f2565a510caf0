//! What the credential can really do: each right asked for with one harmless request and never inferred from a role's
//! name, because the same role may do more or less from build to build. The answers together are a row of the matrix.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Subject;
use super::examination::{Examination, Found, denied, fine, found, skipped};
use crate::model::RecordingState;
use crate::pbx::advice::remedy;
use crate::pbx::{Error, Kind, Pbx};
use crate::rules::Book;
use crate::store;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// One question.
const LIMIT: Duration = Duration::from_secs(7);

/// What is known of a right: `None` if it could not be found out.
type May = Option<bool>;

/// What one credential may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Rights {
    pub history: May,
    pub list: May,
    pub download: May,
    pub people: May,
    pub administration: May,
}

/// The rows of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    HistoryOnly,
    RecordingsOnly,
    Both,
    BothAndAdministration,
    Nothing,
}

impl Row {
    fn of(rights: &Rights) -> Option<Row> {
        let recordings = rights.list? && rights.download != Some(false);
        Some(match (rights.history?, recordings) {
            (true, true) if rights.administration == Some(true) => Row::BothAndAdministration,
            (true, true) => Row::Both,
            (true, false) => Row::HistoryOnly,
            // A list without audio is as good as none when there is no history either.
            (false, true) => Row::RecordingsOnly,
            (false, false) => Row::Nothing,
        })
    }

    fn words(self) -> &'static str {
        match self {
            Row::HistoryOnly => "history only",
            Row::RecordingsOnly => "recordings only",
            Row::Both => "history and recordings",
            Row::BothAndAdministration => "history, recordings and administration",
            Row::Nothing => "nothing",
        }
    }
}

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let Ok(driver) = &subject.pbx else { return };
    let now = subject.clock.wall_ms();
    let mut rights = Rights::default();
    let asked = Arc::clone(driver);
    let named = examination.check("pbx-history", LIMIT, move || history(asked.as_ref(), now));
    let (may, mut to_try) = named.unwrap_or_default();
    rights.history = may;
    let asked = Arc::clone(driver);
    let listed = examination.check("pbx-recordings", LIMIT, move || list(asked.as_ref(), now));
    let (may, listed) = listed.unwrap_or_default();
    rights.list = may;
    to_try.extend(listed);
    // While a rule excludes calls, nothing is tried with audio that may be theirs: only with what is held here already.
    if Book::of(&subject.config).excludes() {
        to_try.retain(|id| is_held(subject, *id));
    }
    let asked = Arc::clone(driver);
    rights.download = examination
        .check("pbx-download", LIMIT, move || {
            download(asked.as_ref(), to_try.last().copied())
        })
        .flatten();
    let asked = Arc::clone(driver);
    rights.people = examination
        .check("pbx-directory", LIMIT, move || people(asked.as_ref()))
        .flatten();
    let asked = Arc::clone(driver);
    let refused = rights.list == Some(false);
    examination.check::<()>("pbx-transcripts", LIMIT, move || {
        (transcripts(asked.as_ref(), refused), None)
    });
    let asked = Arc::clone(driver);
    rights.administration = examination
        .check("pbx-administration", LIMIT, move || administration(asked.as_ref()))
        .flatten();
    examination.check::<()>("rights", LIMIT, move || (row(&rights), None));
}

/// What an error to a question for a right says: denied is an answer, anything else is a fault.
fn judged<T>(error: &Error, fault: &str) -> (Found, Option<(May, Vec<T>)>) {
    match error.kind {
        Kind::RightMissing => (denied(&error.text), Some((Some(false), Vec::new()))),
        _ => (found(fault, &error.text), None),
    }
}

fn history(driver: &dyn Pbx, now: i64) -> (Found, Option<(May, Vec<i64>)>) {
    // The first page shows the right; the rest of the day is not needed.
    let (mut rows, mut named) = (0, Vec::new());
    let read = driver.legs(now - DAY_MS, now, false, &mut |legs| {
        rows += legs.len();
        named.extend(legs.into_iter().flat_map(|leg| leg.recordings));
        Err(Error::new(Kind::Ours, "enough"))
    });
    let may = Some((Some(true), named));
    match read {
        Ok(0) => (fine("it may be read; there were no calls in the last day"), may),
        Err(error) if error.kind == Kind::Ours => {
            (fine(format!("it may be read; {rows} rows on its first page")), may)
        }
        Ok(unreadable) => {
            let told = format!("it may be read, but {unreadable} rows of the last day make no sense");
            (found("pbx-rows-unreadable", told), may)
        }
        Err(error) => judged(&error, "history-unreadable"),
    }
}

fn list(driver: &dyn Pbx, now: i64) -> (Found, Option<(May, Vec<i64>)>) {
    // The last hour is a page at most on most PBXs; only where nothing happened in it is more asked for.
    let mut listed = driver.recordings(now - HOUR_MS, now);
    if listed.as_ref().is_ok_and(Vec::is_empty) {
        listed = driver.recordings(now - DAY_MS, now - HOUR_MS);
    }
    match listed {
        Ok(listed) => {
            let there: Vec<i64> = listed
                .iter()
                .filter(|one| !one.archived)
                .map(|one| one.pbx_id)
                .collect();
            let told = match listed.len() {
                0 => "it may be read; no recording was made in the last day".to_owned(),
                n => format!("it may be read; {n} of the last hours"),
            };
            (fine(told), Some((Some(true), there)))
        }
        Err(error) => judged(&error, "recordings-unreadable"),
    }
}

fn is_held(subject: &Subject, pbx_id: i64) -> bool {
    let Some(store) = &subject.store else { return false };
    let found = store.read(|c| store::recording_by_pbx_id(c, pbx_id));
    found.is_ok_and(|found| found.is_some_and(|one| one.state == RecordingState::Held))
}

fn download(driver: &dyn Pbx, id: Option<i64>) -> (Found, Option<May>) {
    let Some(id) = id else {
        return (skipped("there was no recording in the last day to try with"), None);
    };
    // A first piece shows the right; the rest is not needed.
    let answer = driver.fetch(id, &mut |_| Err(Error::new(Kind::Ours, "enough")));
    match answer {
        Err(error) if error.kind == Kind::Ours => (fine("the first piece of one came"), Some(Some(true))),
        Ok(_) => (fine("one came"), Some(Some(true))),
        Err(error) if error.kind == Kind::Gone => {
            (fine("allowed, though the one that was tried is gone"), Some(Some(true)))
        }
        Err(error) if error.kind == Kind::RightMissing => (denied(&error.text), Some(Some(false))),
        Err(error) => (found("recordings-unreadable", &error.text), None),
    }
}

fn people(driver: &dyn Pbx) -> (Found, Option<May>) {
    match driver.directory() {
        Ok(directory) => {
            let (people, departments) = (directory.people.len(), directory.departments.len());
            (
                fine(format!("{people} people in {departments} departments")),
                Some(Some(true)),
            )
        }
        Err(error) if error.kind == Kind::RightMissing => (denied(&error.text), Some(Some(false))),
        // The catalogue's remedy is that of a missing right, and this is none.
        Err(error) => (
            found("rights-unreadable", &error.text).mended_by(remedy(&error, driver.generation())),
            None,
        ),
    }
}

fn transcripts(driver: &dyn Pbx, refused: bool) -> Found {
    match driver.may_read_transcripts() {
        Ok(Some(true)) => fine("they may be read"),
        Ok(Some(false))
        | Err(Error {
            kind: Kind::RightMissing,
            ..
        }) if refused => denied("they come with recordings, which may not be read"),
        Ok(Some(false))
        | Err(Error {
            kind: Kind::RightMissing,
            ..
        }) => found("transcripts-right-missing", "they may not be read; they are optional"),
        Ok(None) => skipped("there was none to try with, or this PBX makes none"),
        Err(error) => skipped(format!("could not be found out: {}", error.text)),
    }
}

fn administration(driver: &dyn Pbx) -> (Found, Option<May>) {
    match driver.may_administer() {
        Ok(Some(true)) => (fine("the client may administer the PBX"), Some(Some(true))),
        Ok(Some(false)) => (
            fine("the client may not administer the PBX, as it should be"),
            Some(Some(false)),
        ),
        Ok(None) => (
            skipped("this PBX gives no way to tell without changing something"),
            None,
        ),
        Err(error) => (skipped(format!("could not be found out: {}", error.text)), None),
    }
}

/// The row of the matrix, with what a user sees of it in the CRM.
fn row(rights: &Rights) -> Found {
    let Some(row) = Row::of(rights) else {
        return skipped("the call history or the list of recordings could not be asked for");
    };
    let told = |rest: &str| format!("the client may read {}. {rest}", row.words());
    let symptom = |code: &str| crate::findings::find(code).map_or("", |finding| finding.means);
    match row {
        Row::Nothing => {
            let more = " It is let in, told the version and refused everything else, as with department System Wide or role User.";
            found("pbx-right-missing", told(symptom("pbx-right-missing")) + more)
        }
        Row::RecordingsOnly if rights.administration == Some(true) => found(
            "history-right-missing-admin",
            told(symptom("history-right-missing-admin")),
        ),
        Row::RecordingsOnly => found("history-right-missing", told(symptom("history-right-missing"))),
        Row::HistoryOnly if rights.list == Some(true) => found(
            "recordings-right-missing",
            told("it may list recordings and not fetch them. ") + symptom("recordings-right-missing"),
        ),
        Row::HistoryOnly => found("recordings-right-missing", told(symptom("recordings-right-missing"))),
        Row::Both | Row::BothAndAdministration if rights.people == Some(false) => {
            found("rights-unreadable", told(symptom("rights-unreadable")))
        }
        Row::BothAndAdministration => found(
            "rights-too-many",
            format!(
                "the client may read history and recordings, and administer the PBX. {}",
                symptom("rights-too-many")
            ),
        ),
        Row::Both => fine("the client may read history and recordings, and no more than it should"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn every_row_of_the_matrix_has_its_finding() {
        let of = |history, list, download, people, administration| {
            let rights = Rights {
                history: Some(history),
                list: Some(list),
                download,
                people: Some(people),
                administration: Some(administration),
            };
            let found = row(&rights);
            let (outcome, code, text) = found.told();
            (outcome, code.unwrap_or_default().to_owned(), text.to_owned())
        };
        let code = |told: (Outcome, String, String)| told.1;
        let yes = Some(true);
        assert_eq!(of(true, true, yes, true, false).0, Outcome::Ok);
        assert_eq!(code(of(true, true, yes, true, true)), "rights-too-many");
        assert_eq!(code(of(true, false, None, true, false)), "recordings-right-missing");
        assert_eq!(
            code(of(true, true, Some(false), true, false)),
            "recordings-right-missing"
        );
        assert_eq!(code(of(false, true, yes, true, false)), "history-right-missing");
        assert_eq!(code(of(false, true, yes, true, true)), "history-right-missing-admin");
        assert_eq!(code(of(false, false, None, false, false)), "pbx-right-missing");
        assert_eq!(code(of(true, true, yes, false, false)), "rights-unreadable");
        assert!(
            of(true, false, None, true, false)
                .2
                .contains("no error shows in the CRM")
        );
        assert_eq!(row(&Rights::default()).told().0, Outcome::Skipped);
    }
}
