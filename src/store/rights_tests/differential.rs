//! Random companies: the rows that pass the filter are exactly those for which the decision says yes.
//!
//! People are in several departments with several roles and switches, share queues, are moved, disabled, deleted, and
//! their extensions given to others, between calls that are transferred between them; some calls and recordings are
//! delivered to one CRM, some to two, some to none; grants of the box expire. Then everybody asks for everything.

use std::collections::BTreeSet;

use super::visible::value;
use super::*;
use crate::model::DeliveryKind;
use crate::rights::{CrmRole, Levels, Member, Scope, Section};

/// A small generator: the same seed gives the same company on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const DEPARTMENTS: [i64; 4] = [30, 31, 32, 33];
const EXTENSIONS: [&str; 9] = ["101", "102", "103", "104", "105", "106", "107", "108", "109"];
const QUEUES: [&str; 3] = ["800", "801", "802"];
const ROLES: [&str; 10] = [
    "system_owners",
    "system_admins",
    "group_owners",
    "managers",
    "group_admins",
    "receptionists",
    "users",
    "users",
    "group-managers",
    "nonsense",
];

fn tick(dice: &mut Dice) -> Option<bool> {
    dice.one_of(&[None, None, None, Some(true), Some(false)])
}

fn rights(dice: &mut Dice, role: &str, speaks: bool) -> Rights {
    Rights {
        role: Some(role.to_owned()),
        see_calls: tick(dice).filter(|_| speaks),
        see_recordings: tick(dice).filter(|_| speaks),
        barge_in: tick(dice).filter(|_| speaks),
        ..Rights::default()
    }
}

fn some_departments(dice: &mut Dice, percent: u64) -> Vec<i64> {
    DEPARTMENTS.into_iter().filter(|_| dice.chance(percent)).collect()
}

/// Somebody new at an extension, or somebody who was there and has changed.
fn arrive(dice: &mut Dice, extension: &str, id: i64) -> Person {
    let memberships = some_departments(dice, 40)
        .into_iter()
        .map(|department| {
            let role = dice.one_of(&ROLES);
            let (own, of_role) = (dice.chance(40), dice.chance(30));
            Membership {
                department,
                rights: rights(dice, role, own),
                role_rights: rights(dice, role, of_role),
            }
        })
        .collect();
    Person {
        id,
        extension: extension.to_owned(),
        name: format!("person {id}"),
        enabled: !dice.chance(10),
        shows_recordings: tick(dice),
        deletes_recordings: tick(dice),
        memberships,
        ..Person::default()
    }
}

fn directory_of(dice: &mut Dice, people: &[Person], queues: &[Vec<i64>]) -> Directory {
    let departments = DEPARTMENTS.iter().map(|id| Department {
        id: *id,
        name: format!("department {id}"),
        number: None,
        rights: ["users", "managers"].map(|role| rights(dice, role, true)).to_vec(),
    });
    let mut whole = company(people.to_vec());
    whole.departments = departments.collect();
    whole
        .peers
        .retain(|peer| peer.kind == PeerKind::Extension || peer.kind == PeerKind::Other);
    whole
        .peers
        .extend(QUEUES.iter().zip(queues).map(|(number, departments)| Peer {
            number: (*number).to_owned(),
            name: "queue".to_owned(),
            kind: PeerKind::Queue,
            departments: departments.clone(),
        }));
    whole
}

/// Calls of one to four legs over extensions, queues, unknown numbers and deleted ones; some are internal.
fn some_calls(dice: &mut Dice, from: usize, count: usize, at_ms: i64) -> Vec<Leg> {
    let mut legs = Vec::new();
    for n in from..from + count {
        let started = at_ms + dice.below(50) as i64 * 1_000;
        for row in 0..=dice.below(4) {
            let mut to = dice.one_of(&EXTENSIONS);
            if dice.chance(25) {
                to = dice.one_of(&QUEUES);
            }
            if dice.chance(5) {
                to = "777";
            }
            let talking = if dice.chance(60) { 9_000 } else { 0 };
            let mut one = leg(
                &format!("{n}-{row}"),
                &format!("k{n}"),
                started + row as i64 * 500,
                to,
                talking,
            );
            if dice.chance(20) {
                one.from.dn = Some(dice.one_of(&EXTENSIONS).to_owned());
                one.from.kind = Some(0);
            }
            legs.push(one);
        }
    }
    legs
}

/// What the PBX's list and the targets say about one call, to be written in one go with that of the others.
struct About {
    call: i64,
    recorded: Vec<(i64, Option<&'static str>)>,
    told: Vec<(usize, bool)>,
}

fn some_recordings(dice: &mut Dice, bench: &Bench, count: usize) {
    let mut all = Vec::new();
    for n in 0..count {
        let recorded = (0..dice.below(3))
            .map(|m| {
                (
                    n as i64 * 10 + m as i64,
                    (!dice.chance(10)).then(|| dice.one_of(&EXTENSIONS)),
                )
            })
            .collect();
        let mut told: Vec<(usize, bool)> = Vec::new();
        for target in 0..2 {
            if dice.chance(50) {
                told.push((target, dice.chance(70)));
            }
        }
        all.push(About {
            call: bench.call(&format!("k{n}")),
            recorded,
            told,
        });
    }
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| all.iter().try_for_each(|about| put_about(within, about, &clock)))
        .unwrap();
}

