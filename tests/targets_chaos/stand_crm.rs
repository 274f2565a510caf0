//! HubSpot, Pipedrive and EspoCRM, as stand-ins written from the vendors' documentation.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use callspool_sim::crms::{Config, Handle, User};
use callspool_sim::espocrm::EspoCrm;
use callspool_sim::hubspot::HubSpot;
use callspool_sim::pbx;
use callspool_sim::pipedrive::Pipedrive;

use super::rig::{Setup, rewrite_secret};
use super::stand::Stand;

/// One of them.
pub struct Desk {
    crm: Handle,
    word: &'static str,
}

impl Desk {
    /// One where everybody of the PBX works, without a limit that others test. `word`: the target's `kind`.
    pub fn start(pbx: &pbx::Handle, word: &'static str) -> Desk {
        let mut config = Config {
            time: pbx.time(),
            rate: Some((100_000, 1_000)),
            ..Config::default()
        };
        let people = pbx.company().people;
        let users = people.iter().enumerate();
        config
            .users
            .extend(users.map(|(n, person)| User::new(&(10 + n).to_string(), &person.display(), "")));
        let crm = match word {
            "hubspot" => HubSpot::start(config),
            "pipedrive" => Pipedrive::start(config),
            _ => EspoCrm::start(config),
        };
        Desk {
            crm: crm.unwrap(),
            word,
        }
    }
}

impl Stand for Desk {
    fn addr(&self) -> Option<SocketAddr> {
        self.crm.url().split("://").nth(1).unwrap().parse().ok()
    }

    fn table(&self, addr: Option<SocketAddr>) -> String {
        format!(
            "[[target]]\nname = \"t\"\nkind = \"{}\"\nurl = \"http://{}\"\nsecret_file = \"t.secret\"\ndefault_owner = \"1\"\n\
             rate = 100000\nburst = 100000\ntimeout = \"2s\"\ninternal = true",
            self.word,
            addr.unwrap()
        )
    }

    fn secrets(&self, setup: &Setup) {
        rewrite_secret(setup, "t.secret", &self.crm.token());
    }

    fn said(&self) -> String {
        let loose = self.crm.with_truth(|truth| truth.loose.len());
        format!(", {loose} files that belong to nothing")
    }

    fn assert_once(&self, pbx: &pbx::Handle) {
        let violations = self.crm.with_truth(|truth| truth.violations.clone());
        assert_eq!(violations, Vec::<String>::new());
        // EspoCRM takes a file before it belongs to anything, and knows no key for it: one of which no answer was heard stays
        // as an attachment of nothing, which no call shows.
        let loose = self.crm.with_truth(|truth| truth.loose.len());
        assert!(
            loose == 0 || self.word == "espocrm",
            "{loose} recordings that belong to no call"
        );
        let (held, of_pbx) = (self.crm.calls(), pbx.truth());
        let mut marks: Vec<&str> = held.iter().map(|call| call.external.as_str()).collect();
        marks.sort_unstable();
        marks.dedup();
        assert_eq!(marks.len(), held.len(), "a call twice");
        assert_eq!(held.len(), of_pbx.len(), "calls at the CRM");
        let mut hashes: BTreeMap<&str, usize> = BTreeMap::new();
        for recording in held.iter().flat_map(|call| &call.recordings) {
            *hashes.entry(&recording.sha256).or_default() += 1;
        }
        for recording in of_pbx.iter().flat_map(|call| &call.recordings) {
            assert_eq!(
                hashes.remove(recording.sha256.as_str()),
                Some(1),
                "recording {}",
                recording.id
            );
        }
        assert_eq!(hashes.len(), 0, "recordings that nobody made: {hashes:?}");
    }
}
