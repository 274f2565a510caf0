//! What a target does that only a person can mend: it is named, with what mends it; it is asked about as seldom as the
//! schedule of pauses promises, however many calls come in; nothing is lost, and all of it goes out when it is mended.
//! What HubSpot, Pipedrive, EspoCRM and Bitrix24 add of their own is in their tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "targets_s3/bucket.rs"]
mod bucket;
mod rig;
#[path = "targets_s3/server.rs"]
mod server;

use callspool::backoff::Backoff;
use callspool_sim::bitrix24::{Bitrix24, PortalConfig};
use callspool_sim::crm::{At, Fault, Times};
use callspool_sim::line::Line;
use callspool_sim::pbx::{self, PbxConfig};

use bucket::Bucket;
use rig::archive::{assert_exact, is_settled, states};
use rig::look::{self, wait_for};
use rig::world::{self, PATIENCE, item, over, quiet};
use rig::{InProcess, Setup, rewrite_secret, same_clock};
use server::Server;

/// An hour in seven seconds.
const RATE: f64 = 480.0;

const HOUR_MS: i64 = 3_600_000;

/// The most tries in an hour that the schedule allows, with dice that fall badly: those while its pauses still grow, and
/// twice as many as there are on average once they have grown.
fn most_tries() -> usize {
    let schedule = Backoff::NETWORK;
    let growing = (1..).take_while(|n| schedule.bound(*n) < schedule.cap).count();
    let steady = 3_600.0 / (schedule.cap.as_secs_f64() / 2.0);
    growing + 2 * steady as usize
}

fn pbx() -> pbx::Handle {
    world::pbx_at(
        RATE,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    )
}

fn setup(name: &str, pbx: &pbx::Handle) -> Setup {
    Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"1d\"\npoll = \"30s\"\nsweep = \"4m\"\nsettle = \"5s\"\n[spool]\nmin_free = \"1 MiB\"")
}

/// A recorded call comes, the item appears, and an hour goes by in which more calls come. Gives how often was asked.
fn an_hour_of(agent: &InProcess, pbx: &pbx::Handle, code: &str, asked: impl Fn() -> usize) -> usize {
    pbx.place_call(over(true));
    agent.wait(code, PATIENCE, |handle| item(handle, code).is_some());
    let found = item(agent.handle(), code).unwrap();
    assert!(found.fix.len() > 20 && !found.text.is_empty(), "{found:?}");
    let (before, end) = (asked(), pbx.time().now_ms() + HOUR_MS);
    for _ in 0..5 {
        pbx.place_call(over(true));
    }
    wait_for("an hour", PATIENCE, || pbx.time().now_ms() > end);
    assert_eq!(
        agent.handle().status().counts.unwrap().deliveries_held,
        0,
        "{code}: it waits"
    );
    let tries = asked() - before;
    println!(
        "{code}: {tries} requests in an hour, {} at most; {}",
        most_tries(),
        found.fix
    );
    tries
}

