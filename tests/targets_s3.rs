//! Object storage, against a store that others wrote: each call and recording is there once, whatever happens to the
//! line, to the store and to the box; nothing is written over; what the store refuses has a name.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "targets_s3/bucket.rs"]
mod bucket;
#[path = "targets_s3/links.rs"]
mod links;
#[path = "targets_s3/moody.rs"]
mod moody;
mod rig;
#[path = "targets_s3/server.rs"]
mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool::config::TargetKind;
use callspool::deliver::{self, ObjectStore};
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};
use callspool_sim::seed::Rng;

use bucket::Bucket;
use moody::{Moods, Moody};
use rig::archive::{assert_exact, is_settled, states};
use rig::look::wait_for;
use rig::world::{item, over, quiet};
use rig::{InProcess, Process, Setup, rewrite_secret};
use server::Server;

const PATIENCE: Duration = Duration::from_secs(300);

/// A box with one target, the bucket `rec` that is reached by way of `addr`.
fn setup(name: &str, pbx: &pbx::Handle, addr: SocketAddr, more: &str) -> Setup {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"2d\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"\n[spool]\nmin_free = \"1 MiB\"")
        .set("[[target]]\nname = \"archive\"\nkind = \"s3\"\nbucket = \"rec\"\nsecret_file = \"s3.secret\"\ntimeout = \"3s\"")
        .set(&format!("url = \"http://{addr}\"\n{more}"));
    rewrite_secret(&setup, "s3.secret", "AKIDTEST\nnot-a-secret\n");
    setup
}

/// Presses the target's Resume, if the agent listens.
fn resume(setup: &Setup) {
    let socket = callspool::cli::control::socket(&setup.state_dir());
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let _ = stream.write_all(b"{\"do\":\"resume\",\"target\":\"archive\"}\n");
        let mut said = String::new();
        let _ = BufReader::new(stream).read_line(&mut said);
    }
}

