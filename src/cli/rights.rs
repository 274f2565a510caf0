//! `callspool rights`: who may hear whose recordings, why, and the grants that are given here.

use clap::Subcommand;
use serde_json::json;

use super::audit::moment;
use super::control::{GrantTo, Request};
use super::user::ask;
use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Directory;
use crate::rights::{Action, Because, Place, Scope, Source, Who, role};
use crate::store::{self, LocalGrant, ReadOnly, RightsContext};
use crate::when;
use crate::who_hears::{SQUARE, WhoHears, who_hears};
use crate::why_may::{self, Asked};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Who may hear whose recordings
    Show,
    /// Why somebody may do something, or may not
    Explain {
        /// Who: an extension, or technician
        #[arg(long = "as", value_name = "EXT")]
        who: String,
        /// What: call.view, recording.listen, recording.download, transcript.read, …
        #[arg(long)]
        action: String,
        /// To this call: its number in the list, or its id on the PBX
        #[arg(long)]
        call: Option<String>,
    },
    /// The grants that were given on this box
    List {
        /// Those that ended, too
        #[arg(long)]
        ended: bool,
    },
    /// Give a grant
    Grant {
        /// To whom: an extension, a role of the PBX such as managers, or technician
        to: String,
        /// What: call.view, recording.listen, recording.download, transcript.read, …
        action: String,
        /// How far: own, department, any. Left out: department with --department, else own
        #[arg(long)]
        scope: Option<String>,
        /// Of this department alone, by name or number
        #[arg(long)]
        department: Option<String>,
        /// Until when: 2026-12-31, 2026-12-31T18:00:00Z, or a span such as 30d
        #[arg(long)]
        until: Option<String>,
        /// Why: it stands beside the grant for whoever looks at it later
        #[arg(long)]
        why: String,
    },
    /// End a grant
    Revoke {
        /// Its number, as in `callspool rights list`
        id: i64,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::Revoke { id } => ask(config, &Request::Revoke { id: *id }, json, |_| {
            format!("grant {id} has ended")
        }),
        Verb::Grant {
            to,
            action,
            scope,
            department,
            until,
            why,
        } => {
            let typed = Typed {
                to,
                action,
                scope: scope.as_deref(),
                department: department.as_deref(),
                until: until.as_deref(),
                why,
            };
            give(config, &typed, json)
        }
        reading => {
            let store = match read_store(config) {
                Ok(store) => store,
                Err(exit) => return exit,
            };
            let context = RightsContext::new(config, Clock::system());
            let read = match reading {
                Verb::Show => show(&store, &context, json),
                Verb::Explain { who, action, call } => {
                    explain(&store, &context, who, action, call.as_deref(), json)
                }
                _ => list(&store, matches!(reading, Verb::List { ended: true }), json),
            };
            read.unwrap_or_else(|error| {
                out::message(&error.to_string());
                Exit::Failed
            })
        }
    }
}

fn show(store: &ReadOnly, context: &RightsContext, json: bool) -> store::Result<Exit> {
    let (hears, freshness) = store.read(|connection| {
        let directory = store::directory(connection)?;
        let hears = who_hears(&directory, &mut |extension| {
            context.subject(connection, &Who::Extension(extension.to_owned()))
        })?;
        Ok((hears, context.freshness(connection)?))
    })?;
    if json {
        out::json(&json!({ "schema": 1, "rights": freshness, "who_hears": hears }));
        return Ok(Exit::Ok);
    }
    match freshness.age_ms {
        Some(age) => out::message(&format!(
            "rights of version {}, confirmed by the PBX {} ago",
            freshness.version,
            when::span(age)
        )),
        None => out::message("the PBX has not told any rights yet, so nobody may hear anything"),
    }
    if freshness.age_ms.is_some() && freshness.too_old() {
        out::message(&format!(
            "they are older than rights.max_age ({}): calls and recordings are closed",
            when::span(freshness.max_age_ms)
        ));
    }
    match hears.people.len() <= SQUARE {
        true => square(&hears),
        false => by_department(&hears),
    }
    Ok(Exit::Ok)
}

/// Everybody with everybody: a line for who hears, a column for whose.
fn square(hears: &WhoHears) {
    let mut head = vec!["hears".to_owned(), String::new()];
    head.extend(hears.people.iter().map(|one| one.extension.clone()));
    let mut rows = vec![head];
    for one in &hears.people {
        let mut row = vec![one.extension.clone(), out::tame(&one.name)];
        row.extend(hears.people.iter().map(|other| {
            let word = match one.hears(other) {
                Scope::Denied => "-",
                Scope::Own => "own",
                Scope::OwnAndDepartment => "dept",
                Scope::Any => "all",
            };
            word.to_owned()
        }));
        rows.push(row);
    }
    out::table(&rows);
}

