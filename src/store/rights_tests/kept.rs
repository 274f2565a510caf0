//! What is kept here: grants, accounts, the audit, the age of rights, and stores from before.

use super::*;
use crate::rights::{Because, Obstacle, Place, Scope, Source};

fn new_grant(to: Grantee, action: Action, scope: Scope) -> NewGrant {
    NewGrant {
        to,
        action,
        scope,
        department: None,
        until_ms: None,
        given_by: "technician".to_owned(),
        why: "asked for by the works council".to_owned(),
    }
}

fn give(bench: &Bench, grant: NewGrant) -> Option<i64> {
    grant.check(bench.clock.wall_ms()).unwrap();
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| give_grant(within, &grant, &clock))
        .unwrap()
}

fn local(subject: &Subject) -> Vec<&Grant> {
    subject
        .grants
        .iter()
        .filter(|grant| matches!(grant.source, Source::Local(_)))
        .collect()
}

fn to(extension: &str) -> Grantee {
    Grantee::Extension(extension.to_owned())
}

#[test]
fn s1_8_a_grant_of_this_box_lets_one_hear_a_departments_recordings_and_ends_when_taken_back() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let only = new_grant(to("101"), Action::RecordingListen, Scope::OwnAndDepartment);
    let id = give(&bench, only).unwrap();
    let subject = bench.subject("101");
    let grants = local(&subject);
    assert_eq!(grants.len(), 1);
    assert_eq!(
        (grants[0].place, grants[0].given_by.as_str()),
        (Place::Everywhere, "technician")
    );
    assert!(local(&bench.subject("102")).is_empty());
    let listed = bench.store.read(|c| local_grants(c, false)).unwrap();
    assert_eq!(
        (listed[0].extension.as_str(), listed[0].why.as_str()),
        ("101", "asked for by the works council")
    );
    let clock = bench.clock.clone();
    assert!(
        bench
            .store
            .write(move |within| end_grant(within, id, "102", &clock))
            .unwrap()
    );
    assert!(local(&bench.subject("101")).is_empty());
    assert!(bench.store.read(|c| local_grants(c, false)).unwrap().is_empty());
    let ended = bench.store.read(|c| local_grants(c, true)).unwrap();
    assert_eq!(ended[0].ended_by.as_deref(), Some("102"));
    let clock = bench.clock.clone();
    assert!(
        !bench
            .store
            .write(move |within| end_grant(within, id, "102", &clock))
            .unwrap()
    );
}

#[test]
fn a_grant_to_a_role_reaches_those_who_have_it_in_the_departments_where_they_do() {
    let bench = Bench::new();
    let mut people = usual();
    people[1] = someone(2, "102", "Bob", &[(SALES, "managers"), (SUPPORT, "users")]);
    bench.put(&company(people));
    let role = Grantee::Role("managers".to_owned());
    give(&bench, new_grant(role, Action::Export, Scope::Any));
    let role = Grantee::Role("managers".to_owned());
    give(
        &bench,
        new_grant(role, Action::RecordingDelete, Scope::OwnAndDepartment),
    );
    let bob = bench.subject("102");
    let places: Vec<Place> = local(&bob).iter().map(|grant| grant.place).collect();
    assert_eq!(places, [Place::Everywhere, Place::Department(SALES)]);
    assert!(local(&bench.subject("101")).is_empty());
    let tech = Grantee::Role("technician".to_owned());
    give(
        &bench,
        NewGrant {
            department: Some(SALES),
            ..new_grant(tech, Action::RecordingListen, Scope::OwnAndDepartment)
        },
    );
    let subject = |who| bench.store.read(|c| bench.rules(Vec::new()).subject(c, &who)).unwrap();
    assert_eq!(local(&subject(Who::Technician)).len(), 1);
    assert_eq!(local(&subject(Who::Terminal)).len(), 1);
    assert_eq!(subject(Who::Nobody("x".to_owned())).grants, []);
}

#[test]
fn a_grant_that_has_expired_gives_nothing_and_a_clock_set_back_does_not_revive_it() {
    let mut bench = Bench::new();
    bench.put(&company(usual()));
    let one = NewGrant {
        until_ms: Some(1_100_000),
        ..new_grant(to("101"), Action::CallView, Scope::Any)
    };
    give(&bench, one.clone());
    bench.take(vec![leg("a", "k", 900_000, "103", 9_000)]);
    assert!(bench.sees("101", "k"));
    bench.at(1_100_000);
    assert!(!bench.sees("101", "k"));
    assert!(bench.store.read(|c| grants_to_expire(c, &bench.clock)).unwrap());
    let clock = bench.clock.clone();
    assert_eq!(
        bench.store.write(move |within| expire_grants(within, &clock)).unwrap(),
        1
    );
    bench.at(1_000_000);
    assert!(!bench.sees("101", "k"), "the clock was set back");
    assert!(!bench.store.read(|c| grants_to_expire(c, &bench.clock)).unwrap());
    assert!(one.check(1_100_000).unwrap_err().contains("expired"));
}

