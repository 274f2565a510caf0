//! Links in the place of audio: they wait for the object, lead to it, end, can be ended, and die with the recording.

use std::process::Output;
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool::keep::follow_link;
use callspool::store::{LinkFilter, Store, links};
use callspool_sim::crm;
use callspool_sim::hubspot::HubSpot;
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx};

use crate::bucket::{self, Bucket};
use crate::rig::look::wait_for;
use crate::rig::world::{crm, over, quiet, told};
use crate::rig::{Process, Setup, callspool};
use crate::server::{self, Server};
use crate::{PATIENCE, resume, setup};

const BASE: &str = "https://box.example.com";

const DAY_MS: i64 = 86_400_000;

/// The links that the CRM was told.
fn told_links(crm: &crm::Handle) -> Vec<String> {
    crm.with_state(|state| state.announced.iter().filter_map(|one| one.link.clone()).collect())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Where a link leads, by what the box has and at a moment so many days from now.
fn follow(setup: &Setup, link: &str, days: i64) -> Option<String> {
    let store = Store::open(&setup.state_dir().join("callspool.db")).unwrap();
    let token = link.strip_prefix(&format!("{BASE}/r/")).unwrap();
    let clock = Clock::scaled(Clock::system().wall_ms() + days * DAY_MS, Instant::now(), 1.0);
    follow_link(&store, &setup.config().targets, token, &clock).unwrap()
}

fn fetch(url: &str) -> Vec<u8> {
    let mut answer = bucket::agent().get(url).call().unwrap();
    assert_eq!(answer.status(), 200);
    answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap()
}

fn place(pbx: &pbx::Handle, kind: CallKind) -> pbx::TrueCall {
    pbx.place_call(CallPlan {
        kind: Some(kind),
        ..over(true)
    })
}

#[test]
fn a_link_waits_for_its_object_leads_there_and_ends_when_it_should() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let _bucket = Bucket::make(&server, "rec", false);
    let (pbx, crm) = (Pbx::start(quiet()).unwrap(), crm());
    let line = Line::start(server.addr).unwrap();
    line.chaos(
        1,
        Chances {
            refuse: 1.0,
            ..Chances::default()
        },
    );
    let setup = setup("s3-links", &pbx, line.addr(), "")
        .target("crm", &crm, &crm.hook_url())
        .set(&format!(
            "recording = \"link\"\nlink_from = \"archive\"\nlink_base = \"{BASE}\"\nlink_for = \"30d\""
        ))
        .set("[[rule]]\nname = \"what is said inside stays inside\"\ninternal = true\naudio = [\"crm\"]");
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);

    // The store is down: the CRM is told of the call, and not of an address where nothing is.
    let call = place(&pbx, CallKind::Inbound);
    let key = call.main_call_history_id.clone();
    let reason = "waits for the recording to be in archive";
    wait_for("the link waits", PATIENCE, || {
        told(&crm, &key) && said(&callspool(&setup, &["why", &key])).contains(reason)
    });
    // It waits for longer than any pause, and a restart does not make it forget for what.
    assert!(process.stop());
    process = Process::start(&setup);
    process.wait_until_up(&setup);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(told_links(&crm), Vec::<String>::new());

    line.calm();
    resume(&setup);
    wait_for("the link is told", PATIENCE, || told_links(&crm).len() == 1);
    let link = told_links(&crm).remove(0);
    let token = link.strip_prefix(&format!("{BASE}/r/")).unwrap();
    assert_eq!(token.len(), 32, "192 bits: {link}");
    let database = std::fs::read(setup.state_dir().join("callspool.db")).unwrap();
    let wal = std::fs::read(setup.state_dir().join("callspool.db-wal")).unwrap_or_default();
    for file in [&database, &wal] {
        assert!(
            !file.windows(token.len()).any(|some| some == token.as_bytes()),
            "the token is stored"
        );
    }
    let audio = pbx.audio(call.recordings[0].id).unwrap();
    let address = follow(&setup, &link, 0).unwrap();
    assert!(address.contains("X-Amz-Expires=300"), "{address}");
    assert_eq!(fetch(&address), audio);
    assert!(follow(&setup, &link, 29).is_some());
    assert_eq!(follow(&setup, &link, 31), None, "it has an end");
    let guessed = format!("{BASE}/r/{}", "A".repeat(32));
    assert_eq!(follow(&setup, &guessed, 0), None);
    let listed: serde_json::Value =
        serde_json::from_str(&said(&callspool(&setup, &["links", "list", "--json"]))).unwrap();
    assert_eq!(listed[0]["uses"], 2, "{listed}");
    let audit = said(&callspool(&setup, &["audit"]));
    assert!(audit.contains("link.follow"), "{audit}");

    // A rule keeps the audio from the store: then there is nothing to link to, and no link.
    let kept = place(&pbx, CallKind::Internal);
    let other = place(&pbx, CallKind::Inbound);
    wait_for("the third call's link is told", PATIENCE, || {
        told_links(&crm).len() == 2 && told(&crm, &kept.main_call_history_id)
    });
    let store = Store::open(&setup.state_dir().join("callspool.db")).unwrap();
    let all = || store.read(|c| links(c, &LinkFilter::All, 9)).unwrap();
    assert_eq!(all().len(), 2);

    // Ended by a person: by call, and it says so.
    let ended = callspool(&setup, &["links", "revoke", &all()[1].id.to_string(), "--json"]);
    assert!(
        said(&ended).contains("\"ended\": 1") || said(&ended).contains("\"ended\":1"),
        "{ended:?}"
    );
    assert_eq!(follow(&setup, &link, 0), None, "it was revoked");
    let audit = said(&callspool(&setup, &["audit"]));
    assert!(audit.contains("ended 1 links"), "{audit}");

    // Who is erased takes the link along.
    let theirs = told_links(&crm).remove(1);
    assert!(follow(&setup, &theirs, 0).is_some());
    let number = crm.with_state(|state| {
        let event = state
            .calls
            .iter()
            .find(|event| event.call == other.main_call_history_id);
        event.unwrap().data["from"]["number"].as_str().unwrap().to_owned()
    });
    let erased = callspool(&setup, &["erase", &number, "--why", "asked", "--yes"]);
    assert!(erased.status.success(), "{erased:?}");
    wait_for("the link is dead", PATIENCE, || follow(&setup, &theirs, 0).is_none());
    wait_for("its row is gone", PATIENCE, || {
        all().iter().all(|link| link.revoked_ms.is_some())
    });
    assert!(process.stop());
}

