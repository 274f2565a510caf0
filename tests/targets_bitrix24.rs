//! Bitrix24 as a target: every call and recording once at the portal, whatever the line, the portal's limits or its
//! administrators do; and each thing that only a person can mend is named.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callspool::agent::Handle;
use callspool::health::Item;
use callspool_sim::bitrix24::{Bitrix24, Employee, Fault, Handle as PortalHandle, PortalConfig, Times};
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{self, CallKind, CallPlan, PbxConfig};
use callspool_sim::seed::Rng;
use callspool_sim::time::SimTime;

use rig::world::{PATIENCE, item, over, pbx_at, quiet};
use rig::{InProcess, MORNING_MS, Process, Setup, same_clock};

/// A portal that all employees of the PBX work at, with a limit that tests of other things don't meet.
fn portal(pbx: &pbx::Handle, change: impl FnOnce(&mut PortalConfig)) -> PortalHandle {
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

const FAST: &str = "rate = 10000\nburst = 100000\ntimeout = \"3s\"";

/// A box beside `pbx` that delivers to `portal` as a local application.
fn by_oauth(name: &str, pbx: &pbx::Handle, portal: &PortalHandle, url: &str) -> Setup {
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
    rig::rewrite_secret(&setup, "b24.secret", &PortalConfig::default().client_secret);
    rig::rewrite_secret(&setup, "b24.token", &portal.install());
    setup
}

/// The same with an inbound webhook.
fn by_webhook(name: &str, pbx: &pbx::Handle, portal: &PortalHandle) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"1d\"\npoll = \"5s\"\nsettle = \"1s\"\n[spool]\nmin_free = \"1 MiB\"")
        .set("[[target]]\nname = \"b24\"\nkind = \"bitrix24\"\nwebhook_file = \"b24.webhook\"");
    rig::rewrite_secret(&setup, "b24.webhook", &portal.webhook());
    setup
}

fn recorded() -> CallPlan {
    CallPlan {
        talk_ms: Some(1_000),
        ..over(true)
    }
}

/// Whether the box knows all that is on the PBX and has nothing left to hand over or to deliver.
fn settled(handle: &Handle, pbx: &pbx::Handle) -> bool {
    let truth = pbx.truth();
    let made: usize = truth.iter().map(|call| call.recordings.len()).sum();
    let open = handle.store().read(|connection| {
        Ok(connection.query_row(
            "SELECT (SELECT count(*) FROM delivery WHERE state <> 'delivered')
                  + (SELECT count(*) FROM call WHERE handed_revision < revision)
                  + (SELECT count(*) FROM recording WHERE state = 'waiting' OR (state = 'held' AND handed = 0))
                  + (SELECT max(0, ?1 - count(*)) FROM call) + (SELECT max(0, ?2 - count(*)) FROM recording)",
            [truth.len() as i64, made as i64],
            |row| row.get::<_, i64>(0),
        )?)
    });
    open.is_ok_and(|open| open == 0)
}

fn wait_for_item(agent: &InProcess, kind: &str, code: &str) -> Item {
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
fn assert_once(pbx: &pbx::Handle, portal: &PortalHandle) -> (usize, usize) {
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

#[test]
fn every_kind_of_call_is_told_as_the_portal_wants_it() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-kinds", &pbx, &portal, &portal.url())
        .set(FAST)
        .set("task_for = 1");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let kinds = [
        CallKind::Inbound,
        CallKind::Outbound,
        CallKind::Internal,
        CallKind::InboundMissed,
        CallKind::BlindTransfer,
    ];
    for kind in kinds {
        pbx.place_call(CallPlan {
            kind: Some(kind),
            ..recorded()
        });
    }
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
    portal.with_truth(|truth| {
        let missed: Vec<_> = truth.calls.iter().filter(|call| call.status == "304").collect();
        assert_eq!((missed.len(), missed[0].kind, missed[0].duration), (1, 2, 0));
        assert_eq!(truth.tasks.len(), 1, "a task for the missed call");
        assert_eq!(truth.tasks[0].xml_id, missed[0].external_id);
        // Whose call it is: by internal number.
        let outgoing = truth.calls.iter().find(|call| call.kind == 1).unwrap();
        assert!(outgoing.user >= 10, "user {}", outgoing.user);
        assert!(
            truth
                .calls
                .iter()
                .filter(|call| call.status == "200")
                .all(|call| call.duration >= 1)
        );
        // An hour's token, asked for once.
        assert_eq!(truth.refreshes, 1);
    });
}

#[test]
fn a_transcript_that_comes_later_is_attached_once() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-text", &pbx, &portal, &portal.url()).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let call = pbx.place_call(recorded());
    agent.wait("it is delivered", PATIENCE, |handle| settled(handle, &pbx));
    // The answer to the first try is lost: it must not be attached twice for that.
    portal.fault("telephony.call.attachTranscription", Fault::LoseAnswer, Times::Count(1));
    assert!(pbx.transcribe_recording(call.recordings[0].id, "Guten Tag. Ja, morgen um acht."));
    agent.wait("the transcript is there", PATIENCE, |handle| {
        portal.with_truth(|truth| truth.calls[0].transcript.is_some()) && settled(handle, &pbx)
    });
    portal.with_truth(|truth| {
        let (_, text) = truth.calls[0].transcript.clone().unwrap();
        assert!(text.contains("morgen um acht"), "{text}");
        assert_eq!((truth.calls.len(), truth.calls[0].transcribed), (1, 1));
    });
    assert_once(&pbx, &portal);
}

