//! A portal, a box that delivers to it, and the judge.

use std::collections::BTreeMap;

use callspool::health::Item;
pub use callspool_sim::bitrix24::Handle as PortalHandle;
use callspool_sim::bitrix24::{Bitrix24, Employee, PortalConfig};
use callspool_sim::pbx::{self, PbxConfig};

use super::rig::world::{PATIENCE, item, pbx_at, quiet};
pub use super::rig::world::{recorded, settled};
use super::rig::{InProcess, Setup, rewrite_secret};

/// A portal that all employees of the PBX work at, with a limit that tests of other things don't meet.
pub fn portal(pbx: &pbx::Handle, change: impl FnOnce(&mut PortalConfig)) -> PortalHandle {
    let mut config = PortalConfig {
        time: pbx.time(),
        rate: 10_000.0,
        burst: 100_000.0,
        operating: (0.0, 480.0),
        ..PortalConfig::default()
    };
    let people = pbx.company().people;
    config
        .employees
        .extend(people.iter().enumerate().map(|(n, person)| Employee {
            id: 10 + n as u64,
            inner: Some(person.number.clone()),
            active: true,
        }));
    change(&mut config);
    Bitrix24::start(config).unwrap()
}

pub const FAST: &str = "rate = 10000\nburst = 100000\ntimeout = \"3s\"";

/// A box beside `pbx` that delivers to `portal` as a local application.
pub fn by_oauth(name: &str, pbx: &pbx::Handle, portal: &PortalHandle, url: &str) -> Setup {
    // Spans of the PBX's clock, which may run faster than ours.
    let ms = |real: f64| (real * pbx.time().rate) as u64;
    let setup = Setup::new(name, pbx, &pbx.url())
        .set(&format!("poll = \"{}ms\"\nsweep = \"{}ms\"\nsettle = \"{}ms\"", ms(80.0), ms(500.0), ms(20.0)))
        .set("backfill = \"1d\"\n[spool]\nmin_free = \"1 MiB\"")
        .set(&format!(
            "[[target]]\nname = \"b24\"\nkind = \"bitrix24\"\nurl = \"{url}\"\nclient_id = \"{}\"\ndefault_user = 1\n\
             client_secret_file = \"b24.secret\"\nrefresh_token_file = \"b24.token\"\noauth_url = \"{}\"",
            PortalConfig::default().client_id,
            portal.url()
        ));
    rewrite_secret(&setup, "b24.secret", &PortalConfig::default().client_secret);
    rewrite_secret(&setup, "b24.token", &portal.install());
    setup
}

/// The same with an inbound webhook.
pub fn by_webhook(name: &str, pbx: &pbx::Handle, portal: &PortalHandle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"1d\"\npoll = \"5s\"\nsettle = \"1s\"\n[spool]\nmin_free = \"1 MiB\"")
        .set("[[target]]\nname = \"b24\"\nkind = \"bitrix24\"\nwebhook_file = \"b24.webhook\"");
    rewrite_secret(&setup, "b24.webhook", &portal.webhook());
    setup
}

pub fn wait_for_item(agent: &InProcess, kind: &str, code: &str) -> Item {
    let name = format!("target-{kind}:b24");
    agent.wait(&name, PATIENCE, |handle| item(handle, &name).is_some());
    let found = item(agent.handle(), &name).unwrap();
    assert!(!found.fix.is_empty(), "{found:?}");
    let state = agent
        .handle()
        .store()
        .read(|c| callspool::store::target(c, "b24"))
        .unwrap()
        .unwrap();
    assert_eq!(state.code, code, "{found:?}");
    found
}

/// Every call of the PBX once at the portal, each recording byte for byte, in the right order, and no complaint.
pub fn assert_once(pbx: &pbx::Handle, portal: &PortalHandle) -> (usize, usize) {
    portal.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        let mut by_external = BTreeMap::new();
        let mut hashes: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &truth.calls {
            assert!(
                by_external.insert(&call.external_id, call).is_none(),
                "{} twice",
                call.external_id
            );
            assert!(!call.shown && !call.chatted, "a card or a chat was bothered");
            assert!(call.started.ends_with("+00:00"));
            if let Some(record) = &call.record {
                *hashes.entry(&record.sha256).or_default() += 1;
            }
        }
        let calls = pbx.truth();
        let mut recordings = 0;
        for recording in calls.iter().flat_map(|call| &call.recordings) {
            recordings += 1;
            assert_eq!(
                hashes.get(recording.sha256.as_str()),
                Some(&1),
                "recording {}",
                recording.id
            );
        }
        let extra: usize = calls.iter().map(|call| call.recordings.len().saturating_sub(1)).sum();
        assert_eq!(truth.calls.len(), calls.len() + extra, "calls at the portal");
        (calls.len(), recordings)
    })
}

/// A PBX whose recordings stay without words.
pub fn without_transcripts() -> pbx::Handle {
    pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    )
}
