//! The whole way: looked at, ordered, done, told, and not undone by the PBX.

use callspool_sim::pbx::CallKind;

use crate::person::{
    DIGITS, NUMBER, TYPED, a_box, ask, assert_gone, crm, files_with, json, order, pbx, place, place_all, report,
    wait_for, wait_settled, wait_state,
};
use crate::rig::look::files_below;
use crate::rig::{Process, callspool};

#[test]
fn a_person_is_erased_here_and_at_each_target_and_the_pbx_does_not_bring_them_back() {
    let (pbx, told, deaf) = (pbx(), crm(), crm());
    let (gone, stay) = place_all(&pbx);
    let setup = a_box("erase-whole", &pbx);
    let nas = setup.folder.0.join("nas");
    std::fs::create_dir(&nas).unwrap();
    let setup = setup
        .target("told", &told, &told.hook_url())
        .set("erases = true")
        .target("deaf", &deaf, &deaf.hook_url())
        .set(&format!(
            "[[target]]\nname = \"nas\"\nkind = \"folder\"\nmount = false\npath = {nas:?}"
        ));
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    assert!(
        !files_with(&setup.state_dir(), DIGITS).is_empty(),
        "the look finds nothing"
    );
    assert!(!files_with(&nas, DIGITS).is_empty());

    // A look changes nothing.
    let (look, code) = json(&setup, &["erase", TYPED]);
    assert_eq!(code, Some(0));
    assert_eq!(look["would_erase"]["calls"], 3, "{look}");
    let recordings: usize = gone.iter().map(|call| call.recordings.len()).sum();
    assert_eq!(look["would_erase"]["recordings"], recordings);
    assert_eq!(look["would_erase"]["targets"].as_array().unwrap().len(), 3);
    assert_eq!(ask(&setup, "SELECT count(*) FROM call"), 5);

    let id = order(&setup);
    wait_state(&setup, &mut process, id, &["done"]);
    assert_gone(&setup, &mut process, &gone, &stay);
    let left = files_with(&setup.state_dir(), DIGITS);
    assert_eq!(
        left,
        Vec::<std::path::PathBuf>::new(),
        "the number is still on the disk"
    );
    assert_eq!(files_with(&nas, DIGITS), Vec::<std::path::PathBuf>::new());
    for call in &gone {
        let key = &call.main_call_history_id;
        assert!(
            files_below(&nas)
                .iter()
                .all(|path| !path.to_string_lossy().contains(key.as_str()))
        );
        assert!(told.with_state(|state| state.events_of(key).is_empty()));
        assert!(told.recordings().iter().all(|one| one.call != **key));
        // Who is not told keeps it, and the report says so.
        assert!(!deaf.with_state(|state| state.events_of(key).is_empty()));
    }
    for call in &stay {
        assert!(!told.with_state(|state| state.events_of(&call.main_call_history_id).is_empty()));
    }
    assert_eq!(told.violations(), []);

    let report = report(&setup, id);
    let text = report.to_string();
    assert_eq!(
        (&report["erasure"]["calls"], &report["erasure"]["recordings"]),
        (&3.into(), &recordings.into())
    );
    assert!(!text.contains("55500417"), "{text}");
    let states = |target: &str| -> Vec<String> {
        let items = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["target"] == target);
        items.map(|item| item["state"].as_str().unwrap().to_owned()).collect()
    };
    assert!(
        states("told").len() > 3 && states("told").iter().all(|state| state == "erased"),
        "{text}"
    );
    assert!(
        states("nas").len() > 3 && states("nas").iter().all(|state| state == "erased"),
        "{text}"
    );
    assert!(
        !states("deaf").is_empty() && states("deaf").iter().all(|state| state == "by-hand"),
        "{text}"
    );

    let why = callspool(&setup, &["why", &gone[0].main_call_history_id]);
    assert!(String::from_utf8_lossy(&why.stderr).contains("erased"), "{why:?}");

    // A new call of the same person is a new call.
    let again = place(&pbx, NUMBER, CallKind::Inbound);
    let sql = format!("SELECT count(*) FROM call WHERE key = '{}'", again.main_call_history_id);
    wait_for("a new call is taken", &mut process, || ask(&setup, &sql) == 1);
    assert!(process.stop());
    assert!(!process.said().contains("55500417"), "a number in the log");
}
