//! The catalogue of findings, and who speaks from it.

use crate::world::*;

/// Every string literal after one of these is the code of a health item.
const RAISES: [&str; 8] = [
    ".raise(",
    ".item(",
    "too_old,",
    "item(\n        handle,",
    "const DOWN: &str = ",
    "const PLAIN: &str = ",
    "const TOO_LARGE: &str = ",
    "show(context, ",
];

#[test]
fn nothing_raises_a_code_that_is_not_in_the_catalogue() {
    let kinds = [
        Kind::Unreachable,
        Kind::PinChanged,
        Kind::Untrusted,
        Kind::ShutOut,
        Kind::Unlicensed,
        Kind::LoginRefused,
        Kind::RightMissing,
        Kind::NotThere,
        Kind::Throttled,
        Kind::ItsFault,
        Kind::Nonsense,
    ];
    for kind in kinds {
        let code = Error::new(kind, "").code();
        assert!(findings::find(code).is_some(), "{code}");
    }
    let mut walked = BTreeSet::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut walked);
    for code in &walked {
        assert!(
            findings::find(code).is_some(),
            "{code} is raised and not in src/findings/rows.rs"
        );
    }
    for wanted in [
        "recordings-right-missing",
        "spool-full",
        "mqtt-down",
        "disk-read-only",
        "store-failing",
        "pbx-no-answer",
    ] {
        assert!(walked.contains(wanted), "{wanted} was not seen: {walked:?}");
    }
    assert!(walked.len() > 40 && FINDINGS.len() > 50, "{}", walked.len());
}

fn walk(folder: &Path, walked: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, walked);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let in_doctor = path.to_string_lossy().contains("src/doctor/");
            let marks = RAISES.iter().copied().chain(in_doctor.then_some("found("));
            for mark in marks {
                for behind in text.split(mark).skip(1) {
                    walked.extend(code_in(behind));
                }
            }
        }
    }
}

/// The first thing behind a mark, if it is the code of a finding: words joined by hyphens.
fn code_in(behind: &str) -> Option<String> {
    let start = behind.trim_start().strip_prefix('"')?;
    let code = start.split('"').next()?;
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    (code.contains('-') && code.split('-').all(word)).then(|| code.to_owned())
}

#[test]
fn the_document_of_findings_is_the_one_that_the_code_prints() {
    let known = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/findings.md")).unwrap();
    assert!(
        known == findings::document(),
        "renew it: cargo run -- doctor --list --markdown > packaging/findings.md"
    );
    for finding in FINDINGS {
        assert!(known.contains(&format!("### `{}`", finding.code)), "{}", finding.code);
        assert!(!finding.fix(Generation::V18).is_empty());
    }
}

#[test]
fn why_speaks_the_catalogues_words_for_one_call_and_the_clicks_of_that_pbx() {
    let pbx = Pbx::start(PbxConfig {
        time: SimTime::real(),
        principal: Principal::history_only(),
        ..quiet()
    })
    .unwrap();
    let call = pbx.place_call(over(true));
    let setup = setup("why", &pbx);
    let agent = InProcess::start(&setup, Clock::system());
    let asked = |handle: &_| rig::world::why(handle, &call.main_call_history_id);
    agent.wait("it waits for a right", PATIENCE, |handle| {
        asked(handle).is_some_and(|why| why.finding.is_some())
    });
    let why = asked(agent.handle()).unwrap();
    assert_eq!(why.finding, Some("recordings-right-missing"));
    assert!(
        why.answer
            .starts_with("waiting: the right to read recordings is missing"),
        "{}",
        why.answer
    );
    assert!(why.fix.contains("add Recording Manager"), "{}", why.fix);
    pbx.set_principal(Principal::both());
}