#[test]
fn five_hundred_calls_through_a_bad_line_and_kills_arrive_once() {
    const SEED: u64 = 20_261_122;
    println!("seed {SEED}");
    let mut rng = Rng::of(SEED, "bitrix24-chaos", 0);
    // The real binary goes by the real clock.
    let pbx = pbx::Pbx::start(PbxConfig {
        transcribed_share: 0.0,
        row_delay_max_s: 0,
        ..quiet()
    })
    .unwrap();
    let portal = portal(&pbx, |config| config.keep_audio = false);
    let line = Line::start(portal.addr()).unwrap();
    // The authorization server is reached directly: an answer of it that is lost ends in a person's hands, by its rules.
    let setup = by_oauth("b24-chaos", &pbx, &portal, &format!("http://{}", line.addr()));
    let setup = setup.set("rate = 10000\nburst = 100000\ntimeout = \"1s\"");
    for _ in 0..500 {
        pbx.place_call(CallPlan {
            talk_ms: Some(300),
            ..recorded()
        });
    }
    line.chaos(
        SEED,
        Chances {
            refuse: 0.01,
            cut_request: 0.04,
            cut_within: 6_000,
            lose_answer: 0.03,
            stall: 0.01,
            stall_within: Duration::from_millis(1_500),
        },
    );
    let mut process = Process::start(&setup);
    let (mut kills, began) = (0, Instant::now());
    let done = |portal: &PortalHandle| {
        portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count())
    };
    let asked = |portal: &PortalHandle| portal.with_truth(|truth| truth.requests.len());
    while done(&portal) < 500 {
        assert!(
            began.elapsed() < Duration::from_secs(240),
            "{} of 500 after {kills} kills",
            done(&portal)
        );
        assert!(process.exit().is_none(), "{}", process.said());
        // Tokens expire while nothing else happens to it: who is killed between the answer and the commit has none left.
        if rng.chance(0.3) {
            let before = portal.requests("oauth");
            portal.expire_tokens();
            let until = Instant::now() + Duration::from_secs(20);
            while portal.requests("oauth") == before && done(&portal) < 500 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        portal.fault("*", Fault::ServerError, Times::Count(rng.below(3) as u32));
        // Killed in the middle of its work, not while it comes up.
        let enough = asked(&portal) + 60 + rng.below(140) as usize;
        let until = Instant::now() + Duration::from_secs(30);
        while asked(&portal) < enough && done(&portal) < 500 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        if kills < 10 && done(&portal) < 490 {
            process.kill();
            kills += 1;
            process = Process::start(&setup);
        } else {
            line.calm();
        }
    }
    line.calm();
    portal.clear_faults();
    rig::look::wait_for("the box knows it", Duration::from_secs(60), || {
        let open = callspool::store::Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
        let waiting = open.read(|c| {
            Ok(
                c.query_row("SELECT count(*) FROM delivery WHERE state <> 'delivered'", [], |row| {
                    row.get::<_, i64>(0)
                })?,
            )
        });
        waiting.unwrap() == 0
    });
    process.stop();
    let said = process.said();
    for secret in [&PortalConfig::default().client_secret, "auth=", "token=", "/rest/"] {
        assert!(!said.contains(secret), "the log holds {secret}");
    }
    let (calls, recordings) = assert_once(&pbx, &portal);
    let counts = line.counts();
    println!(
        "{calls} calls and {recordings} recordings once each in {:.0?}: {kills} kills, {} answers lost, {} requests cut, {} \
         stalled, {} token pairs, {} requests",
        began.elapsed(),
        counts.answers_dropped,
        counts.requests_cut,
        counts.stalled,
        portal.with_truth(|truth| truth.refreshes),
        portal.with_truth(|truth| truth.requests.len()),
    );
    assert_eq!((calls, recordings), (500, 500));
    assert!(kills >= 3 && counts.answers_dropped >= 10, "{kills} kills, {counts:?}");
}

