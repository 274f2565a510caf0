//! A PBX, one of the CRMs, a box between them, and the judge.

use std::collections::BTreeMap;

use callspool::health::Item;
use callspool_sim::crms::{self, Call, Config, Contact, User};
use callspool_sim::espocrm::EspoCrm;
use callspool_sim::hubspot::HubSpot;
use callspool_sim::pbx::{self, PbxConfig};
use callspool_sim::pipedrive::Pipedrive;

use super::rig::world::{PATIENCE, item, pbx_at, quiet};
pub use super::rig::world::{recorded, settled};
use super::rig::{InProcess, Setup, rewrite_secret, same_clock};

/// Which CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    HubSpot,
    Pipedrive,
    EspoCrm,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::HubSpot => "hubspot",
            Kind::Pipedrive => "pipedrive",
            Kind::EspoCrm => "espocrm",
        }
    }

    /// The request that makes a call.
    pub fn making(self) -> &'static str {
        match self {
            Kind::HubSpot => "calls.create",
            Kind::Pipedrive => "activities.create",
            Kind::EspoCrm => "Call.create",
        }
    }

    /// All requests that make something.
    pub fn all_making(self) -> &'static [&'static str] {
        match self {
            Kind::HubSpot => &["property.create", "calls.create", "files.upload", "calls.update"],
            Kind::Pipedrive => &["activities.create", "callLogs.create", "recordings"],
            Kind::EspoCrm => &["Call.create", "Attachment.create", "Note.create"],
        }
    }

    /// The request that makes a task.
    pub fn tasking(self) -> &'static str {
        match self {
            Kind::HubSpot => "tasks.create",
            Kind::Pipedrive => "activities.create",
            Kind::EspoCrm => "Task.create",
        }
    }

    /// The request that carries a recording.
    pub fn uploading(self) -> &'static str {
        match self {
            Kind::HubSpot => "files.upload",
            Kind::Pipedrive => "recordings",
            Kind::EspoCrm => "Attachment.create",
        }
    }

    /// The requests that delete something: files first, then calls.
    pub fn deleting(self) -> &'static [&'static str] {
        match self {
            Kind::HubSpot => &["files.delete", "calls.delete"],
            Kind::Pipedrive => &["callLogs.delete", "activities.delete"],
            Kind::EspoCrm => &["Note.delete", "Attachment.delete", "Call.delete"],
        }
    }

    /// The request that looks for a call whose making was not answered.
    pub fn finding(self) -> &'static str {
        match self {
            Kind::HubSpot => "calls.get",
            Kind::Pipedrive => "activities.list",
            Kind::EspoCrm => "Call.list",
        }
    }

    /// Where the CRM says that a call was held, or was not.
    pub fn held(self) -> (&'static str, &'static str) {
        match self {
            Kind::HubSpot => ("COMPLETED", "NO_ANSWER"),
            Kind::Pipedrive => ("connected", "no_answer"),
            Kind::EspoCrm => ("Held", "Not Held"),
        }
    }
}

/// The user who gets what belongs to nobody.
pub const NOBODYS: &str = "1";

/// A PBX on which nobody calls unless the test does.
pub fn pbx(rate: f64) -> pbx::Handle {
    pbx_at(
        rate,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    )
}

/// The same in real time, for the real agent.
pub fn pbx_of_now() -> pbx::Handle {
    let config = PbxConfig {
        transcribed_share: 0.0,
        ..quiet()
    };
    pbx::Pbx::start(config).unwrap()
}

/// A CRM at which everybody of the PBX works, by name, without a limit that tests of other things meet.
pub fn crm(kind: Kind, pbx: &pbx::Handle, change: impl FnOnce(&mut Config)) -> crms::Handle {
    let mut config = Config {
        time: pbx.time(),
        rate: Some((100_000, 1_000)),
        contacts: vec![Contact {
            id: "501".to_owned(),
            name: "Known Customer".to_owned(),
            phones: vec!["030 555-1234".to_owned()],
        }],
        ..Config::default()
    };
    let people = pbx.company().people;
    let users = people.iter().enumerate();
    config
        .users
        .extend(users.map(|(n, person)| User::new(&(10 + n).to_string(), &person.display(), "")));
    change(&mut config);
    match kind {
        Kind::HubSpot => HubSpot::start(config),
        Kind::Pipedrive => Pipedrive::start(config),
        Kind::EspoCrm => EspoCrm::start(config),
    }
    .unwrap()
}