#[test]
fn five_hundred_calls_survive_a_bad_line_a_moody_store_and_kills_each_once() {
    const SEED: u64 = 20_261_122;
    /// Each costs a few seconds, which a machine that also builds has not.
    const KILLS: u32 = 8;
    println!("seed {SEED}");
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let bucket = Bucket::make(&server, "rec", false);
    let began = Instant::now();
    let pbx = Pbx::start(PbxConfig {
        history_days: 1,
        future_hours: 0,
        calls_per_day: 494,
        recorded_share: 0.5,
        talk_s: (1, 2),
        transcribed_share: 0.0,
        late_share: 0.0,
        ..PbxConfig::default()
    })
    .unwrap();
    for _ in 0..6 {
        // 6.4 MB each: two parts.
        pbx.place_call(CallPlan {
            talk_ms: Some(400_000),
            ..over(true)
        });
    }
    let moods = Moods {
        errors: 0.04,
        ..Moods::default()
    };
    let moody = Moody::start(server.addr, SEED, moods);
    let line = Line::start(moody.addr).unwrap();
    line.chaos(
        SEED,
        Chances {
            refuse: 0.01,
            cut_request: 0.04,
            cut_within: 2_500,
            lose_answer: 0.04,
            stall: 0.01,
            stall_within: Duration::from_millis(200),
        },
    );
    let setup = setup(
        "s3-chaos",
        &pbx,
        line.addr(),
        "part_size = \"5 MiB\"\nmultipart_above = \"5 MiB\"",
    );
    let mut rng = Rng::of(SEED, "kills", 0);
    let (mut process, mut kills) = (Process::start(&setup), 0);
    let end = Instant::now() + PATIENCE;
    while !is_settled(&setup, &pbx) {
        assert!(
            Instant::now() < end,
            "seed {SEED}: {:?}\n{}",
            states(&setup),
            process.said()
        );
        let done = states(&setup).get("delivered").copied().unwrap_or(0);
        // The last fifth goes in peace, or bad luck alone would decide how long this takes.
        let peace = done > 560;
        if peace {
            line.calm();
            moody.calm();
        }
        let next = Instant::now() + Duration::from_millis(1_500 + rng.below(2_500));
        while Instant::now() < next && !is_settled(&setup, &pbx) {
            assert!(process.exit().is_none(), "{}", process.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        // A person presses Resume now and then, or the pauses after bad luck would decide how long this takes.
        resume(&setup);
        if !peace && kills < KILLS {
            process.kill();
            kills += 1;
            process = Process::start(&setup);
        }
    }
    assert!(process.stop());
    let (counts, errors) = (line.counts(), moody.made_up.load(Ordering::Relaxed));
    println!(
        "{} requests: {} cut, {} answers lost, {} refused, {errors} errors of the store, {kills} kills, {:.0?}; {:?}",
        counts.requests,
        counts.requests_cut,
        counts.answers_dropped,
        counts.refused,
        began.elapsed(),
        states(&setup)
    );
    assert!(kills >= 3 && counts.answers_dropped >= 5 && counts.requests_cut >= 5 && errors >= 5);
    let versions = bucket.versions();
    let doubles: Vec<_> = versions.iter().filter(|(_, count)| **count != 1).collect();
    assert_eq!(doubles, [], "written over, seed {SEED}");
    assert_eq!(bucket.open_uploads(), 0, "orphaned uploads, seed {SEED}");
    let names: Vec<String> = versions.into_keys().collect();
    assert_exact(&pbx, &names, |name| bucket.get(name).0);
}

#[test]
fn what_is_there_is_compared_and_never_written_over_by_stores_of_both_kinds() {
    let Some(python) = server::python() else { return };
    for forgetful in [false, true] {
        let server = Server::start(&python);
        let bucket = Bucket::make(&server, "rec", false);
        let moods = Moods {
            forgetful,
            ..Moods::default()
        };
        let moody = Moody::start(server.addr, 1, moods);
        let pbx = Pbx::start(quiet()).unwrap();
        let (same, other) = (pbx.place_call(over(true)), pbx.place_call(over(true)));
        let name = |call: &pbx::TrueCall| format!("x/{}/{}", call.main_call_history_id, call.recordings[0].id);
        bucket.put(
            &format!("{}.wav", name(&same)),
            &pbx.audio(same.recordings[0].id).unwrap(),
        );
        bucket.put(&format!("{}.wav", name(&other)), b"somebody else's");
        let setup = setup(
            "s3-there",
            &pbx,
            moody.addr,
            "key = \"x/{call}/{recording}.wav\"\ncall_key = \"x/{call}/{revision}.json\"",
        );
        let agent = InProcess::start(&setup, Clock::system());
        agent.wait("all but one are delivered", PATIENCE, |_| {
            let states = states(&setup);
            states.get("held") == Some(&1) && states.get("delivered") == Some(&3)
        });
        let held = agent
            .handle()
            .store()
            .read(|c| callspool::store::held_deliveries(c, 9))
            .unwrap();
        assert_eq!(held[0].code, "exists-differs");
        assert!(held[0].reason.contains("was not overwritten"), "{}", held[0].reason);
        assert_eq!(bucket.get(&format!("{}.wav", name(&other))).0, b"somebody else's");
        let kept = agent.handle().store().progress("archive", None).unwrap();
        assert_eq!(kept.values().next().unwrap(), if forgetful { "no" } else { "yes" });
        let versions = bucket.versions();
        let doubles = versions
            .iter()
            .filter(|(name, count)| *name != "x/.callspool" && **count != 1);
        assert_eq!(doubles.count(), 0, "{versions:?}");
    }
}

#[test]
fn locks_and_classes_are_asked_for_and_a_link_opens_the_recording_for_a_while() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let bucket = Bucket::make(&server, "rec", true);
    let pbx = Pbx::start(quiet()).unwrap();
    let call = pbx.place_call(over(true));
    let setup = setup(
        "s3-lock",
        &pbx,
        server.addr,
        "key = \"{call}/{recording}.wav\"\nlock = \"governance\"\nlock_for = \"30d\"\nlegal_hold = true\n\
         storage_class = \"STANDARD_IA\"",
    );
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it is delivered", PATIENCE, |_| {
        states(&setup).get("delivered") == Some(&2)
    });
    let key = format!("{}/{}.wav", call.main_call_history_id, call.recordings[0].id);
    let (content, headers) = bucket.get(&key);
    assert!(content == pbx.audio(call.recordings[0].id).unwrap());
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert_eq!(header("x-amz-object-lock-mode"), "GOVERNANCE");
    assert_eq!(header("x-amz-object-lock-legal-hold"), "ON");
    assert_eq!(header("x-amz-storage-class"), "STANDARD_IA");
    let until = callspool::when::parse_rfc3339(&header("x-amz-object-lock-retain-until-date")).unwrap();
    let days = (until - agent.handle().clock().wall_ms()) as f64 / 86_400_000.0;
    assert!((29.9..30.1).contains(&days), "{days}");

    let config = setup.config();
    let TargetKind::S3(settings) = &config.targets[0].kind else {
        panic!()
    };
    let store = ObjectStore::new("archive", settings, Clock::system()).unwrap();
    let link = store.link(&key, Duration::from_secs(600)).unwrap();
    assert!(
        link.contains("X-Amz-Expires=600") && !link.contains("not-a-secret"),
        "{link}"
    );
    let mut answer = bucket::agent().get(&link).call().unwrap();
    assert_eq!(answer.body_mut().read_to_vec().unwrap(), content);
}

#[test]
fn the_store_checks_our_signature_and_what_it_refuses_has_a_name_and_a_remedy() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    Bucket::make(&server, "rec", false);
    // From here on the store knows two users, one of whom may do nothing, and checks signatures.
    let prepare = r#"