fn by_department(hears: &WhoHears) {
    let named = |extensions: &[String]| match extensions {
        [] => "nobody".to_owned(),
        few if few.len() <= 12 => few.join(", "),
        many => format!("{} and {} more", many[..12].join(", "), many.len() - 12),
    };
    out::line(&format!("hear everything: {}", named(&hears.everything)));
    out::line(&format!(
        "hear nothing, not even their own: {}\n",
        named(&hears.nothing)
    ));
    let head = ["department", "people", "hear their own", "all of it is heard by"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in &hears.departments {
        rows.push(vec![
            out::tame(&one.name),
            one.people.to_string(),
            if one.hear_own == one.people {
                "all".to_owned()
            } else {
                one.hear_own.to_string()
            },
            named(&one.heard_by),
        ]);
    }
    out::table(&rows);
}

fn explain(
    store: &ReadOnly,
    context: &RightsContext,
    who: &str,
    action: &str,
    call: Option<&str>,
    json: bool,
) -> store::Result<Exit> {
    let Some(action) = known(action) else {
        return Ok(Exit::Usage);
    };
    let who = match who {
        "technician" => Who::Technician,
        "terminal" => Who::Terminal,
        extension => Who::Extension(extension.to_owned()),
    };
    let found = store.read(|connection| {
        let subject = context.subject(connection, &who)?;
        let call = match call {
            None => None,
            Some(typed) => match why_may::call_of(connection, typed)? {
                None => return Ok(None),
                found => found,
            },
        };
        let asked = why_may::why_may(connection, &subject, action, call.as_ref())?;
        Ok(Some((asked, store::directory(connection)?)))
    })?;
    let Some((asked, directory)) = found else {
        out::message("there is no such call here; `callspool calls` lists them");
        return Ok(Exit::Failed);
    };
    if json {
        out::json(&json!({ "schema": 1, "answers": asked }));
        return Ok(Exit::Ok);
    }
    asked.iter().for_each(|one| print(one, &directory));
    Ok(Exit::Ok)
}

fn known(action: &str) -> Option<Action> {
    let found = Action::from_word(action);
    if found.is_none() {
        let all: Vec<&str> = Action::ALL.iter().map(|action| action.word()).collect();
        out::message(&format!("\"{action}\" is no action; there are {}", all.join(", ")));
    }
    found
}

fn department(directory: &Directory, id: i64) -> String {
    let found = directory.departments.iter().find(|one| one.id == id);
    found.map_or_else(|| format!("department {id}"), |one| out::tame(&one.name))
}

fn print(one: &Asked, directory: &Directory) {
    let explanation = &one.explanation;
    out::line(&format!(
        "{} {}: {}",
        explanation.who.word(),
        explanation.action.word(),
        one.about
    ));
    if let Some(decision) = &explanation.decision {
        let text = match &decision.because {
            Because::Granted(grant) => format!(
                "{}: {} by {} ({})",
                out::paint("yes", "ok"),
                explanation.action.scope_word(decision.scope),
                out::tame(&grant.role),
                origin(&grant.source)
            ),
            Because::Refused(refusal) => {
                let places: Vec<String> = refusal
                    .needed
                    .departments
                    .iter()
                    .map(|id| department(directory, *id))
                    .collect();
                let places = if places.is_empty() {
                    String::new()
                } else {
                    format!(" in {}", places.join(" or "))
                };
                format!(
                    "{}: {}; it would have needed {} at scope {}{places}, there is {}",
                    out::paint("no", "failed"),
                    refusal.obstacle.word(),
                    refusal.needed.action.word(),
                    explanation.action.scope_word(refusal.needed.scope),
                    explanation.action.scope_word(refusal.had)
                )
            }
        };
        out::line(&format!("  {text}"));
    }
    if explanation.rows.is_empty() {
        out::line("  there is no grant of it, from nowhere");
    }
    let rows: Vec<Vec<String>> = explanation
        .rows
        .iter()
        .map(|row| {
            let grant = &row.grant;
            let place = match grant.place {
                Place::Everywhere => String::new(),
                Place::Department(id) => format!("in {}", department(directory, id)),
            };
            let worth = match (row.won, row.obstacle) {
                (true, _) => "this one won".to_owned(),
                (false, None) => "counts".to_owned(),
                (false, Some(obstacle)) => format!("no: {}", obstacle.word()),
            };
            vec![
                " ".to_owned(),
                out::tame(&grant.role),
                origin(&grant.source),
                explanation.action.scope_word(grant.scope).to_owned(),
                place,
                worth,
                out::tame(&grant.why),
            ]
        })
        .collect();
    out::table(&rows);
}

fn origin(source: &Source) -> String {
    match source {
        Source::Pbx => "PBX".to_owned(),
        Source::Crm(target) => format!("CRM {target}"),
        Source::Local(_) => "given here".to_owned(),
        Source::Built => "built in".to_owned(),
    }
}

fn list(store: &ReadOnly, ended: bool, json: bool) -> store::Result<Exit> {
    let (grants, directory) =
        store.read(|connection| Ok((store::local_grants(connection, ended)?, store::directory(connection)?)))?;
    if json {
        out::json(&grants);
        return Ok(Exit::Ok);
    }
    if grants.is_empty() {
        out::message("nothing is granted here; `callspool rights grant` gives something");
    }
    let line = |grant: &LocalGrant| {
        let until = match (grant.ended_ms, grant.until_ms) {
            (Some(at), _) => format!(
                "ended {} by {}",
                when::rfc3339(at),
                grant.ended_by.as_deref().unwrap_or("?")
            ),
            (None, Some(until)) => format!("until {}", when::rfc3339(until)),
            (None, None) => String::new(),
        };
        vec![
            grant.id.to_string(),
            format!("{}{}", grant.extension, grant.role),
            grant.action.clone(),
            grant.scope.clone(),
            grant
                .department
                .map(|id| department(&directory, id))
                .unwrap_or_default(),
            until,
            format!("{}: {}", grant.given_by, out::tame(&grant.why)),
        ]
    };
    out::table(&grants.iter().map(line).collect::<Vec<_>>());
    Ok(Exit::Ok)
}

struct Typed<'a> {
    to: &'a str,
    action: &'a str,
    scope: Option<&'a str>,
    department: Option<&'a str>,
    until: Option<&'a str>,
    why: &'a str,
}

