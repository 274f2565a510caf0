//! Killed in the middle, at every step.

use std::process::Command;
use std::time::{Duration, Instant};

use callspool_sim::seed::Rng;

use crate::person::{
    DIGITS, a_box, assert_gone, crm, files_with, order, pbx, place_all, report, wait_settled, wait_state,
};
use crate::rig::Process;

/// Kills at moments that are spread over an erasure, each on a box of its own that starts from the same state.
#[test]
fn an_erasure_that_is_killed_goes_on_at_the_next_start() {
    const SEED: u64 = 417;
    println!("seed {SEED}");
    let mut rng = Rng::of(SEED, "kills", 0);
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..6 {
        let (pbx, told) = (pbx(), crm());
        let (gone, stay) = place_all(&pbx);
        let setup = a_box(&format!("erase-cut-{round}"), &pbx)
            .target("told", &told, &told.hook_url())
            .set("erases = true");
        let mut process = Process::start(&setup);
        process.wait_until_up(&setup);
        wait_settled(&setup, &pbx, &mut process);
        let id = order(&setup);
        let state =
            |setup: &crate::rig::Setup| report(setup, id)["erasure"]["state"].as_str().unwrap_or("").to_owned();
        for _ in 0..3 {
            let until = Instant::now() + Duration::from_millis(rng.below(60 + 40 * round));
            while Instant::now() < until {
                std::thread::yield_now();
            }
            process.kill();
            seen.insert(state(&setup));
            process = Process::start(&setup);
        }
        process.wait_until_up(&setup);
        wait_state(&setup, &mut process, id, &["done"]);
        assert_gone(&setup, &mut process, &gone, &stay);
        assert_eq!(files_with(&setup.state_dir(), DIGITS), Vec::<std::path::PathBuf>::new());
        assert!(
            told.recordings()
                .iter()
                .all(|one| stay.iter().any(|call| *call.main_call_history_id == one.call))
        );
        let report = report(&setup, id);
        assert_eq!(report["erasure"]["calls"], 3, "counted once, whatever cut it: {report}");
        assert!(process.stop());
    }
    println!("killed while: {seen:?}");
    let _ = Command::new("true").status();
}