import sys, json, boto3, urllib.request
url = sys.argv[1]
iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
for name in ("may", "maynot"):
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="may", PolicyName="p", PolicyDocument=json.dumps(policy))
ask = urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", method="POST", headers={"Content-Type": "text/plain"})
urllib.request.urlopen(ask).read()
"#;
    let prepared = Command::new(&python)
        .args(["-c", prepare, &server.url()])
        .output()
        .unwrap();
    assert!(
        prepared.status.success(),
        "{}",
        String::from_utf8_lossy(&prepared.stderr)
    );
    let said = String::from_utf8(prepared.stdout).unwrap();
    let words: Vec<&str> = said.split_whitespace().collect();
    let [may, key, may_not, other_key] = words[..] else {
        panic!("{said}")
    };
    let pbx = Pbx::start(quiet()).unwrap();
    pbx.place_call(over(true));
    let setup = setup("s3-rights", &pbx, server.addr, "");
    let check = || {
        let config = setup.config();
        let target = deliver::open(&config.targets[0], &Clock::system()).unwrap();
        let checked = target.check(None);
        checked.map_err(|trouble| (trouble.code.clone(), target.remedy(&trouble.code)))
    };

    rewrite_secret(&setup, "s3.secret", &format!("AKIDNOBODY\n{key}\n"));
    assert_eq!(check().unwrap_err().0, "InvalidAccessKeyId");
    rewrite_secret(&setup, "s3.secret", &format!("{may}\nwrong\n"));
    let (code, fix) = check().unwrap_err();
    assert_eq!(code, "SignatureDoesNotMatch");
    assert!(fix.contains("secret key"), "{fix}");
    rewrite_secret(&setup, "s3.secret", &format!("{may_not}\n{other_key}\n"));
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("the missing right is told", PATIENCE, |handle| {
        item(handle, "target-permission:archive").is_some()
    });
    let told = item(agent.handle(), "target-permission:archive").unwrap();
    assert!(told.fix.contains("s3:PutObject"), "{told:?}");
    assert_eq!(agent.handle().status().targets[0].state, "permission");
    assert_eq!(states(&setup).get("held"), None, "it waits, it is not given up");

    // Somebody gives the right key and presses Resume.
    rewrite_secret(&setup, "s3.secret", &format!("{may}\n{key}\n"));
    assert!(check().is_ok());
    agent.handle().resume_target("archive").unwrap();
    agent.wait("it goes on by itself", PATIENCE, |handle| {
        states(&setup).get("delivered") == Some(&2) && item(handle, "target-permission:archive").is_none()
    });
}

#[test]
fn a_long_recording_goes_in_parts_and_what_an_earlier_try_left_open_is_aborted() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let bucket = Bucket::make(&server, "rec", false);
    let pbx = Pbx::start(quiet()).unwrap();
    let call = pbx.place_call(CallPlan {
        talk_ms: Some(400_000),
        ..over(true)
    });
    let key = format!("{}/{}.wav", call.main_call_history_id, call.recordings[0].id);
    bucket.begin_upload(&key);
    bucket.begin_upload(&format!("{key}.not-ours"));
    let setup = setup(
        "s3-parts",
        &pbx,
        server.addr,
        "key = \"{call}/{recording}.wav\"\npart_size = \"5 MiB\"\nmultipart_above = \"5 MiB\"",
    );
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it is delivered", PATIENCE, |_| {
        states(&setup).get("delivered") == Some(&2)
    });
    let (content, headers) = bucket.get(&key);
    assert!(content == pbx.audio(call.recordings[0].id).unwrap());
    assert!(
        headers["etag"].to_str().unwrap().contains("-2"),
        "two parts: {headers:?}"
    );
    assert_eq!(bucket.open_uploads(), 1, "somebody else's stays");
    let id = agent
        .handle()
        .store()
        .read(|c| callspool::store::call_by_key(c, &call.main_call_history_id))
        .unwrap()
        .unwrap()
        .id;
    assert!(
        agent.handle().store().progress("archive", Some(id)).unwrap().is_empty(),
        "nothing is noted any more"
    );
}

#[test]
fn a_bucket_that_is_not_there_is_named_and_nothing_is_lost() {
    let Some(python) = server::python() else { return };
    let server = Server::start(&python);
    let pbx = Pbx::start(quiet()).unwrap();
    pbx.place_call(CallPlan {
        kind: Some(CallKind::Inbound),
        ..over(true)
    });
    let setup = setup("s3-nobucket", &pbx, server.addr, "");
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("the missing bucket is told", PATIENCE, |handle| {
        item(handle, "target-down:archive").is_some_and(|item| item.text.contains("NoSuchBucket"))
    });
    assert!(
        item(agent.handle(), "target-down:archive")
            .unwrap()
            .fix
            .contains("Make the bucket")
    );
    let bucket = Bucket::make(&server, "rec", false);
    wait_for("it is delivered", PATIENCE, || {
        let _ = agent.handle().resume_target("archive");
        is_settled(&setup, &pbx)
    });
    let names: Vec<String> = bucket.versions().into_keys().collect();
    assert_exact(&pbx, &names, |name| bucket.get(name).0);
}