fn give(config: &Config, typed: &Typed, json: bool) -> Exit {
    let Some(action) = known(typed.action) else {
        return Exit::Usage;
    };
    let refused = |why: &str| {
        out::message(why);
        Exit::Usage
    };
    let whole = action.about() == crate::rights::About::Whole;
    let scope = match (typed.scope, typed.department) {
        (Some(word), _) => action.scope_of_word(word),
        (None, Some(_)) => Some(Scope::OwnAndDepartment),
        (None, None) if whole => Some(Scope::Any),
        (None, None) => Some(Scope::Own),
    };
    let Some(scope) = scope else {
        return refused("--scope takes own, department or any");
    };
    let department = match typed.department.map(|typed| find_department(config, typed)) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(exit)) => return exit,
    };
    let until_ms = match typed.until.map(|text| moment(text, Clock::system().wall_ms(), 1)) {
        None => None,
        Some(Some(ms)) => Some(ms),
        Some(None) => return refused("--until takes 2026-12-31, 2026-12-31T18:00:00Z, or a span such as 30d"),
    };
    let to = if typed.to == "technician" || role(typed.to).is_some() {
        GrantTo::Role(typed.to.to_owned())
    } else {
        GrantTo::Extension(typed.to.to_owned())
    };
    let request = Request::Grant {
        to,
        action: action.word().to_owned(),
        scope: action.scope_word(scope).to_owned(),
        department,
        until_ms,
        why: typed.why.to_owned(),
    };
    ask(config, &request, json, |answer| {
        format!(
            "grant {}: {} may {} ({})",
            answer["grant"],
            typed.to,
            action.word(),
            action.scope_word(scope)
        )
    })
}

/// A department by its name, its number on the PBX, or its id.
fn find_department(config: &Config, typed: &str) -> Result<i64, Exit> {
    let store = read_store(config)?;
    let directory = store.read(store::directory).map_err(|error| {
        out::message(&error.to_string());
        Exit::Failed
    })?;
    let matching: Vec<i64> = directory
        .departments
        .iter()
        .filter(|one| {
            one.name.eq_ignore_ascii_case(typed)
                || one.number.as_deref() == Some(typed)
                || typed.parse() == Ok(one.id)
        })
        .map(|one| one.id)
        .collect();
    match matching.as_slice() {
        [one] => Ok(*one),
        [] => {
            let names: Vec<String> = directory.departments.iter().map(|one| out::tame(&one.name)).collect();
            out::message(&format!(
                "there is no department \"{}\"; there are {}",
                out::tame(typed),
                names.join(", ")
            ));
            Err(Exit::Refused)
        }
        several => {
            out::message(&format!(
                "several departments are called so; say which by its id: {several:?}"
            ));
            Err(Exit::Refused)
        }
    }
}
