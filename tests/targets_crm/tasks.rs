//! A missed call that nobody called back becomes a task at the CRM: once, for the right person, and only if it is still
//! needed.

use std::time::{Duration, Instant};

use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan};

use super::desk::{FAST, Kind, NOBODYS, crm, pbx, pbx_of_now, setup, start, wait_until_settled};
use super::rig::Process;
use super::rig::look::wait_for;
use super::rig::world::{PATIENCE, over};

fn rule(after: &str) -> String {
    format!("[[rule]]\nname = \"missed\"\noutcome = \"missed\"\ncall_back = \"{after}\"")
}

fn missed(number: &str, agent: &str) -> CallPlan {
    CallPlan {
        kind: Some(CallKind::InboundMissed),
        outside: Some(number.to_owned()),
        agents: vec![agent.to_owned()],
        ..over(false)
    }
}

/// The real agent, killed again and again while answers get lost and the task comes due.
pub fn a_task_is_made_once_whoever_kills_the_agent_and_goes_to_whoever_was_called(kind: Kind) {
    let pbx = pbx_of_now();
    let people = pbx.company().people;
    let (first, second) = (people[0].number.clone(), people[1].number.clone());
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "task-kill", &pbx, &crm)
        .set("rate = 100000\nburst = 100000\ntimeout = \"1s\"\ninternal = true")
        .set(&format!("owners = {{ \"{second}\" = \"12\" }}"))
        .set(&rule("4s"));
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    // Only what begins after the box came counts.
    std::thread::sleep(Duration::from_millis(1_500));
    let plan = |number: &str, agent: &str| CallPlan {
        ring_ms: Some(200),
        ..missed(number, agent)
    };
    // By name, by the table, and for nobody whom the CRM knows.
    pbx.place_call(plan("+49305551234", &first));
    pbx.place_call(plan("+4930777777", &second));
    crm.fault(kind.tasking(), Fault::LoseAnswer, Times::Count(2));
    // Around the moment at which they come due, and while answers are lost.
    for pause_ms in [2_500, 1_400, 900, 1_700, 1_100] {
        std::thread::sleep(Duration::from_millis(pause_ms));
        process.kill();
        process = Process::start(&setup);
    }
    process.wait_until_up(&setup);
    let end = Instant::now() + PATIENCE * 2;
    while crm.tasks().len() < 2 || crm.has_faults() {
        assert!(Instant::now() < end, "{:?}\n{}", crm.tasks(), process.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    // Whatever was under way comes to its end, and makes no third one.
    let store = setup.state_dir().join("callspool.db");
    wait_for("tasks are confirmed", PATIENCE, || {
        let open = callspool::store::Store::open_read_only(&store);
        let sql = "SELECT count(*) FROM delivery WHERE kind = 'task.call_back' AND state = 'delivered'";
        let told = open.and_then(|open| open.read(|c| Ok(c.query_row(sql, [], |row| row.get::<_, i64>(0))?)));
        told.unwrap_or(0) == 2
    });
    assert!(process.stop());
    let mut tasks = crm.tasks();
    tasks.sort_by(|one, other| one.title.cmp(&other.title));
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    let told: Vec<_> = tasks
        .iter()
        .map(|task| (task.title.as_str(), task.owner.as_str(), task.contact.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Call back +49305551234", "10", "501"),
            ("Call back +4930777777", "12", "")
        ]
    );
    assert_ne!(tasks[0].owner, NOBODYS);
    assert_eq!(crm.with_truth(|truth| truth.violations.clone()), Vec::<String>::new());
}

pub fn who_was_called_back_meanwhile_makes_no_task(kind: Kind) {
    let pbx = pbx(60.0);
    let person = pbx.company().people[0].number.clone();
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "task-back", &pbx, &crm).set(FAST).set(&rule("4m"));
    let agent = start(&setup, &pbx);
    let began = pbx.time().now_ms();
    wait_for("some minutes", PATIENCE, || pbx.time().now_ms() > began + 60_000);
    let back = pbx.place_call(missed("+49305551234", &person));
    let alone = pbx.place_call(missed("+4930777777", &person));
    wait_until_settled(&agent, &pbx);
    pbx.place_call(CallPlan {
        kind: Some(CallKind::OutboundUnanswered),
        outside: Some("+49305551234".to_owned()),
        ..over(false)
    });
    agent.wait("the other one's task is there", PATIENCE, |_| !crm.tasks().is_empty());
    let why = |call: &callspool_sim::pbx::TrueCall| {
        let read = agent.handle().store().read(|c| {
            let found = callspool::store::call_by_key(c, &call.main_call_history_id)?;
            found.map_or(Ok(None), |found| callspool::store::call_back(c, found.id))
        });
        read.unwrap().map(|row| row.reason).unwrap_or_default()
    };
    agent.wait("both are decided", PATIENCE, |_| {
        !why(&back).is_empty() && !why(&alone).is_empty()
    });
    assert!(why(&back).starts_with("somebody called back at "), "{}", why(&back));
    wait_until_settled(&agent, &pbx);
    let tasks = crm.tasks();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert!(tasks[0].title.contains("+4930777777"));
}
