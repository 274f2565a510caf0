//! Deliveries that a person gives up: asked, written down, final; and no confirmation.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use callspool::model::DeliveryState;
use callspool::store;
use callspool_sim::crm::{At, Fault, Times};
use callspool_sim::pbx::{Pbx, PbxConfig};

use crate::rig::world::{crm, over, quiet};
use crate::rig::{Process, Setup, binary, callspool};

fn deliveries(setup: &Setup) -> Vec<callspool::model::Delivery> {
    let open = store::Store::open_read_only(&setup.state_dir().join("callspool.db"));
    let read = open.and_then(|open| open.read(|c| store::deliveries_of(c, 1)));
    read.unwrap_or_default()
}

#[test]
fn what_is_dropped_is_asked_for_written_down_final_and_no_reason_to_delete_the_recording() {
    let pbx = Pbx::start(PbxConfig { ..quiet() }).unwrap();
    let crm = crm();
    crm.fault(At::Ready, Fault::Status(422), Times::UntilCleared);
    let setup = Setup::new("dropped", &pbx, &pbx.url())
        .set("backfill = \"1h\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"")
        .set("[spool]\nkeep = \"1s\"\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url());
    let call = pbx.place_call(over(true));
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    let end = Instant::now() + Duration::from_secs(60);
    let held = loop {
        let found = deliveries(&setup)
            .into_iter()
            .find(|one| one.state == DeliveryState::Held);
        if let Some(found) = found {
            break found;
        }
        assert!(Instant::now() < end, "nothing is held: {:?}", deliveries(&setup));
        std::thread::sleep(Duration::from_millis(50));
    };
    // Nobody says yes: nothing is dropped.
    let mut asked = Command::new(binary())
        .args([
            "queue",
            "drop",
            &held.id,
            "--why",
            "the customer does not want it",
            "--config",
        ])
        .arg(setup.file())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    asked.stdin.take().unwrap().write_all(b"no\n").unwrap();
    let answer = asked.wait_with_output().unwrap();
    assert_eq!(answer.status.code(), Some(4), "{answer:?}");
    assert!(deliveries(&setup).iter().any(|one| one.state == DeliveryState::Held));

    let drop = |yes: &[&str]| {
        let arguments = [
            &["queue", "drop", &held.id, "--why", "the customer does not want it"],
            yes,
        ]
        .concat();
        callspool(&setup, &arguments)
    };
    let done = drop(&["--yes"]);
    assert!(done.status.success(), "{done:?}");
    let dropped = deliveries(&setup).into_iter().find(|one| one.id == held.id).unwrap();
    assert_eq!(dropped.state, DeliveryState::Dropped);
    assert_eq!(
        dropped.reason,
        "dropped by terminal because the customer does not want it"
    );
    assert_eq!(drop(&["--yes"]).status.code(), Some(4), "it is final");
    let why = callspool(&setup, &["why", &call.main_call_history_id]);
    let why = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(
        why.contains("dropped by terminal because the customer does not want it"),
        "{why}"
    );
    let audit = callspool(&setup, &["audit", "--json"]);
    assert!(String::from_utf8_lossy(&audit.stdout).contains("queue.drop"));
    let list = callspool(&setup, &["queue", "list", "--json"]);
    assert!(!String::from_utf8_lossy(&list.stdout).contains(&held.id));
    // Retrying brings nothing back, and no target has it: so it stays here, whatever its age.
    callspool(&setup, &["queue", "retry"]);
    std::thread::sleep(Duration::from_secs(2));
    let open = store::Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
    let recordings = open.read(|c| store::recordings_of(c, 1)).unwrap();
    assert!(recordings.iter().all(|one| one.file.is_some()), "{recordings:?}");
    assert!(
        deliveries(&setup)
            .iter()
            .any(|one| one.id == held.id && one.state == DeliveryState::Dropped)
    );
    assert!(process.stop());
}
