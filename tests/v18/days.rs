//! Whole days of traffic, row by row.

use crate::world::*;

/// A whole day of traffic ends with the same calls in the store as on the PBX.
fn a_day(name: &str, version: &str, generation: Generation) {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 1,
            calls_per_day: 150,
            recording_delay_s: (1, 90),
            ..of_version(version)
        },
    );
    let crm = crm();
    let (_setup, agent) = started(name, &pbx, &crm, "backfill = \"1d\"");
    assert!(pbx.calls_total_scheduled() > 120);
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().parts().driver.generation(), generation);
    assert_eq!(agent.handle().status().pbx.version.as_deref(), Some(version));
    assert!(pbx.console_logins() <= 2, "{} logins", pbx.console_logins());
    assert_eq!((pbx.refused_logins(), pbx.editor()), (0, (0, 0)));
    // One question at the path that v20 has, and never again.
    let all = pbx.requests(PathKind::Token);
    assert!(all <= 1 + pbx.console_logins(), "{all} questions for a login");
    let people = agent.handle().store().read(store::directory).unwrap();
    let company = pbx.company();
    for person in &company.people {
        let ours = people.people.iter().find(|p| p.extension == person.number).unwrap();
        let mut there: Vec<i64> = person.memberships.iter().map(|m| i64::from(m.department_id)).collect();
        there.sort_unstable();
        assert_eq!(ours.memberships.iter().map(|m| m.department).collect::<Vec<_>>(), there);
        assert!(
            ours.memberships
                .iter()
                .all(|m| m.rights.role.as_deref() == Some("group-users")),
            "the console tells no role: everybody has the least of them"
        );
    }
}

#[test]
fn a_day_of_a_v18_is_here_row_by_row() {
    a_day("v18-day", V18, Generation::V18);
}

#[test]
fn a_day_of_a_v16_is_here_row_by_row() {
    a_day("v16-day", V16, Generation::V16);
}

#[test]
fn a_day_of_a_v15_is_here_row_by_row_and_its_recordings_by_their_names() {
    a_day("v15-day", V15, Generation::V15);
}
