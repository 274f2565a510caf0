//! Object storage that others wrote: what is not locked is deleted with all its versions, what is locked is refused, and
//! the report tells both.

use std::path::PathBuf;

use crate::bucket::Bucket;
use crate::person::{DIGITS, a_box, files_with, order, pbx, place_all, report, wait_settled, wait_state};
use crate::rig::{Process, rewrite_secret};
use crate::server::{self, Server};

#[test]
fn objects_go_with_their_versions_and_locked_ones_are_told_as_refused() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let (open, locked) = (
        Bucket::make(&server, "open", false),
        Bucket::make(&server, "locked", true),
    );
    let pbx = pbx();
    let (gone, stay) = place_all(&pbx);
    let target = |name: &str, more: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nkind = \"s3\"\nbucket = \"{name}\"\nsecret_file = \"s3.secret\"\nurl = \"{}\"\n{more}",
            server.url()
        )
    };
    let setup = a_box("erase-s3", &pbx)
        .set(&target("open", ""))
        .set(&target("locked", "lock = \"compliance\"\nlock_for = \"30d\""));
    rewrite_secret(&setup, "s3.secret", "AKIDTEST\nnot-a-secret\n");
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_settled(&setup, &pbx, &mut process);
    let of = |bucket: &Bucket, key: &str| bucket.versions().keys().filter(|name| name.contains(key)).count();
    let before: Vec<usize> = gone.iter().map(|call| of(&open, &call.main_call_history_id)).collect();
    assert!(before.iter().all(|count| *count > 0));
    let id = order(&setup);
    wait_state(&setup, &mut process, id, &["done"]);
    assert_eq!(files_with(&setup.state_dir(), DIGITS), Vec::<PathBuf>::new());
    for call in &gone {
        assert_eq!(of(&open, &call.main_call_history_id), 0);
        assert!(of(&locked, &call.main_call_history_id) > 0, "a lock was overcome");
    }
    for call in &stay {
        assert!(of(&open, &call.main_call_history_id) > 0);
    }
    let report = report(&setup, id);
    let items = report["items"].as_array().unwrap();
    for (target, state) in [("open", "erased"), ("locked", "refused")] {
        let own: Vec<_> = items.iter().filter(|item| item["target"] == target).collect();
        assert!(own.len() >= before.iter().sum(), "{report}");
        assert!(own.iter().all(|item| item["state"] == state), "{report:#}");
    }
    assert!(
        items
            .iter()
            .any(|item| item["detail"].as_str().unwrap().contains("locked")),
        "{report}"
    );
    assert!(process.stop());
}
