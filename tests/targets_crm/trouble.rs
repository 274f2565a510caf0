//! What goes wrong at a CRM, alike at all three.

use callspool_sim::bitrix24::{Fault, Times};

use super::desk::{
    FAST, Kind, assert_once, crm, pbx, recorded, resume, settled, setup, start, wait_for_item, wait_until_settled,
};
use super::rig::world::PATIENCE;
use super::rig::{callspool, look, rewrite_secret};

pub fn what_only_a_person_can_mend_is_named_asked_about_seldom_and_nothing_is_lost(kind: Kind) {
    let pbx = pbx(240.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "mend", &pbx, &crm).set(FAST);
    let agent = start(&setup, &pbx);
    // One simulated hour of trouble each, with calls coming in.
    let hour = |what: &str| {
        let before = crm.requests("*");
        for _ in 0..3 {
            pbx.place_call(recorded());
        }
        let end = pbx.time().now_ms() + 3_600_000;
        look::wait_for("an hour", PATIENCE * 2, || pbx.time().now_ms() > end);
        let asked = crm.requests("*") - before;
        println!("{}: {what}: {asked} requests in an hour", kind.word());
        assert!(asked <= 20, "{what}: {asked} requests in an hour");
    };
    let mended = || {
        resume(&agent);
        wait_until_settled(&agent, &pbx);
        assert_once(kind, &pbx, &crm);
    };
    pbx.place_call(recorded());
    wait_until_settled(&agent, &pbx);

    let token = crm.renew_token();
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "down", "token-dead");
    assert!(!found.text.contains(&token), "{found:?}");
    hour("a token that was revoked");
    rewrite_secret(&setup, "crm.token", &token);
    mended();

    crm.deny(kind.making(), true);
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "permission", "right");
    assert!(found.fix.len() > 60, "{found:?}");
    hour("a right that was taken");
    crm.deny(kind.making(), false);
    mended();

    crm.configure(|config| config.moved_to = Some("new.example".to_owned()));
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "down", "portal-moved");
    assert!(found.text.contains("new.example"), "{found:?}");
    hour("a CRM that moved");
    crm.configure(|config| config.moved_to = None);
    mended();
}

pub fn the_documented_rate_is_kept_and_a_refusal_for_it_is_obeyed(kind: Kind) {
    let pbx = pbx(30.0);
    let crm = crm(kind, &pbx, |config| config.rate = None);
    // As the box is set when nobody says anything.
    let setup = setup(kind, "rate", &pbx, &crm).set("internal = true");
    for _ in 0..30 {
        pbx.place_call(recorded());
    }
    let agent = start(&setup, &pbx);
    wait_until_settled(&agent, &pbx);
    assert_once(kind, &pbx, &crm);
    let (refused, asked, took) = crm.with_truth(|truth| {
        let (first, last) = (truth.requests.first().unwrap(), truth.requests.last().unwrap());
        (
            truth.refused_for_rate,
            truth.requests.len(),
            (last.at_ms - first.at_ms) / 1_000,
        )
    });
    println!(
        "{}: {asked} requests in {took} s, {refused} refused for rate",
        kind.word()
    );
    assert_eq!(refused, 0);
    // Others use the same account: it refuses all the same.
    crm.fault(
        kind.making(),
        Fault::Refuse(429, "", "Too many requests"),
        Times::Count(2),
    );
    pbx.place_call(recorded());
    wait_until_settled(&agent, &pbx);
    assert_once(kind, &pbx, &crm);
    assert!(
        agent
            .handle()
            .health()
            .items()
            .iter()
            .all(|item| !item.code.starts_with("target-"))
    );
}

pub fn a_call_that_was_deleted_there_holds_its_recording_and_stops_nobody(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "deleted", &pbx, &crm).set(FAST);
    let agent = start(&setup, &pbx);
    let gone = match kind {
        Kind::HubSpot => "calls.update",
        Kind::Pipedrive => "recordings",
        Kind::EspoCrm => "Note.create",
    };
    crm.fault(gone, Fault::Refuse(404, "", "Not found"), Times::Count(1));
    pbx.place_call(recorded());
    let held = |agent: &super::rig::InProcess| {
        let read = agent
            .handle()
            .store()
            .read(|c| callspool::store::held_deliveries(c, 10));
        read.unwrap()
    };
    agent.wait("it is held", PATIENCE, |_| held(&agent).len() == 1);
    assert_eq!(held(&agent)[0].code, "deleted-there");
    pbx.place_call(recorded());
    agent.wait("the next goes through", PATIENCE, |_| crm.recordings().len() == 1);
    let clock = agent.handle().clock().clone();
    let again = move |within: &rusqlite::Savepoint| callspool::store::retry_held(within, None, None, &clock);
    agent.handle().store().write(again).unwrap();
    agent.wait("a person's retry is heard", PATIENCE, |handle| {
        resume(&agent);
        settled(handle, &pbx)
    });
    assert_once(kind, &pbx, &crm);
}

/// The real binary, as a technician calls it.
pub fn the_doctor_says_what_it_found_and_what_mends_it(kind: Kind) {
    let pbx = pbx(1.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "doctor", &pbx, &crm).set(FAST);
    let ask = || {
        let asked = callspool(&setup, &["doctor", "--only", "target"]);
        let said = String::from_utf8(asked.stdout).unwrap();
        println!("{said}");
        assert!(!said.contains(&crm.token()), "the token is shown");
        (asked.status.code(), said)
    };
    let users = crm.requests("*");
    let (code, said) = ask();
    assert_eq!((code, users), (Some(0), 0), "{said}");
    assert!(said.contains(" users; ") || said.contains(" owners; "), "{said}");
    let (looking, clicks) = match kind {
        Kind::HubSpot => ("contacts.search", "Private apps"),
        Kind::Pipedrive => ("callLogs.list", "Permission sets"),
        Kind::EspoCrm => ("Contact.list", "Roles"),
    };
    crm.deny(looking, true);
    let (code, said) = ask();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("target-permission") && said.contains(clicks), "{said}");
    crm.deny(looking, false);
    let token = crm.renew_token();
    let (_, said) = ask();
    assert!(said.contains("target-down") && said.contains("token-dead"), "{said}");
    rewrite_secret(&setup, "crm.token", &token);
    assert_eq!(ask().0, Some(0));
    assert!(
        crm.calls().is_empty() && crm.requests("property.create") == 0,
        "it leaves nothing there"
    );
}
