//! Releases that are not well: the one before runs again, with its store.

use std::fs;
use std::time::Duration;

use crate::maker::{Signer, manifest, release, script};
use crate::supervised::*;

fn install(site: &Site, program: &[u8]) {
    let file = put(
        &site.setup,
        &release(&manifest("0.2.0", program), program, Signer::Ours),
    );
    let (code, said) = site.update(&["apply", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
}

fn given_up(site: &mut Site, why: &str, sign: Duration) {
    site.supervise("it goes back", sign, |site| {
        site.agent_says("is given up") && status(&site.setup).is_some()
    });
    let now = site.until_runs("0.1.0", "factory", PATIENCE);
    assert_eq!(now["bad"]["version"], "0.2.0", "{now}");
    assert!(now["bad"]["why"].as_str().unwrap().contains(why), "{now}");
    site.delivers();
}

#[test]
fn a_release_that_crashes_at_its_start_is_given_up_after_three_starts() {
    let mut site = Site::new("crashes", "");
    install(&site, &script("exit 1"));
    given_up(&mut site, "it was started 3 times", PATIENCE);
    let tried = site.agent.said().matches("version 0.2.0 is tried").count();
    assert_eq!(tried, 3);
}

#[test]
fn a_release_that_hangs_is_ended_by_its_supervisor_and_given_up() {
    let mut site = Site::new("hangs", "");
    install(&site, &script("exec sleep 600"));
    given_up(&mut site, "it was started 3 times", Duration::from_secs(2));
}

#[test]
fn a_release_whose_store_can_not_be_brought_on_is_given_up_and_the_store_of_before_put_back() {
    let mut site = Site::new("migrates", "");
    site.delivers();
    let count = |site: &Site| status(&site.setup).unwrap()["counts"]["calls"].as_i64().unwrap();
    let calls = count(&site);
    assert!(calls >= 1);
    // What a newer release does to the store: a copy beside it, a step of the schema, and then it fails.
    let state = site.setup.state_dir();
    let next = callspool::store::SCHEMA + 1;
    let broken = site.setup.folder.0.join("broken.db");
    let store = rusqlite::Connection::open(&broken).unwrap();
    store.execute_batch("CREATE TABLE other (x)").unwrap();
    store.pragma_update(None, "user_version", next as i64).unwrap();
    drop(store);
    let run = format!(
        "test -e {state}/callspool.before-{next}.db || cp {state}/callspool.db {state}/callspool.before-{next}.db; cp {broken} \
         {state}/callspool.db; rm -f {state}/callspool.db-wal {state}/callspool.db-shm; exit 1",
        state = state.display(),
        broken = broken.display()
    );
    install(&site, &script(&run));
    given_up(&mut site, "it was started 3 times", PATIENCE);
    assert!(site.agent_says("the copy of the store"));
    assert!(count(&site) > calls, "the calls of before, and the one of after");
    let kept = rusqlite::Connection::open(state.join("callspool.before-rollback.db")).unwrap();
    let version: i64 = kept.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, next as i64, "what failed is kept for a look");
}

#[test]
fn a_lost_or_damaged_file_of_states_and_a_rotten_slot_start_what_was_installed_and_never_loop() {
    let mut site = Site::new("rots", "");
    install(&site, &script("exit 1"));
    let slots = site.setup.state_dir().join("slots");
    site.supervise("the agent ends for the new one", PATIENCE, |site| {
        site.agent_says("stopping")
    });
    site.agent.kill();
    for damage in ["", "{", "\0\0\0\0", "{\"boot\":\"moon\"}"] {
        fs::write(slots.join("state.json"), damage).unwrap();
        site.agent = Process::start(&site.setup);
        site.until_runs("0.1.0", "factory", PATIENCE);
        site.agent.kill();
    }
    let a = "{\"boot\":\"a\",\"fallback\":\"b\",\"on_trial\":false}";
    fs::write(slots.join("state.json"), a).unwrap();
    fs::write(slots.join("a/callspool"), b"#!/bin/sh\nexit 3\n").unwrap();
    site.agent = Process::start(&site.setup);
    let now = site.until_runs("0.1.0", "factory", PATIENCE);
    assert!(
        now["bad"]["why"]
            .as_str()
            .unwrap()
            .contains("is not what was installed there"),
        "{now}"
    );
}

impl Site {
    fn agent_says(&self, what: &str) -> bool {
        self.agent.said().contains(what)
    }
}