#[test]
fn a_link_to_the_store_itself_is_signed_for_a_week_and_hubspot_gets_one_to_the_box() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    Bucket::make(&server, "rec", false);
    let (pbx, crm) = (Pbx::start(quiet()).unwrap(), crm());
    let hubspot = HubSpot::start(callspool_sim::crms::Config::default()).unwrap();
    let setup = setup("s3-signed", &pbx, server.addr, "")
        .target("crm", &crm, &crm.hook_url())
        .set("recording = \"link\"\nlink_from = \"archive\"")
        .set("[[target]]\nname = \"hub\"\nkind = \"hubspot\"\nsecret_file = \"hub.secret\"\nrecording = \"link\"")
        .set(&format!(
            "url = {:?}\nlink_from = \"archive\"\nlink_base = \"{BASE}\"",
            hubspot.url()
        ));
    crate::rewrite_secret(&setup, "hub.secret", &hubspot.token());
    let mut process = Process::start(&setup);
    let call = place(&pbx, CallKind::Outbound);
    wait_for("the address is told", PATIENCE, || told_links(&crm).len() == 1);
    let url = told_links(&crm).remove(0);
    assert!(url.contains("X-Amz-Expires=604800"), "{url}");
    let audio = pbx.audio(call.recordings[0].id).unwrap();
    assert_eq!(fetch(&url), audio);

    let link = || {
        hubspot.with_truth(|truth| {
            truth
                .calls
                .iter()
                .map(|call| call.link.clone())
                .find(|link| !link.is_empty())
        })
    };
    wait_for("the address is in HubSpot's call", PATIENCE, || link().is_some());
    assert_eq!(fetch(&follow(&setup, &link().unwrap(), 0).unwrap()), audio);
    assert_eq!(
        hubspot.with_truth(|truth| truth.violations.clone()),
        Vec::<String>::new()
    );
    assert!(process.stop());
}