#[test]
fn a_grant_is_not_inherited_with_the_extension_and_nobody_gets_none() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    give(&bench, new_grant(to("101"), Action::CallView, Scope::Any)).unwrap();
    assert_eq!(give(&bench, new_grant(to("190"), Action::CallView, Scope::Any)), None);
    let mut people = usual();
    people[0] = someone(9, "101", "Zoe", &[(SALES, "users")]);
    bench.put(&company(people));
    assert!(local(&bench.subject("101")).is_empty());
}

#[test]
fn a_grant_that_makes_no_sense_is_refused_with_words() {
    let fine = new_grant(to("101"), Action::CallView, Scope::Any);
    assert_eq!(fine.check(0), Ok(()));
    let told = |change: &dyn Fn(&mut NewGrant)| {
        let mut grant = fine.clone();
        change(&mut grant);
        grant.check(1_000).unwrap_err()
    };
    assert!(told(&|g| g.why = " ".to_owned()).contains("say why"));
    assert!(told(&|g| g.scope = Scope::Denied).contains("takes nothing away"));
    assert!(told(&|g| g.to = Grantee::Role("boss".to_owned())).contains("no role"));
    assert!(told(&|g| (g.action, g.department) = (Action::CallOutbound, Some(1))).contains("no departments"));
    assert!(told(&|g| (g.action, g.scope) = (Action::BoxView, Scope::Own)).contains("whole box"));
    let technician = |g: &mut NewGrant| {
        g.to = Grantee::Role("technician".to_owned());
        g.scope = Scope::OwnAndDepartment;
    };
    assert!(told(&technician).contains("no extension"));
}

#[test]
fn an_account_is_a_persons_and_goes_with_them_and_not_with_the_extension() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let clock = bench.clock.clone();
    let made = bench
        .store
        .write(move |within| add_account(within, "101", "technician", &clock))
        .unwrap()
        .unwrap();
    assert_eq!(
        (made.extension.as_str(), made.password_hash.clone(), made.present),
        ("101", None, true)
    );
    let (clock, holder) = (bench.clock.clone(), made.holder);
    bench
        .store
        .write(move |within| {
            assert!(set_code(within, holder, "code", 2_000_000)?);
            (0..2).try_for_each(|_| miss_code(within, holder, 3))?;
            assert!(account_of(within, holder)?.unwrap().code_hash.is_some());
            miss_code(within, holder, 3)?;
            assert_eq!(
                account_of(within, holder)?.unwrap().code_hash,
                None,
                "three wrong codes void it"
            );
            set_code(within, holder, "code", 2_000_000)?;
            assert!(set_account_password(within, holder, "hash", &clock)?);
            let kept = add_account(within, "101", "somebody else", &clock)?.unwrap();
            assert_eq!((kept.password_hash.as_deref(), kept.code_hash), (Some("hash"), None));
            assert_eq!(kept.given_by, "technician");
            assert!(disable_account(within, holder, true, &clock)?);
            assert!(add_account(within, "190", "technician", &clock)?.is_none());
            Ok(())
        })
        .unwrap();
    let mut people = usual();
    people[0] = someone(9, "101", "Zoe", &[(SALES, "users")]);
    bench.put(&company(people));
    assert_eq!(bench.store.read(|c| account(c, "101")).unwrap(), None);
    let all = bench.store.read(accounts).unwrap();
    assert_eq!((all.len(), all[0].present, all[0].disabled), (1, false, true));
    assert!(bench.store.write(move |within| remove_account(within, holder)).unwrap());
    assert!(bench.store.read(accounts).unwrap().is_empty());
}