fn put_about(within: &Savepoint, about: &About, clock: &Clock) -> Result<()> {
    let deliver = |recording, kind, id: String, target: usize, done: bool| -> Result<()> {
        let name = ["crm", "erp"][target];
        add_delivery(within, &id, name, about.call, recording, kind, "{}", clock)?;
        if done {
            within.execute("UPDATE delivery SET state = 'delivered' WHERE id = ?1", [&id])?;
        }
        Ok(())
    };
    for (target, done) in &about.told {
        deliver(
            None,
            DeliveryKind::CallCompleted,
            format!("d{}-{target}", about.call),
            *target,
            *done,
        )?;
    }
    for (pbx_id, extension) in &about.recorded {
        let of_call = (pbx_id % 7 != 0).then_some(about.call);
        expect_recording(within, *pbx_id, of_call, clock)?;
        link_recording(within, *pbx_id, (None, None), (None, None), *extension)?;
        let row = recording_by_pbx_id(within, *pbx_id)?.map(|recording| recording.id);
        for (target, done) in &about.told {
            let done = *done && pbx_id % 3 != 0;
            deliver(
                row,
                DeliveryKind::RecordingReady,
                format!("r{pbx_id}-{target}"),
                *target,
                done,
            )?;
        }
    }
    Ok(())
}

fn some_crm_roles(dice: &mut Dice) -> Vec<CrmRole> {
    (0..dice.below(4))
        .map(|n| {
            let mut levels = Levels::default();
            for section in Section::ALL {
                let (_, scope) = dice.one_of(section.levels());
                levels.set(*section, scope);
            }
            let member = match dice.below(3) {
                0 => Member::Everyone,
                1 => Member::Extension(dice.one_of(&EXTENSIONS).to_owned()),
                _ => Member::Department(dice.one_of(&DEPARTMENTS).to_string()),
            };
            CrmRole {
                target: dice.one_of(&["crm", "erp"]).to_owned(),
                name: format!("role {n}"),
                levels,
                members: vec![member],
                folder: dice.chance(60),
            }
        })
        .collect()
}

fn some_grants(dice: &mut Dice, bench: &Bench) {
    let mut grants: Vec<NewGrant> = Vec::new();
    for _ in 0..dice.below(8) {
        let to = match dice.chance(70) {
            true => Grantee::Extension(dice.one_of(&EXTENSIONS).to_owned()),
            false => Grantee::Role(dice.one_of(&["managers", "users", "technician"]).to_owned()),
        };
        let grant = NewGrant {
            to,
            action: dice.one_of(&ASKED),
            scope: dice.one_of(&Scope::ALL[1..]),
            department: dice.chance(40).then(|| dice.one_of(&DEPARTMENTS)),
            until_ms: dice
                .chance(40)
                .then(|| bench.clock.wall_ms() + dice.below(2) as i64 * 100_000),
            given_by: "test".to_owned(),
            why: "test".to_owned(),
        };
        grants.push(grant);
    }
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| {
            grants
                .iter()
                .try_for_each(|grant| give_grant(within, grant, &clock).map(|_| ()))
        })
        .unwrap();
}

const ASKED: [Action; 6] = [
    Action::CallView,
    Action::CallBargeIn,
    Action::RecordingListen,
    Action::RecordingDownload,
    Action::RecordingDelete,
    Action::TranscriptRead,
];

