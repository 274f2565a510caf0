//! Which right each verb and each request to the running agent needs. A verb that is not in the table is refused, and a
//! request without an action does not compile. A command that comes over MQTT has its action in `remote.rs`.

use crate::rights::{self, Action, Freshness};

use super::control::Request;
use super::update::What;

/// Every verb by its path, with the action that it needs; `None`: it says nothing about the box.
pub const VERBS: &[(&str, Option<Action>)] = &[
    ("run", Some(Action::BoxOperate)),
    ("status", Some(Action::BoxView)),
    ("doctor", Some(Action::BoxOperate)),
    ("why", Some(Action::CallTrace)),
    ("calls", Some(Action::CallTrace)),
    ("queue list", Some(Action::BoxView)),
    ("queue retry", Some(Action::BoxOperate)),
    ("queue drop", Some(Action::QueueDrop)),
    ("links list", Some(Action::BoxView)),
    ("links revoke", Some(Action::BoxOperate)),
    ("hold add", Some(Action::HoldManage)),
    ("hold list", Some(Action::HoldManage)),
    ("hold release", Some(Action::HoldManage)),
    ("erase", Some(Action::PersonErase)),
    ("erase list", Some(Action::PersonErase)),
    ("erase show", Some(Action::PersonErase)),
    ("config check", Some(Action::BoxView)),
    ("config show", Some(Action::BoxView)),
    ("config reference", None),
    ("config set", Some(Action::BoxConfigure)),
    ("config unset", Some(Action::BoxConfigure)),
    ("config undo", Some(Action::BoxConfigure)),
    ("network-helper", Some(Action::BoxConfigure)),
    ("setup-code", Some(Action::BoxConfigure)),
    ("pin show", Some(Action::BoxView)),
    ("pin accept", Some(Action::BoxOperate)),
    ("backup", Some(Action::BoxOperate)),
    ("restore", Some(Action::BoxOperate)),
    ("config export", Some(Action::BoxOperate)),
    ("config import", Some(Action::BoxOperate)),
    ("logs", Some(Action::BoxView)),
    ("bundle", Some(Action::BoxOperate)),
    ("reset", Some(Action::BoxOperate)),
    ("update status", Some(Action::BoxView)),
    ("update check", Some(Action::BoxOperate)),
    ("update apply", Some(Action::BoxOperate)),
    ("update confirm", Some(Action::BoxOperate)),
    ("update rollback", Some(Action::BoxOperate)),
    ("update postpone", Some(Action::BoxOperate)),
    ("user add", Some(Action::AccountManage)),
    ("user code", Some(Action::AccountManage)),
    ("user list", Some(Action::AccountManage)),
    ("user remove", Some(Action::AccountManage)),
    ("token add", Some(Action::AccountManage)),
    ("token list", Some(Action::AccountManage)),
    ("token revoke", Some(Action::AccountManage)),
    ("rights show", Some(Action::RightsRead)),
    ("rights explain", Some(Action::RightsRead)),
    ("rights list", Some(Action::RightsRead)),
    ("rights grant", Some(Action::GrantManage)),
    ("rights revoke", Some(Action::GrantManage)),
    ("audit", Some(Action::AuditRead)),
    // Its page has a lock of its own, and what it shows is what the broker lets it read.
    ("version", None),
];

impl Request {
    /// The action that it needs.
    pub fn needs(&self) -> Action {
        match self {
            Request::Status | Request::Logs { .. } | Request::Update { what: What::Status, .. } => Action::BoxView,
            Request::Sync
            | Request::Retry { .. }
            | Request::Resume { .. }
            | Request::AcceptPin { .. }
            | Request::Doctor { .. }
            | Request::RevokeLinks { .. }
            | Request::Told
            | Request::Noted { .. }
            | Request::Update { .. }
            | Request::BackedUp { .. } => Action::BoxOperate,
            Request::Configure { .. } | Request::TakeBack => Action::BoxConfigure,
            Request::AddUser { .. } | Request::GiveCode { .. } | Request::RemoveUser { .. } => {
                Action::AccountManage
            }
            Request::Grant { .. } | Request::Revoke { .. } => Action::GrantManage,
            Request::AddToken { .. } | Request::EndToken { .. } => Action::AccountManage,
            Request::Drop { .. } => Action::QueueDrop,
            Request::Hold { .. } | Request::Release { .. } => Action::HoldManage,
            Request::Erase { .. } => Action::PersonErase,
        }
    }
}

/// Whether whoever is at this terminal may use the verb. What is built in for them needs no store; about which calls is
/// then decided for each.
pub(super) fn may(verb: &str) -> Result<(), String> {
    let terminal = rights::console_subject(Vec::new(), Freshness::default(), 0);
    match VERBS.iter().find(|(known, _)| *known == verb) {
        Some((_, None)) => Ok(()),
        Some((_, Some(action))) if rights::may(&terminal, *action) => Ok(()),
        Some((_, Some(action))) => Err(format!(
            "{verb} needs the right {}, which this terminal does not hold",
            action.word()
        )),
        None => Err(format!(
            "{verb} names no right, so nobody may use it; this is a mistake in callspool"
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let below: Vec<_> = command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
            .collect();
        // One that takes something itself is a verb beside those below it: `erase NUMBER`, `erase list`.
        if below.is_empty() || command.get_positionals().next().is_some() {
            found.push(path.to_owned());
        }
        for sub in below {
            let path = format!("{path} {}", sub.get_name());
            leaves(sub, path.trim(), found);
        }
    }

    #[test]
    fn every_verb_declares_the_right_that_it_needs_and_the_terminal_holds_it() {
        let mut found = Vec::new();
        leaves(&crate::cli::Cli::command(), "", &mut found);
        assert!(found.len() > 20, "{found:?}");
        for verb in &found {
            assert_eq!(may(verb), Ok(()), "{verb}");
        }
        for (verb, _) in VERBS {
            assert!(
                found.iter().any(|known| known == verb),
                "{verb} is in the table and not a verb"
            );
        }
        assert!(may("listen").is_err(), "a verb without an action is refused");
    }
}