#[test]
fn the_audit_takes_rows_and_never_gives_or_changes_one_but_by_retention() {
    let mut bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "103", 9_000)]);
    let call = bench.call("k");
    let object = bench.store.read(|c| object_of_call(c, call)).unwrap();
    for (n, extension) in ["103", "101", "104"].iter().enumerate() {
        bench.at(1_000_000 + n as i64 * 1_000);
        let subject = bench.subject(extension);
        let decision = decide(&subject, Action::CallView, &object);
        let entry = NewAudit::of(&subject, "page", &decision).call(call).about("test");
        let clock = bench.clock.clone();
        bench.store.write(move |within| audit(within, &entry, &clock)).unwrap();
    }
    let rows = |filter: AuditFilter| {
        bench
            .store
            .read(|c| audit_rows(c, &AuditFilter { most: 10, ..filter }))
            .unwrap()
    };
    let all = rows(AuditFilter::default());
    let told: Vec<(&str, bool, &str, &str)> = all
        .iter()
        .map(|row| (row.who.as_str(), row.allowed, row.scope.as_str(), row.because.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("104", true, "department", "pbx managers"),
            ("101", false, "own", "too-narrow"),
            ("103", true, "own", "pbx users")
        ]
    );
    assert!(
        all.iter()
            .all(|row| row.rights_version == 1 && row.call == Some(call) && row.way == "page")
    );
    let refused = AuditFilter {
        allowed: Some(false),
        ..AuditFilter::default()
    };
    assert_eq!(rows(refused).len(), 1);
    let about = |who: Option<&str>, call, action, since_ms, before| {
        rows(AuditFilter {
            who: who.map(str::to_owned),
            call,
            action,
            since_ms,
            before,
            ..AuditFilter::default()
        })
        .len()
    };
    assert_eq!(about(Some("103"), Some(call), Some(Action::CallView), None, None), 1);
    assert_eq!(about(None, Some(call + 1), None, None, None), 0);
    assert_eq!(about(None, None, Some(Action::RecordingListen), None, None), 0);
    assert_eq!(about(None, None, None, Some(1_001_000), None), 2);
    assert_eq!(about(None, None, None, None, Some(all[0].id)), 2);

    for sql in [
        "DELETE FROM audit",
        "UPDATE audit SET who = 'x'",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
    ] {
        let done = bench.store.write(move |within| Ok(within.execute(sql, [])?));
        assert!(done.unwrap_err().to_string().contains("append-only"), "{sql}");
    }
    assert_eq!(rows(AuditFilter::default()).len(), 3);
    let oldest = all.iter().map(|row| row.id).min().unwrap();
    assert!(bench.store.read(|c| audit_to_retain(c, oldest)).unwrap());
    assert_eq!(
        bench.store.write(move |within| retain_audit(within, oldest)).unwrap(),
        1
    );
    assert!(!bench.store.read(|c| audit_to_retain(c, oldest)).unwrap());
    assert_eq!(rows(AuditFilter::default()).len(), 2);
    let done = bench.store.write(|within| Ok(within.execute("DELETE FROM audit", [])?));
    assert!(done.is_err(), "retention leaves nothing open behind it");
}

/// As another boot of the machine sees it.
fn reboot(bench: &Bench) {
    bench
        .store
        .write(|within| Ok(within.execute("UPDATE snapshot SET boot = 'another'", [])?))
        .unwrap();
}

fn age(bench: &Bench) -> Option<i64> {
    let snapshot = bench.store.read(snapshot).unwrap().unwrap();
    snapshot.age_ms(&bench.clock)
}

fn note(bench: &Bench) {
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| note_rights_age(within, &clock))
        .unwrap();
}

#[test]
fn rights_age_by_the_monotonic_clock_whatever_the_wall_clock_says() {
    let mut bench = Bench::new();
    bench.clock = Clock::scaled(1_000_000, Instant::now(), 1.0);
    bench.put(&company(usual()));
    let put_at = bench.store.read(snapshot).unwrap().unwrap().mono;
    // An hour on the monotonic clock, and a wall clock that was set back by a day.
    bench.clock = Clock::scaled(-86_400_000, Instant::now() - Duration::from_secs(10), 360.0);
    let before = bench.clock.mono_ms() - put_at;
    let told = age(&bench).unwrap();
    let after = bench.clock.mono_ms() - put_at;
    assert!(
        (before..=after).contains(&told) && told > 3_500_000,
        "{before} {told} {after}"
    );
}

#[test]
fn a_reboot_makes_rights_no_younger_and_a_clock_set_back_over_it_makes_them_too_old() {
    let mut bench = Bench::new();
    bench.put(&company(usual()));
    assert_eq!(age(&bench), Some(0));
    // Half an hour later it is noted that they are half an hour old.
    bench.clock = standing(2_800_000);
    reboot(&bench);
    assert_eq!(age(&bench), Some(1_800_000));
    note(&bench);
    assert_eq!(
        age(&bench),
        Some(1_800_000),
        "noting makes them neither younger nor older"
    );
    // Off for an hour.
    reboot(&bench);
    bench.at(2_800_000 + 3_600_000);
    assert_eq!(age(&bench), Some(5_400_000));
    // The clock comes up before what was noted: nobody can tell, and what is noted then is that.
    bench.at(2_000_000);
    assert_eq!(age(&bench), None);
    assert!(
        bench
            .store
            .read(|c| bench.rules(Vec::new()).freshness(c))
            .unwrap()
            .too_old()
    );
    note(&bench);
    bench.at(9_000_000);
    assert_eq!(
        age(&bench),
        None,
        "setting the clock right afterwards tells nothing either"
    );
    let refused = decide(&bench.subject("101"), Action::CallView, &Object::Whole);
    let Because::Refused(refusal) = refused.because else {
        panic!("granted")
    };
    assert_eq!(refusal.obstacle, Obstacle::RightsTooOld);
    // Only the PBX makes them young.
    bench.put(&company(usual()));
    assert_eq!(age(&bench), Some(0));
}

