//! Limits, tokens, rights, and a portal that is gone.

use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{self, PbxConfig};
use callspool_sim::time::SimTime;

use super::portal::{
    FAST, assert_once, by_oauth, by_webhook, portal, recorded, settled, wait_for_item, without_transcripts,
};
use super::rig::world::{PATIENCE, pbx_at, quiet};
use super::rig::{self, InProcess, MORNING_MS, rewrite_secret, same_clock};

#[test]
fn what_only_a_person_can_mend_is_named_and_asked_about_seldom_and_nothing_is_lost() {
    let pbx = pbx_at(
        240.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let portal = portal(&pbx, |_| {});
    let setup = by_webhook("b24-mend", &pbx, &portal).set(FAST);
    portal.configure(|config| config.webhook_may_call = true);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let asked = || portal.with_truth(|truth| truth.requests.len());
    // One simulated hour of trouble each, on a portal that refuses, with calls coming in.
    let hour = |what: &str| {
        let before = asked();
        for _ in 0..3 {
            pbx.place_call(recorded());
        }
        let end = pbx.time().now_ms() + 3_600_000;
        rig::look::wait_for("an hour", PATIENCE * 2, || pbx.time().now_ms() > end);
        let in_an_hour = asked() - before;
        println!("{what}: {in_an_hour} requests in an hour");
        assert!(in_an_hour <= 20, "{what}: {in_an_hour} requests in an hour");
    };
    let mended = |what: &str| {
        let clock = agent.handle().clock().clone();
        let resume = move |within: &rusqlite::Savepoint| callspool::deliver::resume(within, "b24", &clock);
        agent.handle().store().write(resume).unwrap();
        agent.wait(what, PATIENCE, |handle| settled(handle, &pbx));
        assert_once(&pbx, &portal);
    };

    pbx.place_call(recorded());
    agent.wait("the first is delivered", PATIENCE, |handle| settled(handle, &pbx));

    portal.deny("telephony.externalCall.attachRecord", true);
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "permission", "right-recording");
    assert!(found.fix.contains("Call recording"), "{found:?}");
    hour("a revoked right");
    portal.deny("telephony.externalCall.attachRecord", false);
    mended("after the right was given back");

    portal.configure(|config| config.moved_to = Some("new.example".to_owned()));
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "down", "portal-moved");
    assert!(found.text.contains("new.example"), "{found:?}");
    hour("a portal that moved");
    portal.configure(|config| config.moved_to = None);
    mended("after it is back");

    portal.delete_webhook();
    pbx.place_call(recorded());
    let found = wait_for_item(&agent, "down", "webhook-deleted");
    assert!(
        !found.text.contains("/rest/") && !found.fix.contains("/rest/1/"),
        "{found:?}"
    );
}

#[test]
fn a_refresh_token_that_is_dead_is_named_and_a_new_one_is_adopted() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-token", &pbx, &portal, &portal.url()).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(recorded());
    agent.wait("the first is delivered", PATIENCE, |handle| settled(handle, &pbx));
    // An expired access token is renewed by itself, once.
    portal.expire_tokens();
    pbx.place_call(recorded());
    agent.wait("the second is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_eq!(portal.with_truth(|truth| truth.refreshes), 2);
    portal.uninstall();
    pbx.place_call(recorded());
    wait_for_item(&agent, "down", "no-auth");
    rewrite_secret(&setup, "b24.token", &portal.install());
    agent.wait("a new token is adopted", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}

#[test]
fn the_rate_of_the_portal_is_kept_and_its_refusals_obeyed() {
    let time = SimTime::scaled(MORNING_MS, 60.0);
    let pbx = pbx::Pbx::start(PbxConfig {
        time,
        transcribed_share: 0.0,
        ..quiet()
    })
    .unwrap();
    let portal = portal(&pbx, |config| {
        (config.rate, config.burst) = (2.0, 50.0);
        config.operating = (2.0, 100.0);
    });
    let setup = by_oauth("b24-rate", &pbx, &portal, &portal.url());
    for _ in 0..60 {
        pbx.place_call(recorded());
    }
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("all is delivered", PATIENCE * 2, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
    portal.with_truth(|truth| {
        let refused = truth.requests.iter().filter(|one| one.status == 503).count();
        let stopped = truth.requests.iter().filter(|one| one.status == 429).count();
        let first = truth.requests.first().unwrap().at_ms;
        let took = (truth.requests.last().unwrap().at_ms - first) as f64 / 1_000.0;
        println!(
            "{} requests in {took:.0} s, {refused} refused for rate, {stopped} for time",
            truth.requests.len()
        );
        assert_eq!(refused, 0);
        // 60 finishes at 2 s each, 100 s in ten minutes: some are refused once, none hammers.
        assert!((1..=20).contains(&stopped), "{stopped}");
    });
}

#[test]
fn stale_uploads_full_buckets_and_a_plan_without_rest_are_met_as_documented() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-stale", &pbx, &portal, &portal.url()).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    portal.fault(
        "upload",
        Fault::Refuse(401, "expired_token", "The access token provided has expired."),
        Times::Count(1),
    );
    let full = Fault::Refuse(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
    portal.fault("telephony.externalCall.finish", full, Times::Count(2));
    pbx.place_call(recorded());
    agent.wait("it is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
    assert_eq!(
        portal.requests("telephony.externalCall.attachRecord"),
        2,
        "a new address for the stale one"
    );
    assert_eq!(portal.requests("upload"), 2);
    assert_eq!(portal.requests("telephony.externalCall.finish"), 3);
    assert_eq!(
        portal.with_truth(|truth| truth.refreshes),
        1,
        "an upload's refusal is no reason to renew"
    );
    portal.configure(|config| config.no_rest = true);
    pbx.place_call(recorded());
    wait_for_item(&agent, "down", "no-rest-plan");
    portal.configure(|config| config.no_rest = false);
    agent.wait("it comes after all", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}
