//! What commands over MQTT do: the same as the command line's requests, with rights of their own, each in the audit before
//! it is done. What they answer are codes and figures: no number, no name, no text that a target or the PBX wrote.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::control::{self, Request};
use super::update::What;
use crate::accounts;
use crate::agent::Handle;
use crate::aside::unawaited;
use crate::bundle;
use crate::link::Remote;
use crate::rights::{self, Action, Freshness, Who};
use crate::store::{self, NewAudit};
use crate::why::{Circumstances, explain};

/// How often refusals are written down: knocking must fill no disk.
const REFUSALS_APART_MS: i64 = 60_000;

/// Results of a restart are told by the next run; what was said before must get out first.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Each command with the action that it needs.
const NEEDS: &[(&str, Action)] = &[
    ("sync", Action::BoxOperate),
    ("retry", Action::BoxOperate),
    ("resume", Action::BoxOperate),
    ("restart", Action::BoxOperate),
    ("update", Action::BoxOperate),
    ("why", Action::CallTrace),
    ("doctor", Action::BoxOperate),
    ("bundle", Action::BoxOperate),
];

/// Does what dashboards ask of an agent.
pub(super) struct Dashboard {
    handle: Handle,
    can: Vec<&'static str>,
    refused_ms: Mutex<Option<i64>>,
}

impl Dashboard {
    pub(super) fn new(handle: Handle) -> Dashboard {
        Dashboard {
            handle,
            can: NEEDS.iter().map(|(name, _)| *name).collect(),
            refused_ms: Mutex::default(),
        }
    }
}

impl Remote for Dashboard {
    fn can(&self) -> &[&'static str] {
        &self.can
    }

    fn run(&self, name: &str, req: &str, args: &Value) -> Result<Value, String> {
        let handle = &self.handle;
        let needs = NEEDS.iter().find(|(known, _)| *known == name);
        let (_, action) = needs.ok_or("unknown: there is no such command")?;
        let built_in = |now_ms| rights::dashboard(Freshness::default(), now_ms);
        let by = control::may(handle, &Who::Dashboard, "mqtt", *action, &built_in)
            .map_err(|error| format!("forbidden: {error}"))?;
        let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
        let request = match name {
            "sync" => Request::Sync,
            "retry" => Request::Retry {
                target: text("target"),
                id: text("id"),
            },
            "resume" => Request::Resume {
                target: text("target").ok_or("malformed: args.target is missing")?,
            },
            "update" => Request::Update {
                what: What::Fetch,
                url: None,
                downgrade: false,
                until_ms: None,
            },
            "doctor" => Request::Doctor {
                only: words(args.get("only")),
                offline: args["offline"] == true,
            },
            _ => {
                let call = match name {
                    "why" => Some(text("call").ok_or("malformed: args.call is missing")?),
                    _ => None,
                };
                note(handle, by, name, req)?;
                return match call {
                    Some(call) => where_is(handle, &call),
                    None if name == "bundle" => bundled(handle),
                    None => {
                        std::thread::sleep(LAST_WORDS);
                        handle.parts().restart.notify_one();
                        Ok(Value::Null)
                    }
                };
            }
        };
        note(handle, by.clone(), name, req)?;
        let last = Mutex::new(Value::Null);
        control::perform(handle, by, request, &|value| *super::lock(&last) = value);
        let answer = std::mem::take(&mut *super::lock(&last));
        match (answer.get("error").and_then(Value::as_str), answer.get("verdict")) {
            (Some(error), _) => Err(format!("failed: {error}")),
            // Its sentence may name an extension.
            (None, Some(verdict)) => Ok(json!({
                "ok": verdict["ok"], "code": verdict["code"], "failed": verdict["failed"], "warned": verdict["warned"],
            })),
            (None, None) if answer.get("known") == Some(&Value::Bool(false)) => {
                Err("failed: there is no such target".to_owned())
            }
            (None, None) => Ok(answer),
        }
    }