#[test]
fn rights_that_were_never_read_are_too_old_and_technicians_look_after_the_box_all_the_same() {
    let bench = Bench::new();
    note(&bench);
    let subject = |who| bench.store.read(|c| bench.rules(Vec::new()).subject(c, &who)).unwrap();
    let tech = subject(Who::Technician);
    assert!(tech.rights.too_old() && tech.rights.version == 0);
    assert!(decide(&tech, Action::BoxView, &Object::Whole).allowed);
    assert!(
        !decide(
            &subject(Who::Extension("101".to_owned())),
            Action::CallView,
            &Object::Whole
        )
        .allowed
    );
}

#[test]
fn a_disabled_person_and_a_removed_one_see_nothing() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    assert!(bench.sees("101", "k"));
    let mut people = usual();
    people[0].enabled = false;
    let before = bench.subject("101").rights.version;
    bench.put(&company(people.clone()));
    assert!(!bench.sees("101", "k"));
    assert!(bench.subject("101").rights.version > before);
    bench.put(&company(people.split_off(1)));
    assert!(!bench.sees("101", "k"));
    assert_eq!(bench.subject("101").who.word(), "nobody");
}

#[test]
fn s3_2_the_crms_roles_come_to_a_person_by_their_department_on_the_pbx() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let typed = |members: &[&str]| crate::config::CrmRole {
        target: "crm".to_owned(),
        name: "Manager".to_owned(),
        members: members.iter().map(|member| (*member).to_owned()).collect(),
        recorded_calls_folder: true,
        ..crate::config::CrmRole::default()
    };
    let text = "[pbx]\nurl = \"https://p\"\nclient_id = \"c\"\nsecret_file = \"s\"\n";
    let mut config = crate::config::parse(text, std::path::Path::new("c.toml")).unwrap();
    config.rights.crm_roles = vec![typed(&["department:Support"])];
    let rules = RightsContext::new(&config, bench.clock.clone());
    assert_eq!(rules.max_age_ms, 86_400_000);
    let crm = |extension: &str| {
        let who = Who::Extension(extension.to_owned());
        let subject = bench.store.read(|c| rules.subject(c, &who)).unwrap();
        let grants = subject
            .grants
            .iter()
            .filter(|grant| matches!(grant.source, Source::Crm(_)));
        (grants.count() > 0, subject.folders.len())
    };
    assert_eq!((crm("103"), crm("101")), ((true, 1), (false, 0)));
}

#[test]
fn a_store_from_before_gets_the_parties_of_its_calls_from_the_next_directory() {
    let folder = std::env::temp_dir().join(format!("callspool-before-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("callspool.db");
    let mut connection = Connection::open(&path).unwrap();
    schema::migrate(&mut connection, &path, &schema::MIGRATIONS[..1]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO call (id, key, started_ms, ended_ms, direction, outcome, ringing_ms, talking_ms, revision,
                               settle_mono, boot, seen_ms)
             VALUES (1, 'k', 900000, 909000, 'inbound', 'answered', 0, 9000, 1, 0, '', 0);
             INSERT INTO leg (cdr_id, call, started_ms, ringing_ms, talking_ms, answered, recordings, from_dn, from_kind,
                              to_dn, to_kind)
             VALUES ('a', 1, 900000, 0, 9000, 1, '[]', '10000', 1, '101', 0);
             INSERT INTO snapshot (digest, taken_ms, read_ms, mono, boot) VALUES ('old', 1, 1, 1, 'b');",
        )
        .unwrap();
    drop(connection);
    let bench = Bench {
        store: Store::open(&path).unwrap(),
        clock: standing(1_000_000),
        folder,
    };
    let parties = bench.store.read(|c| parties_of(c, 1)).unwrap();
    assert_eq!(
        (parties.len(), parties[0].dn.as_str(), parties[0].spoke),
        (1, "101", true)
    );
    bench.put(&company(usual()));
    assert!(bench.sees("101", "k") && bench.sees("102", "k") && !bench.sees("103", "k"));
}