/// The rows of `table` that pass the filter.
fn passing(bench: &Bench, subject: &Subject, action: Action, table: &str, key: &str) -> BTreeSet<String> {
    let (condition, bound) = sql_filter(subject, action).sql();
    let sql = format!("SELECT CAST({key} AS TEXT) FROM {table} WHERE {condition}");
    bench
        .store
        .read(|c| {
            let mut asked = c.prepare(&sql)?;
            let bound = rusqlite::params_from_iter(bound.into_iter().map(value));
            let rows = asked.query_map(bound, |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap()
}

/// The rows of the same kind for which the decision says yes.
fn decided(subject: &Subject, action: Action, objects: &[(String, Object)]) -> BTreeSet<String> {
    let yes = objects
        .iter()
        .filter(|(_, object)| decide(subject, action, object).allowed);
    yes.map(|(key, _)| key.clone()).collect()
}

type Objects = (Vec<(String, Object)>, Vec<(String, Object)>, Vec<(String, Object)>);

fn all_objects(bench: &Bench, count: usize) -> Objects {
    bench
        .store
        .read(|c| {
            let (mut calls, mut recordings, mut legs) = (Vec::new(), Vec::new(), Vec::new());
            for n in 0..count {
                let Some(call) = call_by_key(c, &format!("k{n}"))? else {
                    continue;
                };
                calls.push((call.id.to_string(), object_of_call(c, call.id)?));
                for leg in legs_of(c, call.id)? {
                    legs.push((leg.cdr_id.clone(), object_of_leg(c, call.id, &leg)?));
                }
            }
            for pbx_id in 0..count as i64 * 10 {
                if let Some(recording) = recording_by_pbx_id(c, pbx_id)? {
                    recordings.push((recording.id.to_string(), object_of_recording(c, &recording)?));
                }
            }
            Ok((calls, recordings, legs))
        })
        .unwrap()
}

/// One company from a seed. Gives how many yes and how many no were compared.
fn compare(seed: u64) -> (usize, usize) {
    let (mut dice, mut bench) = (Dice(seed), Bench::new());
    let mut people: Vec<Person> = Vec::new();
    let mut next_id = 1;
    let mut count = 0;
    for round in 0..4 {
        bench.at(1_000_000 + round * 100_000);
        // People leave, come, move; the extensions of those who left go to others.
        people.retain(|_| !dice.chance(20));
        for person in &mut people {
            if dice.chance(30) {
                let name = person.name.clone();
                *person = Person {
                    name,
                    ..arrive(&mut dice, &person.extension.clone(), person.id)
                };
            }
        }
        for extension in EXTENSIONS {
            if people.iter().all(|person| person.extension != extension) && dice.chance(60) {
                people.push(arrive(&mut dice, extension, next_id));
                next_id += 1;
            }
        }
        people.sort_by(|a, b| a.extension.cmp(&b.extension));
        let queues: Vec<Vec<i64>> = QUEUES.iter().map(|_| some_departments(&mut dice, 40)).collect();
        // Some calls come before the first directory, some in between.
        if round > 0 || dice.chance(50) {
            let whole = directory_of(&mut dice, &people, &queues);
            bench.put(&whole);
        }
        let legs = some_calls(&mut dice, count, 12, bench.clock.wall_ms());
        count += 12;
        bench.take(legs);
        some_grants(&mut dice, &bench);
    }
    some_recordings(&mut dice, &bench, count);
    let (calls, recordings, legs) = all_objects(&bench, count);
    let crm_roles = some_crm_roles(&mut dice);
    let mut who: Vec<Who> = EXTENSIONS
        .map(|extension| Who::Extension(extension.to_owned()))
        .to_vec();
    who.extend([Who::Technician, Who::Terminal, Who::Dashboard]);
    let (mut yes, mut no) = (0, 0);
    for who in who {
        let subject = bench
            .store
            .read(|c| bench.rules(crm_roles.clone()).subject(c, &who))
            .unwrap();
        for action in ASKED {
            let (table, key, objects) = match action {
                Action::CallView | Action::CallBargeIn => ("call", "id", &calls),
                Action::TranscriptRead => ("leg", "cdr_id", &legs),
                _ => ("recording", "id", &recordings),
            };
            let by_decision = decided(&subject, action, objects);
            let by_filter = passing(&bench, &subject, action, table, key);
            assert_eq!(
                by_filter,
                by_decision,
                "seed {seed}: {} {}",
                subject.who.word(),
                action.word()
            );
            yes += by_decision.len();
            no += objects.len() - by_decision.len();
        }
        // The list by pages is the filter's, in order.
        let filter = CallFilter {
            most: 1_000,
            ..CallFilter::default()
        };
        let rights = sql_filter(&subject, Action::CallView);
        let listed = bench.store.read(|c| visible_calls(c, &filter, &rights)).unwrap();
        assert!(listed.windows(2).all(|pair| {
            (pair[0].call.started_ms, pair[0].call.id) > (pair[1].call.started_ms, pair[1].call.id)
        }));
        let listed: BTreeSet<String> = listed.iter().map(|row| row.call.id.to_string()).collect();
        assert_eq!(
            listed,
            passing(&bench, &subject, Action::CallView, "call", "id"),
            "seed {seed}"
        );
    }
    (yes, no)
}

/// Two halves, so that they run beside each other.
fn compare_all(seeds: std::ops::Range<u64>) {
    let (mut yes, mut no) = (0, 0);
    for seed in seeds {
        let (more_yes, more_no) = compare(seed);
        yes += more_yes;
        no += more_no;
    }
    println!("compared {yes} yes and {no} no");
    // Neither side may win by never happening.
    assert!(yes > 5_000 && no > 5_000, "{yes} yes, {no} no");
}

#[test]
fn lists_hold_exactly_what_decisions_allow_in_fifteen_random_companies() {
    compare_all(0..15);
}

#[test]
fn lists_hold_exactly_what_decisions_allow_in_fifteen_more() {
    compare_all(15..30);
}
