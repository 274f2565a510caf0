//! A Bitrix24 portal, through either of its doors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use callspool_sim::bitrix24::{Bitrix24, Employee, Handle, PortalConfig};
use callspool_sim::pbx;
use callspool_sim::seed::Rng;

use super::rig::{Setup, rewrite_secret};
use super::stand::Stand;

/// How the box is let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A local application, by OAuth.
    Application,
    /// An inbound webhook, which may not register calls: they become activities.
    Webhook,
}

/// A portal.
pub struct Portal {
    portal: Handle,
    door: Door,
    expired: u32,
}

impl Portal {
    /// One where everybody of the PBX works, without a limit that others test.
    pub fn start(pbx: &pbx::Handle, door: Door) -> Portal {
        let people = pbx.company().people;
        let employees = people.iter().enumerate().map(|(n, person)| Employee {
            id: 10 + n as u64,
            inner: Some(person.number.clone()),
            active: true,
        });
        let mut config = PortalConfig {
            rate: 10_000.0,
            burst: 100_000.0,
            operating: (0.0, 480.0),
            keep_audio: false,
            ..PortalConfig::default()
        };
        config.employees.extend(employees);
        Portal {
            portal: Bitrix24::start(config).unwrap(),
            door,
            expired: 0,
        }
    }
}

impl Stand for Portal {
    fn addr(&self) -> Option<SocketAddr> {
        Some(self.portal.addr())
    }

    fn table(&self, addr: Option<SocketAddr>) -> String {
        let addr = addr.unwrap();
        let table =
            "[[target]]\nname = \"t\"\nkind = \"bitrix24\"\nrate = 10000\nburst = 100000\ntimeout = \"2s\"\n";
        match self.door {
            // The authorization server is reached directly: an answer of it that is lost ends in a person's hands, by
            // its rules.
            Door::Application => format!(
                "{table}url = \"http://{addr}\"\nclient_id = \"{}\"\ndefault_user = 1\nclient_secret_file = \"b24.secret\"\n\
                 refresh_token_file = \"b24.token\"\noauth_url = \"{}\"",
                PortalConfig::default().client_id,
                self.portal.url()
            ),
            Door::Webhook => {
                let hook = self.portal.webhook_by_way_of(addr);
                // Named here for `secrets`, which has no address.
                format!("{table}webhook_file = \"b24.webhook\"\n# {hook}")
            }
        }
    }

    fn secrets(&self, setup: &Setup) {
        match self.door {
            Door::Application => {
                rewrite_secret(setup, "b24.secret", &PortalConfig::default().client_secret);
                rewrite_secret(setup, "b24.token", &self.portal.install());
            }
            Door::Webhook => {
                let text = std::fs::read_to_string(setup.file()).unwrap();
                let hook = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap();
                rewrite_secret(setup, "b24.webhook", hook);
            }
        }
    }

    /// Tokens expire while nothing else happens to the box: who is killed between the answer and the commit has none
    /// left, and needs a person.
    fn trouble(&mut self, dice: &mut Rng) {
        if self.door == Door::Application && dice.chance(0.3) {
            let before = self.portal.requests("oauth");
            self.portal.expire_tokens();
            self.expired += 1;
            let end = std::time::Instant::now() + Duration::from_secs(10);
            while self.portal.requests("oauth") == before && std::time::Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn said(&self) -> String {
        format!(", tokens expired {} times", self.expired)
    }

    fn assert_once(&self, pbx: &pbx::Handle) {
        self.portal.with_truth(|truth| {
            assert_eq!(truth.violations, Vec::<String>::new());
            let mut hashes: BTreeMap<&str, usize> = BTreeMap::new();
            let (calls, records): (Vec<&str>, Vec<&str>) = match self.door {
                Door::Application => (
                    truth.calls.iter().map(|call| call.external_id.as_str()).collect(),
                    truth
                        .calls
                        .iter()
                        .filter_map(|call| Some(call.record.as_ref()?.sha256.as_str()))
                        .collect(),
                ),
                Door::Webhook => (
                    truth.activities.iter().map(|one| one.origin_id.as_str()).collect(),
                    truth
                        .activities
                        .iter()
                        .flat_map(|one| &one.files)
                        .map(|file| file.sha256.as_str())
                        .collect(),
                ),
            };
            records
                .into_iter()
                .for_each(|hash| *hashes.entry(hash).or_default() += 1);
            let mut ids = calls.clone();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), calls.len(), "a call twice");
            let of_pbx = pbx.truth();
            assert_eq!(calls.len(), of_pbx.len(), "calls at the portal");
            for recording in of_pbx.iter().flat_map(|call| &call.recordings) {
                assert_eq!(
                    hashes.remove(recording.sha256.as_str()),
                    Some(1),
                    "recording {}",
                    recording.id
                );
            }
            assert_eq!(hashes.len(), 0, "recordings that nobody made: {hashes:?}");
        });
    }
}
