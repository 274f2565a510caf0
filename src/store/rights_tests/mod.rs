//! Rights in the store: who a call belongs to, what stays as it was, what ages, and that lists are what decisions say.

mod belongs;
mod differential;
mod kept;
mod looking;
mod plan;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::clock::Clock;
use crate::model::{Department, Directory, Leg, Membership, Party, Peer, PeerKind, Person, Rights};
use crate::rights::{Action, CrmRole, Grant, Object, Subject, Who, decide, sql_filter};

pub(super) const SALES: i64 = 30;
pub(super) const SUPPORT: i64 = 31;

/// A store in a folder of its own, with a clock that the test sets.
pub(super) struct Bench {
    pub store: Store,
    pub clock: Clock,
    folder: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A clock that stands (a rate of nothing) at this moment.
pub(super) fn standing(wall_ms: i64) -> Clock {
    Clock::scaled(wall_ms, Instant::now(), 0.000_001)
}

impl Bench {
    pub fn new() -> Bench {
        let folder = std::env::temp_dir().join(format!("callspool-rights-{}", crate::random::token::<6>()));
        std::fs::create_dir(&folder).unwrap();
        Bench {
            store: Store::open(&folder.join("callspool.db")).unwrap(),
            clock: standing(1_000_000),
            folder,
        }
    }

    /// At another moment.
    pub fn at(&mut self, wall_ms: i64) {
        self.clock = standing(wall_ms);
    }

    pub fn put(&self, directory: &Directory) -> i64 {
        let (directory, clock) = (directory.clone(), self.clock.clone());
        let digest = format!("{directory:?}");
        self.store
            .write(move |within| apply_directory(within, &directory, &digest, &clock))
            .unwrap()
    }

    pub fn take(&self, legs: Vec<Leg>) {
        let clock = self.clock.clone();
        self.store
            .write(move |within| take_legs(within, &legs, &|dn| dn.starts_with('1'), &clock, 0))
            .unwrap();
    }

    pub fn call(&self, key: &str) -> i64 {
        self.store.read(|c| call_by_key(c, key)).unwrap().unwrap().id
    }

    pub fn rules(&self, crm_roles: Vec<CrmRole>) -> RightsContext {
        RightsContext {
            crm_roles,
            max_age_ms: 86_400_000,
            clock: self.clock.clone(),
        }
    }

    pub fn subject(&self, extension: &str) -> Subject {
        let who = Who::Extension(extension.to_owned());
        self.store.read(|c| self.rules(Vec::new()).subject(c, &who)).unwrap()
    }

    pub fn sees(&self, extension: &str, key: &str) -> bool {
        let object = self.store.read(|c| object_of_call(c, self.call(key))).unwrap();
        decide(&self.subject(extension), Action::CallView, &object).allowed
    }
}

/// Somebody with an extension: the id on the PBX, the departments with their role there.
pub(super) fn someone(id: i64, extension: &str, name: &str, places: &[(i64, &str)]) -> Person {
    Person {
        id,
        extension: extension.to_owned(),
        name: name.to_owned(),
        enabled: true,
        memberships: places
            .iter()
            .map(|(department, role)| Membership {
                department: *department,
                rights: Rights {
                    role: Some((*role).to_owned()),
                    ..Rights::default()
                },
                role_rights: Rights::default(),
            })
            .collect(),
        ..Person::default()
    }
}

pub(super) fn company(people: Vec<Person>) -> Directory {
    let department = |id, name: &str| Department {
        id,
        name: name.to_owned(),
        number: None,
        rights: Vec::new(),
    };
    let mut peers: Vec<Peer> = people
        .iter()
        .map(|person| Peer {
            number: person.extension.clone(),
            name: person.name.clone(),
            kind: PeerKind::Extension,
            departments: Vec::new(),
        })
        .collect();
    let more = |number: &str, kind, department| Peer {
        number: number.to_owned(),
        name: number.to_owned(),
        kind,
        departments: vec![department],
    };
    peers.push(more("800", PeerKind::Queue, SALES));
    peers.push(more("801", PeerKind::RingGroup, SUPPORT));
    peers.push(more("10000", PeerKind::Other, SALES));
    Directory {
        people,
        departments: vec![department(SALES, "Sales"), department(SUPPORT, "Support")],
        peers,
    }
}

/// Anna 101 and Bob 102 in Sales (Bob manages it), Carla 103 in Support, Dirk 104 manages Support.
pub(super) fn usual() -> Vec<Person> {
    vec![
        someone(1, "101", "Anna", &[(SALES, "users")]),
        someone(2, "102", "Bob", &[(SALES, "managers")]),
        someone(3, "103", "Carla", &[(SUPPORT, "users")]),
        someone(4, "104", "Dirk", &[(SUPPORT, "managers")]),
    ]
}

/// A leg of a call from outside to `to`.
pub(super) fn leg(cdr: &str, key: &str, started_ms: i64, to: &str, talking_ms: i64) -> Leg {
    let party = |dn: &str, kind| Party {
        dn: Some(dn.to_owned()),
        kind: Some(kind),
        ..Party::default()
    };
    Leg {
        cdr_id: cdr.to_owned(),
        history_id: None,
        call_key: key.to_owned(),
        started_ms,
        ringing_ms: 500,
        talking_ms,
        answered: talking_ms > 0,
        direction: None,
        kind: None,
        status: None,
        reason: None,
        from: party("10000", 1),
        to: party(to, 0),
        recordings: Vec::new(),
        transcript: None,
        summary: None,
        sentiment: None,
        did: None,
    }
}