/// A box beside `pbx` that delivers to `crm`; further settings belong to the target.
pub fn setup(kind: Kind, name: &str, pbx: &pbx::Handle, crm: &crms::Handle) -> Setup {
    // Spans of the PBX's clock, which may run faster than ours.
    let ms = |real: f64| (real * pbx.time().rate) as u64;
    let word = kind.word();
    let setup = Setup::new(&format!("{word}-{name}"), pbx, &pbx.url())
        .set(&format!(
            "poll = \"{}ms\"\nsweep = \"{}ms\"\nsettle = \"{}ms\"",
            ms(80.0),
            ms(500.0),
            ms(20.0)
        ))
        .set("backfill = \"1d\"\n[spool]\nmin_free = \"1 MiB\"")
        .set(&format!(
            "[[target]]\nname = \"crm\"\nkind = \"{word}\"\nurl = \"{}\"\nsecret_file = \"crm.token\"\n\
             default_owner = \"{NOBODYS}\"",
            crm.url()
        ));
    rewrite_secret(&setup, "crm.token", &crm.token());
    setup
}

/// No limit of ours, and little patience.
pub const FAST: &str = "rate = 100000\nburst = 100000\ntimeout = \"3s\"\ninternal = true";

pub fn start(setup: &Setup, pbx: &pbx::Handle) -> InProcess {
    InProcess::start(setup, same_clock(&pbx.time()))
}

pub fn wait_until_settled(agent: &InProcess, pbx: &pbx::Handle) {
    agent.wait("all is delivered", PATIENCE * 2, |handle| settled(handle, pbx));
}

/// The item of the target, with the code of its reason.
pub fn wait_for_item(agent: &InProcess, kind: &str, code: &str) -> Item {
    let name = format!("target-{kind}:crm");
    agent.wait(&name, PATIENCE, |handle| item(handle, &name).is_some());
    let found = item(agent.handle(), &name).unwrap();
    assert!(!found.fix.is_empty(), "{found:?}");
    let read = agent.handle().store().read(|c| callspool::store::target(c, "crm"));
    assert_eq!(read.unwrap().unwrap().code, code, "{found:?}");
    found
}

/// A person says: go on now.
pub fn resume(agent: &InProcess) {
    let clock = agent.handle().clock().clone();
    let resume = move |within: &rusqlite::Savepoint| callspool::deliver::resume(within, "crm", &clock);
    agent.handle().store().write(resume).unwrap();
}

/// Every call of the PBX once at the CRM, each recording byte for byte at one call, and no complaint.
pub fn assert_once(kind: Kind, pbx: &pbx::Handle, crm: &crms::Handle) -> Vec<Call> {
    assert_eq!(crm.with_truth(|truth| truth.violations.clone()), Vec::<String>::new());
    let held = crm.calls();
    let mut marks = BTreeMap::new();
    let mut hashes: BTreeMap<String, usize> = BTreeMap::new();
    for call in &held {
        assert!(call.external.starts_with("callspool-"), "{call:?}");
        assert!(
            marks.insert(call.external.clone(), ()).is_none(),
            "{} twice",
            call.external
        );
        for recording in &call.recordings {
            *hashes.entry(recording.sha256.clone()).or_default() += 1;
        }
    }
    let calls = pbx.truth();
    for recording in calls.iter().flat_map(|call| &call.recordings) {
        assert_eq!(hashes.get(&recording.sha256), Some(&1), "recording {}", recording.id);
    }
    let extra: usize = calls.iter().map(|call| call.recordings.len().saturating_sub(1)).sum();
    let extra = if kind == Kind::Pipedrive { extra } else { 0 };
    assert_eq!(held.len(), calls.len() + extra, "calls at the CRM");
    held
}
