//! A release that is well: it runs, it stays, and a technician goes back from it.

use crate::maker::{Signer, manifest, release};
use crate::supervised::*;

#[test]
fn a_newer_release_runs_stays_when_it_is_well_and_a_technician_goes_back() {
    let mut site = Site::new("renewed", "");
    site.delivers();
    let before = site.standing().unwrap();
    assert_eq!(
        (&before["place"], &before["state"]),
        (&"installed".into(), &"factory".into()),
        "{before}"
    );
    let program = this_as("0.2.0");
    let file = put(
        &site.setup,
        &release(&manifest("0.2.0", &program), &program, Signer::Ours),
    );
    let (code, said) = site.update(&["apply", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("version 0.2.0 is installed"), "{said}");
    let now = site.until_runs("0.2.0", "valid", PATIENCE);
    assert_eq!((&now["place"], &now["before"]), (&"a".into(), &"0.1.0".into()), "{now}");
    assert_eq!(
        (&now["support_until"], &now["notes"]),
        (&"2031-12-31".into(), &"Calls are quicker.".into())
    );
    let said = site.agent.said();
    assert!(said.contains("version 0.2.0 is tried, start 1 of 3"), "{said}");
    let identity = status(&site.setup).unwrap()["box"].clone();
    assert_eq!(
        (&identity["reason"], &identity["before"]),
        (&"update".into(), &"0.1.0".into()),
        "{identity}"
    );
    site.delivers();

    let (code, said) = site.update(&["apply", file.to_str().unwrap()]);
    assert_eq!(code, 4, "the same again is refused: {said}");
    // A kill in the middle is no trial that failed: what stays is not counted any more.
    for _ in 0..4 {
        site.agent.kill();
        site.until_runs("0.2.0", "valid", PATIENCE);
    }

    let (code, said) = site.update(&["rollback"]);
    assert_eq!((code, said.contains("version 0.1.0 starts now")), (0, true), "{said}");
    let back = site.until_runs("0.1.0", "factory", PATIENCE);
    assert_eq!(back["place"], "installed");
    site.delivers();
    assert!(site.agent.stop());

    // Without an agent the same command line does it, and what is installed is what the next start runs.
    let (code, said) = site.update(&["apply", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(site.standing().unwrap()["next"], "0.2.0");
    site.until_runs("0.2.0", "valid", PATIENCE);
}