#[test]
fn where_a_webhook_may_not_register_calls_they_become_activities_with_their_recordings() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let portal = portal(&pbx, |_| {});
    let setup = by_webhook("b24-hook", &pbx, &portal).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    // The answer to the first activity is lost, and that to the first file: neither is made twice.
    portal.fault("crm.activity.add", Fault::LoseAnswer, Times::Count(1));
    portal.fault("crm.activity.update", Fault::LoseAnswer, Times::Count(1));
    for _ in 0..5 {
        pbx.place_call(recorded());
    }
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    portal.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        assert_eq!((truth.calls.len(), truth.open.len(), truth.activities.len()), (0, 0, 5));
        for call in pbx.truth() {
            let files: Vec<_> = truth.activities.iter().flat_map(|one| &one.files).collect();
            let same = files.iter().filter(|file| file.sha256 == call.recordings[0].sha256);
            assert_eq!(same.count(), 1);
        }
    });
    let said = callspool::deliver::open(&setup.config().targets[0], agent.handle().clock())
        .unwrap()
        .check(Some(agent.handle().store()))
        .unwrap();
    assert!(
        said.contains("WRONG_AUTH_TYPE") && said.contains("activities of the CRM"),
        "{said}"
    );
}

#[test]
fn a_webhook_that_may_register_calls_does() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let portal = portal(&pbx, |config| config.webhook_may_call = true);
    let setup = by_webhook("b24-may", &pbx, &portal).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(recorded());
    agent.wait("it is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}

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
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
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
    rig::rewrite_secret(&setup, "b24.token", &portal.install());
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
fn one_employee_without_the_right_stops_nobody_else_and_hidden_numbers_are_told_all_the_same() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
    let people = pbx.company().people;
    let (first, second) = (people[0].number.clone(), people[1].number.clone());
    // By the portal's internal numbers the first is user 10 and the second user 11; the table gives the second to user 12.
    let portal = portal(&pbx, |config| config.refused_users = vec![10]);
    let setup = by_oauth("b24-people", &pbx, &portal, &portal.url())
        .set(FAST)
        .set(&format!("employees = {{ \"{second}\" = 12 }}"));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let to = |agent: &str, outside: &str| {
        pbx.place_call(CallPlan {
            agents: vec![agent.to_owned()],
            outside: Some(outside.to_owned()),
            ..recorded()
        })
    };
    let refused = to(&first, "+4930111111");
    to(&second, "anonymous");
    to(&second, "+4930222222");
    let others = || portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count());
    agent.wait("the others get through", PATIENCE, |_| others() == 2);
    let asked = portal.requests("telephony.externalCall.register");
    agent.wait("it is said of the refused one", PATIENCE, |handle| {
        let read = handle.store().read(|c| {
            let call = callspool::store::call_by_key(c, &refused.main_call_history_id)?;
            callspool::store::deliveries_of(c, call.unwrap().id)
        });
        let read = read.unwrap();
        !read.is_empty() && read[0].code == "right-telephony" && read[0].reason.contains("user 10")
    });
    assert!(asked <= 4, "{asked} registrations");
    assert_eq!(item(agent.handle(), "target-permission:b24"), None, "the others may");
    portal.with_truth(|truth| {
        assert!(truth.calls.iter().all(|call| call.user == 12));
        let hidden = truth.calls.iter().find(|call| call.number == "0000000000").unwrap();
        assert_eq!(hidden.entity, None, "nobody becomes a lead by hiding a number");
        assert!(truth.leads.contains_key("+4930222222"));
    });
    portal.configure(|config| config.refused_users.clear());
    agent.wait("it comes after all", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}

#[test]
fn stale_uploads_full_buckets_and_a_plan_without_rest_are_met_as_documented() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            transcribed_share: 0.0,
            ..quiet()
        },
    );
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
