//! `callspool config check` tells what each rule would do with the last calls, and what is doubtful about it.

use std::process::Output;

use callspool_sim::pbx::CallKind;
use serde_json::Value;

use super::town::{Town, wait_told};
use crate::rig::world::{PATIENCE, item};
use crate::rig::{InProcess, callspool, same_clock};

const RULES: &str = r#"
[[rule]]
name = "works council"
extension = "103"
exclude = true
[[rule]]
name = "missed calls of a department whose name somebody mistyped, told at some length"
department = "Sails"
call_back = "15m"
[[rule]]
name = "missed"
outcome = "missed"
audio = false
transcript = ["archive"]
delay = "5m"
retain = "30d"
notify = ["crm", "archive"]
call_back = "15m"
"#;

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn each_rule_and_each_call_is_explained_within_eighty_columns_and_nothing_is_done() {
    let town = Town::new("dry", 20.0, "");
    let excluded = town.call(CallKind::Inbound, "+441632960001", &["103"]);
    let missed = town.call(CallKind::InboundMissed, "+441632960002", &["101"]);
    let other = town.call(CallKind::Inbound, "+441632960003", &["101"]);
    let agent = town.start();
    for call in [&excluded, &missed, &other] {
        wait_told(&agent, &town.crm, call);
    }
    agent.wait("the directory is there", PATIENCE, |handle| {
        handle.store().read(callspool::store::snapshot).unwrap().is_some()
    });
    drop(agent);
    let Town { setup, .. } = town;
    let setup = setup.set(RULES);
    let checked = callspool(&setup, &["config", "check"]);
    assert_eq!(checked.status.code(), Some(0));
    let shown = text(&checked);
    println!("{shown}");
    assert!(shown.lines().skip(1).all(|line| line.chars().count() <= 80), "{shown}");
    assert!(
        shown.contains("1. works council matches 1\n") && shown.contains("3. missed matches 1\n"),
        "{shown}"
    );
    assert!(shown.contains("no rule matches 1: to all targets"), "{shown}");
    assert!(shown.contains("rule 1: excluded"), "{shown}");
    assert!(
        shown.contains("rule 3: to crm, archive, without audio, without transcript to crm,"),
        "{shown}"
    );
    assert!(!shown.contains("1632"), "no number is shown");
    let doubts = String::from_utf8(checked.stderr.clone()).unwrap();
    println!("{doubts}");
    assert!(
        doubts.contains("names the department \"Sails\", which the PBX does not have; there are DEFAULT"),
        "{doubts}"
    );
    assert!(doubts.contains("callspool.toml:"), "the line is named: {doubts}");
    let json: Value = serde_json::from_slice(&callspool(&setup, &["config", "check", "--json"]).stdout).unwrap();
    assert_eq!(
        (json["ok"].as_bool(), json["rules"]["tried"].as_u64()),
        (Some(true), Some(3))
    );
    assert_eq!(json["rules"]["rules"][0]["calls"], 1);
    let calls = json["rules"]["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    let one = calls.iter().find(|call| call["outcome"] == "missed").unwrap();
    assert_eq!(
        (
            one["decision"]["call_back"]["after_ms"].as_i64(),
            one["decision"]["retain_ms"].as_i64()
        ),
        (Some(900_000), Some(2_592_000_000))
    );
    // A wrong rule is refused like any other setting.
    let wrong = callspool(
        &setup.set("[[rule]]\nname = \"wrong\"\ndeliver = \"erp\""),
        &["config", "check"],
    );
    assert_eq!(wrong.status.code(), Some(1));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        told.contains("rule.3.deliver: \"erp\" is the name of no target; there are crm, archive"),
        "{told}"
    );
}

/// Before the PBX was reached nobody can tell a mistyped extension from one that is there: that is said, and the running box
/// tells when it can, and again when the directory changes.
#[test]
fn a_mistyped_name_in_an_excluding_rule_is_told_as_soon_as_the_directory_is_known() {
    let rules = "[[rule]]\nname = \"works council\"\nextension = \"193\"\nexclude = true";
    let town = Town::new("typo", 20.0, rules);
    let before = callspool(&town.setup, &["config", "check"]);
    assert_eq!(before.status.code(), Some(0));
    let said = String::from_utf8(before.stderr).unwrap();
    assert!(
        said.contains("names in rules (extension) could not be checked"),
        "{said}"
    );
    let agent = town.start();
    agent.wait("the typo is named", PATIENCE, |handle| {
        item(handle, "rule-unknown-name").is_some()
    });
    let found = item(agent.handle(), "rule-unknown-name").unwrap();
    assert!(
        found.text.contains("works council") && found.text.contains("\"193\""),
        "{found:?}"
    );
    drop(agent);
    let after = callspool(&town.setup, &["config", "check"]);
    let said = String::from_utf8(after.stderr).unwrap();
    assert!(
        said.contains("names the extension \"193\"") && !said.contains("could not be checked"),
        "{said}"
    );
    // Corrected, it is over.
    let Town {
        pbx,
        setup,
        crm,
        archive,
    } = town;
    let path = setup.file();
    let text = std::fs::read_to_string(&path).unwrap().replace("\"193\"", "\"103\"");
    std::fs::write(&path, text).unwrap();
    let config = callspool::config::load(&path).unwrap();
    let agent = InProcess::with(config, same_clock(&pbx.time()));
    let reads = pbx.requests(callspool_sim::pbx::PathKind::Users);
    agent.wait("the directory was read", PATIENCE, |_| {
        pbx.requests(callspool_sim::pbx::PathKind::Users) > reads
    });
    agent.wait("calls are read", PATIENCE, |handle| {
        handle.status().sync.cursor_ms.is_some()
    });
    assert!(item(agent.handle(), "rule-unknown-name").is_none());
    drop((crm, archive));
}
