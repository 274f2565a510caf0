//! `packaging/rights.md`: from each rule to the tests that hold it, made from the names of the tests themselves.
//!
//! `CALLSPOOL_RENEW=1 cargo test --test rights the_document` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Every rule, in a few words. What each says in full stands in its sources, named in the document's head.
const RULES: &[(&str, &str)] = &[
    (
        "S0-1",
        "call history and recordings are two rights of the PBX's API user",
    ),
    (
        "S0-2",
        "history without recordings: calls arrive, recordings answer 401 or 403",
    ),
    ("S0-3", "recordings without history: no call is ever seen"),
    ("S0-4", "both: the configuration to run"),
    ("S0-5", "an administrator's credential works and is warned about"),
    (
        "S0-6",
        "transcripts need a right of their own and nothing depends on them",
    ),
    ("S0-7", "the remedy is the one for the PBX's own version"),
    ("S0-8", "a user of its own, no person's account"),
    ("S0-9", "which symptom means which right"),
    ("S0-10", "four prerequisites, each checked and reported alone"),
    ("S0-11", "the test of a credential is one request"),
    ("S1-1", "console v12–v15.5: the own extension"),
    ("S1-2", "… group manager: extensions of their groups"),
    ("S1-3", "… global extension manager: all extensions, and groups"),
    ("S1-4", "… trunk administrator"),
    ("S1-5", "… system administrator"),
    ("S1-6", "trunk and system are independent and add to a level"),
    ("S1-7", "only who holds an administration hands it out"),
    (
        "S1-8",
        "\"only the recordings of this department\": a grant of this box",
    ),
    ("S2-1", "role User"),
    ("S2-2", "role Receptionist"),
    ("S2-3", "role Group Administrator"),
    ("S2-4", "role Manager"),
    ("S2-5", "role Owner"),
    ("S2-6", "role System Administrator"),
    ("S2-7", "role System Owner"),
    ("S2-8", "where the source contradicts itself, the restrictive sentence"),
    ("S2-9", "what the PBX says wins over the table of roles"),
    ("S2-10", "several departments give several grants"),
    ("S2-11", "a System Administrator sees calls everywhere and hears none"),
    ("S3-1", "Bitrix24's roles by default, and others"),
    ("S3-2", "a role is given to people, departments, everyone"),
    ("S3-3", "four levels of statistics, recordings, user settings"),
    ("S3-4", "what \"personal and department\" is"),
    ("S3-5", "outbound calls have a scale of their own"),
    ("S3-6", "settings and numbers are any or denied"),
    ("S3-7", "the highest level wins"),
    ("S3-8", "recordings need the CRM's folder too"),
    (
        "S3-9",
        "a delivery that lacks a permission is named, and not retried blindly",
    ),
];

/// Rules about the PBX's own credential: the doctor's tests hold them.
const OF_THE_DOCTOR: &str = "S0-";

const HEAD: &str = "# Rights: from rule to test

Made from the names of the tests: `CALLSPOOL_RENEW=1 cargo test --test rights the_document`. `cargo test --lib rights` runs those of
S1 to S3, `cargo test --test doctor` those of S0.

Sources: S0 Connect Zero, \"3CX Recording Manager + Reports User roles\" (24 May 2026); S1 3CX, \"Delegating 3CX Management Console
Access\"; S2 \"7 unique security roles for simple PBX management\"; S3 Bitrix24, \"Telephony access permissions\". What callspool makes
of them, where they say nothing or two things, stands in `src/rights/` beside the code.

| rule | | held by |
|---|---|---|
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// `fn s2_9_what_…` is a test of S2-9; `fn s0_2_s0_9_…` of both. Gives the rules in a test's name.
fn rules_of(name: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let mut parts = name.split('_').peekable();
    while let Some(part) = parts.next() {
        let group = matches!(part, "s0" | "s1" | "s2" | "s3");
        let number = parts
            .peek()
            .filter(|next| !next.is_empty() && next.chars().all(|c| c.is_ascii_digit()));
        match (group, number) {
            (true, Some(number)) => rules.push(format!("S{}-{number}", &part[1..])),
            _ => break,
        }
        parts.next();
    }
    rules
}

fn tests() -> BTreeMap<String, Vec<(String, String)>> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for file in files {
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (n, line) in lines.iter().enumerate() {
            let tested = lines[..n]
                .iter()
                .rev()
                .take_while(|above| above.starts_with("#["))
                .any(|above| *above == "#[test]");
            let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) else {
                continue;
            };
            if tested {
                for rule in rules_of(name) {
                    found.entry(rule).or_default().push((shown.clone(), name.to_owned()));
                }
            }
        }
    }
    found
}

fn document() -> String {
    let found = tests();
    let mut out = HEAD.to_owned();
    for (rule, text) in RULES {
        let tests: Vec<String> = found
            .get(*rule)
            .into_iter()
            .flatten()
            .map(|(file, name)| format!("`{name}` ({file})"))
            .collect();
        let held = if tests.is_empty() {
            "—".to_owned()
        } else {
            tests.join("<br>")
        };
        writeln!(out, "| {rule} | {text} | {held} |").unwrap();
    }
    out
}

#[test]
fn every_rule_is_held_by_a_test_that_bears_its_id() {
    let found = tests();
    for (rule, _) in RULES.iter().filter(|(rule, _)| !rule.starts_with(OF_THE_DOCTOR)) {
        assert!(found.contains_key(*rule), "no test bears the id of {rule}");
    }
    for rule in found.keys() {
        assert!(RULES.iter().any(|(known, _)| known == rule), "{rule} is no rule");
    }
}

#[test]
fn the_document_of_rules_is_the_one_that_the_tests_make() {
    let path = root().join("packaging/rights.md");
    let made = document();
    if std::env::var_os("CALLSPOOL_RENEW").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "renew it: CALLSPOOL_RENEW=1 cargo test --test rights the_document"
    );
}

#[test]
fn the_ids_in_a_tests_name_are_read() {
    assert_eq!(rules_of("s2_9_what_the_pbx_says_wins"), ["S2-9"]);
    assert_eq!(rules_of("s0_2_s0_10_both"), ["S0-2", "S0-10"]);
    assert!(rules_of("s1_none_of_them").is_empty() && rules_of("a_test").is_empty());
}