    fn refused(&self, name: &str, why: &str) {
        let now = self.handle.clock().mono_ms();
        {
            let mut last = super::lock(&self.refused_ms);
            if last.is_some_and(|last| now - last < REFUSALS_APART_MS) {
                return;
            }
            *last = Some(now);
        }
        let code = why.split(':').next().unwrap_or_default();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let entry = NewAudit::event(&Who::Dashboard, "mqtt", "command", Err(refusal(code))).about(name);
        let clock = self.handle.clock().clone();
        let store = self.handle.store().clone();
        // The link must not wait for the disk.
        unawaited(move || {
            if let Err(error) = store.write(move |within| store::audit(within, &entry, &clock)) {
                log::debug!("a refused command could not be written down: {error}");
            }
        });
    }
}

/// The stable words of refusals, as the audit knows them.
fn refusal(code: &str) -> &'static str {
    let known = [
        "retained",
        "repeated",
        "expired",
        "unknown",
        "switched-off",
        "malformed",
        "busy",
    ];
    known.into_iter().find(|word| *word == code).unwrap_or("refused")
}

fn words(value: Option<&Value>) -> Vec<String> {
    let listed = value.and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Nothing is done that could not be written down first.
fn note(handle: &Handle, by: accounts::By, name: &str, req: &str) -> Result<(), String> {
    accounts::note(handle.store(), by, format!("{name} {req}"), handle.clock())
        .map_err(|error| format!("failed: it could not be written down: {error}"))
}

/// Makes a support bundle and keeps it here: it goes to no broker, the technician fetches it at the page.
fn bundled(handle: &Handle) -> Result<Value, String> {
    let made = handle.bundle();
    bundle::keep(&handle.config().state_dir, &made).map_err(|error| format!("failed: {error}"))?;
    Ok(json!({
        "id": made.id, "bytes": made.bytes.len(), "sha256": made.sha256, "files": made.files, "missing": made.missing,
        "where": "/logs",
    }))
}

/// Where a call's recordings and deliveries are, in codes.
fn where_is(handle: &Handle, call: &str) -> Result<Value, String> {
    let clock = handle.clock();
    let at = Circumstances {
        now_ms: clock.wall_ms(),
        mono_ms: Some(clock.mono_ms()),
        late_ms: handle.config().pbx.late_recordings.as_millis() as i64,
    };
    let found = handle.store().read(|connection| {
        let call = match call.parse::<i64>() {
            Ok(id) => store::call(connection, id)?,
            Err(_) => store::call_by_key(connection, call)?,
        };
        call.map(|call| explain(connection, call, at)).transpose()
    });
    let why = found
        .map_err(|error| format!("failed: {error}"))?
        .ok_or("failed: there is no such call")?;
    let recordings = why.recordings.iter().map(|one| {
        let recording = &one.recording;
        json!({ "recording": recording.pbx_id, "state": recording.state, "code": recording.code, "attempts": recording.attempts })
    });
    let deliveries = why.deliveries.iter().map(|one| {
        json!({ "target": one.target, "kind": one.kind, "state": one.state, "code": one.code, "attempts": one.attempts })
    });
    Ok(json!({
        "call": why.call.key,
        "outcome": why.call.outcome,
        "finding": why.finding,
        "recordings": recordings.collect::<Vec<_>>(),
        "deliveries": deliveries.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::COMMANDS;

    #[test]
    fn every_command_of_the_contract_declares_the_right_that_it_needs_and_a_dashboard_holds_it() {
        let listed: Vec<&str> = COMMANDS.iter().map(|kind| kind.name).collect();
        assert_eq!(listed, NEEDS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let dashboard = rights::dashboard(Freshness::default(), 0);
        for (name, action) in NEEDS {
            assert!(rights::may(&dashboard, *action), "{name}");
        }
        for action in Action::ALL {
            let wanted = matches!(action, Action::BoxView | Action::BoxOperate | Action::CallTrace);
            assert_eq!(rights::may(&dashboard, *action), wanted, "{action:?}");
        }
    }
}