#[test]
fn a_webhook_that_refuses_is_named_asked_seldom_and_gets_everything_in_the_end() {
    let (pbx, crm) = (pbx(), world::crm());
    let setup = setup("manners-webhook", &pbx).target("t", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let cases = [
        ("down", "http-401", Fault::Status(401), most_tries()),
        ("down", "http-404", Fault::Status(404), most_tries()),
        (
            "down",
            "redirected",
            Fault::Redirect("https://moved.example/hook".to_owned()),
            most_tries(),
        ),
        ("down", "web-page", Fault::CaptivePortal, most_tries()),
        ("disabled", "gone", Fault::Status(410), 0),
    ];
    for (kind, code, fault, most) in cases {
        crm.fault(At::Any, fault, Times::UntilCleared);
        let tries = an_hour_of(&agent, &pbx, &format!("target-{kind}:t"), || crm.attempts().len());
        assert!(tries <= most, "{code}: {tries} requests in an hour");
        let known = agent.handle().store().read(|c| callspool::store::target(c, "t"));
        assert_eq!(known.unwrap().unwrap().code, code);
        crm.clear_faults();
        agent.handle().resume_target("t").unwrap();
        agent.wait("all is delivered", PATIENCE, |handle| {
            is_settled(&setup, &pbx) && item(handle, &format!("target-{kind}:t")).is_none()
        });
        look::assert_once(&pbx, &crm);
    }
}

#[test]
fn a_bucket_that_is_gone_is_named_asked_seldom_and_gets_everything_in_the_end() {
    let Some(python) = server::python() else { return };
    let (server, pbx) = (Server::start(&python), pbx());
    let line = Line::start(server.addr).unwrap();
    let setup = setup("manners-s3", &pbx).set(&format!(
        "[[target]]\nname = \"t\"\nkind = \"s3\"\nbucket = \"rec\"\nsecret_file = \"t.secret\"\nurl = \"http://{}\"",
        line.addr()
    ));
    rewrite_secret(&setup, "t.secret", "AKIDTEST\nnot-a-secret\n");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let tries = an_hour_of(&agent, &pbx, "target-down:t", || line.counts().requests as usize);
    assert!(tries <= most_tries(), "{tries} requests in an hour");
    let bucket = Bucket::make(&server, "rec", false);
    agent.handle().resume_target("t").unwrap();
    agent.wait("all is delivered", PATIENCE * 2, |_| is_settled(&setup, &pbx));
    assert_eq!(states(&setup).get("held"), None);
    let names: Vec<String> = bucket.versions().into_keys().collect();
    assert_exact(&pbx, &names, |name| bucket.get(name).0);
}

#[test]
fn a_portal_whose_webhook_or_installation_is_gone_is_named_and_asked_seldom() {
    let (pbx, by_hook, by_app) = (pbx(), portal(), portal());
    let setup = setup("manners-b24", &pbx)
        .set("[[target]]\nname = \"hook\"\nkind = \"bitrix24\"\nwebhook_file = \"b24.webhook\"")
        .set("[[target]]\nname = \"app\"\nkind = \"bitrix24\"\nclient_secret_file = \"b24.secret\"\nrefresh_token_file = \"b24.token\"")
        .set(&format!(
            "url = \"{0}\"\noauth_url = \"{0}\"\nclient_id = \"{1}\"\ndefault_user = 1",
            by_app.url(),
            PortalConfig::default().client_id
        ));
    rewrite_secret(&setup, "b24.webhook", &by_hook.webhook());
    rewrite_secret(&setup, "b24.secret", &PortalConfig::default().client_secret);
    rewrite_secret(&setup, "b24.token", &by_app.install());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(over(true));
    agent.wait("the first is delivered", PATIENCE, |_| is_settled(&setup, &pbx));
    by_hook.delete_webhook();
    by_app.uninstall();
    by_app.expire_tokens();
    let asked = |portal: &callspool_sim::bitrix24::Handle| portal.with_truth(|truth| truth.requests.len());
    let before = asked(&by_app);
    let hook = an_hour_of(&agent, &pbx, "target-down:hook", || asked(&by_hook));
    let app = item(agent.handle(), "target-down:app").unwrap();
    assert!(!app.fix.is_empty(), "{app:?}");
    let app = asked(&by_app) - before;
    println!("application without its installation: {app} requests in the same hour");
    // A try there may take a refresh beside the request.
    assert!(
        hook <= most_tries() && app <= 2 * most_tries(),
        "{hook} and {app} requests"
    );
}

fn portal() -> callspool_sim::bitrix24::Handle {
    Bitrix24::start(PortalConfig {
        rate: 10_000.0,
        burst: 100_000.0,
        operating: (0.0, 480.0),
        webhook_may_call: true,
        ..PortalConfig::default()
    })
    .unwrap()
}
